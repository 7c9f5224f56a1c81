/* The arguments of the kernels of a backward pass. Their tables end with sqa_pattern_rows, and
 * their values begin with an sqa_forward_values. */
#ifndef SQA_KERNELS_BACKWARD_ARGUMENTS_H
#define SQA_KERNELS_BACKWARD_ARGUMENTS_H

#include "kernels/forward_arguments.h"

/* Q, K, V, dO, LSE and delta; heads. */
extern const sqa_argument_row sqa_backward_rows[];

/* dQ, dK, dV; dBias, dSinks, dSlopes: those that are asked for. */
extern const sqa_argument_row sqa_core_gradient_rows[], sqa_score_gradient_rows[];

/* The workspace, where dQ is summed in copies (cl/backward/sums.cl) and asked for. */
extern const sqa_argument_row sqa_backward_sum_rows[];

/* The step that adds the copies, behind those that write them: `copies` of them with rows of
 * `columns` floats; `tables` are the arguments of all kernels. Nothing where there is no dQ. */
void sqa_backward_add_sums(sqa_launch *out, const sqa_problem *problem,
                           const sqa_argument_row *const *tables, uint32_t copies,
                           uint32_t columns);

#endif
