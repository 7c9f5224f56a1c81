/* The canonical problem: a validated descriptor with every default filled in.
 *
 * Zero-filled before it is set, so that two equal problems are equal as bytes:
 * it is the key of the plan cache and what every kernel family works from. */
#ifndef SQA_PROBLEM_PROBLEM_H
#define SQA_PROBLEM_PROBLEM_H

#include <stdbool.h>
#include <stdint.h>

#include "sqa_cl/attention.h"

#define SQA_MAX_HEAD_DIM 512u

/* What shapes the set of keys a query sees. A bit per kind, so that kinds combine. */
typedef enum sqa_mask {
    SQA_MASK_NONE = 0,
    SQA_MASK_CAUSAL = 1 /* query i sees keys j <= i + diagonal */
} sqa_mask;

typedef struct sqa_problem {
    sqa_operation operation;
    sqa_dtype dtype;
    uint32_t batch;
    uint32_t q_heads, kv_heads;
    uint32_t out_heads; /* max(q_heads, kv_heads) */
    uint32_t q_length, kv_length;
    uint32_t head_dim, value_dim;
    uint32_t mask;    /* sqa_mask bits */
    int32_t diagonal; /* causal: i + diagonal is the last key query i sees; 0 without causal */
    float scale;
    uint32_t write_lse;
    sqa_strides q, k, v, o; /* elements; never all zero */
} sqa_problem;

/* Checks every field of `desc` and fills *out.
 * Errors: SQA_INVALID_ARGUMENT, naming the field and its range. */
sqa_status sqa_problem_from_desc(sqa_problem *out, const sqa_attention_desc *desc);

/* Output heads that share one key/value head: out_heads / kv_heads, at least 1. */
uint32_t sqa_problem_group(const sqa_problem *problem);

/* One past the last element each tensor's view touches, in elements from its
 * first; 0 for an empty tensor. */
uint64_t sqa_extent(const sqa_strides *strides, uint32_t batch, uint32_t heads, uint32_t length,
                    uint32_t dim);

/* Floating-point operations the result needs: 2 (head_dim + value_dim) per
 * (query, visible key) pair and output head; softmax is not counted. */
double sqa_problem_flops(const sqa_problem *problem);

/* Bytes that have to move at least once: every tensor once. */
double sqa_problem_bytes(const sqa_problem *problem);

#endif
