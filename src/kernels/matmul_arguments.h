/* What the programs of every matrix product have in common: their arguments, and the
 * definitions of what is done to a sum before it is stored. */
#ifndef SQA_KERNELS_MATMUL_ARGUMENTS_H
#define SQA_KERNELS_MATMUL_ARGUMENTS_H

#include "kernels/arguments.h"
#include "kernels/kernel_family.h"

/* Offsets and strides in elements; *_batch, *_row are distances between neighbours. */
extern const sqa_argument_row sqa_matmul_rows[];

/* The definitions common to every kernel of a product (SQA_GATED, SQA_ACTIVATION, ...), and
 * SQA_MATMUL_ARGUMENTS, of these tables. */
void sqa_source_matmul(sqa_text *out, const sqa_problem *problem,
                       const sqa_argument_row *const *tables);

#endif
