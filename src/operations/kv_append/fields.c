/* Appending to a cache as keys of a shape. */
#include <stdio.h>

#include "base/number.h"
#include "base/status.h"
#include "operations/field_values.h"
#include "operations/kv_append/slots.h"
#include "problem/attention.h"
#include "problem/names.h"

#define AT(member) offsetof(sqa_kv_append_desc, member)
#define MOST (1u << 30)

static uint32_t rows_of(const sqa_kv_append_desc *desc)
{
    return desc->ragged ? desc->total : desc->length;
}

static uint32_t value_dim_of(const sqa_kv_append_desc *desc)
{
    return desc->value_dim ? desc->value_dim : desc->head_dim;
}

SQA_PAGE_KEYS(sqa_kv_append_desc, capacity)

static sqa_status read_total(const char *value, const sqa_shape_items *items, void *descriptor)
{
    (void)items;
    sqa_kv_append_desc *desc = descriptor;
    desc->ragged = 1;
    if (sqa_read_count(value, 0, MOST, &desc->total))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "total is '%.60s'; expected the tokens of all sequences, from 0 to %u", value,
                    MOST);
}

static bool write_total(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const sqa_kv_append_desc *desc = descriptor;
    snprintf(value, SQA_FIELD_VALUE, "%u", desc->total);
    return desc->ragged;
}

static sqa_status read_dv(const char *value, const sqa_shape_items *items, void *descriptor)
{
    (void)items;
    if (sqa_read_count(value, 1, SQA_MAX_HEAD_DIM, &((sqa_kv_append_desc *)descriptor)->value_dim))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT, "dv is '%.60s'; expected a number from 1 to %u", value,
                    SQA_MAX_HEAD_DIM);
}

static bool write_dv(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const sqa_kv_append_desc *desc = descriptor;
    snprintf(value, SQA_FIELD_VALUE, "%u", desc->value_dim);
    return value_dim_of(desc) != desc->head_dim;
}

SQA_KEY(kv, sqa_kv_append_desc, kv_dtype, sqa_field_read_kv_dtype,
        sqa_field_write_kv_dtype(desc->kv_dtype, desc->dtype, value))
SQA_FLOAT_KEY(base, sqa_kv_append_desc, base, 10000.0f)
SQA_VIEW_KEY(kc, sqa_kv_append_desc, k_cache, desc->kv_heads, desc->paged.page_size, desc->head_dim)
SQA_VIEW_KEY(vc, sqa_kv_append_desc, v_cache, desc->kv_heads, desc->paged.page_size,
             value_dim_of(desc))

/* Strides of the batch that a ragged one does not have are 0 when they are written. */
static bool write_tokens(const sqa_kv_append_desc *desc, const sqa_strides *strides, uint32_t dim,
                         char value[SQA_FIELD_VALUE])
{
    sqa_strides own = *strides;
    if (desc->ragged)
        own.batch = sqa_strides_bhsd(desc->kv_heads, rows_of(desc), dim).batch;
    if (!sqa_field_write_view(&own, desc->kv_heads, rows_of(desc), dim, value))
        return false;
    return sqa_field_write_view(strides, desc->kv_heads, rows_of(desc), dim, value);
}
SQA_KEY(k, sqa_kv_append_desc, k, sqa_field_read_view,
        write_tokens(desc, &desc->k, desc->head_dim, value))
SQA_KEY(v, sqa_kv_append_desc, v, sqa_field_read_view,
        write_tokens(desc, &desc->v, value_dim_of(desc), value))

static const char *const pairs_words[] = {"interleaved", "half", NULL};

#define OWN(name, column, meaning)                                                                 \
#name, column, meaning, SQA_FIELD_OWN, .read = read_##name, .write = write_##name

const sqa_shape_field sqa_kv_append_fields[] = {
    {"b", "batch", "sequences (1)", SQA_FIELD_COUNT, .offset = AT(batch), .most = 65535},
    {"hkv", "kv_heads", "key/value heads", SQA_FIELD_COUNT, .offset = AT(kv_heads), .least = 1,
     .most = 65535},
    {"n", "length", "new tokens of a sequence", SQA_FIELD_COUNT, .offset = AT(length),
     .most = MOST},
    {"nk", "capacity", "the most tokens of a sequence", SQA_FIELD_COUNT, .offset = AT(capacity),
     .most = MOST},
    {"d", "dim", "elements of a key (64)", SQA_FIELD_COUNT, .offset = AT(head_dim), .least = 1,
     .most = SQA_MAX_HEAD_DIM},
    {OWN(dv, "value_dim", "elements of a value (d)"), .number = true},
    {"dtype", "dtype", "storage: f32 (default), f16 or bf16", SQA_FIELD_WORD, .offset = AT(dtype),
     .words = sqa_dtype_words},
    {OWN(kv, "kv_dtype", "storage of the caches (dtype): int8 and int4, too")},
    {OWN(page, "page", "tokens of a page"), .number = true},
    {OWN(pages, "pages", "of the caches (as many as all sequences take)"), .number = true},
    {OWN(total, "total", "new tokens of all sequences in a ragged batch, n of the longest"),
     .number = true},
    {"atend", "at_end", "positions are lengths with the new tokens", SQA_FIELD_FLAG,
     .offset = AT(at_end)},
    {"hadamard", "hadamard", "blocks of keys go through a Hadamard matrix", SQA_FIELD_FLAG,
     .offset = AT(hadamard)},
    {"rotary", "rotary", "elements of a key that are turned (0)", SQA_FIELD_COUNT,
     .offset = AT(rotary), .most = SQA_MAX_HEAD_DIM, .optional = true},
    {"pairs", "pairs", "interleaved (default) or half", SQA_FIELD_WORD, .offset = AT(pairs),
     .words = pairs_words},
    {OWN(base, "base", "base of the frequencies (10000)"), .number = true},
    {OWN(k, "k_strides", "strides of K, BATCH:HEAD:SEQUENCE in elements")},
    {OWN(v, "v_strides", "strides of V, likewise")},
    {OWN(kc, "k_cache_strides", "strides of the keys' cache, PAGE:HEAD:TOKEN in elements")},
    {OWN(vc, "v_cache_strides", "strides of the values' cache, likewise")},
    {0},
};

const sqa_shape_field_need sqa_kv_append_needs[] = {
    {"hkv", "hkv is missing; expected a number from 1 to 65535"},
    {"n", "n is missing; expected a number from 0 to 1073741824"},
    {"nk", "nk is missing; expected a number from 0 to 1073741824"},
    {"page", "page is missing; expected a number from 1 to 1073741824"},
    {0},
};
