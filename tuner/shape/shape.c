/* Reads and writes shapes. The keys are a table; what combinations mean (variants,
 * defaults that depend on another key) is settled after all of them were read. */
#include "shape/shape.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "problem/names.h"

enum { KEY_B, KEY_HQ, KEY_HKV, KEY_NQ, KEY_NK, KEY_D, KEY_DV, KEY_N, KEY_H, NUMBER_COUNT };
enum {
    KEY_SCALE = NUMBER_COUNT,
    KEY_VARIANT,
    KEY_ALIGN,
    KEY_LAYOUT,
    KEY_DTYPE,
    KEY_CAUSAL,
    KEY_LSE,
    KEY_COUNT
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
    [KEY_VARIANT] = {"variant", KIND_WORD, 0, 0}, [KEY_ALIGN] = {"align", KIND_WORD, 0, 0},
    [KEY_LAYOUT] = {"layout", KIND_WORD, 0, 0},   [KEY_CAUSAL] = {"causal", KIND_FLAG, 0, 0},
    [KEY_LSE] = {"lse", KIND_FLAG, 0, 0},         [KEY_DTYPE] = {"dtype", KIND_WORD, 0, 0},
};

typedef struct shape_items {
    bool given[KEY_COUNT];
    uint32_t number[NUMBER_COUNT];
    char word[KEY_COUNT][32];
} shape_items;

static sqa_status unknown_key(const char *item)
{
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "shape: '%s' is not a key; expected b, hq, hkv, nq, nk, n, d, dv, scale, "
                    "causal, align, lse, layout, dtype, variant or h",
                    item);
}

static sqa_status read_number(int key, const char *value, uint32_t *out)
{
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    bool sound = *value >= '0' && *value <= '9' && *end == '\0' && errno == 0;
    if (!sound || number < keys[key].low || number > keys[key].high)
        return sqa_fail(SQA_INVALID_ARGUMENT, "shape: %s is '%s'; expected a number from %u to %u",
                        keys[key].name, value, keys[key].low, keys[key].high);
    *out = (uint32_t)number;
    return SQA_OK;
}

/* One item, "key=value" or "flag". */
static sqa_status read_item(char *item, shape_items *items)
{
    char *equals = strchr(item, '=');
    if (equals)
        *equals = '\0';
    int key = 0;
    while (key < KEY_COUNT && strcmp(item, keys[key].name) != 0)
        key++;
    if (key == KEY_COUNT)
        return unknown_key(item);
    if (items->given[key])
        return sqa_fail(SQA_INVALID_ARGUMENT, "shape: %s is given twice", item);
    if ((equals != NULL) == (keys[key].kind == KIND_FLAG))
        return sqa_fail(SQA_INVALID_ARGUMENT, "shape: %s takes %s value", item,
                        equals ? "no" : "a");
    items->given[key] = true;
    if (keys[key].kind == KIND_NUMBER)
        return read_number(key, equals + 1, &items->number[key]);
    if (keys[key].kind == KIND_WORD)
        snprintf(items->word[key], sizeof items->word[key], "%s", equals + 1);
    return SQA_OK;
}

static sqa_status read_items(const char *spec, shape_items *items)
{
    char copy[512];
    if (strlen(spec) >= sizeof copy)
        return sqa_fail(SQA_INVALID_ARGUMENT, "shape: longer than %zu characters", sizeof copy - 1);
    snprintf(copy, sizeof copy, "%s", spec);
    for (char *item = copy, *next; item; item = next) {
        next = strchr(item, ',');
        if (next)
            *next++ = '\0';
        sqa_status status = read_item(item, items);
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
                        "shape: variant and h (heads of the multi-head model) go together");
    if (given[KEY_VARIANT]) {
        if (given[KEY_HQ] || given[KEY_HKV])
            return sqa_fail(SQA_INVALID_ARGUMENT,
                            "shape: variant and h already give hq and hkv; leave those out");
        sqa_variant variant;
        sqa_status status = sqa_variant_from_name(items->word[KEY_VARIANT], &variant);
        return status ? status
                      : sqa_variant_heads(variant, items->number[KEY_H], &desc->q_heads,
                                          &desc->kv_heads);
    }
    if (!given[KEY_HQ])
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "shape: the heads are missing; expected hq=1..65535 or variant=NAME,h=H");
    desc->q_heads = items->number[KEY_HQ];
    desc->kv_heads = given[KEY_HKV] ? items->number[KEY_HKV] : desc->q_heads;
    if (desc->q_heads % desc->kv_heads != 0 && desc->kv_heads % desc->q_heads != 0)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "shape: of hq=%u and hkv=%u one must divide the other", desc->q_heads,
                        desc->kv_heads);
    return SQA_OK;
}

static sqa_status settle_lengths(const shape_items *items, sqa_attention_desc *desc)
{
    const bool *given = items->given;
    if (given[KEY_N] && (given[KEY_NQ] || given[KEY_NK]))
        return sqa_fail(SQA_INVALID_ARGUMENT, "shape: n already gives nq and nk; leave those out");
    if (!given[KEY_N] && !given[KEY_NQ])
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "shape: the length is missing; expected n or nq from %u to %u",
                        keys[KEY_N].low, keys[KEY_N].high);
    desc->q_length = items->number[given[KEY_N] ? KEY_N : KEY_NQ];
    desc->kv_length = given[KEY_NK] ? items->number[KEY_NK] : desc->q_length;
    return SQA_OK;
}

static sqa_status settle_scale(const shape_items *items, sqa_attention_desc *desc)
{
    if (!items->given[KEY_SCALE])
        return SQA_OK;
    const char *word = items->word[KEY_SCALE];
    char *end = NULL;
    float scale = strtof(word, &end);
    if (end == word || *end || !isfinite(scale) || scale == 0.0f)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "shape: scale is '%s'; expected a finite number other than 0", word);
    desc->scale = scale;
    return SQA_OK;
}

static sqa_status settle_dtype(const shape_items *items, sqa_attention_desc *desc)
{
    const char *word = items->word[KEY_DTYPE];
    if (items->given[KEY_DTYPE] && !sqa_dtype_from_name(word, &desc->dtype))
        return sqa_fail(SQA_INVALID_ARGUMENT, "shape: dtype is '%s'; expected f32, f16 or bf16",
                        word);
    return SQA_OK;
}

static sqa_status settle_mask(const shape_items *items, sqa_attention_desc *desc)
{
    desc->causal = items->given[KEY_CAUSAL] ? SQA_CAUSAL_BOTTOM_RIGHT : SQA_CAUSAL_NONE;
    if (!items->given[KEY_ALIGN])
        return SQA_OK;
    if (!items->given[KEY_CAUSAL])
        return sqa_fail(SQA_INVALID_ARGUMENT, "shape: align needs causal");
    const char *word = items->word[KEY_ALIGN];
    if (!sqa_causal_from_name(word, &desc->causal) || desc->causal == SQA_CAUSAL_NONE)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "shape: align is '%s'; expected bottom-right or top-left", word);
    return SQA_OK;
}

static void set_bshd(sqa_attention_desc *desc)
{
    uint32_t value_dim = desc->value_dim ? desc->value_dim : desc->head_dim;
    uint32_t out_heads = desc->q_heads > desc->kv_heads ? desc->q_heads : desc->kv_heads;
    desc->q = sqa_strides_bshd(desc->q_heads, desc->q_length, desc->head_dim);
    desc->k = sqa_strides_bshd(desc->kv_heads, desc->kv_length, desc->head_dim);
    desc->v = sqa_strides_bshd(desc->kv_heads, desc->kv_length, value_dim);
    desc->o = sqa_strides_bshd(out_heads, desc->q_length, value_dim);
}

static sqa_status settle_layout(const shape_items *items, sqa_attention_desc *desc)
{
    const char *word = items->given[KEY_LAYOUT] ? items->word[KEY_LAYOUT] : "bhsd";
    if (!strcmp(word, "bshd"))
        set_bshd(desc);
    else if (strcmp(word, "bhsd") != 0)
        return sqa_fail(SQA_INVALID_ARGUMENT, "shape: layout is '%s'; expected bhsd or bshd", word);
    return SQA_OK;
}

sqa_status sqa_shape_parse(const char *spec, sqa_attention_desc *out)
{
    static sqa_status (*const settle[])(const shape_items *, sqa_attention_desc *) = {
        settle_heads, settle_lengths, settle_scale, settle_dtype, settle_mask, settle_layout,
    };
    shape_items items = {0};
    sqa_status status = read_items(spec, &items);
    if (status)
        return status;
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.batch = items.given[KEY_B] ? items.number[KEY_B] : desc.batch;
    desc.head_dim = items.given[KEY_D] ? items.number[KEY_D] : desc.head_dim;
    desc.value_dim = items.number[KEY_DV];
    desc.write_lse = items.given[KEY_LSE];
    for (size_t i = 0; i < sizeof settle / sizeof settle[0]; i++) {
        status = settle[i](&items, &desc);
        if (status)
            return status;
    }
    *out = desc;
    return SQA_OK;
}

static const char *layout_name(const sqa_attention_desc *desc)
{
    static const sqa_strides packed = {0, 0, 0};
    sqa_attention_desc bshd = *desc, bhsd = *desc;
    uint32_t value_dim = desc->value_dim ? desc->value_dim : desc->head_dim;
    uint32_t out_heads = desc->q_heads > desc->kv_heads ? desc->q_heads : desc->kv_heads;
    set_bshd(&bshd);
    bhsd.q = sqa_strides_bhsd(desc->q_heads, desc->q_length, desc->head_dim);
    bhsd.k = sqa_strides_bhsd(desc->kv_heads, desc->kv_length, desc->head_dim);
    bhsd.v = sqa_strides_bhsd(desc->kv_heads, desc->kv_length, value_dim);
    bhsd.o = sqa_strides_bhsd(out_heads, desc->q_length, value_dim);
    const sqa_strides *own[] = {&desc->q, &desc->k, &desc->v, &desc->o};
    const sqa_strides *first[] = {&bhsd.q, &bhsd.k, &bhsd.v, &bhsd.o};
    const sqa_strides *second[] = {&bshd.q, &bshd.k, &bshd.v, &bshd.o};
    bool is_first = true, is_second = true;
    for (int i = 0; i < 4; i++) {
        is_first = is_first && (!memcmp(own[i], &packed, sizeof packed) ||
                                !memcmp(own[i], first[i], sizeof packed));
        is_second = is_second && !memcmp(own[i], second[i], sizeof packed);
    }
    return is_first ? "" : is_second ? ",layout=bshd" : ",layout=strided";
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
    snprintf(text, size, "b=%u,hq=%u,hkv=%u,nq=%u,nk=%u,d=%u%s%s%s%s%s%s%s", desc->batch,
             desc->q_heads, desc->kv_heads, desc->q_length, desc->kv_length, desc->head_dim,
             value_dim, dtype, scale, desc->causal != SQA_CAUSAL_NONE ? ",causal" : "",
             desc->causal == SQA_CAUSAL_TOP_LEFT ? ",align=top-left" : "",
             desc->write_lse ? ",lse" : "", layout_name(desc));
}
