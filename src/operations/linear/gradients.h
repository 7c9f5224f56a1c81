/* The oracle of linear attention's gradients: fp64, the recurrence backwards, from the definition
 * in include/sqa_cl/linear.h. */
#ifndef SQA_OPERATIONS_LINEAR_GRADIENTS_H
#define SQA_OPERATIONS_LINEAR_GRADIENTS_H

#include "operations/linear/reference.h"

/* Packed, each sequence as long as the longest; without what the problem has not. */
typedef struct sqa_linear_gradients {
    double *dq;     /* (batch, q_heads, q_length, head_dim) */
    double *dk;     /* (batch, kv_heads, kv_length, head_dim) */
    double *dv;     /* (batch, kv_heads, kv_length, value_dim) */
    double *dbeta;  /* (batch, kv_heads, kv_length) */
    double *ddecay; /* (batch, kv_heads, kv_length, head_dim), of each channel */
    double *dstate; /* (batch, kv_heads, head_dim, value_dim + 1), the sums' behind */
} sqa_linear_gradients;

/* In one piece of memory, for free(); NULL: there is none. */
sqa_linear_gradients *sqa_linear_gradients_of(const sqa_linear *linear,
                                              const sqa_reference_inputs *inputs);

#endif
