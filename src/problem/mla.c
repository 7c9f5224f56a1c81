#include "problem/mla.h"

#include <math.h>
#include <string.h>

#include "base/status.h"
#include "problem/checks.h"
#include "problem/groups.h"
#include "problem/names.h"

#define MOST (1u << 30)
#define MOST_MODEL (1u << 24)

static sqa_status check_counts(const sqa_mla_desc *desc)
{
    const bool cached = desc->paged.page_size > 0;
    const struct {
        const char *name;
        uint32_t value, least, most;
    } counts[] = {
        {"desc.batch", desc->batch, 0, 65535},
        {"desc.heads", desc->heads, 1, 65535},
        {"desc.length", desc->length, 0, MOST},
        {"desc.d_model", desc->d_model, 1, MOST_MODEL},
        {"desc.q_lora_rank", desc->q_lora_rank, 0, SQA_MAX_LORA_RANK},
        {"desc.rope_dim", desc->rope_dim, 2, SQA_MAX_HEAD_DIM - 2},
        {"desc.kv_lora_rank", desc->kv_lora_rank, 1, SQA_MAX_HEAD_DIM - desc->rope_dim},
        {"desc.nope_dim", desc->nope_dim, 1, SQA_MAX_HEAD_DIM - desc->rope_dim},
        {"desc.value_dim", desc->value_dim, 1, SQA_MAX_HEAD_DIM},
        {"desc.pairs", (uint32_t)desc->pairs, 0, SQA_ROPE_HALF},
        {"desc.paged.page_size", desc->paged.page_size, desc->absorbed ? 1 : 0, MOST},
        {"desc.paged.pages", desc->paged.pages, 0, cached ? MOST : 0},
        {"desc.capacity", desc->capacity, 0, cached ? MOST : 0},
        {"desc.absorbed", desc->absorbed, 0, 1},
        {"desc.ragged", desc->ragged, 0, 1},
        {"desc.total", desc->total, 0, desc->ragged ? MOST : 0},
    };
    sqa_status status = sqa_check_version("desc.version", desc->version, SQA_MLA_DESC_VERSION);
    if (status == SQA_OK)
        status = sqa_check_dtype("desc.dtype", desc->dtype);
    for (size_t i = 0; i < sizeof counts / sizeof *counts && status == SQA_OK; i++)
        status = sqa_check_range(counts[i].name, counts[i].value, counts[i].least, counts[i].most);
    if (status == SQA_OK && desc->rope_dim % 2 != 0)
        status = sqa_fail(SQA_INVALID_ARGUMENT, "desc.rope_dim: %u is not even", desc->rope_dim);
    return status;
}

/* How a cache is stored, if there is one. */
static sqa_status check_kept(const sqa_mla_desc *desc)
{
    const sqa_dtype kept = desc->kv_dtype == -1 ? desc->dtype : (sqa_dtype)desc->kv_dtype;
    const bool quantised = sqa_dtype_is_quantised(kept);
    if (!sqa_kv_dtype_name(kept))
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.kv_dtype: %d is neither -1 nor an sqa_dtype",
                        (int)desc->kv_dtype);
    if (kept != desc->dtype && !desc->paged.page_size)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.kv_dtype: %s; must be dtype (%s) without a cache (desc.paged)",
                        sqa_kv_dtype_name(kept), sqa_dtype_name(desc->dtype));
    if (kept != desc->dtype && desc->dtype != SQA_DTYPE_F32 && !quantised)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.kv_dtype: %s; expected %s, int8 or int4 in the cache of a layer of "
                        "that",
                        sqa_kv_dtype_name(kept), sqa_dtype_name(desc->dtype));
    if (quantised && (desc->kv_lora_rank % SQA_GROUP != 0 || desc->rope_dim % SQA_GROUP != 0))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.kv_dtype: %s needs desc.kv_lora_rank (%u) and desc.rope_dim (%u) to "
                        "be multiples of %u",
                        sqa_kv_dtype_name(kept), desc->kv_lora_rank, desc->rope_dim, SQA_GROUP);
    return SQA_OK;
}

static sqa_status check_numbers(const sqa_mla_desc *desc)
{
    if (!isfinite(desc->rope_base) || desc->rope_base < 1.0f)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.rope_base: must be finite, and 1 or more");
    if (!isfinite(desc->norm_eps) || desc->norm_eps <= 0.0f)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.norm_eps: must be finite, and above 0");
    if (!isfinite(desc->scale))
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.scale: must be finite");
    return check_kept(desc);
}

uint32_t sqa_mla_table_row(const sqa_mla_pass *mla)
{
    const uint64_t size = mla->paged.page_size;
    return size ? (uint32_t)((mla->capacity + size - 1) / size) : 0;
}

static sqa_status check_sizes(const sqa_mla_pass *mla)
{
    if (!mla->ragged && (uint64_t)mla->batch * mla->length > MOST)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.length: %u rows of %u sequences; expected at most 2^30 together",
                        mla->length, mla->batch);
    if (mla->capacity > 0 && !mla->paged.pages)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.paged.pages: 0 pages have no room for capacity (%u) tokens",
                        mla->capacity);
    if ((uint64_t)mla->batch * sqa_mla_table_row(mla) > INT32_MAX)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.paged.page_size: %u tokens make a block table of more than 2^31 - 1 "
                        "entries",
                        mla->paged.page_size);
    return SQA_OK;
}

sqa_status sqa_mla_from_desc(sqa_mla_pass *out, const sqa_mla_desc *desc)
{
    sqa_mla_pass mla;
    if (!desc)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc: must not be NULL");
    memset(&mla, 0, sizeof mla);
    sqa_status status = check_counts(desc);
    if (status == SQA_OK)
        status = check_numbers(desc);
    if (status != SQA_OK)
        return status;
    mla.dtype = desc->dtype;
    mla.kv_dtype = desc->kv_dtype < 0 ? desc->dtype : (sqa_dtype)desc->kv_dtype;
    mla.batch = desc->batch;
    mla.heads = desc->heads;
    mla.length = desc->length;
    mla.d_model = desc->d_model;
    mla.q_lora_rank = desc->q_lora_rank;
    mla.kv_lora_rank = desc->kv_lora_rank;
    mla.nope_dim = desc->nope_dim;
    mla.rope_dim = desc->rope_dim;
    mla.value_dim = desc->value_dim;
    mla.pairs = desc->pairs;
    mla.rope_base = desc->rope_base;
    mla.norm_eps = desc->norm_eps;
    mla.scale = desc->scale != 0.0f ? desc->scale : 1.0f / sqrtf((float)sqa_mla_query(&mla));
    mla.absorbed = desc->absorbed;
    mla.capacity = desc->capacity;
    mla.paged = desc->paged;
    mla.ragged = desc->ragged;
    mla.total = desc->total;
    status = check_sizes(&mla);
    if (status == SQA_OK)
        memcpy(out, &mla, sizeof mla);
    return status;
}

void sqa_mla_to_desc(const sqa_mla_pass *mla, sqa_mla_desc *out)
{
    *out = (sqa_mla_desc)SQA_MLA_DESC_INIT;
    out->dtype = mla->dtype;
    out->kv_dtype = mla->kv_dtype == mla->dtype ? -1 : (int32_t)mla->kv_dtype;
    out->batch = mla->batch;
    out->heads = mla->heads;
    out->length = mla->length;
    out->d_model = mla->d_model;
    out->q_lora_rank = mla->q_lora_rank;
    out->kv_lora_rank = mla->kv_lora_rank;
    out->nope_dim = mla->nope_dim;
    out->rope_dim = mla->rope_dim;
    out->value_dim = mla->value_dim;
    out->pairs = mla->pairs;
    out->rope_base = mla->rope_base;
    out->norm_eps = mla->norm_eps;
    out->scale = mla->scale;
    out->absorbed = mla->absorbed;
    out->capacity = mla->capacity;
    out->paged = mla->paged;
    out->ragged = mla->ragged;
    out->total = mla->total;
}
