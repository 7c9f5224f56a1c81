/* A cache that owns its pages, for the files that change it and that bind it. What the device is
 * told of sequences is one buffer of int32: positions, lengths, starts of new tokens, block table.
 */
#ifndef SQA_API_KV_CACHE_H
#define SQA_API_KV_CACHE_H

#include "runtime/page_table.h"
#include "sqa_cl/kv_cache.h"

struct sqa_kv_cache {
    sqa_context *context;
    sqa_kv_append_desc append; /* of no tokens */
    sqa_page_sizes sizes;
    sqa_page_table *now, *next; /* next: what a change is tried on */
    cl_mem keys, values, indices;
    size_t key_page, value_page; /* bytes */
    cl_event last;               /* of the newest change; NULL: there was none */
};

/* Where in `indices`. */
static inline size_t sqa_kv_cache_lengths_at(const sqa_kv_cache *cache)
{
    return cache->sizes.sequences;
}

static inline size_t sqa_kv_cache_starts_at(const sqa_kv_cache *cache)
{
    return 2 * (size_t)cache->sizes.sequences;
}

static inline size_t sqa_kv_cache_table_at(const sqa_kv_cache *cache)
{
    return 3 * (size_t)cache->sizes.sequences + 1;
}

static inline size_t sqa_kv_cache_index_count(const sqa_kv_cache *cache)
{
    return sqa_kv_cache_table_at(cache) + (size_t)cache->sizes.sequences * cache->sizes.row;
}

#endif
