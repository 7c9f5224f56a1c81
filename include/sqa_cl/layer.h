/* The attention layer as models call it: projections, attention (attention.h) and the output
 * projection, forward and backward, with any of the family's variants.
 *
 *   Q = X Wq + bq          K = C Wk + bk          V = C Wv + bv
 *   O = attention(Q, K, V)          Y = O Wo + bo
 *
 * With qk_norm each head of Q and K is normalised first (RMSNorm, norm.h; arXiv 2302.05442,
 * section 2), by one weight for all heads of Q and one for those of K. With rope Q and K are then
 * turned by their positions (rope.h). With a gate Y = (sigmoid(X Wg + bg) * O) Wo + bo, element by
 * element (arXiv 2505.06708, section 2).
 *
 * X is what comes in, C the context: X itself (self-attention), or another sequence with a length
 * and a width of its own (cross-attention). Part of what Sparse Query Attention (arXiv 2510.01817,
 * section 3) saves is in here: with fewer query heads Wq and Wo are smaller, too.
 *
 * Shapes, all packed; rows are batch * length, or in a ragged batch the total:
 *   X, Y  (q rows, d_model)                  C   (kv rows, context_dim)
 *   Wq    (d_model, q_heads * head_dim)      bq  (q_heads * head_dim)
 *   Wk    (width, kv_heads * head_dim)       bk  (kv_heads * head_dim)
 *   Wv    (width, kv_heads * value_dim)      bv  (kv_heads * value_dim)
 *   Wo    (heads * value_dim, d_model)       bo  (d_model)
 *   Wg    (d_model, heads * value_dim)       bg  (heads * value_dim)
 *   q_norm, k_norm  (head_dim)               positions  int32 (batch, length), or (q rows)
 *   Wdecay  (d_model, kv_heads), or of SQA_DECAY_CHANNEL (d_model, kv_heads * head_dim)
 *   Wbeta   (d_model, kv_heads)              bdecay, bbeta  as many as columns
 * where heads = max(q_heads, kv_heads), and width = context_dim, or d_model without a context.
 * With fused_qkv one matrix Wqkv (d_model, all columns of Q, then of K, then of V) stands for the
 * three, and bqkv likewise: one product instead of three.
 *
 * With a cache (attention->paged) rows are new tokens of sequences: their keys and values are
 * appended to K and V in pages, as sqa_kv_append() does with at_end, and then attention sees all
 * that there are (pattern.h). tensors.kv_lengths are lengths with the new tokens, so that the first
 * of n stands at kv_lengths[b] - n; there, rope turns Q and K. kv_length is the capacity. A prompt
 * in parts, and then token by token, gives the same rows of Y as all tokens at once, to rounding.
 * A sequence that is longer than the capacity, or shorter than its new tokens, gets none of them,
 * and its rows of Y are of what is there. Contiguous caches are in pages of the capacity. There
 * are no gradients. With `hadamard` keys go through Hadamard matrices into the cache, after they
 * are turned, and queries go through the same ones (rope.h): Y stays what it is, to rounding, and
 * keys with outliers lose less where the cache is quantised (kv_cache.h).
 *
 * With `linear` attention is that of linear.h, of those options: O = linear attention(Q, K, V), of
 * decay, beta and states that the caller gives, in f32 and shaped as there; forward and backward.
 * Decay and beta may follow from X instead, of each key/value head and token, with project_decay
 * and project_beta:
 *
 *   exp(decay) = sigmoid(X Wdecay + bdecay)          beta = sigmoid(X Wbeta + bbeta)
 *
 * a decay per token, or with SQA_DECAY_CHANNEL per channel, as gated linear attention has it
 * (arXiv 2312.06635, section 4, there by a matrix of low rank and to the power of 1/16, which
 * brings decays near 1 as a bias does), and beta as DeltaNet (arXiv 2406.06484) and gated DeltaNet
 * (arXiv 2412.06464) have it. The products are rounded as all is, decays and betas are f32. All
 * else stays as it is: variants, a context (not causal), rope, norm, gate, ragged batches. The
 * attention descriptor has no more than what linear.h reads. Retention is a decay per head, gated
 * linear attention one per token or channel, gated DeltaNet one per token and `delta`. A layer
 * generates from its state, with SQA_STATE_IN_PLACE and lengths of 1: no cache, and a token's time
 * is the same wherever it stands.
 *
 * Everything is stored as attention->dtype says, in between as well: Q, K, V and O are rounded to
 * it, and what Q and K are before they are normalised, and turned. Sums are kept in f32. Masks,
 * scores, dropout and ragged batches are those of the attention descriptor. Results are the same,
 * bit for bit, every time, and do not depend on how many cores there are. */
#ifndef SQA_CL_LAYER_H
#define SQA_CL_LAYER_H

#include <stddef.h>
#include <stdint.h>

#include "attention.h"
#include "context.h"
#include "linear.h"
#include "plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Which elements of a head are a pair (rope.h). */
typedef enum sqa_layer_rope {
    SQA_LAYER_ROPE_NONE = 0,
    SQA_LAYER_ROPE_INTERLEAVED = 1,
    SQA_LAYER_ROPE_HALF = 2
} sqa_layer_rope;

/* Start from SQA_LAYER_DESC_INIT and set at least attention and d_model. */
typedef struct sqa_layer_desc {
    uint32_t version; /* SQA_LAYER_DESC_VERSION */

    /* Heads (sqa_variant_heads()), dimensions, lengths, masks and scores; of a cache, its pages,
     * the strides of K and V and kv_dtype, which is dtype, int8 or int4 (kv_cache.h), or in an f32
     * layer any. Its `operation`, `write_lse` and all
     * other strides are not looked at. Read during calls only. */
    const sqa_attention_desc *attention;

    uint32_t d_model;     /* 1..2^24; to be set */
    uint32_t context_dim; /* 1..2^24: K and V come from a context of this width; 0: from X, whose
                             length is then also kv_length */
    uint32_t fused_qkv;   /* 1: Wqkv instead of Wq, Wk and Wv; not with a context */
    uint32_t biases;      /* 1: all projections have one */
    uint32_t keep;        /* 1: a forward call writes what a backward call reads; see below */

    sqa_layer_rope rope;  /* positions of Q and K; not with a context */
    float rope_base;      /* as in rope.h, like the next two; without rope none of them counts */
    uint32_t rope_dim;    /* elements of a head that are turned; SQA_NOT_SET: all */
    uint32_t rope_offset; /* position of the first row of each sequence */
    uint32_t positions;   /* 1: positions are tensors.positions instead; always in ragged batches
                             without a cache */

    uint32_t qk_norm;  /* 1: heads of Q and K are normalised, and then turned */
    float qk_norm_eps; /* finite, above 0; only with qk_norm */
    uint32_t gate;     /* 1: O is gated by Wg on its way to Wo */

    /* From version 2 on: not NULL makes attention linear. Read during calls only. */
    const sqa_linear_options *linear;

    /* From version 3 on. */
    uint32_t hadamard; /* 1: Q, and K in the cache, go through Hadamard matrices; needs a cache */
    uint32_t project_decay; /* 1: decays follow from X; with linear->decay TOKEN or CHANNEL, not
                               with a context; decay_strides stay 0 */
    uint32_t project_beta;  /* 1: beta follows from X; with linear->delta, likewise */
} sqa_layer_desc;

#define SQA_LAYER_DESC_VERSION 3u
#define SQA_LAYER_DESC_INIT                                                                        \
    {                                                                                              \
        SQA_LAYER_DESC_VERSION, 0, SQA_NOT_SET, 0u, 0u, 0u, 0u, SQA_LAYER_ROPE_NONE, 10000.0f,     \
            SQA_NOT_SET, 0u, 0u, 0u, 1e-5f, 0u, 0, 0u, 0u, 0u                                      \
    }

/* What is kept from forward to backward: q, k and v as (rows, heads, dim), or with fused_qkv all
 * three side by side as qkv, as attention has them; o as (rows, heads, value_dim), and lse
 * (attention.h), which linear attention has not. With qk_norm q and k always lie apart, and what
 * they were before is kept as well: in qkv, or as q_projected and k_projected. With a gate g = X Wg
 * + bg, like o. They are tensors like others; this says where each may lie in one buffer of the
 * caller's. Start from SQA_LAYER_KEPT_INIT. */
typedef struct sqa_layer_kept {
    uint32_t version;            /* SQA_LAYER_KEPT_VERSION */
    size_t bytes;                /* of the buffer */
    size_t q, k, v, qkv, o, lse; /* offsets, in elements of each, for an sqa_tensor */
    size_t q_projected, k_projected, g;
    size_t decay_projected, beta_projected; /* X Wdecay + bdecay and X Wbeta + bbeta */
} sqa_layer_kept;

#define SQA_LAYER_KEPT_VERSION 1u
#define SQA_LAYER_KEPT_INIT                                                                        \
    {                                                                                              \
        SQA_LAYER_KEPT_VERSION, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0                                 \
    }

/* Fills *out; desc->keep is not looked at. Errors: SQA_INVALID_ARGUMENT. */
SQA_API sqa_status sqa_layer_kept_layout(const sqa_layer_desc *desc, sqa_layer_kept *out);

/* The tensors of a forward call. Start from SQA_LAYER_TENSORS_INIT. Which of them are looked at
 * follows from the descriptor. Inputs are only read and may overlap each other; what is written
 * overlaps nothing, which is checked as for sqa_tensors. */
typedef struct sqa_layer_tensors {
    uint32_t version; /* SQA_LAYER_TENSORS_VERSION */
    sqa_tensor x, context;
    sqa_tensor wq, wk, wv, wqkv, wo;
    sqa_tensor bq, bk, bv, bqkv, bo;
    sqa_tensor wg, bg;
    sqa_tensor q_norm, k_norm;
    sqa_tensor positions;
    sqa_tensor y;

    /* Written with desc->keep; k and v also with a cache, which they are, (pages, kv_heads,
     * page_size, head_dim or value_dim): appended to. */
    sqa_tensor q, k, v, qkv, o, lse;
    sqa_tensor q_projected, k_projected, g;

    /* As in sqa_tensors. */
    sqa_tensor bias, mask, key_mask;
    sqa_tensor sinks, slopes;
    sqa_tensor globals;
    sqa_tensor block_offsets, block_indices;
    sqa_tensor cu_seqlens_q, cu_seqlens_kv;
    sqa_tensor dropout_seed;

    cl_mem workspace; /* as in sqa_tensors */

    /* From version 2 on: of a cache. */
    sqa_tensor block_table; /* int32 (batch, ceil(kv_length / page_size)) */
    sqa_tensor kv_lengths;  /* int32 (batch), with the new tokens */

    /* From version 2 on: of linear attention, as in sqa_linear_tensors. */
    sqa_tensor decay, beta;
    sqa_tensor state_in, sums_in;
    sqa_tensor state, sums;
    sqa_tensor wdecay, bdecay, wbeta, bbeta;    /* in place of decay and beta */
    sqa_tensor decay_projected, beta_projected; /* written with desc->keep */
} sqa_layer_tensors;

#define SQA_LAYER_TENSORS_VERSION 2u
#define SQA_LAYER_TENSORS_INIT                                                                     \
    {                                                                                              \
        SQA_LAYER_TENSORS_VERSION, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, \
            {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0},        \
            {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0},        \
            {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, 0,     \
            {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0},        \
            {0, 0}, {0, 0}, {0, 0},                                                                \
        {                                                                                          \
            0, 0                                                                                   \
        }                                                                                          \
    }

/* Gradients; bits, so that a call may ask for any of them. */
typedef enum sqa_layer_gradient {
    SQA_LAYER_GRADIENT_X = 1, /* through Q, and without a context through K and V */
    SQA_LAYER_GRADIENT_CONTEXT = 2,
    SQA_LAYER_GRADIENT_WQ = 4,
    SQA_LAYER_GRADIENT_WK = 8,
    SQA_LAYER_GRADIENT_WV = 16,
    SQA_LAYER_GRADIENT_WQKV = 32,
    SQA_LAYER_GRADIENT_WO = 64,
    SQA_LAYER_GRADIENT_BQ = 128,
    SQA_LAYER_GRADIENT_BK = 256,
    SQA_LAYER_GRADIENT_BV = 512,
    SQA_LAYER_GRADIENT_BQKV = 1024,
    SQA_LAYER_GRADIENT_BO = 2048,
    SQA_LAYER_GRADIENT_BIAS = 4096, /* of the attention, as in backward.h; packed */
    SQA_LAYER_GRADIENT_SINKS = 8192,
    SQA_LAYER_GRADIENT_SLOPES = 16384,
    SQA_LAYER_GRADIENT_WG = 32768,
    SQA_LAYER_GRADIENT_BG = 65536,
    SQA_LAYER_GRADIENT_Q_NORM = 131072,
    SQA_LAYER_GRADIENT_K_NORM = 262144,
    SQA_LAYER_GRADIENT_DECAY = 524288, /* of linear attention, as in linear.h */
    SQA_LAYER_GRADIENT_BETA = 1048576,
    SQA_LAYER_GRADIENT_STATE_IN = 2097152,
    SQA_LAYER_GRADIENT_SUMS_IN = 4194304,
    SQA_LAYER_GRADIENT_WDECAY = 8388608, /* of what decay and beta follow from */
    SQA_LAYER_GRADIENT_BDECAY = 16777216,
    SQA_LAYER_GRADIENT_WBETA = 33554432,
    SQA_LAYER_GRADIENT_BBETA = 67108864
} sqa_layer_gradient;

/* Start from SQA_LAYER_BACKWARD_OPTIONS_INIT, which asks for all. What is not asked for is
 * neither computed nor written. */
typedef struct sqa_layer_backward_options {
    uint32_t version;    /* SQA_LAYER_BACKWARD_OPTIONS_VERSION */
    uint32_t gradients;  /* sqa_layer_gradient bits; 0: all that the layer has */
    uint32_t accumulate; /* 1: gradients of parameters (all but dX, dC and those of linear
                            attention's own inputs) are added to what their tensors hold */
} sqa_layer_backward_options;

#define SQA_LAYER_BACKWARD_OPTIONS_VERSION 1u
#define SQA_LAYER_BACKWARD_OPTIONS_INIT                                                            \
    {                                                                                              \
        SQA_LAYER_BACKWARD_OPTIONS_VERSION, 0u, 0u                                                 \
    }

/* The tensors of a backward call: the inputs of the forward call and what it kept, dY, and the
 * gradients, each like the tensor that it is of.
 *
 *   dO = dY Wo^T         dWo = O^T dY         dbo = the sum of the rows of dY
 *   dQ, dK, dV from dO as in backward.h or linear.h, turned back and through the norm
 *   with a gate all of these of sigmoid(G) * O in place of O, and dWg = X^T dG
 *   dWq = X^T dQ         dWk = C^T dK         dWv = C^T dV, biases as above
 *   dWdecay = X^T (sigmoid(-(X Wdecay + bdecay)) ddecay), dWbeta = X^T (beta (1 - beta) dbeta)
 *   dX = dQ Wq^T         dC = dK Wk^T + dV Wv^T, which without a context is part of dX
 *
 * dO, dQ, dK and dV are rounded to how tensors are stored, and dX where its parts are added up. */
typedef struct sqa_layer_backward_tensors {
    uint32_t version; /* SQA_LAYER_BACKWARD_TENSORS_VERSION */
    sqa_tensor x, context;
    sqa_tensor wq, wk, wv, wqkv, wo;
    sqa_tensor wg;
    sqa_tensor q_norm, k_norm;
    sqa_tensor positions;

    sqa_tensor q, k, v, qkv, o, lse;
    sqa_tensor q_projected, k_projected, g;

    sqa_tensor bias, mask, key_mask;
    sqa_tensor sinks, slopes;
    sqa_tensor globals;
    sqa_tensor block_offsets, block_indices;
    sqa_tensor cu_seqlens_q, cu_seqlens_kv;
    sqa_tensor dropout_seed;

    sqa_tensor dy;

    /* Written where they are asked for. */
    sqa_tensor dx, dcontext;
    sqa_tensor dwq, dwk, dwv, dwqkv, dwo;
    sqa_tensor dbq, dbk, dbv, dbqkv, dbo;
    sqa_tensor dbias, dsinks, dslopes;
    sqa_tensor dwg, dbg;
    sqa_tensor dq_norm, dk_norm;

    cl_mem workspace; /* as in sqa_tensors */

    /* From version 2 on: of linear attention, as in sqa_linear_backward_tensors; the last four are
     * written where they are asked for. */
    sqa_tensor decay, beta;
    sqa_tensor state_in, sums_in;
    sqa_tensor dstate, dsums;
    sqa_tensor ddecay, dbeta;
    sqa_tensor dstate_in, dsums_in;
    sqa_tensor wdecay, wbeta, decay_projected, beta_projected;
    sqa_tensor dwdecay, dbdecay, dwbeta, dbbeta; /* written where they are asked for */
} sqa_layer_backward_tensors;

#define SQA_LAYER_BACKWARD_TENSORS_VERSION 2u
#define SQA_LAYER_BACKWARD_TENSORS_INIT                                                            \
    {                                                                                              \
        SQA_LAYER_BACKWARD_TENSORS_VERSION, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0},        \
            {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0},        \
            {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0},        \
            {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0},        \
            {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0},        \
            {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, 0, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0},     \
            {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0},        \
            {0, 0}, {0, 0},                                                                        \
        {                                                                                          \
            0, 0                                                                                   \
        }                                                                                          \
    }

/* Plans, as sqa_plan_create() makes them for sqa_forward(). A layer is made of several operations
 * (sqa_plan_explain() names the kernels of each), so that of the plan's options (may be NULL)
 * only skip_database applies. `backward` may be NULL: SQA_LAYER_BACKWARD_OPTIONS_INIT.
 * sqa_plan_workspace_size() is what is neither an input nor an output, nor kept: linear in the
 * lengths; tensors that are not needed at one time share memory.
 * Errors: those of sqa_plan_create(). */
SQA_API sqa_status sqa_layer_plan_create(sqa_plan **out, sqa_context *context,
                                         const sqa_layer_desc *desc,
                                         const sqa_plan_options *options);
SQA_API sqa_status sqa_layer_backward_plan_create(sqa_plan **out, sqa_context *context,
                                                  const sqa_layer_desc *desc,
                                                  const sqa_layer_backward_options *backward,
                                                  const sqa_plan_options *options);

/* Enqueue such plans. Waits, threads and errors as sqa_forward(). */
SQA_API sqa_status sqa_layer_run(sqa_plan *plan, cl_command_queue queue,
                                 const sqa_layer_tensors *tensors, cl_uint wait_count,
                                 const cl_event *wait_list, cl_event *event);
SQA_API sqa_status sqa_layer_backward_run(sqa_plan *plan, cl_command_queue queue,
                                          const sqa_layer_backward_tensors *tensors,
                                          cl_uint wait_count, const cl_event *wait_list,
                                          cl_event *event);

/* The same with plans that the context keeps for equal descriptors and options, as
 * sqa_attention_forward(). */
SQA_API sqa_status sqa_layer(sqa_context *context, cl_command_queue queue,
                             const sqa_layer_desc *desc, const sqa_layer_tensors *tensors,
                             cl_uint wait_count, const cl_event *wait_list, cl_event *event);
SQA_API sqa_status sqa_layer_backward(sqa_context *context, cl_command_queue queue,
                                      const sqa_layer_desc *desc,
                                      const sqa_layer_backward_options *backward,
                                      const sqa_layer_backward_tensors *tensors, cl_uint wait_count,
                                      const cl_event *wait_list, cl_event *event);

#ifdef __cplusplus
}
#endif

#endif
