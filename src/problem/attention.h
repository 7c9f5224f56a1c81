/* Softmax attention as a validated descriptor with every default filled in: what the
 * operations of the attention family are about. Knows the numbers; which tensors an
 * operation has and what it computes is in operations/. */
#ifndef SQA_PROBLEM_ATTENTION_H
#define SQA_PROBLEM_ATTENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "sqa_cl/attention.h"

#define SQA_MAX_HEAD_DIM 1024u
#define SQA_UNBOUNDED ((1 << 30) - 1) /* of a window: further than any key */

/* What shapes the set of keys a query sees; a bit per kind, so that kinds combine. A
 * bit stands only where the rule can hide something. */
typedef enum sqa_mask {
    SQA_MASK_NONE = 0,
    SQA_MASK_CAUSAL = 1,  /* query i sees keys j <= i + diagonal */
    SQA_MASK_WINDOW = 2,  /* and those within the window around i + diagonal */
    SQA_MASK_GLOBALS = 4, /* ... or where either is a global token; with WINDOW only */
    SQA_MASK_BLOCKS = 8,  /* block lists */
    SQA_MASK_KEY = 16,    /* a byte per key */
    SQA_MASK_PAIR = 32,   /* a byte per query and key */
    SQA_MASK_RAGGED = 64, /* every batch entry has lengths of its own */
    SQA_MASK_PAGED = 128  /* K and V are in pages, and every batch entry has its own kv_length */
} sqa_mask;

/* What becomes of a score before the softmax; bits likewise. */
typedef enum sqa_score {
    SQA_SCORE_PLAIN = 0,
    SQA_SCORE_SOFTCAP = 1,
    SQA_SCORE_ALIBI = 2, /* geometric slopes, or with SLOPES too those of a tensor */
    SQA_SCORE_SLOPES = 4,
    SQA_SCORE_BIAS = 8,
    SQA_SCORE_SINKS = 16,
    SQA_SCORE_DROPOUT = 32 /* of the weights, after it */
} sqa_score;

typedef struct sqa_attention {
    sqa_dtype dtype, kv_dtype; /* of Q and O; of K and V */
    sqa_products products;     /* F32 where dtype is another */
    uint32_t batch;
    uint32_t q_heads, kv_heads;
    uint32_t out_heads;           /* max(q_heads, kv_heads) */
    uint32_t q_length, kv_length; /* of the longest sequence, when ragged */
    uint32_t head_dim, value_dim;
    uint32_t mask;  /* sqa_mask bits */
    uint32_t score; /* sqa_score bits */
    /* Query i stands at i + diagonal; 0 where no rule asks for positions. When ragged,
     * bottom_right tells how each sequence finds its own. */
    int32_t diagonal;
    uint32_t bottom_right;
    float scale;
    float softcap;
    float dropout;
    uint32_t write_lse;
    sqa_strides q, k, v, o; /* elements; never all zero */
    sqa_window window;      /* -1 no more: SQA_UNBOUNDED */
    sqa_globals globals;
    sqa_strides pair_mask;
    sqa_dtype bias_dtype;
    sqa_strides bias;
    sqa_blocks blocks;
    uint32_t q_total, kv_total; /* rows of the packed tensors, when ragged */
    sqa_paged paged;
} sqa_attention;

/* Checks every field of `desc` but for its operation and fills *out, padding too.
 * Errors: SQA_INVALID_ARGUMENT, naming the field and its range. */
sqa_status sqa_attention_from_desc(sqa_attention *out, const sqa_attention_desc *desc);

/* A descriptor that gives this attention again, every default spelt out. */
void sqa_attention_to_desc(const sqa_attention *attention, sqa_attention_desc *out);

/* The descriptor as the newest version has it: members that its own does not have are as
 * SQA_ATTENTION_DESC_INIT leaves them. */
sqa_attention_desc sqa_attention_desc_read(const sqa_attention_desc *desc);

/* Whether sequences have as many keys as a tensor says, so that where queries stand is found out
 * by kernels. */
bool sqa_attention_has_own_lengths(const sqa_attention *attention);

/* Errors: SQA_UNSUPPORTED where K and V are stored unlike Q, for operations other than forward. */
sqa_status sqa_check_one_dtype(const sqa_attention *attention);

/* Errors: SQA_UNSUPPORTED where products may be of tf32, for operations other than forward.
 * `field`: how the caller knows it. */
sqa_status sqa_check_full_products(const char *field, const sqa_attention *attention);

/* Errors: SQA_UNSUPPORTED where K and V are in pages, for operations other than forward. */
sqa_status sqa_check_not_paged(const sqa_attention *attention);

/* Pages of a sequence that is as long as it may be: entries of a row of the block table. */
uint32_t sqa_attention_table_row(const sqa_attention *attention);

/* The extents of K and V: batch entries, or pages, and keys. */
uint32_t sqa_attention_kv_entries(const sqa_attention *attention);
uint32_t sqa_attention_kv_rows(const sqa_attention *attention);

/* Output heads that share one key/value head: out_heads / kv_heads, at least 1. */
uint32_t sqa_attention_group(const sqa_attention *attention);

/* One past the last element a tensor's view touches, in elements from its first;
 * 0 for an empty tensor. */
uint64_t sqa_extent(const sqa_strides *strides, uint32_t batch, uint32_t heads, uint32_t length,
                    uint32_t dim);

/* Query blocks of one list of blocks, and the key blocks that there are. */
uint32_t sqa_attention_query_blocks(const sqa_attention *attention);
uint32_t sqa_attention_key_blocks(const sqa_attention *attention);

/* Lists of blocks, all together: one per query block, batch entry and head that has its own. */
uint64_t sqa_attention_block_lists(const sqa_attention *attention);

/* Whether a number is read for every score, which lies in memory beside K and V. */
bool sqa_attention_has_stored_scores(const sqa_attention *attention);

#endif
