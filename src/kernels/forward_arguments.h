/* The arguments of every forward kernel, and of others that compute scores. What a problem
 * does not have is no argument of its kernel. */
#ifndef SQA_KERNELS_FORWARD_ARGUMENTS_H
#define SQA_KERNELS_FORWARD_ARGUMENTS_H

#include "kernels/arguments.h"
#include "kernels/scale.h"

/* Offsets and strides in elements; *_batch, *_head, *_row are distances between neighbours in
 * that dimension. Query i stands at position i + diagonal among the keys. */
extern const sqa_argument_row sqa_forward_rows[]; /* tensors, heads, the scale */
extern const sqa_argument_row sqa_pattern_rows[]; /* which keys are seen, scores, lengths */

/* What those rows take that the problem does not have as a number. */
typedef struct sqa_forward_values {
    int32_t group;         /* output heads per key/value head */
    int32_t block_batch;   /* 1 where every batch entry has lists of its own */
    int32_t block_lists;   /* query blocks of one matrix */
    int32_t dropout_below; /* the bits of a uint: smaller numbers drop a weight */
    float dropout_factor;  /* what others are multiplied by */
    int32_t split_batches, split_keys, splits; /* of the rows in work_division.c */
    sqa_scale_parts scale;
} sqa_forward_values;

sqa_forward_values sqa_forward_values_of(const sqa_attention *attention);

#endif
