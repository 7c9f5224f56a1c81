/* Layouts as data: which rule makes the strides of which tensor. */
#include "operations/forward/layout.h"

#include <stddef.h>
#include <string.h>

/* What a rule may need to know of a tensor. */
typedef struct tensor_shape {
    uint32_t heads, length, dim;
    uint32_t row; /* elements of the Q, K and V of all heads at one position */
} tensor_shape;

typedef sqa_strides (*stride_rule)(const tensor_shape *shape);

static sqa_strides bhsd(const tensor_shape *s)
{
    return sqa_strides_bhsd(s->heads, s->length, s->dim);
}

static sqa_strides bshd(const tensor_shape *s)
{
    return sqa_strides_bshd(s->heads, s->length, s->dim);
}

static sqa_strides padded(const tensor_shape *s)
{
    sqa_strides strides;
    strides.sequence = (int64_t)s->dim + 5;
    strides.head = strides.sequence * s->length + 7;
    strides.batch = strides.head * s->heads + 11;
    return strides;
}

static sqa_strides one_row(const tensor_shape *s)
{
    return (sqa_strides){(int64_t)s->row * s->length, s->dim, s->row};
}

static sqa_strides same_for_batches(const tensor_shape *s)
{
    sqa_strides strides = bhsd(s);
    strides.batch = 0;
    return strides;
}

static sqa_strides same_for_heads(const tensor_shape *s)
{
    return (sqa_strides){(int64_t)s->length * s->dim, 0, s->dim};
}

static const struct {
    const char *name;
    stride_rule q, k, v, o;
} layouts[SQA_LAYOUT_COUNT] = {
    [SQA_LAYOUT_BHSD] = {"bhsd", bhsd, bhsd, bhsd, bhsd},
    [SQA_LAYOUT_BSHD] = {"bshd", bshd, bshd, bshd, bshd},
    [SQA_LAYOUT_PADDED] = {"padded", padded, padded, padded, padded},
    [SQA_LAYOUT_MIXED] = {"mixed", bshd, padded, bhsd, padded},
    [SQA_LAYOUT_QKV] = {"qkv", one_row, one_row, one_row, bshd},
    [SQA_LAYOUT_SHARED] = {"shared", bhsd, same_for_batches, same_for_heads, bhsd},
};

const char *sqa_layout_name(sqa_layout layout)
{
    return (unsigned)layout < SQA_LAYOUT_COUNT ? layouts[layout].name : NULL;
}

bool sqa_layout_from_name(const char *name, sqa_layout *out)
{
    for (unsigned i = 0; i < SQA_LAYOUT_COUNT; i++)
        if (!strcmp(layouts[i].name, name)) {
            *out = (sqa_layout)i;
            return true;
        }
    return false;
}

void sqa_layout_apply(sqa_layout layout, sqa_attention_desc *desc)
{
    uint32_t value_dim = desc->value_dim ? desc->value_dim : desc->head_dim;
    uint32_t out_heads = desc->q_heads > desc->kv_heads ? desc->q_heads : desc->kv_heads;
    uint32_t row = desc->q_heads * desc->head_dim + desc->kv_heads * (desc->head_dim + value_dim);
    tensor_shape q = {desc->q_heads, desc->q_length, desc->head_dim, row};
    const uint32_t keys = desc->paged.page_size ? desc->paged.page_size : desc->kv_length;
    tensor_shape k = {desc->kv_heads, keys, desc->head_dim, row};
    tensor_shape v = {desc->kv_heads, keys, value_dim, row};
    tensor_shape o = {out_heads, desc->q_length, value_dim, row};
    desc->q = layouts[layout].q(&q);
    desc->k = layouts[layout].k(&k);
    desc->v = layouts[layout].v(&v);
    desc->o = layouts[layout].o(&o);
}
