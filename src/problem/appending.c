#include "problem/appending.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/status.h"
#include "problem/attention.h"
#include "problem/checks.h"
#include "problem/names.h"

#define MOST (1u << 30)

/* As the newest version has it. */
static sqa_kv_append_desc read_desc(const sqa_kv_append_desc *desc)
{
    sqa_kv_append_desc read = SQA_KV_APPEND_DESC_INIT;
    static const size_t bytes[SQA_KV_APPEND_DESC_VERSION + 1] = {
        [1] = offsetof(sqa_kv_append_desc, kv_dtype),
        [2] = offsetof(sqa_kv_append_desc, hadamard),
        [3] = sizeof(sqa_kv_append_desc),
    };
    memcpy(&read, desc, bytes[desc->version]);
    return read;
}

static sqa_status check_counts(const sqa_kv_append_desc *desc)
{
    const struct {
        const char *name;
        uint32_t value, least, most;
    } counts[] = {
        {"desc.batch", desc->batch, 0, 65535},
        {"desc.kv_heads", desc->kv_heads, 1, 65535},
        {"desc.length", desc->length, 0, MOST},
        {"desc.head_dim", desc->head_dim, 1, SQA_MAX_HEAD_DIM},
        {"desc.value_dim", desc->value_dim, 0, SQA_MAX_HEAD_DIM},
        {"desc.capacity", desc->capacity, 0, MOST},
        {"desc.paged.page_size", desc->paged.page_size, 1, MOST},
        {"desc.paged.pages", desc->paged.pages, 0, MOST},
        {"desc.ragged", desc->ragged, 0, 1},
        {"desc.total", desc->total, 0, desc->ragged ? MOST : 0},
        {"desc.pairs", (uint32_t)desc->pairs, 0, SQA_ROPE_HALF},
        {"desc.at_end", desc->at_end, 0, 1},
        {"desc.hadamard", desc->hadamard, 0, 1},
    };
    sqa_status status = sqa_check_dtype("desc.dtype", desc->dtype);
    if (status == SQA_OK && desc->kv_dtype != -1 && !sqa_kv_dtype_name((sqa_dtype)desc->kv_dtype))
        status = sqa_fail(SQA_INVALID_ARGUMENT, "desc.kv_dtype: %d is neither -1 nor an sqa_dtype",
                          (int)desc->kv_dtype);
    for (size_t i = 0; i < sizeof counts / sizeof *counts && status == SQA_OK; i++)
        status = sqa_check_range(counts[i].name, counts[i].value, counts[i].least, counts[i].most);
    if (status == SQA_OK && (desc->rotary > desc->head_dim || desc->rotary % 2 != 0))
        status = sqa_fail(SQA_INVALID_ARGUMENT,
                          "desc.rotary: %u is not an even number within 0..%u, the head dimension",
                          desc->rotary, desc->head_dim);
    if (status == SQA_OK && (!isfinite(desc->base) || desc->base < 1.0f))
        status = sqa_fail(SQA_INVALID_ARGUMENT, "desc.base: must be finite, and 1 or more");
    return status;
}

uint32_t sqa_appending_table_row(const sqa_appending *appending)
{
    const uint64_t size = appending->paged.page_size;
    return (uint32_t)((appending->capacity + size - 1) / size);
}

static sqa_status check_table(const sqa_appending *a)
{
    const uint64_t entries = (uint64_t)a->batch * sqa_appending_table_row(a);
    if (entries <= INT32_MAX)
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "desc.paged.page_size: %u tokens make a block table of %llu entries, at most "
                    "2^31 - 1 are allowed",
                    a->paged.page_size, (unsigned long long)entries);
}

static sqa_status set_tokens(sqa_strides *out, const char *field, const sqa_strides *asked,
                             const sqa_appending *a, uint32_t dim)
{
    const uint32_t rows = a->ragged ? a->total : a->length;
    *out = sqa_strides_or_packed(asked, a->kv_heads, rows, dim);
    if (a->ragged)
        out->batch = 0;
    return sqa_check_strides(field, out, a->ragged ? 1 : a->batch, a->kv_heads, rows);
}

static sqa_status set_cache(sqa_strides *out, const char *field, const sqa_strides *asked,
                            const sqa_appending *a, uint32_t dim)
{
    sqa_status status =
        sqa_set_strides(out, field, asked, a->paged.pages, a->kv_heads, a->paged.page_size, dim);
    if (status == SQA_OK)
        status = sqa_check_groups(a->kv_dtype, field, out, dim);
    return status == SQA_OK ? sqa_check_no_overlap(field, out, a->paged.pages, a->kv_heads,
                                                   a->paged.page_size, dim)
                            : status;
}

sqa_status sqa_appending_from_desc(sqa_appending *out, const sqa_kv_append_desc *given)
{
    sqa_appending a;
    if (!given)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc: must not be NULL");
    memset(&a, 0, sizeof a);
    sqa_status status =
        sqa_check_version("desc.version", given->version, SQA_KV_APPEND_DESC_VERSION);
    if (status != SQA_OK)
        return status;
    const sqa_kv_append_desc read = read_desc(given), *desc = &read;
    status = check_counts(desc);
    if (status != SQA_OK)
        return status;
    a.dtype = desc->dtype;
    a.kv_dtype = desc->kv_dtype < 0 ? desc->dtype : (sqa_dtype)desc->kv_dtype;
    a.at_end = desc->at_end;
    a.hadamard = desc->hadamard;
    a.batch = desc->batch;
    a.kv_heads = desc->kv_heads;
    a.length = desc->length;
    a.head_dim = desc->head_dim;
    a.value_dim = desc->value_dim ? desc->value_dim : desc->head_dim;
    a.capacity = desc->capacity;
    a.paged = desc->paged;
    a.ragged = desc->ragged;
    a.total = desc->total;
    a.rotary = desc->rotary;
    a.pairs = desc->rotary ? desc->pairs : SQA_ROPE_INTERLEAVED;
    a.base = desc->rotary ? desc->base : 0.0f;
    status = check_table(&a);
    if (status == SQA_OK)
        status = set_tokens(&a.k, "desc.k", &desc->k, &a, a.head_dim);
    if (status == SQA_OK)
        status = set_tokens(&a.v, "desc.v", &desc->v, &a, a.value_dim);
    if (status == SQA_OK)
        status = set_cache(&a.k_cache, "desc.k_cache", &desc->k_cache, &a, a.head_dim);
    if (status == SQA_OK)
        status = set_cache(&a.v_cache, "desc.v_cache", &desc->v_cache, &a, a.value_dim);
    if (status == SQA_OK)
        memcpy(out, &a, sizeof a);
    return status;
}

void sqa_appending_to_desc(const sqa_appending *a, sqa_kv_append_desc *out)
{
    *out = (sqa_kv_append_desc)SQA_KV_APPEND_DESC_INIT;
    out->dtype = a->dtype;
    out->kv_dtype = a->kv_dtype == a->dtype ? -1 : (int32_t)a->kv_dtype;
    out->at_end = a->at_end;
    out->hadamard = a->hadamard;
    out->batch = a->batch;
    out->kv_heads = a->kv_heads;
    out->length = a->length;
    out->head_dim = a->head_dim;
    out->value_dim = a->value_dim;
    out->capacity = a->capacity;
    out->paged = a->paged;
    out->ragged = a->ragged;
    out->total = a->total;
    out->rotary = a->rotary;
    out->pairs = a->pairs;
    out->base = a->rotary ? a->base : out->base;
    out->k = a->k;
    out->v = a->v;
    out->k_cache = a->k_cache;
    out->v_cache = a->v_cache;
}

void sqa_appending_pack(sqa_appending *a)
{
    const uint32_t rows = a->ragged ? a->total : a->length, size = a->paged.page_size;
    a->k = sqa_strides_bhsd(a->kv_heads, rows, a->head_dim);
    a->v = sqa_strides_bhsd(a->kv_heads, rows, a->value_dim);
    if (a->ragged)
        a->k.batch = a->v.batch = 0;
    a->k_cache = sqa_strides_bhsd(a->kv_heads, size, a->head_dim);
    a->v_cache = sqa_strides_bhsd(a->kv_heads, size, a->value_dim);
}
