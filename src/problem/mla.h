/* Multi-head latent attention as a validated descriptor (include/sqa_cl/mla.h). */
#ifndef SQA_PROBLEM_MLA_H
#define SQA_PROBLEM_MLA_H

#include <stdbool.h>

#include "problem/attention.h"
#include "sqa_cl/mla.h"

#define SQA_MAX_LORA_RANK (1u << 20)

/* Zero-filled before it is set; of no cache, capacity, paged and kv_dtype's difference are none. */
typedef struct sqa_mla_pass {
    sqa_dtype dtype, kv_dtype;
    uint32_t batch, heads, length, d_model;
    uint32_t q_lora_rank, kv_lora_rank, nope_dim, rope_dim, value_dim;
    sqa_rope_pairs pairs;
    float rope_base, norm_eps, scale;
    uint32_t absorbed, capacity;
    sqa_paged paged;
    uint32_t ragged, total;
} sqa_mla_pass;

static inline bool sqa_mla_has_cache(const sqa_mla_pass *mla)
{
    return mla->paged.page_size > 0;
}

/* Rows of X and Y; elements of a latent, and of a query and key in full. */
static inline uint32_t sqa_mla_rows(const sqa_mla_pass *mla)
{
    return mla->ragged ? mla->total : mla->batch * mla->length;
}

static inline uint32_t sqa_mla_latent(const sqa_mla_pass *mla)
{
    return mla->kv_lora_rank + mla->rope_dim;
}

static inline uint32_t sqa_mla_query(const sqa_mla_pass *mla)
{
    return mla->nope_dim + mla->rope_dim;
}

/* Entries of a row of the block table. */
uint32_t sqa_mla_table_row(const sqa_mla_pass *mla);

/* Checks every field of `desc` and fills *out, padding too.
 * Errors: SQA_INVALID_ARGUMENT, naming the field and its range. */
sqa_status sqa_mla_from_desc(sqa_mla_pass *out, const sqa_mla_desc *desc);

/* A descriptor that gives this again. */
void sqa_mla_to_desc(const sqa_mla_pass *mla, sqa_mla_desc *out);

#endif
