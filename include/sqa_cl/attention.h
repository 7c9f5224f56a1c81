/* Which attention: the descriptor, and presets for the variants of the family.
 *
 *   S = scale * Q K^T, then softcap * tanh(S / softcap), then + bias and ALiBi;
 *   P = softmax of S along the keys that are seen;  O = P V
 *
 * Shapes (last dimension contiguous, the others by strides):
 *   Q (batch, q_heads,  q_length,  head_dim)
 *   K (batch, kv_heads, kv_length, head_dim)
 *   V (batch, kv_heads, kv_length, value_dim)
 *   O (batch, max(q_heads, kv_heads), q_length, value_dim)
 *   LSE (batch, max(q_heads, kv_heads), q_length), packed, f32, natural logarithm
 *
 * Output head h reads query head h mod q_heads and key/value head
 * h / (output heads / kv_heads): with q_heads >= kv_heads neighbouring query
 * heads share one key/value head (GQA, MQA, SQA); with q_heads < kv_heads the
 * query heads are repeated in turn (rSQA).
 *
 * A query that sees no key gives O = 0 and LSE = -inf. What a mask hides, or
 * lies beyond a length, never reaches the output, NaN and infinity included.
 *
 * Numbers. Everything is added up in f32. Finite inputs, however large or small, give
 * the result of the formulas above but for rounding, as long as
 *   - no q, and no sum of q k along head_dim, on its way either, is beyond FLT_MAX / 2:
 *     times 2^23 |scale| where that is less than 1, times 2^-24 |scale| where that is
 *     more;
 *   - with ALiBi, slopes times distances are below 2^150.
 * Neither scale, softcap, biases and sinks nor the scores have to stay away from FLT_MAX. O
 * is finite when V is. LSE is infinite only where its value is beyond FLT_MAX.
 *
 * A weight that is less than 2^-95 of the row's largest may count as 0: its key adds 0 to
 * O, whatever finite value it has, and nothing to LSE. It is seen all the same: NaN and
 * infinity in V reach the rows that see them, however little they weigh.
 *
 * On devices without subnormal numbers (CL_FP_DENORM) those are 0, also as products. */
#ifndef SQA_CL_ATTENTION_H
#define SQA_CL_ATTENTION_H

#include <stdint.h>

#include "export.h"
#include "pattern.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum sqa_operation {
    SQA_OPERATION_FORWARD = 0, /* O and, if asked for, LSE from Q, K, V */
    /* These have functions of their own, in select.h. */
    SQA_OPERATION_SELECT_BLOCKS = 1,    /* block lists from Q, K */
    SQA_OPERATION_SELECTED_FORWARD = 2, /* both: forward attention over the blocks selected */
    /* And this in backward.h; it is made of those below, which have results of their own in the
     * tuning database, but no functions. */
    SQA_OPERATION_BACKWARD = 3,        /* gradients of forward attention */
    SQA_OPERATION_BACKWARD_DELTA = 4,  /* rowsum(dO * O) */
    SQA_OPERATION_BACKWARD_CORE = 5,   /* dQ, dK, dV */
    SQA_OPERATION_BACKWARD_SCORES = 6, /* dBias, dSinks, dSlopes */
    SQA_OPERATION_MATMUL = 7,          /* matrix product, in matmul.h */
    SQA_OPERATION_ACTIVATION = 8,      /* act(A) * B + residual, in activation.h */
    SQA_OPERATION_ACTIVATION_BACKWARD = 9,
    SQA_OPERATION_LINEAR_FORWARD = 10,  /* linear attention, in linear.h */
    SQA_OPERATION_LINEAR_BACKWARD = 11, /* its gradients */
    SQA_OPERATION_MERGE = 12,           /* two partial results into one, in merge.h */
    SQA_OPERATION_LAYER = 13,           /* an attention layer, in layer.h, made of others */
    SQA_OPERATION_LAYER_BACKWARD = 14,  /* its gradients */
    SQA_OPERATION_ROPE = 15,            /* rotary position embedding, in rope.h */
    SQA_OPERATION_NORM = 16,            /* RMSNorm and LayerNorm, in norm.h */
    SQA_OPERATION_NORM_BACKWARD = 17,   /* their gradients */
    SQA_OPERATION_KV_APPEND = 18,       /* new tokens into a cache, in kv_cache.h */
    SQA_OPERATION_BLOCK = 19,           /* a transformer block, in block.h, made of others */
    SQA_OPERATION_BLOCK_BACKWARD = 20,  /* its gradients */
    SQA_OPERATION_MLA_LAYER = 21        /* multi-head latent attention, in mla.h, likewise */
} sqa_operation;

/* How tensors are stored; sums are always kept in f32. */
typedef enum sqa_dtype {
    SQA_DTYPE_F32 = 0,
    SQA_DTYPE_F16 = 1,  /* IEEE binary16; needs no cl_khr_fp16 */
    SQA_DTYPE_BF16 = 2, /* the upper 16 bits of an f32 */
    SQA_DTYPE_INT8 = 3, /* of caches alone (kv_dtype): see "Quantised caches" in kv_cache.h */
    SQA_DTYPE_INT4 = 4
} sqa_dtype;

/* How exact the products of tensors in f32 are: Q with K, and weights with V.
 *
 * With SQA_PRODUCTS_TF32 matrix units may compute them, which take Q, K, V and the weights rounded
 * to 11 significant bits, that is by 2^-11 of a value at most; sums are in f32. The error of O is
 * then 4e-4, relative root mean square, instead of 1e-7, and that of LSE 5e-4 at most, where Q, K
 * and V are normally distributed; 1e-3 and 7e-3 where scores reach 16. Promised are, for scores of
 * a few at most, 1e-3 in the root mean square and 2e-3 of the largest |V| of O, and 1e-3 of LSE, or
 * of its value. What is said above of infinities, NaN, large numbers and what is hidden holds.
 * Nobody gets it unasked, and a device without such a unit, or where another way is faster,
 * computes in f32. */
typedef enum sqa_products { SQA_PRODUCTS_F32 = 0, SQA_PRODUCTS_TF32 = 1 } sqa_products;

/* Query i (from 0) sees the keys j with ... */
typedef enum sqa_causal {
    SQA_CAUSAL_NONE = 0,         /* any j */
    SQA_CAUSAL_BOTTOM_RIGHT = 1, /* j <= i + kv_length - q_length: the last query sees every key */
    SQA_CAUSAL_TOP_LEFT = 2      /* j <= i: the first query sees the first key only */
} sqa_causal;

/* Start from SQA_ATTENTION_DESC_INIT and set at least the lengths, without which every call
 * refuses the descriptor, and the heads. */
typedef struct sqa_attention_desc {
    uint32_t version; /* SQA_ATTENTION_DESC_VERSION */
    sqa_operation operation;
    sqa_dtype dtype;    /* of Q, O and, unless kv_dtype says otherwise, K and V */
    uint32_t batch;     /* 0..2^30; 0 does nothing */
    uint32_t q_heads;   /* 1..65535; one of q_heads and kv_heads divides the other */
    uint32_t kv_heads;  /* 1..65535 */
    uint32_t q_length;  /* 0..2^30; 0 does nothing; to be set */
    uint32_t kv_length; /* 0..2^30; 0 writes zeros; to be set */
    uint32_t head_dim;  /* 1..1024 */
    uint32_t value_dim; /* 1..1024; 0: head_dim */
    float scale;        /* finite; 0: 1/sqrt(head_dim) */
    sqa_causal causal;
    uint32_t write_lse;     /* 1: LSE is written too */
    sqa_strides q, k, v, o; /* of O, elements must not overlap */

    /* Which keys are seen; see pattern.h. */
    sqa_align align; /* without causal: where queries stand; with it, causal says it */
    sqa_window window;
    sqa_globals globals;
    uint32_t key_mask; /* 1: tensors.key_mask, a byte per (batch, key), packed; 0 hides the key */
    sqa_mask_view mask;
    sqa_blocks blocks;
    sqa_ragged ragged;

    /* What becomes of the scores. */
    float softcap; /* positive and finite; 0: none */
    sqa_alibi alibi;
    sqa_bias bias;
    uint32_t sinks; /* 1: tensors.sinks, f32 (output heads): a logit per head that joins the
                       denominator and LSE of every row that sees a key */
    float dropout;  /* the part of all weights that is dropped, 0 (none) to less than 1; see
                       pattern.h */

    /* From version 2 on. */
    sqa_paged paged; /* how K and V lie, when in pages; see pattern.h */

    /* From version 3 on. */
    int32_t
        kv_dtype; /* how K and V are stored, an sqa_dtype; -1: as Q and O, by dtype. INT8 and INT4
                     take head_dim, value_dim, strides and offsets that are multiples of 32 */

    /* From version 4 on. */
    sqa_products products; /* TF32: of forward attention alone, with dtype and kv_dtype F32 */
} sqa_attention_desc;

#define SQA_ATTENTION_DESC_VERSION 4u
#define SQA_ATTENTION_DESC_INIT                                                                    \
    {                                                                                              \
        SQA_ATTENTION_DESC_VERSION, SQA_OPERATION_FORWARD, SQA_DTYPE_F32, 1u, 1u, 1u, SQA_NOT_SET, \
            SQA_NOT_SET, 64u, 0u, 0.0f, SQA_CAUSAL_NONE, 0u, {0, 0, 0}, {0, 0, 0}, {0, 0, 0},      \
            {0, 0, 0}, SQA_ALIGN_BOTTOM_RIGHT, {-1, -1}, {0u, 0u}, 0u, {0u, {0, 0, 0}},            \
            {0u, 0u, 0u, 0u, SQA_NOT_SET}, {0u, SQA_NOT_SET, SQA_NOT_SET}, 0.0f, SQA_ALIBI_NONE,   \
            {0u, 0, {0, 0, 0}}, 0u, 0.0f, {0u, 0u}, -1, SQA_PRODUCTS_F32                           \
    }

/* Strides of a packed (batch, heads, length, dim) tensor. */
SQA_API sqa_strides sqa_strides_bhsd(uint32_t heads, uint32_t length, uint32_t dim);

/* Strides of a packed (batch, length, heads, dim) tensor. */
SQA_API sqa_strides sqa_strides_bshd(uint32_t heads, uint32_t length, uint32_t dim);

/* The attention variants, as heads relative to a multi-head model of H heads
 * (Sparse Query Attention, arXiv 2510.01817, sections 3.2 and 3.3). */
typedef enum sqa_variant {
    SQA_VARIANT_MHA = 0,   /* H   / H   multi-head */
    SQA_VARIANT_GQA = 1,   /* H   / H/4 grouped-query */
    SQA_VARIANT_MQA = 2,   /* H   / 1   multi-query */
    SQA_VARIANT_SQA = 3,   /* H/2 / H/4 sparse query */
    SQA_VARIANT_SSQA = 4,  /* H/2 / H/2 symmetric */
    SQA_VARIANT_XSQA = 5,  /* H/4 / H/4 extreme */
    SQA_VARIANT_XSMQA = 6, /* H/4 / 1   extreme, one key/value head */
    SQA_VARIANT_LSQA = 7,  /* 3H/4 / H/4 light */
    SQA_VARIANT_RSQA = 8,  /* H/4 / H/2 reverse: fewer query than key/value heads */
    SQA_VARIANT_COUNT = 9
} sqa_variant;

/* The query and key/value heads of a variant of a model of `heads` heads, for
 * use as q_heads and kv_heads. Counts that do not divide evenly are rounded down
 * to at least 1, then kv_heads down until one divides the other.
 * Errors: SQA_INVALID_ARGUMENT (heads outside 1..65535, unknown variant, NULL). */
SQA_API sqa_status sqa_variant_heads(sqa_variant variant, uint32_t heads, uint32_t *q_heads,
                                     uint32_t *kv_heads);

/* "mha", "gqa", ...; static storage. NULL for a value outside the enum. */
SQA_API const char *sqa_variant_name(sqa_variant variant);

/* The variant of a name, upper or lower case.
 * Errors: SQA_INVALID_ARGUMENT, whose detail lists the names. */
SQA_API sqa_status sqa_variant_from_name(const char *name, sqa_variant *out);

#ifdef __cplusplus
}
#endif

#endif
