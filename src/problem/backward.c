#include "problem/backward.h"

#include <string.h>

#include "base/status.h"
#include "problem/checks.h"

#define ALL_GRADIENTS (SQA_GRADIENT_Q | SQA_GRADIENT_K | SQA_GRADIENT_V | SQA_GRADIENTS_OF_SCORES)

/* A tensor that is one of the gradients, or dO, and the tensor that it is like. */
typedef struct view {
    const char *field;
    bool present, input;
    const sqa_strides *asked;
    sqa_strides *out;
    const sqa_strides *like;
    uint32_t batch, heads, length, dim;
} view;

enum { VIEWS = 4 };

static void list_views(sqa_backward_pass *pass, const sqa_backward_options *backward,
                       view out[VIEWS])
{
    const sqa_attention *a = &pass->attention;
    const bool ragged = a->mask & SQA_MASK_RAGGED;
    const uint32_t batch = ragged && a->batch > 1 ? 1 : a->batch;
    const uint32_t queries = ragged ? a->q_total : a->q_length;
    const uint32_t keys = ragged ? a->kv_total : a->kv_length;
    const uint32_t wanted = pass->gradients;
    const view views[VIEWS] = {
        {"backward.dout", true, true, &backward->dout, &pass->dout, &a->o, batch, a->out_heads,
         queries, a->value_dim},
        {"backward.dq", wanted & SQA_GRADIENT_Q, false, &backward->dq, &pass->dq, &a->q, batch,
         a->q_heads, queries, a->head_dim},
        {"backward.dk", wanted & SQA_GRADIENT_K, false, &backward->dk, &pass->dk, &a->k, batch,
         a->kv_heads, keys, a->head_dim},
        {"backward.dv", wanted & SQA_GRADIENT_V, false, &backward->dv, &pass->dv, &a->v, batch,
         a->kv_heads, keys, a->value_dim},
    };
    memcpy(out, views, sizeof views);
}

static bool is_default(const sqa_strides *strides)
{
    return strides->batch == 0 && strides->head == 0 && strides->sequence == 0;
}

/* What strides that are left out stand for. */
static sqa_strides default_strides(const view *v, bool ragged)
{
    sqa_strides strides = *v->like;
    if (!v->input && sqa_strides_overlap(&strides, v->batch, v->heads, v->length, v->dim))
        strides = sqa_strides_bhsd(v->heads, v->length, v->dim);
    if (ragged)
        strides.batch = 0;
    return strides;
}

static sqa_status set_view(const view *v, bool ragged)
{
    if (!v->present)
        return SQA_OK;
    *v->out = is_default(v->asked) ? default_strides(v, ragged) : *v->asked;
    if (ragged)
        v->out->batch = 0;
    sqa_status status = sqa_check_strides(v->field, v->out, v->batch, v->heads, v->length);
    return status != SQA_OK || v->input
               ? status
               : sqa_check_no_overlap(v->field, v->out, v->batch, v->heads, v->length, v->dim);
}

/* Packed along the dimensions that the bias does not repeat. */
static sqa_strides default_bias(const sqa_attention *a)
{
    sqa_strides strides = {0, 0, 0};
    int64_t elements = a->kv_length;
    if (a->bias.sequence)
        strides.sequence = elements, elements *= a->q_length;
    if (a->bias.head)
        strides.head = elements, elements *= a->out_heads;
    if (a->bias.batch)
        strides.batch = elements;
    return strides;
}

static sqa_status check_repetition(const char *dimension, int64_t bias, int64_t gradient)
{
    if ((bias == 0) == (gradient == 0))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "backward.dbias.%s: stride %lld; the bias has %lld, and both repeat a "
                    "dimension (0) or neither does",
                    dimension, (long long)gradient, (long long)bias);
}

static sqa_status set_bias(sqa_backward_pass *pass, const sqa_strides *asked)
{
    const sqa_attention *a = &pass->attention;
    if (!(pass->gradients & SQA_GRADIENT_BIAS))
        return SQA_OK;
    pass->dbias = is_default(asked) ? default_bias(a) : *asked;
    sqa_status status =
        sqa_check_strides("backward.dbias", &pass->dbias, a->batch, a->out_heads, a->q_length);
    if (is_default(asked) || status != SQA_OK)
        return status;
    status = check_repetition("batch", a->bias.batch, asked->batch);
    if (status == SQA_OK)
        status = check_repetition("head", a->bias.head, asked->head);
    if (status == SQA_OK)
        status = check_repetition("sequence", a->bias.sequence, asked->sequence);
    return status == SQA_OK
               ? sqa_check_no_overlap("backward.dbias", asked, asked->batch ? a->batch : 1,
                                      asked->head ? a->out_heads : 1,
                                      asked->sequence ? a->q_length : 1, a->kv_length)
               : status;
}

static sqa_status set_strides(sqa_backward_pass *pass, const sqa_backward_options *backward)
{
    const bool ragged = pass->attention.mask & SQA_MASK_RAGGED;
    view views[VIEWS];
    sqa_status status = SQA_OK;
    list_views(pass, backward, views);
    for (int i = 0; i < VIEWS && status == SQA_OK; i++)
        status = set_view(&views[i], ragged);
    return status == SQA_OK ? set_bias(pass, &backward->dbias) : status;
}

static sqa_status check_gradients(const sqa_attention *a, uint32_t gradients)
{
    const struct {
        uint32_t gradient;
        bool possible;
        const char *name, *needs;
    } rows[] = {
        {SQA_GRADIENT_BIAS, a->score & SQA_SCORE_BIAS, "BIAS", "desc.bias.present"},
        {SQA_GRADIENT_SINKS, a->score & SQA_SCORE_SINKS, "SINKS", "desc.sinks"},
        {SQA_GRADIENT_SLOPES, a->score & SQA_SCORE_SLOPES, "SLOPES", "desc.alibi SQA_ALIBI_SLOPES"},
    };
    sqa_status status = sqa_check_range("backward.gradients", gradients, 1, ALL_GRADIENTS);
    for (size_t i = 0; i < sizeof rows / sizeof *rows && status == SQA_OK; i++)
        if (gradients & rows[i].gradient && !rows[i].possible)
            status = sqa_fail(SQA_INVALID_ARGUMENT, "backward.gradients: SQA_GRADIENT_%s needs %s",
                              rows[i].name, rows[i].needs);
    return status;
}

sqa_status sqa_backward_from_desc(sqa_backward_pass *out, const sqa_attention_desc *desc,
                                  const sqa_backward_options *backward)
{
    static const sqa_backward_options usual = SQA_BACKWARD_OPTIONS_INIT;
    sqa_backward_pass pass;
    memset(&pass, 0, sizeof pass);
    backward = backward ? backward : &usual;
    if (!desc)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc: must not be NULL");
    sqa_attention_desc asked = sqa_attention_desc_read(desc);
    asked.write_lse = 1;
    sqa_status status =
        sqa_check_version("backward.version", backward->version, SQA_BACKWARD_OPTIONS_VERSION);
    if (status == SQA_OK)
        status = sqa_attention_from_desc(&pass.attention, &asked);
    if (status == SQA_OK)
        status = sqa_check_not_paged(&pass.attention);
    if (status == SQA_OK)
        status = sqa_check_one_dtype(&pass.attention);
    if (status == SQA_OK)
        status = sqa_check_full_products("desc.products", &pass.attention);
    if (status == SQA_OK)
        status = check_gradients(&pass.attention, backward->gradients);
    if (status == SQA_OK)
        status = sqa_check_range("backward.accumulate", backward->accumulate, 0, 1);
    pass.gradients = backward->gradients;
    pass.accumulate = backward->accumulate;
    if (status == SQA_OK)
        status = set_strides(&pass, backward);
    if (status == SQA_OK)
        memcpy(out, &pass, sizeof pass);
    return status;
}

static sqa_strides own_strides(const sqa_strides *strides, const sqa_strides *usual)
{
    static const sqa_strides none = {0, 0, 0};
    return memcmp(strides, usual, sizeof *strides) ? *strides : none;
}

void sqa_backward_to_desc(const sqa_backward_pass *pass, sqa_attention_desc *desc,
                          sqa_backward_options *backward)
{
    sqa_backward_pass usual = *pass;
    sqa_backward_pack(&usual);
    sqa_attention_to_desc(&pass->attention, desc);
    *backward = (sqa_backward_options)SQA_BACKWARD_OPTIONS_INIT;
    backward->gradients = pass->gradients;
    backward->accumulate = pass->accumulate;
    backward->dout = own_strides(&pass->dout, &usual.dout);
    backward->dq = own_strides(&pass->dq, &usual.dq);
    backward->dk = own_strides(&pass->dk, &usual.dk);
    backward->dv = own_strides(&pass->dv, &usual.dv);
    backward->dbias = own_strides(&pass->dbias, &usual.dbias);
}

void sqa_backward_pack(sqa_backward_pass *pass)
{
    static const sqa_backward_options usual = SQA_BACKWARD_OPTIONS_INIT;
    static const sqa_strides none = {0, 0, 0};
    const bool ragged = pass->attention.mask & SQA_MASK_RAGGED;
    view views[VIEWS];
    list_views(pass, &usual, views);
    for (int i = 0; i < VIEWS; i++)
        *views[i].out = views[i].present ? default_strides(&views[i], ragged) : none;
    pass->dbias = pass->gradients & SQA_GRADIENT_BIAS ? default_bias(&pass->attention) : none;
}
