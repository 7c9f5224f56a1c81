/* Multi-head latent attention as models call it (DeepSeek-V2, arXiv 2405.04434, section 2.1): keys
 * and values of all heads come from one latent vector of a token, which is all that a cache keeps.
 *
 *   C_q = RMSNorm(X Wdq)                     Q = C_q Wuq, of each head [q_nope | q_rope]
 *   [c | r] = X Wdkv                         C = RMSNorm(c), R = RoPE(r); a token's latent: [C | R]
 *   K of head h = [C Wuk_h | R]              V of head h = C Wuv_h
 *   O = attention([q_nope | RoPE(q_rope)], K, V), causal, scale 1 / sqrt(nope_dim + rope_dim)
 *   Y = O Wo
 *
 * Without q_lora_rank Q = X Wuq. With `absorbed` the same is computed the other way round:
 * attention is to the latents themselves, with queries [q_nope Wuk_h^T | RoPE(q_rope)], and what it
 * gives goes through Wuv_h afterwards, so that no key or value is ever there in full. Both products
 * take the weights as they are: nothing has to be prepared. The two forms are equal to rounding.
 *
 * Absorbed, rows are new tokens on top of a cache, few or one at a time: their latents are
 * appended, and they see all of their sequence that is there. Otherwise rows are whole prompts, or
 * a model's own batch: they see each other, and their latents are appended where there is a cache.
 * tensors.kv_lengths has the tokens of each sequence with its new ones, as in layer.h.
 *
 * Shapes, all packed; rows are batch * length, or in a ragged batch the total:
 *   X, Y    (rows, d_model)
 *   Wdq     (d_model, q_lora_rank)           q_norm   (q_lora_rank)
 *   Wuq     (q_lora_rank or d_model, heads * (nope_dim + rope_dim))
 *   Wdkv    (d_model, kv_lora_rank + rope_dim)        kv_norm  (kv_lora_rank)
 *   Wuk     (kv_lora_rank, heads * nope_dim)
 *   Wuv     (kv_lora_rank, heads * value_dim)
 *   Wo      (heads * value_dim, d_model)
 *   cache   (pages, page_size, kv_lora_rank + rope_dim): contiguous ones are in pages of the
 * capacity block_table  int32 (batch, ceil(capacity / page_size)) kv_lengths   int32 (batch)
 * cu_seqlens  int32 (batch + 1)
 *
 * A sequence that is longer than the capacity, or shorter than its new tokens, gets none of them.
 * Everything is stored as dtype says, in between as well; the cache as kv_dtype says. Sums are kept
 * in f32. Results are the same, bit for bit, every time. There are no gradients. */
#ifndef SQA_CL_MLA_H
#define SQA_CL_MLA_H

#include <stdint.h>

#include "attention.h"
#include "context.h"
#include "plan.h"
#include "rope.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Start from SQA_MLA_DESC_INIT and set at least heads, length and d_model, and of a cache capacity
 * and paged. The ranks and dimensions are those of DeepSeek-V2 unless they are set. */
typedef struct sqa_mla_desc {
    uint32_t version;      /* SQA_MLA_DESC_VERSION */
    sqa_dtype dtype;       /* of every tensor but a cache */
    int32_t kv_dtype;      /* of the cache: -1: dtype; int8 or int4 (kv_cache.h), with
                              kv_lora_rank and rope_dim multiples of 32; or where dtype is f32
                              f16 or bf16 */
    uint32_t batch;        /* sequences, 0..65535; 0 does nothing */
    uint32_t heads;        /* 1..65535 */
    uint32_t length;       /* rows of a sequence, 0..2^30; of the longest one when ragged */
    uint32_t d_model;      /* 1..2^24 */
    uint32_t q_lora_rank;  /* 0..2^20; 0: queries come from X itself */
    uint32_t kv_lora_rank; /* 1..1022; with rope_dim at most 1024 */
    uint32_t nope_dim;     /* 1..1022; likewise */
    uint32_t rope_dim;     /* even, 2..1022 */
    uint32_t value_dim;    /* 1..1024 */
    sqa_rope_pairs pairs;
    float rope_base;   /* finite, 1 or more */
    float norm_eps;    /* finite, above 0 */
    float scale;       /* finite; 0: 1 / sqrt(nope_dim + rope_dim) */
    uint32_t absorbed; /* 1: attention to the latents of a cache, which there has to be */
    uint32_t capacity; /* the most tokens of a sequence in the cache, 0..2^30 */
    sqa_paged paged;   /* page_size 0: there is no cache */
    uint32_t ragged;   /* 1: tensors.cu_seqlens says which rows are whose */
    uint32_t total;    /* rows then, 0..2^30; 0 otherwise */
} sqa_mla_desc;

#define SQA_MLA_DESC_VERSION 1u
#define SQA_MLA_DESC_INIT                                                                          \
    {                                                                                              \
        SQA_MLA_DESC_VERSION, SQA_DTYPE_F32, -1, 1u, SQA_NOT_SET, SQA_NOT_SET, SQA_NOT_SET, 0u,    \
            512u, 128u, 64u, 128u, SQA_ROPE_INTERLEAVED, 10000.0f, 1e-6f, 0.0f, 0u, 0u, {0u, 0u},  \
            0u, 0u                                                                                 \
    }

/* The tensors of one call. Start from SQA_MLA_TENSORS_INIT. Which of them are looked at follows
 * from the descriptor; what is written overlaps nothing, which is checked as for sqa_tensors. */
typedef struct sqa_mla_tensors {
    uint32_t version; /* SQA_MLA_TENSORS_VERSION */
    sqa_tensor x;
    sqa_tensor wdq, q_norm; /* with q_lora_rank */
    sqa_tensor wuq, wdkv, kv_norm, wuk, wuv, wo;
    sqa_tensor cache;       /* appended to, where there is one */
    sqa_tensor block_table; /* of it */
    sqa_tensor kv_lengths;  /* with a cache, or when ragged */
    sqa_tensor cu_seqlens;  /* when ragged, from 0 to the total */
    sqa_tensor y;
    cl_mem workspace; /* as in sqa_tensors */
} sqa_mla_tensors;

#define SQA_MLA_TENSORS_VERSION 1u
#define SQA_MLA_TENSORS_INIT                                                                       \
    {                                                                                              \
        SQA_MLA_TENSORS_VERSION, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0},   \
            {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, 0                                      \
    }

/* A plan, as sqa_plan_create() makes one for sqa_forward(). It is made of several operations
 * (sqa_plan_explain() names the kernels of each), so that of the options (may be NULL) only
 * skip_database applies. Everything is copied. Errors: those of sqa_plan_create(). */
SQA_API sqa_status sqa_mla_plan_create(sqa_plan **out, sqa_context *context,
                                       const sqa_mla_desc *desc, const sqa_plan_options *options);

/* Enqueues such a plan. Waits, threads and errors as sqa_forward(). */
SQA_API sqa_status sqa_mla_run(sqa_plan *plan, cl_command_queue queue,
                               const sqa_mla_tensors *tensors, cl_uint wait_count,
                               const cl_event *wait_list, cl_event *event);

/* The same with a plan that the context keeps for equal descriptors, as
 * sqa_attention_forward(). */
SQA_API sqa_status sqa_mla_layer(sqa_context *context, cl_command_queue queue,
                                 const sqa_mla_desc *desc, const sqa_mla_tensors *tensors,
                                 cl_uint wait_count, const cl_event *wait_list, cl_event *event);

#ifdef __cplusplus
}
#endif

#endif
