/* Caches of keys and values, for generation token by token: sqa_kv_append() writes the keys and
 * values of new tokens behind those that there are, into the pages that forward attention reads
 * (sqa_paged, pattern.h); an sqa_kv_cache owns such pages, block table and lengths for callers who
 * have none.
 *
 * Shapes (last dimension contiguous, the others by strides):
 *   k, v              (batch, kv_heads, length, head_dim or value_dim), the new tokens; in a ragged
 *                     batch one sequence of `total` rows, sequence b's from cu_seqlens[b] to
 *                     cu_seqlens[b + 1] - 1
 *   k_cache, v_cache  (pages, kv_heads, page_size, head_dim or value_dim)
 *   positions         int32 (batch): tokens that the sequence has, where its new ones go; or with
 *                     desc.at_end those that it has afterwards, which are kv_lengths of attention
 *   block_table       int32 (batch, ceil(capacity / page_size)), as of attention
 *
 * Token i of the n of sequence b goes to its key number p = positions[b] + i, or with at_end to
 * positions[b] - n + i. With `rotary`, K is turned by
 * RoPE (rope.h) of position p on the way, as the queries have to be, too. With `hadamard` its
 * blocks then go through a Hadamard matrix, as rope.h says and as those of the queries have to
 * (sqa_rope() with hadamard, and rotary 0 where nothing is turned): scores stay what they are, and
 * keys of which few elements are much larger than the others are quantised with a smaller error. V
 * stays as it is. NaN or an infinity in a block is then one in all of it.
 *
 * A sequence of which a token would not fit, of which p would be below 0 or beyond capacity - 1,
 * gets none of them, and no token goes to a page that does not exist: kernels write
 * nothing outside the sequence's capacity whatever the tensors say. They cannot tell the caller,
 * though; one who has the positions on the host asks sqa_kv_append_check() before. All else in the
 * caches stays as it is. Two sequences must not write to one page.
 *
 * Quantised caches (SQA_DTYPE_INT8, SQA_DTYPE_INT4; desc.kv_dtype). A vector of head_dim or
 * value_dim elements, both multiples of 32, is a row of groups of 32, one behind the other:
 *   INT8, 34 bytes: 0..1 an IEEE binary16 s; 2..33 a signed byte q for each element, -127..127.
 *     The element is q s. s is the largest absolute value of the group over 127.
 *   INT4, 20 bytes: 0..1 a binary16 s; 2..3 a binary16 m; 4..19: byte 4 + i has the q, 0..15, of
 *     element i in its lower four bits and that of element i + 16 in its upper ones. The element is
 *     q s + m. m is the least value of the group, s the largest less m, over 15.
 * Numbers have the device's byte order; the layouts are those of Q8_0 and Q4_1 in GGML. Offsets and
 * strides of such tensors count elements as all others do and are multiples of 32: element 32 g
 * begins at byte 34 g or 20 g. Values beyond 65504 times 127, in INT4 beyond 65504, become the
 * largest there are, groups of values below 3e-6 in INT8 zeros; a group that has NaN or an infinity
 * is NaN as a whole.
 *
 * Where keys and values are normally distributed, O is off by about e sqrt(1 + s^2) of its root
 * mean square: the values by e, their weights by e s, where s is the standard deviation of a
 * query's scores and e is 0.0056 in INT8, 0.081 in INT4. For queries uniform within [-1, 1) and the
 * default scale that is at most 0.0065 and 0.095, for normally distributed ones 0.0085 and 0.125.
 * `hadamard` changes nothing about it. Where four of 128 channels of the keys, one in each group,
 * are eight times as large as the others, it leaves 0.6 of the error of O in INT8 and three
 * quarters in INT4, whose minimum spares what INT8 spends on the other sign. */
#ifndef SQA_CL_KV_CACHE_H
#define SQA_CL_KV_CACHE_H

#include <stdint.h>

#include "attention.h"
#include "context.h"
#include "layer.h"
#include "plan.h"
#include "rope.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Start from SQA_KV_APPEND_DESC_INIT and set at least kv_heads, length, capacity and paged. */
typedef struct sqa_kv_append_desc {
    uint32_t version;   /* SQA_KV_APPEND_DESC_VERSION */
    sqa_dtype dtype;    /* of k and v and, unless kv_dtype says otherwise, of the caches */
    uint32_t batch;     /* sequences, 0..65535; 0 does nothing */
    uint32_t kv_heads;  /* 1..65535 */
    uint32_t length;    /* new tokens of a sequence, 0..2^30; of the longest one when ragged */
    uint32_t head_dim;  /* 1..1024 */
    uint32_t value_dim; /* 1..1024; 0: head_dim */
    uint32_t capacity;  /* the most tokens of a sequence, 0..2^30: desc.kv_length of attention */
    sqa_paged paged;    /* page_size from 1 on */
    uint32_t ragged;    /* 1: tensors.cu_seqlens says which rows of k and v are whose */
    uint32_t total;     /* rows of k and v then, 0..2^30; 0 otherwise */
    uint32_t rotary;    /* elements of K that are turned, even, 0..head_dim; 0: none */
    sqa_rope_pairs pairs;
    float base;                         /* finite, 1 or more */
    sqa_strides k, v, k_cache, v_cache; /* all zero: packed; elements of caches must not overlap */

    /* From version 2 on. */
    int32_t kv_dtype; /* of the caches, an sqa_dtype; -1: dtype */
    uint32_t at_end;  /* 1: tensors.positions are lengths with the new tokens; see above */

    /* From version 3 on. */
    uint32_t hadamard; /* 1: blocks of K go through a Hadamard matrix after they are turned */
} sqa_kv_append_desc;

#define SQA_KV_APPEND_DESC_VERSION 3u
#define SQA_KV_APPEND_DESC_INIT                                                                    \
    {                                                                                              \
        SQA_KV_APPEND_DESC_VERSION, SQA_DTYPE_F32, 1u, SQA_NOT_SET, SQA_NOT_SET, 64u, 0u,          \
            SQA_NOT_SET, {0u, 0u}, 0u, 0u, 0u, SQA_ROPE_INTERLEAVED, 10000.0f, {0, 0, 0},          \
            {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, -1, 0u, 0u                                            \
    }

/* The tensors of one call. Start from SQA_KV_APPEND_TENSORS_INIT. Caches share no element with
 * another tensor. */
typedef struct sqa_kv_append_tensors {
    uint32_t version; /* SQA_KV_APPEND_TENSORS_VERSION */
    sqa_tensor k, v;
    sqa_tensor positions, block_table;
    sqa_tensor cu_seqlens; /* int32 (batch + 1), from 0 to the total; only when ragged */
    sqa_tensor k_cache, v_cache;
    cl_mem workspace; /* as in sqa_tensors */
} sqa_kv_append_tensors;

#define SQA_KV_APPEND_TENSORS_VERSION 1u
#define SQA_KV_APPEND_TENSORS_INIT                                                                 \
    {                                                                                              \
        SQA_KV_APPEND_TENSORS_VERSION, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, 0   \
    }

/* A plan for sqa_kv_append_run(), as sqa_plan_create() makes one for sqa_forward(), and with the
 * same options (may be NULL), which name families of this operation. Everything is copied.
 * Errors: those of sqa_plan_create(). */
SQA_API sqa_status sqa_kv_append_plan_create(sqa_plan **out, sqa_context *context,
                                             const sqa_kv_append_desc *desc,
                                             const sqa_plan_options *options);

/* Enqueues such a plan. Waits, threads and errors as sqa_forward(). */
SQA_API sqa_status sqa_kv_append_run(sqa_plan *plan, cl_command_queue queue,
                                     const sqa_kv_append_tensors *tensors, cl_uint wait_count,
                                     const cl_event *wait_list, cl_event *event);

/* The same with a plan that the context keeps for equal descriptors, as
 * sqa_attention_forward(). */
SQA_API sqa_status sqa_kv_append(sqa_context *context, cl_command_queue queue,
                                 const sqa_kv_append_desc *desc,
                                 const sqa_kv_append_tensors *tensors, cl_uint wait_count,
                                 const cl_event *wait_list, cl_event *event);

/* Whether everything fits, from the host's copies of positions (desc->batch of them) and, of a
 * ragged batch, cu_seqlens (one more; NULL otherwise).
 * Errors: SQA_INVALID_ARGUMENT, naming the first sequence that would not, and how many tokens of
 * it do. */
SQA_API sqa_status sqa_kv_append_check(const sqa_kv_append_desc *desc, const int32_t *positions,
                                       const int32_t *cu_seqlens);

/* Pages, block table and lengths of a number of sequences, for callers who have none: sequences
 * grow by sqa_kv_cache_append(), share what they have in common by sqa_kv_cache_fork(), and give
 * pages back by sqa_kv_cache_truncate(). A page that sequences share is copied before one of them
 * writes to it.
 *
 * Changes are enqueued and return at once; they follow one another in whatever queues they are.
 * Work that reads the cache and a later change that overwrites what it reads have to be put in
 * order by the caller: by one in-order queue, or by events. A call that fails changes nothing.
 * Functions of one cache must not be called by several threads at once. */
typedef struct sqa_kv_cache sqa_kv_cache;

/* Start from SQA_KV_CACHE_DESC_INIT and set at least kv_heads and capacity. */
typedef struct sqa_kv_cache_desc {
    uint32_t version;   /* SQA_KV_CACHE_DESC_VERSION */
    sqa_dtype dtype;    /* of the keys and values that are appended */
    uint32_t sequences; /* 1..65535 */
    uint32_t kv_heads;  /* 1..65535 */
    uint32_t head_dim;  /* 1..1024 */
    uint32_t value_dim; /* 1..1024; 0: head_dim */
    uint32_t capacity;  /* the most tokens of a sequence, 1..2^30 */
    uint32_t page_size; /* tokens of a page, 1..2^30 */
    uint32_t pages;     /* 1..2^30; 0: as many as all sequences may take */
    uint32_t rotary;    /* as in sqa_kv_append_desc */
    sqa_rope_pairs pairs;
    float base;
    int32_t kv_dtype; /* likewise */

    /* From version 2 on. */
    uint32_t hadamard; /* likewise */
} sqa_kv_cache_desc;

#define SQA_KV_CACHE_DESC_VERSION 2u
#define SQA_KV_CACHE_DESC_INIT                                                                     \
    {                                                                                              \
        SQA_KV_CACHE_DESC_VERSION, SQA_DTYPE_F32, 1u, SQA_NOT_SET, 64u, 0u, SQA_NOT_SET, 16u, 0u,  \
            0u, SQA_ROPE_INTERLEAVED, 10000.0f, -1, 0u                                             \
    }

/* A cache of empty sequences, in buffers of the context, which must outlive it. *out belongs to
 * the caller. Errors: SQA_INVALID_ARGUMENT, naming the field; SQA_OUT_OF_MEMORY,
 * SQA_OPENCL_ERROR. */
SQA_API sqa_status sqa_kv_cache_create(sqa_kv_cache **out, sqa_context *context,
                                       const sqa_kv_cache_desc *desc);

/* Work that is under way keeps the buffers until it is done. NULL does nothing. */
SQA_API void sqa_kv_cache_destroy(sqa_kv_cache *cache);

/* New tokens. Start from SQA_KV_TOKENS_INIT. */
typedef struct sqa_kv_tokens {
    uint32_t version; /* SQA_KV_TOKENS_VERSION */
    uint32_t length;  /* of every sequence, where counts is NULL: k and v are (sequences, kv_heads,
                         length, dim) */
    const uint32_t *counts; /* of each sequence, any of them 0: k and v are (kv_heads, rows, dim)
                               with the rows of one sequence after those of another */
    sqa_tensor k, v;
    sqa_strides k_strides, v_strides; /* all zero: packed */
} sqa_kv_tokens;

#define SQA_KV_TOKENS_VERSION 1u
#define SQA_KV_TOKENS_INIT                                                                         \
    {                                                                                              \
        SQA_KV_TOKENS_VERSION, 0u, 0, {0, 0}, {0, 0}, {0, 0, 0},                                   \
        {                                                                                          \
            0, 0, 0                                                                                \
        }                                                                                          \
    }

/* Appends them. Waits for the events given; *event (may be NULL) completes when they are there.
 * Errors: SQA_INVALID_ARGUMENT, also where they do not all fit: then nothing is written, and the
 * detail says of which sequence how many do; those of sqa_kv_append(). */
SQA_API sqa_status sqa_kv_cache_append(sqa_kv_cache *cache, cl_command_queue queue,
                                       const sqa_kv_tokens *tokens, cl_uint wait_count,
                                       const cl_event *wait_list, cl_event *event);

/* Makes room for tokens that others write, as sqa_layer() does with what
 * sqa_kv_cache_bind_layer() binds: lengths are then those with them. Of `tokens`, length or counts.
 * Waits, event and errors as above. */
SQA_API sqa_status sqa_kv_cache_extend(sqa_kv_cache *cache, cl_command_queue queue,
                                       const sqa_kv_tokens *tokens, cl_uint wait_count,
                                       const cl_event *wait_list, cl_event *event);

/* Gives sequence `to`, which is empty, all tokens of `from`, in the same pages. Waits and event as
 * above. Errors: SQA_INVALID_ARGUMENT, SQA_OUT_OF_MEMORY, SQA_OPENCL_ERROR. */
SQA_API sqa_status sqa_kv_cache_fork(sqa_kv_cache *cache, cl_command_queue queue, uint32_t from,
                                     uint32_t to, cl_uint wait_count, const cl_event *wait_list,
                                     cl_event *event);

/* Leaves a sequence its first `length` tokens, 0 to as many as it has; with 0 it is free for
 * another one. Likewise. */
SQA_API sqa_status sqa_kv_cache_truncate(sqa_kv_cache *cache, cl_command_queue queue,
                                         uint32_t sequence, uint32_t length, cl_uint wait_count,
                                         const cl_event *wait_list, cl_event *event);

/* How many tokens a sequence has, and how many more fit (either may be NULL).
 * Errors: SQA_INVALID_ARGUMENT. */
SQA_API sqa_status sqa_kv_cache_length(const sqa_kv_cache *cache, uint32_t sequence,
                                       uint32_t *length, uint32_t *room);

/* Makes `desc` and `tensors` ones of attention to the cache: sets what they say of keys and values,
 * batch, lengths of keys, dimensions and dtype, and leaves the rest. It stays so for all the life
 * of the cache, so that one plan serves every step; buffers stay the cache's.
 * Errors: SQA_INVALID_ARGUMENT (NULL, a version 1; 2 where kv_dtype is another than dtype). */
SQA_API sqa_status sqa_kv_cache_bind(const sqa_kv_cache *cache, sqa_attention_desc *desc,
                                     sqa_tensors *tensors);

/* Makes a layer's attention and tensors ones of the cache, likewise; `dtype` stays, kv_dtype
 * becomes the cache's. cu_seqlens_q are the counts of the last change, for desc->ragged. The
 * cache's own `rotary` and `hadamard` do not count: the layer says both. Errors:
 * SQA_INVALID_ARGUMENT (NULL, desc of version 2 or less, tensors of version 1). */
SQA_API sqa_status sqa_kv_cache_bind_layer(const sqa_kv_cache *cache, sqa_attention_desc *desc,
                                           sqa_layer_tensors *tensors);

/* How many tokens each sequence had before the last append, int32 (sequences): the positions by
 * which sqa_rope() turns the queries of its first tokens. NULL gives a tensor without a buffer. */
SQA_API sqa_tensor sqa_kv_cache_positions(const sqa_kv_cache *cache);

#ifdef __cplusplus
}
#endif

#endif
