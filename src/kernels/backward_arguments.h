/* The arguments of the kernels of a backward pass. Their tables end with sqa_pattern_rows, and
 * their values begin with an sqa_forward_values. */
#ifndef SQA_KERNELS_BACKWARD_ARGUMENTS_H
#define SQA_KERNELS_BACKWARD_ARGUMENTS_H

#include "kernels/forward_arguments.h"

/* Q, K, V, dO, LSE and delta; heads. */
extern const sqa_argument_row sqa_backward_rows[];

/* dQ, dK, dV; dBias, dSinks, dSlopes: those that are asked for. */
extern const sqa_argument_row sqa_core_gradient_rows[], sqa_score_gradient_rows[];

#endif
