/* Tokens for a cache as a validated descriptor (include/sqa_cl/kv_cache.h), defaults filled in. */
#ifndef SQA_PROBLEM_APPENDING_H
#define SQA_PROBLEM_APPENDING_H

#include "sqa_cl/kv_cache.h"

/* Zero-filled before it is set. */
typedef struct sqa_appending {
    sqa_dtype dtype, kv_dtype; /* of the new tokens; of the caches */
    uint32_t batch, kv_heads, length, head_dim, value_dim, capacity;
    sqa_paged paged;
    uint32_t ragged, total; /* rows of K and V, when ragged; else 0 */
    uint32_t rotary;
    sqa_rope_pairs pairs;
    float base;                         /* of nothing that is turned: 0, and pairs too */
    sqa_strides k, v, k_cache, v_cache; /* never all zero, but of nothing */
    uint32_t at_end, hadamard;
} sqa_appending;

/* Checks every field of `desc` and fills *out, padding too.
 * Errors: SQA_INVALID_ARGUMENT, naming the field and its range. */
sqa_status sqa_appending_from_desc(sqa_appending *out, const sqa_kv_append_desc *desc);

/* A descriptor that gives this again. */
void sqa_appending_to_desc(const sqa_appending *appending, sqa_kv_append_desc *out);

/* Pages of a sequence that is as long as may be. */
uint32_t sqa_appending_table_row(const sqa_appending *appending);

/* Makes all its tensors packed. */
void sqa_appending_pack(sqa_appending *appending);

#endif
