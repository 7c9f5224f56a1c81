/* Descriptors and tensors of a call, made ones of a cache. */
#include "api/call.h"
#include "api/kv_cache.h"
#include "base/status.h"
#include "problem/checks.h"

/* Whether all are there, and the descriptor's version is at least `version`. */
static sqa_status check(const sqa_kv_cache *cache, const sqa_attention_desc *desc, uint32_t version,
                        const void *tensors)
{
    sqa_status status = sqa_check_not_null("cache", cache);
    if (status == SQA_OK)
        status = sqa_check_not_null("desc", desc);
    if (status == SQA_OK)
        status = sqa_check_not_null("tensors", tensors);
    return status == SQA_OK
               ? sqa_check_range("desc.version", desc->version, version, SQA_ATTENTION_DESC_VERSION)
               : status;
}

static void bind(const sqa_kv_cache *cache, sqa_attention_desc *desc)
{
    const sqa_kv_append_desc *append = &cache->append;
    desc->batch = append->batch;
    desc->kv_heads = append->kv_heads;
    desc->kv_length = append->capacity;
    desc->head_dim = append->head_dim;
    desc->value_dim = append->value_dim;
    desc->k = desc->v = (sqa_strides){0, 0, 0};
    desc->paged = append->paged;
}

sqa_status sqa_kv_cache_bind(const sqa_kv_cache *cache, sqa_attention_desc *desc,
                             sqa_tensors *tensors)
{
    sqa_status status = check(cache, desc, 2, tensors);
    if (status == SQA_OK)
        status = sqa_check_range("tensors.version", tensors->version, 2, SQA_TENSORS_VERSION);
    if (status != SQA_OK)
        return status;
    const sqa_kv_append_desc *append = &cache->append;
    if (append->kv_dtype != (int32_t)append->dtype && desc->version < 3)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.version: %u has no kv_dtype, which this cache needs; expected 3",
                        desc->version);
    bind(cache, desc);
    desc->dtype = append->dtype;
    if (desc->version >= 3)
        desc->kv_dtype = append->kv_dtype;
    tensors->k = (sqa_tensor){cache->keys, 0};
    tensors->v = (sqa_tensor){cache->values, 0};
    tensors->kv_lengths = (sqa_tensor){cache->indices, sqa_kv_cache_lengths_at(cache)};
    tensors->block_table = (sqa_tensor){cache->indices, sqa_kv_cache_table_at(cache)};
    return SQA_OK;
}

sqa_status sqa_kv_cache_bind_layer(const sqa_kv_cache *cache, sqa_attention_desc *desc,
                                   sqa_layer_tensors *tensors)
{
    sqa_status status = check(cache, desc, 3, tensors);
    if (status == SQA_OK)
        status = sqa_check_range("tensors.version", tensors->version, 2, SQA_LAYER_TENSORS_VERSION);
    if (status != SQA_OK)
        return status;
    bind(cache, desc);
    desc->kv_dtype = cache->append.kv_dtype;
    tensors->k = (sqa_tensor){cache->keys, 0};
    tensors->v = (sqa_tensor){cache->values, 0};
    tensors->kv_lengths = (sqa_tensor){cache->indices, sqa_kv_cache_lengths_at(cache)};
    tensors->block_table = (sqa_tensor){cache->indices, sqa_kv_cache_table_at(cache)};
    tensors->cu_seqlens_q = (sqa_tensor){cache->indices, sqa_kv_cache_starts_at(cache)};
    return SQA_OK;
}

sqa_tensor sqa_kv_cache_positions(const sqa_kv_cache *cache)
{
    return (sqa_tensor){cache ? cache->indices : NULL, 0};
}
