/* What the programs of rotary position embeddings have in common. */
#ifndef SQA_KERNELS_ROPE_ARGUMENTS_H
#define SQA_KERNELS_ROPE_ARGUMENTS_H

#include "kernels/arguments.h"
#include "kernels/kernel_family.h"

extern const sqa_argument_row *const sqa_rope_tables[];

/* The definitions (SQA_DIM, SQA_HALF, ...), sqa_turns, and SQA_ROPE_ARGUMENTS. */
void sqa_source_rope(sqa_text *out, const sqa_problem *problem);

#endif
