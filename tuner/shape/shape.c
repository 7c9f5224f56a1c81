/* Reads and writes shapes. The keys are tables, that of the pattern in
 * shape_pattern.c; what combinations mean (variants, defaults that depend on another
 * key) is settled after all of them were read. */
#include "shape/shape.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "base/text.h"
#include "problem/names.h"
#include "shape/shape_pattern.h"
#include "text/number.h"

enum { KEY_B, KEY_HQ, KEY_HKV, KEY_NQ, KEY_NK, KEY_D, KEY_DV, KEY_N, KEY_H, NUMBER_COUNT };
enum {
    KEY_SCALE = NUMBER_COUNT,
    KEY_VARIANT,
    KEY_LAYOUT,
    KEY_DTYPE,
    KEY_LSE,
    KEY_COUNT,
    ALL_KEYS = KEY_COUNT + SQA_PATTERN_KEY_COUNT /* the pattern's come last */
};

typedef enum key_kind { KIND_NUMBER, KIND_WORD, KIND_FLAG } key_kind;

static const struct {
    const char *name;
    key_kind kind;
    uint32_t low, high; /* numbers */
} keys[KEY_COUNT] = {
    [KEY_B] = {"b", KIND_NUMBER, 0, 65535},       [KEY_HQ] = {"hq", KIND_NUMBER, 1, 65535},
    [KEY_HKV] = {"hkv", KIND_NUMBER, 1, 65535},   [KEY_NQ] = {"nq", KIND_NUMBER, 0, 1u << 30},
    [KEY_NK] = {"nk", KIND_NUMBER, 0, 1u << 30},  [KEY_D] = {"d", KIND_NUMBER, 1, 512},
    [KEY_DV] = {"dv", KIND_NUMBER, 1, 512},       [KEY_N] = {"n", KIND_NUMBER, 0, 1u << 30},
    [KEY_H] = {"h", KIND_NUMBER, 1, 65535},       [KEY_SCALE] = {"scale", KIND_WORD, 0, 0},
    [KEY_VARIANT] = {"variant", KIND_WORD, 0, 0}, [KEY_LAYOUT] = {"layout", KIND_WORD, 0, 0},
    [KEY_LSE] = {"lse", KIND_FLAG, 0, 0},         [KEY_DTYPE] = {"dtype", KIND_WORD, 0, 0},
};

typedef struct shape_items {
    char text[512];
    bool given[ALL_KEYS];
    uint32_t number[NUMBER_COUNT];
    const char *word[ALL_KEYS]; /* within `text` */
} shape_items;

static const char *name_of(int key)
{
    return key < KEY_COUNT ? keys[key].name : sqa_pattern_keys[key - KEY_COUNT].name;
}

static bool is_flag(int key)
{
    return key < KEY_COUNT ? keys[key].kind == KIND_FLAG : sqa_pattern_keys[key - KEY_COUNT].flag;
}

static sqa_status unknown_key(const char *item, int first)
{
    sqa_text known = SQA_TEXT_INIT;
    for (int key = first; key < ALL_KEYS; key++)
        sqa_text_format(&known, "%s%s", name_of(key),
                        key + 2 < ALL_KEYS   ? ", "
                        : key + 1 < ALL_KEYS ? " or "
                                             : "");
    sqa_status status = sqa_fail(SQA_INVALID_ARGUMENT, "'%s' is not a key; expected %s", item,
                                 sqa_text_get(&known));
    sqa_text_free(&known);
    return status;
}

/* One item, "key=value" or "flag", of the keys from `first` on. */
static sqa_status read_item(char *item, int first, shape_items *items)
{
    char *equals = strchr(item, '=');
    if (equals)
        *equals = '\0';
    int key = first;
    while (key < ALL_KEYS && strcmp(item, name_of(key)) != 0)
        key++;
    if (key == ALL_KEYS)
        return unknown_key(item, first);
    if (items->given[key])
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s is given twice", item);
    if ((equals != NULL) == is_flag(key))
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s takes %s value", item, equals ? "no" : "a");
    items->given[key] = true;
    items->word[key] = equals ? equals + 1 : "";
    if (key < NUMBER_COUNT &&
        !sqa_read_count(equals + 1, keys[key].low, keys[key].high, &items->number[key]))
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s is '%s'; expected a number from %u to %u", item,
                        equals + 1, keys[key].low, keys[key].high);
    return SQA_OK;
}

static sqa_status read_items(const char *spec, int first, shape_items *items)
{
    if (strlen(spec) >= sizeof items->text)
        return sqa_fail(SQA_INVALID_ARGUMENT, "longer than %zu characters", sizeof items->text - 1);
    snprintf(items->text, sizeof items->text, "%s", spec);
    for (char *item = items->text, *next; item; item = next) {
        next = strchr(item, ',');
        if (next)
            *next++ = '\0';
        sqa_status status = read_item(item, first, items);
        if (status)
            return status;
    }
    return SQA_OK;
}

static sqa_status settle_heads(const shape_items *items, sqa_attention_desc *desc)
{
    const bool *given = items->given;
    if (given[KEY_VARIANT] != given[KEY_H])
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "variant and h (heads of the multi-head model) go together");
    if (given[KEY_VARIANT]) {
        if (given[KEY_HQ] || given[KEY_HKV])
            return sqa_fail(SQA_INVALID_ARGUMENT,
                            "variant and h already give hq and hkv; leave those out");
        sqa_variant variant;
        sqa_status status = sqa_variant_from_name(items->word[KEY_VARIANT], &variant);
        return status ? status
                      : sqa_variant_heads(variant, items->number[KEY_H], &desc->q_heads,
                                          &desc->kv_heads);
    }
    if (!given[KEY_HQ])
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "the heads are missing; expected hq=1..65535 or variant=NAME,h=H");
    desc->q_heads = items->number[KEY_HQ];
    desc->kv_heads = given[KEY_HKV] ? items->number[KEY_HKV] : desc->q_heads;
    if (desc->q_heads % desc->kv_heads != 0 && desc->kv_heads % desc->q_heads != 0)
        return sqa_fail(SQA_INVALID_ARGUMENT, "of hq=%u and hkv=%u one must divide the other",
                        desc->q_heads, desc->kv_heads);
    return SQA_OK;
}

static sqa_status settle_lengths(const shape_items *items, sqa_attention_desc *desc)
{
    const bool *given = items->given;
    if (given[KEY_N] && (given[KEY_NQ] || given[KEY_NK]))
        return sqa_fail(SQA_INVALID_ARGUMENT, "n already gives nq and nk; leave those out");
    if (!given[KEY_N] && !given[KEY_NQ])
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "the length is missing; expected n or nq from %u to %u", keys[KEY_N].low,
                        keys[KEY_N].high);
    desc->q_length = items->number[given[KEY_N] ? KEY_N : KEY_NQ];
    desc->kv_length = given[KEY_NK] ? items->number[KEY_NK] : desc->q_length;
    return SQA_OK;
}

static sqa_status settle_scale(const shape_items *items, sqa_attention_desc *desc)
{
    const char *word = items->word[KEY_SCALE];
    if (!word || (sqa_read_finite(word, &desc->scale) && desc->scale != 0.0f))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT, "scale is '%s'; expected a finite number other than 0",
                    word);
}

static sqa_status settle_dtype(const shape_items *items, sqa_attention_desc *desc)
{
    const char *word = items->word[KEY_DTYPE];
    if (items->given[KEY_DTYPE] && !sqa_dtype_from_name(word, &desc->dtype))
        return sqa_fail(SQA_INVALID_ARGUMENT, "dtype is '%s'; expected f32, f16 or bf16", word);
    return SQA_OK;
}

static sqa_status settle_pattern(const shape_items *items, sqa_attention_desc *desc)
{
    sqa_status status = SQA_OK;
    for (int i = 0; i < SQA_PATTERN_KEY_COUNT && status == SQA_OK; i++)
        if (items->given[KEY_COUNT + i])
            status = sqa_pattern_keys[i].read(items->word[KEY_COUNT + i], desc);
    return status;
}

/* What Q, K, V and O are packed as; a ragged batch is one sequence. */
typedef sqa_strides (*packing)(uint32_t heads, uint32_t length, uint32_t dim);

static void pack(sqa_attention_desc *desc, packing strides)
{
    uint32_t value_dim = desc->value_dim ? desc->value_dim : desc->head_dim;
    uint32_t out_heads = desc->q_heads > desc->kv_heads ? desc->q_heads : desc->kv_heads;
    uint32_t queries = desc->ragged.present ? desc->ragged.q_total : desc->q_length;
    uint32_t keys_of_all = desc->ragged.present ? desc->ragged.kv_total : desc->kv_length;
    desc->q = strides(desc->q_heads, queries, desc->head_dim);
    desc->k = strides(desc->kv_heads, keys_of_all, desc->head_dim);
    desc->v = strides(desc->kv_heads, keys_of_all, value_dim);
    desc->o = strides(out_heads, queries, value_dim);
}

static sqa_status settle_layout(const shape_items *items, sqa_attention_desc *desc)
{
    const char *word = items->given[KEY_LAYOUT] ? items->word[KEY_LAYOUT] : "bhsd";
    if (!strcmp(word, "bshd"))
        pack(desc, sqa_strides_bshd);
    else if (strcmp(word, "bhsd") != 0)
        return sqa_fail(SQA_INVALID_ARGUMENT, "layout is '%s'; expected bhsd or bshd", word);
    return SQA_OK;
}

static sqa_status settle_all(const shape_items *items, sqa_attention_desc *out)
{
    static sqa_status (*const settle[])(const shape_items *, sqa_attention_desc *) = {
        settle_heads, settle_lengths, settle_scale, settle_dtype, settle_pattern, settle_layout,
    };
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.batch = items->given[KEY_B] ? items->number[KEY_B] : desc.batch;
    desc.head_dim = items->given[KEY_D] ? items->number[KEY_D] : desc.head_dim;
    desc.value_dim = items->number[KEY_DV];
    desc.write_lse = items->given[KEY_LSE];
    for (size_t i = 0; i < sizeof settle / sizeof settle[0]; i++) {
        sqa_status status = settle[i](items, &desc);
        if (status)
            return status;
    }
    *out = desc;
    return SQA_OK;
}

sqa_status sqa_shape_parse(const char *spec, sqa_attention_desc *out)
{
    shape_items items = {.text = ""};
    sqa_status status = read_items(spec, 0, &items);
    if (status == SQA_OK)
        status = settle_all(&items, out);
    return status ? sqa_fail(status, "shape: %s", sqa_last_error()) : SQA_OK;
}

sqa_status sqa_shape_pattern_apply(const char *pattern, sqa_attention_desc *desc)
{
    shape_items items = {.text = ""};
    sqa_attention_desc changed = *desc;
    sqa_status status = *pattern ? read_items(pattern, KEY_COUNT, &items) : SQA_OK;
    if (status == SQA_OK)
        status = settle_pattern(&items, &changed);
    if (status == SQA_OK)
        *desc = changed;
    return status;
}

/* A batch stride that a ragged batch does not use, or all three left out, say nothing. */
static bool same_strides(const sqa_attention_desc *desc, const sqa_strides *own,
                         const sqa_strides *packed)
{
    const bool none = !own->batch && !own->head && !own->sequence;
    const bool same_batch = own->batch == packed->batch || desc->ragged.present;
    return none || (same_batch && own->head == packed->head && own->sequence == packed->sequence);
}

static bool is_packed(const sqa_attention_desc *desc, packing strides)
{
    sqa_attention_desc packed = *desc;
    pack(&packed, strides);
    return same_strides(desc, &desc->q, &packed.q) && same_strides(desc, &desc->k, &packed.k) &&
           same_strides(desc, &desc->v, &packed.v) && same_strides(desc, &desc->o, &packed.o);
}

static const char *layout_name(const sqa_attention_desc *desc)
{
    return is_packed(desc, sqa_strides_bhsd)   ? ""
           : is_packed(desc, sqa_strides_bshd) ? ",layout=bshd"
                                               : ",layout=strided";
}

/* Appends to `text` of `size` bytes; what does not fit is cut off. */
static void append_pattern(const sqa_attention_desc *desc, char *text, size_t size)
{
    for (int i = 0; i < SQA_PATTERN_KEY_COUNT; i++) {
        const sqa_pattern_key *key = &sqa_pattern_keys[i];
        char value[SQA_PATTERN_VALUE] = "";
        if (!key->write(desc, value))
            continue;
        const size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%s%s%s", used ? "," : "", key->name,
                 key->flag ? "" : "=", key->flag ? "" : value);
    }
}

void sqa_shape_pattern_format(const sqa_attention_desc *desc, char *text, size_t size)
{
    text[0] = '\0';
    append_pattern(desc, text, size);
}

void sqa_shape_format(const sqa_attention_desc *desc, char *text, size_t size)
{
    char value_dim[16] = "", scale[32] = "", dtype[16] = "";
    if (desc->value_dim && desc->value_dim != desc->head_dim)
        snprintf(value_dim, sizeof value_dim, ",dv=%u", desc->value_dim);
    if (desc->scale != 0.0f)
        snprintf(scale, sizeof scale, ",scale=%.9g", (double)desc->scale);
    if (desc->dtype != SQA_DTYPE_F32)
        snprintf(dtype, sizeof dtype, ",dtype=%s", sqa_dtype_name(desc->dtype));
    snprintf(text, size, "b=%u,hq=%u,hkv=%u,nq=%u,nk=%u,d=%u%s%s%s", desc->batch, desc->q_heads,
             desc->kv_heads, desc->q_length, desc->kv_length, desc->head_dim, value_dim, dtype,
             scale);
    append_pattern(desc, text, size);
    const size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s", desc->write_lse ? ",lse" : "", layout_name(desc));
}
