/* Which keys a query sees, and what is added to its scores: the parts of a
 * descriptor that make windows, global tokens, block-sparse lists, masks, biases,
 * sinks and ragged batches. All zero (and a window of -1, -1) is plain attention;
 * everything can be combined but for what a member says.
 *
 * Positions. Query i of a sequence stands at p = i + kv_length - q_length
 * (bottom-right: the last query stands at the last key) or at p = i (top-left).
 *
 * A key is seen when every rule says so:
 *   causal           j <= p
 *   window, globals  p - left <= j <= p + right, or p or j is a global token
 *   blocks           the list of the query's block names the key's block
 *   mask, key mask   the byte is not 0
 *   bias             is not -infinity
 *   lengths          j < kv_length of the sequence */
#ifndef SQA_CL_PATTERN_H
#define SQA_CL_PATTERN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A length or count that nobody has set, as SQA_ATTENTION_DESC_INIT leaves those that have no
 * default: every function refuses it. 0 is a length like others. */
#define SQA_NOT_SET 0xffffffffu

/* Distances, in elements, between neighbours along each dimension but the last,
 * whose elements are adjacent. Zero repeats an input along that dimension. Never
 * negative. For Q, K, V and O all three zero mean packed (batch, head, sequence). */
typedef struct sqa_strides {
    int64_t batch;
    int64_t head;
    int64_t sequence;
} sqa_strides;

/* Where a query stands among the keys when no causal mask says it. */
typedef enum sqa_align {
    SQA_ALIGN_BOTTOM_RIGHT = 0, /* p = i + kv_length - q_length */
    SQA_ALIGN_TOP_LEFT = 1      /* p = i */
} sqa_align;

/* Sliding window: query at p sees keys p - left .. p + right, both included.
 * -1: no bound on that side. 0..2^30 - 1 otherwise. */
typedef struct sqa_window {
    int32_t left;
    int32_t right;
} sqa_window;

/* Global tokens (Longformer, arXiv 2004.05150, section 3.1): positions that see
 * every key and are seen by every query, the window notwithstanding; a causal mask
 * holds for them, too. Without a window they change nothing. Not with blocks. */
typedef struct sqa_globals {
    uint32_t count;  /* 0..2^20 of them */
    uint32_t listed; /* 0: the first `count` positions; 1: those in tensors.globals,
                        int32, ascending (sqa_globals_create() checks) */
} sqa_globals;

/* Linear bias by distance (ALiBi, arXiv 2108.12409): -slope * |p - j| is added to
 * the score, slopes per output head. */
typedef enum sqa_alibi {
    SQA_ALIBI_NONE = 0,
    SQA_ALIBI_GEOMETRIC = 1, /* the paper's: 2^(-8 (h + 1) / heads); for a number of heads that
                                is no power of two, those of the power below, then every other
                                one of the power above */
    SQA_ALIBI_SLOPES = 2     /* tensors.slopes, f32, (output heads) */
} sqa_alibi;

/* A bias added to the scores, tensors.bias of (batch, output heads, q_length,
 * kv_length) by these strides, `sequence` between queries; a zero repeats it in
 * that dimension, also three of them. -infinity hides the key; no finite value does,
 * and each counts as what it is. */
typedef struct sqa_bias {
    uint32_t present; /* 0 or 1 */
    int32_t dtype;    /* an sqa_dtype */
    sqa_strides strides;
} sqa_bias;

/* A boolean mask, tensors.mask: a byte each, not 0 where the query may see the
 * key; shape and strides like a bias. */
typedef struct sqa_mask_view {
    uint32_t present; /* 0 or 1 */
    sqa_strides strides;
} sqa_mask_view;

/* Block-sparse attention: the keys of block c are seen by the queries of block r
 * when row r of the list names c. The lists are a compressed sparse row matrix of
 * int32: row number ((b * heads + h) * ceil(q_length / query_size) + r) has the
 * entries tensors.block_offsets[row] .. [row + 1] - 1 of tensors.block_indices, in
 * any order, none twice (sqa_block_list_create() checks). Entries that name no
 * block are passed over; nothing outside the buffers is ever read. */
typedef struct sqa_blocks {
    uint32_t query_size; /* queries of a block; 0: no block lists */
    uint32_t key_size;   /* keys of a block */
    uint32_t batch;      /* lists per: 1 (all batches share them) or batch */
    uint32_t heads;      /* 1, kv_heads or the output heads */
    uint32_t entries;    /* of all lists together, 0..2^31 - 1; to be set with the sizes */
} sqa_blocks;

/* Ragged batches: sequence b has the rows cu_seqlens_q[b] .. cu_seqlens_q[b + 1] - 1
 * of Q and O, and of K and V likewise, of one packed tensor whose batch stride is
 * not used. tensors.cu_seqlens_q and cu_seqlens_kv hold batch + 1 int32, from 0 to
 * the total (sqa_sequences_create() checks). The descriptor's q_length and
 * kv_length are then those of the longest sequence; every sequence has an
 * alignment of its own. LSE is (output heads, q_total). */
typedef struct sqa_ragged {
    uint32_t present;  /* 0 or 1 */
    uint32_t q_total;  /* rows of Q and O, 0..2^30; to be set where present */
    uint32_t kv_total; /* rows of K and V, 0..2^30; likewise */
} sqa_ragged;

/* Caches in pages: K and V are (pages, kv_heads, page_size, dim), by strides of which `batch` lies
 * between pages; heads and the keys of a page may change places. Key j of sequence b is number
 * j % page_size of page tensors.block_table[b * W + j / page_size], where a row of the table has
 * W = ceil(kv_length / page_size) int32; sequences may share pages. The descriptor's kv_length is
 * the most that a sequence may have, each has tensors.kv_lengths[b] keys (int32, batch of them)
 * and an alignment of its own. Lengths are cut to 0..kv_length and page numbers to those that
 * there are, so that nothing outside the buffers is ever read; what lies behind a sequence's
 * length, in the table and in its last page, is not looked at.
 * A cache that is contiguous, (batch, kv_heads, capacity, dim), is one of pages of `capacity`
 * keys with the table 0, 1, ..., batch - 1.
 * Together with ragged, cu_seqlens_q says where the queries are; cu_seqlens_kv and
 * ragged.kv_total are not used. Only of forward attention. */
typedef struct sqa_paged {
    uint32_t page_size; /* keys of a page, 1..2^30; 0: K and V are not in pages */
    uint32_t pages;     /* that K and V have, 1..2^30, or 0 with a kv_length of 0 */
} sqa_paged;

/* Dropout (desc.dropout, a probability): a weight is dropped or multiplied by 1 / (1 - dropout)
 * between softmax and V, so that O is right on average; LSE is without. What is dropped follows
 * from tensors.dropout_seed (two int32, the lower half of the seed first), the batch entry, the
 * output head, and the query's and the key's number in their sequence, and from nothing else: a
 * backward pass with the same seed drops the same, on any device, and a new seed needs no new
 * plan. Where R is output number j % 4 of Philox 4x32-10 (Salmon et al., SC 2011) of the counter
 * (j / 4, query, head, batch) under the seed as key, the weight of key j is dropped when
 * R < dropout * 2^32, rounded down. */

#ifdef __cplusplus
}
#endif

#endif
