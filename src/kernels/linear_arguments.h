/* What the programs of linear attention have in common: their arguments, and the definitions of
 * its rule. */
#ifndef SQA_KERNELS_LINEAR_ARGUMENTS_H
#define SQA_KERNELS_LINEAR_ARGUMENTS_H

#include "kernels/arguments.h"
#include "kernels/kernel_family.h"

/* Of every kernel of a program: *_batch, *_head and *_row are distances in elements. */
extern const sqa_argument_row *const sqa_linear_tables[];

/* The definitions common to every kernel (SQA_FEATURE, SQA_DECAY, ...), and SQA_LINEAR_ARGUMENTS.
 */
void sqa_source_linear(sqa_text *out, const sqa_problem *problem);

/* The fragments that use them, with which every family's list begins. */
#define SQA_LINEAR_FRAGMENTS "common/types.cl", "linear/arguments.cl", "linear/sums.cl"

/* Adds the step `kernel`, of which a state has `parts` work-items; and, where sums are written,
 * the step that does it. */
void sqa_linear_launch(const sqa_problem *problem, const char *kernel, uint32_t parts,
                       sqa_launch *out);

#endif
