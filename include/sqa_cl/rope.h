/* Rotary position embedding (Su et al., "RoFormer"): Y = RoPE(X), each pair of a row's first
 * `rotary` elements turned by an angle that grows with the row's position, the others copied:
 *
 *   y0 = x0 cos(p f) - x1 sin(p f),   y1 = x0 sin(p f) + x1 cos(p f),   f = base^(-2 i / rotary)
 *
 * for pair i of 0 .. rotary / 2 - 1 at position p. X and Y are (batch, heads, length, dim) by
 * strides, the last dimension contiguous. With `inverse` rows are turned back: that is also how
 * gradients go from dY to dX.
 *
 * With `hadamard` each block of a row, of as many elements as the largest power of two that divides
 * dim, is then multiplied by the Hadamard matrix of its size n, H[i][j] = (-1)^popcount(i & j) /
 * sqrt(n). That leaves products of two such rows as they are, and spreads what few elements have
 * over the block: keys with outliers lose less when they are quantised (kv_cache.h). It is its own
 * inverse, and comes first where rows are turned back. An odd dim stays as it is.
 *
 * Angles are as exact at position 2^31 as at 0: the part of a turn that is left of p f is computed
 * in integers. Results are the same, bit for bit, every time. */
#ifndef SQA_CL_ROPE_H
#define SQA_CL_ROPE_H

#include <stdint.h>

#include "attention.h"
#include "context.h"
#include "plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Which elements are pair i. */
typedef enum sqa_rope_pairs {
    SQA_ROPE_INTERLEAVED = 0, /* 2 i and 2 i + 1 */
    SQA_ROPE_HALF = 1         /* i and i + rotary / 2 */
} sqa_rope_pairs;

/* Start from SQA_ROPE_DESC_INIT and set at least heads, length and dim. */
typedef struct sqa_rope_desc {
    uint32_t version; /* SQA_ROPE_DESC_VERSION */
    sqa_dtype dtype;  /* of X and Y */
    uint32_t batch;   /* 0..2^30; 0 does nothing */
    uint32_t heads;   /* 1..65535 */
    uint32_t length;  /* 0..2^30; 0 does nothing */
    uint32_t dim;     /* 1..1024 */
    uint32_t rotary;  /* even, 0..dim; SQA_NOT_SET: as many as there are */
    sqa_rope_pairs pairs;
    float base;             /* finite, 1 or more */
    uint32_t offset;        /* 0..2^30; row i of each sequence is at position offset + i ... */
    uint32_t positions;     /* 1: or where tensors.positions says, and offset does not count; 2: or
                               at the end of sequences of as many rows as tensors.positions says,
                               int32 (batch): the last row of n at positions[b] - 1 */
    int64_t position_batch; /* elements from a batch entry's positions to the next one's; 0: all
                               have the same */
    uint32_t inverse;       /* 1: turns back */
    sqa_strides x, y;       /* all three zero: packed; of Y, elements must not overlap */

    /* From version 2 on. */
    uint32_t sequences; /* with positions = 2 and a batch of 1: X has the rows of so many sequences
                           one after the other, 1..65535, of which tensors.cu_seqlens says which are
                           whose and tensors.positions has a number each; 0: batch entries are
                           sequences */

    /* From version 3 on. */
    uint32_t hadamard; /* 1: blocks of rows go through a Hadamard matrix after they are turned */
} sqa_rope_desc;

#define SQA_ROPE_DESC_VERSION 3u
#define SQA_ROPE_DESC_INIT                                                                         \
    {                                                                                              \
        SQA_ROPE_DESC_VERSION, SQA_DTYPE_F32, 1u, SQA_NOT_SET, SQA_NOT_SET, SQA_NOT_SET,           \
            SQA_NOT_SET, SQA_ROPE_INTERLEAVED, 10000.0f, 0u, 0u, 0, 0u, {0, 0, 0}, {0, 0, 0}, 0u,  \
            0u                                                                                     \
    }

/* The tensors of one call. Start from SQA_ROPE_TENSORS_INIT. Y may be X itself: the same buffer,
 * offset and strides; else it lies apart from it. */
typedef struct sqa_rope_tensors {
    uint32_t version; /* SQA_ROPE_TENSORS_VERSION */
    sqa_tensor x, y;
    sqa_tensor positions; /* int32 (batch, length), or with desc.positions = 2 (batch) or
                             (sequences), of any value; only with desc.positions */
    cl_mem workspace;     /* as in sqa_tensors */

    /* From version 2 on. */
    sqa_tensor cu_seqlens; /* int32 (sequences + 1), from 0 to length; only with desc.sequences */
} sqa_rope_tensors;

#define SQA_ROPE_TENSORS_VERSION 2u
#define SQA_ROPE_TENSORS_INIT                                                                      \
    {                                                                                              \
        SQA_ROPE_TENSORS_VERSION, {0, 0}, {0, 0}, {0, 0}, 0,                                       \
        {                                                                                          \
            0, 0                                                                                   \
        }                                                                                          \
    }

/* A plan for sqa_rope_run(), as sqa_plan_create() makes one for sqa_forward(), and with the same
 * options (may be NULL), which name families of this operation. Everything is copied.
 * Errors: those of sqa_plan_create(). */
SQA_API sqa_status sqa_rope_plan_create(sqa_plan **out, sqa_context *context,
                                        const sqa_rope_desc *desc, const sqa_plan_options *options);

/* Enqueues such a plan. Waits, threads and errors as sqa_forward(). */
SQA_API sqa_status sqa_rope_run(sqa_plan *plan, cl_command_queue queue,
                                const sqa_rope_tensors *tensors, cl_uint wait_count,
                                const cl_event *wait_list, cl_event *event);

/* The same with a plan that the context keeps for equal descriptors, as
 * sqa_attention_forward(). */
SQA_API sqa_status sqa_rope(sqa_context *context, cl_command_queue queue, const sqa_rope_desc *desc,
                            const sqa_rope_tensors *tensors, cl_uint wait_count,
                            const cl_event *wait_list, cl_event *event);

#ifdef __cplusplus
}
#endif

#endif
