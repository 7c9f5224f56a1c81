/* Two parts of attention into one: what the same queries have from two sets of keys, as O and LSE
 * of each, is O and LSE over all of those keys.
 *
 *   LSE = log(exp(LSE_a) + exp(LSE_b))
 *   O = exp(LSE_a - LSE) O_a + exp(LSE_b - LSE) O_b
 *
 * For keys on several devices, for a prefix that many sequences share, for a sequence whose keys
 * come piece by piece: whatever the order, the result is that of one call over all keys but for
 * rounding. Each key belongs to one of the parts, sinks to one of them, too.
 *
 * Shapes (last dimension contiguous, the others by strides):
 *   a, b, o              (batch, heads, length, dim), as the O of attention
 *   a_lse, b_lse, lse    (batch, heads, length), packed, f32, natural logarithm
 *
 * A part whose LSE is -inf has seen no key and is not looked at; where both are, O = 0 and
 * LSE = -inf. NaN in an LSE, or in an O that counts, reaches the row. Results are the same, bit for
 * bit, every time. */
#ifndef SQA_CL_MERGE_H
#define SQA_CL_MERGE_H

#include <stdint.h>

#include "attention.h"
#include "context.h"
#include "plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Start from SQA_MERGE_DESC_INIT and set at least heads and length. */
typedef struct sqa_merge_desc {
    uint32_t version;    /* SQA_MERGE_DESC_VERSION */
    sqa_dtype dtype;     /* of a, b and o */
    uint32_t batch;      /* 0..2^30; 0 does nothing */
    uint32_t heads;      /* 1..65535; output heads of the attention */
    uint32_t length;     /* 0..2^30 queries; 0 does nothing; to be set */
    uint32_t dim;        /* 1..1024; value_dim of the attention */
    sqa_strides a, b, o; /* all zero: packed; of o, elements must not overlap */
} sqa_merge_desc;

#define SQA_MERGE_DESC_VERSION 1u
#define SQA_MERGE_DESC_INIT                                                                        \
    {                                                                                              \
        SQA_MERGE_DESC_VERSION, SQA_DTYPE_F32, 1u, 1u, SQA_NOT_SET, 64u, {0, 0, 0}, {0, 0, 0},     \
        {                                                                                          \
            0, 0, 0                                                                                \
        }                                                                                          \
    }

/* The tensors of one call. Start from SQA_MERGE_TENSORS_INIT. Inputs are only read and may overlap
 * each other; o and lse overlap none of them. */
typedef struct sqa_merge_tensors {
    uint32_t version; /* SQA_MERGE_TENSORS_VERSION */
    sqa_tensor a, a_lse;
    sqa_tensor b, b_lse;
    sqa_tensor o, lse;
    cl_mem workspace; /* as in sqa_tensors */
} sqa_merge_tensors;

#define SQA_MERGE_TENSORS_VERSION 1u
#define SQA_MERGE_TENSORS_INIT                                                                     \
    {                                                                                              \
        SQA_MERGE_TENSORS_VERSION, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, 0               \
    }

/* A plan for sqa_merge_run(), as sqa_plan_create() makes one for sqa_forward(), and with the same
 * options (may be NULL), which name families of this operation. Everything is copied.
 * Errors: those of sqa_plan_create(). */
SQA_API sqa_status sqa_merge_plan_create(sqa_plan **out, sqa_context *context,
                                         const sqa_merge_desc *desc,
                                         const sqa_plan_options *options);

/* Enqueues such a plan. Waits, threads and errors as sqa_forward(). */
SQA_API sqa_status sqa_merge_run(sqa_plan *plan, cl_command_queue queue,
                                 const sqa_merge_tensors *tensors, cl_uint wait_count,
                                 const cl_event *wait_list, cl_event *event);

/* sqa_merge_run() with a plan that the context keeps for equal descriptors, as
 * sqa_attention_forward(). */
SQA_API sqa_status sqa_merge(sqa_context *context, cl_command_queue queue,
                             const sqa_merge_desc *desc, const sqa_merge_tensors *tensors,
                             cl_uint wait_count, const cl_event *wait_list, cl_event *event);

#ifdef __cplusplus
}
#endif

#endif
