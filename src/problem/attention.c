#include "problem/attention.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/status.h"
#include "problem/checks.h"
#include "problem/names.h"
#include "problem/pattern.h"

#define MAX_HEADS 65535u
#define MAX_LENGTH (1u << 30)

static sqa_status check_scalars(const sqa_attention_desc *desc)
{
    const struct {
        const char *field;
        uint32_t value, low, high;
    } ranges[] = {
        {"desc.version", desc->version, 1, SQA_ATTENTION_DESC_VERSION},
        {"desc.batch", desc->batch, 0, MAX_LENGTH},
        {"desc.q_heads", desc->q_heads, 1, MAX_HEADS},
        {"desc.kv_heads", desc->kv_heads, 1, MAX_HEADS},
        {"desc.head_dim", desc->head_dim, 1, SQA_MAX_HEAD_DIM},
        {"desc.value_dim", desc->value_dim, 0, SQA_MAX_HEAD_DIM},
        {"desc.write_lse", desc->write_lse, 0, 1},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        sqa_status status =
            sqa_check_range(ranges[i].field, ranges[i].value, ranges[i].low, ranges[i].high);
        if (status != SQA_OK)
            return status;
    }
    sqa_status status = sqa_check_is_set("desc.q_length", desc->q_length, MAX_LENGTH);
    if (status == SQA_OK)
        status = sqa_check_is_set("desc.kv_length", desc->kv_length, MAX_LENGTH);
    if (status != SQA_OK)
        return status;
    if (!sqa_dtype_name(desc->dtype))
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.dtype: %d is not an sqa_dtype",
                        (int)desc->dtype);
    if (!sqa_causal_name(desc->causal))
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.causal: %d is not one of 0..2",
                        (int)desc->causal);
    if (!isfinite(desc->scale))
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.scale: must be finite");
    uint32_t most = desc->q_heads > desc->kv_heads ? desc->q_heads : desc->kv_heads;
    uint32_t least = desc->q_heads > desc->kv_heads ? desc->kv_heads : desc->q_heads;
    if (most % least != 0)
        return sqa_fail(
            SQA_INVALID_ARGUMENT,
            "desc.kv_heads: of q_heads (%u) and kv_heads (%u) one must divide the other",
            desc->q_heads, desc->kv_heads);
    return SQA_OK;
}

/* A ragged batch is one packed sequence as far as memory goes: `entries` is then no more than 1. */
static sqa_status set_strides(sqa_strides *out, const char *field, const sqa_strides *asked,
                              bool ragged, uint32_t entries, uint32_t heads, uint32_t length,
                              uint32_t dim)
{
    *out = sqa_strides_or_packed(asked, heads, length, dim);
    if (ragged)
        out->batch = 0;
    return sqa_check_strides(field, out, entries, heads, length);
}

static sqa_status set_views(sqa_attention *attention, const sqa_attention_desc *desc)
{
    const bool ragged = attention->mask & SQA_MASK_RAGGED;
    const bool ragged_keys = ragged && !(attention->mask & SQA_MASK_PAGED);
    const uint32_t batch = ragged && attention->batch > 1 ? 1 : attention->batch;
    const uint32_t entries = sqa_attention_kv_entries(attention);
    const uint32_t queries = ragged ? attention->q_total : attention->q_length;
    const uint32_t keys = sqa_attention_kv_rows(attention);
    const struct {
        const char *field;
        sqa_strides *out;
        const sqa_strides *asked;
        bool ragged;
        uint32_t entries, heads, length, dim;
    } views[] = {
        {"desc.q", &attention->q, &desc->q, ragged, batch, attention->q_heads, queries,
         attention->head_dim},
        {"desc.k", &attention->k, &desc->k, ragged_keys, entries, attention->kv_heads, keys,
         attention->head_dim},
        {"desc.v", &attention->v, &desc->v, ragged_keys, entries, attention->kv_heads, keys,
         attention->value_dim},
        {"desc.o", &attention->o, &desc->o, ragged, batch, attention->out_heads, queries,
         attention->value_dim},
    };
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        sqa_status status =
            set_strides(views[i].out, views[i].field, views[i].asked, views[i].ragged,
                        views[i].entries, views[i].heads, views[i].length, views[i].dim);
        if (status != SQA_OK)
            return status;
    }
    sqa_status status =
        sqa_check_groups(attention->kv_dtype, "desc.k", &attention->k, attention->head_dim);
    if (status == SQA_OK)
        status =
            sqa_check_groups(attention->kv_dtype, "desc.v", &attention->v, attention->value_dim);
    if (status != SQA_OK)
        return status;
    return sqa_check_no_overlap("desc.o", &attention->o, batch, attention->out_heads, queries,
                                attention->value_dim);
}

sqa_attention_desc sqa_attention_desc_read(const sqa_attention_desc *desc)
{
    sqa_attention_desc read = SQA_ATTENTION_DESC_INIT;
    static const size_t bytes[SQA_ATTENTION_DESC_VERSION + 1] = {
        [1] = offsetof(sqa_attention_desc, paged),
        [2] = offsetof(sqa_attention_desc, kv_dtype),
        [3] = offsetof(sqa_attention_desc, products),
        [4] = sizeof(sqa_attention_desc),
    };
    const bool known = desc->version <= SQA_ATTENTION_DESC_VERSION;
    memcpy(&read, desc, bytes[known ? desc->version : SQA_ATTENTION_DESC_VERSION]);
    return read;
}

static sqa_status check_products(const sqa_attention_desc *desc)
{
    const bool is_f32 =
        desc->dtype == SQA_DTYPE_F32 && (desc->kv_dtype == -1 || desc->kv_dtype == SQA_DTYPE_F32);
    if (!sqa_products_name(desc->products))
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.products: %d is not one of 0..1",
                        (int)desc->products);
    if (desc->products != SQA_PRODUCTS_F32 && !is_f32)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.products: tf32 is of tensors in f32; expected dtype f32 and kv_dtype "
                        "-1 or f32");
    return SQA_OK;
}

sqa_status sqa_attention_from_desc(sqa_attention *out, const sqa_attention_desc *given)
{
    if (!given)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc: must not be NULL");
    sqa_status status = check_scalars(given);
    if (status != SQA_OK)
        return status;
    const sqa_attention_desc read = sqa_attention_desc_read(given), *desc = &read;
    if (desc->kv_dtype != -1 && !sqa_kv_dtype_name((sqa_dtype)desc->kv_dtype))
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.kv_dtype: %d is neither -1 nor an sqa_dtype",
                        (int)desc->kv_dtype);
    status = check_products(desc);
    if (status != SQA_OK)
        return status;
    sqa_attention attention;
    memset(&attention, 0, sizeof attention);
    attention.dtype = desc->dtype;
    attention.kv_dtype = desc->kv_dtype < 0 ? desc->dtype : (sqa_dtype)desc->kv_dtype;
    attention.products = desc->products;
    attention.batch = desc->batch;
    attention.q_heads = desc->q_heads;
    attention.kv_heads = desc->kv_heads;
    attention.out_heads = desc->q_heads > desc->kv_heads ? desc->q_heads : desc->kv_heads;
    attention.q_length = desc->q_length;
    attention.kv_length = desc->kv_length;
    attention.head_dim = desc->head_dim;
    attention.value_dim = desc->value_dim ? desc->value_dim : desc->head_dim;
    attention.scale = desc->scale != 0.0f ? desc->scale : 1.0f / sqrtf((float)desc->head_dim);
    attention.write_lse = desc->write_lse;
    status = sqa_pattern_from_desc(&attention, desc);
    if (status == SQA_OK)
        status = set_views(&attention, desc);
    if (status == SQA_OK)
        memcpy(out, &attention, sizeof attention);
    return status;
}

static void pattern_to_desc(const sqa_attention *attention, sqa_attention_desc *out)
{
    static const sqa_window unbounded = {-1, -1};
    const bool causal = attention->mask & SQA_MASK_CAUSAL;
    out->causal = !causal                   ? SQA_CAUSAL_NONE
                  : attention->bottom_right ? SQA_CAUSAL_BOTTOM_RIGHT
                                            : SQA_CAUSAL_TOP_LEFT;
    const bool positions = attention->mask & SQA_MASK_WINDOW || attention->score & SQA_SCORE_ALIBI;
    out->align = causal || attention->bottom_right || !positions ? SQA_ALIGN_BOTTOM_RIGHT
                                                                 : SQA_ALIGN_TOP_LEFT;
    out->window = attention->mask & SQA_MASK_WINDOW ? attention->window : unbounded;
    if (out->window.left == SQA_UNBOUNDED)
        out->window.left = -1;
    if (out->window.right == SQA_UNBOUNDED)
        out->window.right = -1;
    out->globals = attention->globals;
    out->key_mask = attention->mask & SQA_MASK_KEY ? 1 : 0;
    out->mask = (sqa_mask_view){attention->mask & SQA_MASK_PAIR ? 1 : 0, attention->pair_mask};
    out->blocks = attention->blocks;
    out->ragged = (sqa_ragged){attention->mask & SQA_MASK_RAGGED ? 1 : 0, attention->q_total,
                               attention->kv_total};
    out->paged = attention->paged;
    out->softcap = attention->softcap;
    out->dropout = attention->dropout;
    out->alibi = attention->score & SQA_SCORE_SLOPES  ? SQA_ALIBI_SLOPES
                 : attention->score & SQA_SCORE_ALIBI ? SQA_ALIBI_GEOMETRIC
                                                      : SQA_ALIBI_NONE;
    out->bias = (sqa_bias){attention->score & SQA_SCORE_BIAS ? 1 : 0,
                           (int32_t)attention->bias_dtype, attention->bias};
    out->sinks = attention->score & SQA_SCORE_SINKS ? 1 : 0;
}

void sqa_attention_to_desc(const sqa_attention *attention, sqa_attention_desc *out)
{
    *out = (sqa_attention_desc)SQA_ATTENTION_DESC_INIT;
    out->dtype = attention->dtype;
    out->kv_dtype = attention->kv_dtype == attention->dtype ? -1 : (int32_t)attention->kv_dtype;
    out->products = attention->products;
    out->batch = attention->batch;
    out->q_heads = attention->q_heads;
    out->kv_heads = attention->kv_heads;
    out->q_length = attention->q_length;
    out->kv_length = attention->kv_length;
    out->head_dim = attention->head_dim;
    out->value_dim = attention->value_dim;
    out->scale = attention->scale;
    out->write_lse = attention->write_lse;
    out->q = attention->q;
    out->k = attention->k;
    out->v = attention->v;
    out->o = attention->o;
    pattern_to_desc(attention, out);
}

sqa_status sqa_check_full_products(const char *field, const sqa_attention *attention)
{
    return attention->products == SQA_PRODUCTS_F32
               ? SQA_OK
               : sqa_fail(SQA_UNSUPPORTED,
                          "%s: only forward attention may have products of tf32; expected f32",
                          field);
}

sqa_status sqa_check_one_dtype(const sqa_attention *attention)
{
    return attention->kv_dtype == attention->dtype
               ? SQA_OK
               : sqa_fail(SQA_UNSUPPORTED,
                          "desc.kv_dtype: only forward attention takes K and V stored unlike Q");
}

sqa_strides sqa_strides_bhsd(uint32_t heads, uint32_t length, uint32_t dim)
{
    int64_t row = dim;
    return (sqa_strides){row * length * heads, row * length, row};
}

sqa_strides sqa_strides_bshd(uint32_t heads, uint32_t length, uint32_t dim)
{
    int64_t row = dim;
    return (sqa_strides){row * length * heads, row, row * heads};
}

uint32_t sqa_attention_group(const sqa_attention *attention)
{
    return attention->out_heads / attention->kv_heads;
}

uint64_t sqa_extent(const sqa_strides *strides, uint32_t batch, uint32_t heads, uint32_t length,
                    uint32_t dim)
{
    if (batch == 0 || heads == 0 || length == 0 || dim == 0)
        return 0;
    return (uint64_t)strides->batch * (batch - 1) + (uint64_t)strides->head * (heads - 1) +
           (uint64_t)strides->sequence * (length - 1) + dim;
}
