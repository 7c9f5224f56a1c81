/* Sizes, storage and layout of attention as keys of a shape. */
#include "operations/attention/fields.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/status.h"
#include "operations/field_values.h"
#include "problem/attention.h"
#include "problem/names.h"

#define AT(member) offsetof(sqa_attention_desc, member)
#define MOST_HEADS 65535
#define MOST_LENGTH (1u << 30)

/* Where a count goes that stands for two: hq for hkv too until that is read, and so on. */
static sqa_status read_both(const char *name, const char *value, uint32_t least, uint32_t most,
                            uint32_t *first, uint32_t *second)
{
    if (!sqa_read_count(value, least, most, first))
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s is '%.60s'; expected a number from %u to %u",
                        name, value, least, most);
    *second = *first;
    return SQA_OK;
}

static sqa_status read_q_heads(const char *value, const sqa_shape_items *items, void *descriptor)
{
    sqa_attention_desc *desc = descriptor;
    (void)items;
    return read_both("hq", value, 1, MOST_HEADS, &desc->q_heads, &desc->kv_heads);
}

static bool write_q_heads(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    snprintf(value, SQA_FIELD_VALUE, "%u", ((const sqa_attention_desc *)descriptor)->q_heads);
    return true;
}

static sqa_status read_q_length(const char *value, const sqa_shape_items *items, void *descriptor)
{
    sqa_attention_desc *desc = descriptor;
    (void)items;
    return read_both("nq", value, 0, MOST_LENGTH, &desc->q_length, &desc->kv_length);
}

static bool write_q_length(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    snprintf(value, SQA_FIELD_VALUE, "%u", ((const sqa_attention_desc *)descriptor)->q_length);
    return true;
}

static sqa_status read_length(const char *value, const sqa_shape_items *items, void *descriptor)
{
    sqa_attention_desc *desc = descriptor;
    (void)items;
    return read_both("n", value, 0, MOST_LENGTH, &desc->q_length, &desc->kv_length);
}

static sqa_status read_variant(const char *value, const sqa_shape_items *items, void *descriptor)
{
    sqa_attention_desc *desc = descriptor;
    sqa_variant variant;
    uint32_t heads = 0;
    const char *model = sqa_shape_item(items, "h");
    if (!model || !sqa_read_count(model, 1, MOST_HEADS, &heads))
        return sqa_fail(SQA_INVALID_ARGUMENT, "h is '%.60s'; expected a number from 1 to %d",
                        model ? model : "", MOST_HEADS);
    sqa_status status = sqa_variant_from_name(value, &variant);
    return status == SQA_OK ? sqa_variant_heads(variant, heads, &desc->q_heads, &desc->kv_heads)
                            : status;
}

/* Read with the variant, which it belongs to. */
static sqa_status read_heads(const char *value, const sqa_shape_items *items, void *descriptor)
{
    (void)value, (void)items, (void)descriptor;
    return SQA_OK;
}

const sqa_shape_field sqa_size_fields[] = {
    {"b", "batch", "batch (1)", SQA_FIELD_COUNT, .offset = AT(batch), .least = 0,
     .most = MOST_LENGTH},
    {"hq", "q_heads", "query heads", SQA_FIELD_OWN, .number = true, .read = read_q_heads,
     .write = write_q_heads},
    {"hkv", "kv_heads", "key/value heads (hq)", SQA_FIELD_COUNT, .offset = AT(kv_heads), .least = 1,
     .most = MOST_HEADS},
    {"nq", "q_length", "queries", SQA_FIELD_OWN, .number = true, .read = read_q_length,
     .write = write_q_length},
    {"nk", "kv_length", "keys (nq)", SQA_FIELD_COUNT, .offset = AT(kv_length), .least = 0,
     .most = MOST_LENGTH},
    {"d", "dim", "head dimension (64)", SQA_FIELD_COUNT, .offset = AT(head_dim), .least = 1,
     .most = SQA_MAX_HEAD_DIM},
    {"n", NULL, "queries and keys", SQA_FIELD_OWN, .instead_of = "nq,nk", .read = read_length},
    {"variant", NULL, "heads of this variant of a model of h heads: mha, gqa, sqa, xsqa, ...",
     SQA_FIELD_OWN, .instead_of = "hq,hkv", .together_with = "h", .read = read_variant},
    {"h", NULL, "heads of that model", SQA_FIELD_OWN, .together_with = "variant",
     .read = read_heads},
    {0},
};

const sqa_shape_field_need sqa_attention_needs[] = {
    {"hq,variant", "the heads are missing; expected hq=1..65535 or variant=NAME,h=H"},
    {"n,nq", "the length is missing; expected n or nq from 0 to 1073741824"},
    {0},
};

static sqa_status read_value_dim(const char *value, const sqa_shape_items *items, void *descriptor)
{
    (void)items;
    sqa_attention_desc *desc = descriptor;
    if (sqa_read_count(value, 1, SQA_MAX_HEAD_DIM, &desc->value_dim))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT, "dv is '%.60s'; expected a number from 1 to %u", value,
                    SQA_MAX_HEAD_DIM);
}

static bool write_value_dim(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const sqa_attention_desc *desc = descriptor;
    snprintf(value, SQA_FIELD_VALUE, "%u", desc->value_dim);
    return desc->value_dim && desc->value_dim != desc->head_dim;
}

const sqa_shape_field sqa_value_fields[] = {
    {"dv", "value_dim", "value head dimension (d)", SQA_FIELD_OWN, .number = true,
     .read = read_value_dim, .write = write_value_dim},
    {0},
};

static sqa_status read_scale(const char *value, const sqa_shape_items *items, void *descriptor)
{
    (void)items;
    sqa_attention_desc *desc = descriptor;
    if (sqa_read_finite(value, &desc->scale) && desc->scale != 0.0f)
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT, "scale is '%.60s'; expected a finite number other than 0",
                    value);
}

static bool write_scale(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const sqa_attention_desc *desc = descriptor;
    const float usual = 1.0f / sqrtf((float)desc->head_dim);
    snprintf(value, SQA_FIELD_VALUE, "%.9g", (double)desc->scale);
    return desc->scale != 0.0f && !(desc->scale >= usual && desc->scale <= usual);
}

const sqa_shape_field sqa_storage_fields[] = {
    {"dtype", "dtype", "storage: f32 (default), f16 or bf16", SQA_FIELD_WORD, .offset = AT(dtype),
     .words = sqa_dtype_words},
    {"scale", "scale", "of the scores (1/sqrt(d))", SQA_FIELD_OWN, .number = true,
     .read = read_scale, .write = write_scale},
    {0},
};

SQA_KEY(kv, sqa_attention_desc, kv_dtype, sqa_field_read_kv_dtype,
        sqa_field_write_kv_dtype(desc->kv_dtype, desc->dtype, value))

const sqa_shape_field sqa_cache_fields[] = {
    {"kv", "kv_dtype", "storage of K and V (dtype): int8 and int4, too", SQA_FIELD_OWN,
     .read = read_kv, .write = write_kv},
    {0},
};

const sqa_shape_field sqa_products_fields[] = {
    {"products", "products", "of f32: f32 (default), or tf32, which is less exact", SQA_FIELD_WORD,
     .offset = AT(products), .words = sqa_products_words},
    {0},
};

const sqa_shape_field sqa_output_fields[] = {
    {"lse", "lse", "the log-sum-exp is written too", SQA_FIELD_FLAG, .offset = AT(write_lse)},
    {0},
};

/* What Q, K, V and O are packed as; a ragged batch is one sequence, of a cache it is pages. */
typedef sqa_strides (*packing)(uint32_t heads, uint32_t length, uint32_t dim);

static void pack(sqa_attention_desc *desc, packing strides)
{
    const uint32_t value_dim = desc->value_dim ? desc->value_dim : desc->head_dim;
    const uint32_t out_heads = desc->q_heads > desc->kv_heads ? desc->q_heads : desc->kv_heads;
    const uint32_t queries = desc->ragged.present ? desc->ragged.q_total : desc->q_length;
    const uint32_t keys = desc->paged.page_size  ? desc->paged.page_size
                          : desc->ragged.present ? desc->ragged.kv_total
                                                 : desc->kv_length;
    desc->q = strides(desc->q_heads, queries, desc->head_dim);
    desc->k = strides(desc->kv_heads, keys, desc->head_dim);
    desc->v = strides(desc->kv_heads, keys, value_dim);
    desc->o = strides(out_heads, queries, value_dim);
}

static const struct {
    const char *name;
    packing strides;
} layouts[] = {{"bhsd", sqa_strides_bhsd}, {"bshd", sqa_strides_bshd}};
enum { LAYOUTS = sizeof layouts / sizeof *layouts };

static sqa_status read_layout(const char *value, const sqa_shape_items *items, void *descriptor)
{
    (void)items;
    for (int i = 0; i < LAYOUTS; i++)
        if (!strcmp(value, layouts[i].name)) {
            pack(descriptor, layouts[i].strides);
            return SQA_OK;
        }
    return sqa_fail(SQA_INVALID_ARGUMENT, "layout is '%.60s'; expected bhsd or bshd", value);
}

/* A batch stride that a ragged batch does not use, or all three left out, say nothing. */
static bool same_strides(bool ragged, const sqa_strides *own, const sqa_strides *packed)
{
    const bool none = !own->batch && !own->head && !own->sequence;
    const bool same_batch = own->batch == packed->batch || ragged;
    return none || (same_batch && own->head == packed->head && own->sequence == packed->sequence);
}

/* Of which layout the strides are; LAYOUTS: of none. */
static int layout_of(const sqa_attention_desc *desc)
{
    const bool ragged = desc->ragged.present, ragged_keys = ragged && !desc->paged.page_size;
    for (int i = 0; i < LAYOUTS; i++) {
        sqa_attention_desc packed = *desc;
        pack(&packed, layouts[i].strides);
        if (same_strides(ragged, &desc->q, &packed.q) &&
            same_strides(ragged_keys, &desc->k, &packed.k) &&
            same_strides(ragged_keys, &desc->v, &packed.v) &&
            same_strides(ragged, &desc->o, &packed.o))
            return i;
    }
    return LAYOUTS;
}

static bool write_layout(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const int layout = layout_of(descriptor);
    snprintf(value, SQA_FIELD_VALUE, "%s", layout < LAYOUTS ? layouts[layout].name : "");
    return layout > 0 && layout < LAYOUTS;
}

bool sqa_read_strides(const char *text, sqa_strides *out)
{
    int64_t *const numbers[] = {&out->batch, &out->head, &out->sequence};
    for (int i = 0; i < 3; i++) {
        char *end = NULL;
        errno = 0;
        if (*text < '0' || *text > '9')
            return false;
        *numbers[i] = strtoll(text, &end, 10);
        if (errno || *end != (i < 2 ? ':' : '\0'))
            return false;
        text = end + 1;
    }
    return true;
}

void sqa_write_strides(const sqa_strides *strides, char *text, size_t size)
{
    snprintf(text, size, "%lld:%lld:%lld", (long long)strides->batch, (long long)strides->head,
             (long long)strides->sequence);
}

/* The strides of one tensor, where they are no layout's. */
static sqa_status read_strides(const char *name, const char *value, sqa_strides *out)
{
    if (sqa_read_strides(value, out))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "%s is '%.60s'; expected the strides BATCH:HEAD:SEQUENCE in elements", name,
                    value);
}

static bool write_strides(const sqa_attention_desc *desc, const sqa_strides *strides,
                          char value[SQA_FIELD_VALUE])
{
    sqa_write_strides(strides, value, SQA_FIELD_VALUE);
    return layout_of(desc) == LAYOUTS;
}

#define STRIDES_OF(name)                                                                           \
    static sqa_status read_##name(const char *value, const sqa_shape_items *items,                 \
                                  void *descriptor)                                                \
    {                                                                                              \
        (void)items;                                                                               \
        return read_strides(#name, value, &((sqa_attention_desc *)descriptor)->name);              \
    }                                                                                              \
    static bool write_##name(const void *descriptor, char value[SQA_FIELD_VALUE])                  \
    {                                                                                              \
        const sqa_attention_desc *desc = descriptor;                                               \
        return write_strides(desc, &desc->name, value);                                            \
    }
STRIDES_OF(q)
STRIDES_OF(k)
STRIDES_OF(v)
STRIDES_OF(o)

#define STRIDES_FIELD(name, tensor)                                                                \
    {                                                                                              \
#name, #name "_strides", "strides of " tensor ", BATCH:HEAD:SEQUENCE in elements",         \
            SQA_FIELD_OWN, .read = read_##name, .write = write_##name                              \
    }

const sqa_shape_field sqa_layout_fields[] = {
    {"layout", "layout", "bhsd (packed batch, head, sequence) or bshd", SQA_FIELD_OWN,
     .read = read_layout, .write = write_layout},
    STRIDES_FIELD(q, "Q"),
    STRIDES_FIELD(k, "K"),
    {0},
};

const sqa_shape_field sqa_value_layout_fields[] = {
    STRIDES_FIELD(v, "V"),
    STRIDES_FIELD(o, "O"),
    {0},
};
