/* The oracle: attention in fp64 by plain loops, written from the definition
 * (docs of include/sqa_cl/attention.h) and sharing no code with any kernel. */
#ifndef SQA_REFERENCE_REFERENCE_H
#define SQA_REFERENCE_REFERENCE_H

#include "problem/problem.h"

/* One output row: value_dim doubles to `o`, the log-sum-exp to *lse. Inputs are
 * host arrays laid out by the problem's strides. */
void sqa_reference_forward_row(const sqa_problem *problem, const float *q, const float *k,
                               const float *v, uint32_t batch, uint32_t head, uint32_t row,
                               double *o, double *lse);

#endif
