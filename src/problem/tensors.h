/* The tensors of a problem: which there are, of what type and shape. One table for
 * everything that checks, fills, uploads or compares them. */
#ifndef SQA_PROBLEM_TENSORS_H
#define SQA_PROBLEM_TENSORS_H

#include <stdbool.h>
#include <stddef.h>

#include "problem/problem.h"

/* The part a buffer plays in an operation. */
typedef enum sqa_role {
    SQA_ROLE_Q = 0,
    SQA_ROLE_K,
    SQA_ROLE_V,
    SQA_ROLE_O,
    SQA_ROLE_LSE,
    SQA_ROLE_BIAS,
    SQA_ROLE_MASK,
    SQA_ROLE_KEY_MASK,
    SQA_ROLE_SINKS,
    SQA_ROLE_SLOPES,
    SQA_ROLE_GLOBALS,
    SQA_ROLE_BLOCK_OFFSETS,
    SQA_ROLE_BLOCK_INDICES,
    SQA_ROLE_CU_SEQLENS_Q,
    SQA_ROLE_CU_SEQLENS_KV,
    SQA_ROLE_TENSOR_COUNT,
    SQA_ROLE_WORKSPACE = SQA_ROLE_TENSOR_COUNT, /* not a tensor of the problem */
    SQA_ROLE_COUNT
} sqa_role;

/* How an element is stored; the first three are the values of sqa_dtype. */
typedef enum sqa_element {
    SQA_ELEMENT_F32 = SQA_DTYPE_F32,
    SQA_ELEMENT_F16 = SQA_DTYPE_F16,
    SQA_ELEMENT_BF16 = SQA_DTYPE_BF16,
    SQA_ELEMENT_BYTE, /* of a mask: 0 hides */
    SQA_ELEMENT_INT   /* 32 bits */
} sqa_element;

size_t sqa_element_size(sqa_element element);

typedef struct sqa_tensor_shape {
    const char *name; /* as in sqa_tensors: "q", "block_offsets" */
    sqa_element element;
    bool output;
    sqa_strides strides; /* elements; the last dimension's are adjacent */
    uint32_t batch, heads, length, dim;
} sqa_tensor_shape;

/* false when the problem has no such tensor (*out is then empty). */
bool sqa_tensor_shape_of(const sqa_problem *problem, sqa_role role, sqa_tensor_shape *out);

/* One past the last element the tensor's view touches. */
uint64_t sqa_tensor_extent(const sqa_tensor_shape *shape);

/* What a call has to bring: `extent` elements behind its offset, 0 where no kernel will
 * look. */
typedef struct sqa_tensor_need {
    const char *name;
    uint64_t extent;
    size_t element_size;
} sqa_tensor_need;

/* Of all roles; follows from the problem alone, so that plans keep it. */
void sqa_tensor_needs(const sqa_problem *problem, sqa_tensor_need out[SQA_ROLE_TENSOR_COUNT]);

#endif
