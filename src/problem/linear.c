#include "problem/linear.h"

#include <math.h>
#include <string.h>

#include "base/status.h"
#include "problem/checks.h"

/* What an attention may have and linear attention has not. */
static sqa_status check_pattern(const sqa_attention *a, const sqa_attention_desc *desc)
{
    const struct {
        const char *field;
        bool there;
    } others[] = {
        {"write_lse", desc->write_lse},
        {"window", a->mask & SQA_MASK_WINDOW},
        {"globals", a->mask & SQA_MASK_GLOBALS},
        {"key_mask", a->mask & SQA_MASK_KEY},
        {"mask", a->mask & SQA_MASK_PAIR},
        {"blocks", a->mask & SQA_MASK_BLOCKS},
        {"softcap", a->score & SQA_SCORE_SOFTCAP},
        {"alibi", a->score & SQA_SCORE_ALIBI},
        {"bias", a->score & SQA_SCORE_BIAS},
        {"sinks", a->score & SQA_SCORE_SINKS},
        {"dropout", a->score & SQA_SCORE_DROPOUT},
        {"paged", a->mask & SQA_MASK_PAGED},
        {"kv_dtype", a->kv_dtype != a->dtype},
        {"products", a->products},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i].there)
            return sqa_fail(SQA_INVALID_ARGUMENT,
                            "desc.%s: linear attention has none; expected the value of "
                            "SQA_ATTENTION_DESC_INIT",
                            others[i].field);
    return SQA_OK;
}

static sqa_status check_causal(const sqa_linear *linear)
{
    const sqa_attention *a = &linear->attention;
    if (!linear->causal && linear->decay != SQA_DECAY_NONE)
        return sqa_fail(SQA_INVALID_ARGUMENT, "linear.decay: needs desc.causal; expected 0");
    if (!linear->causal && linear->delta)
        return sqa_fail(SQA_INVALID_ARGUMENT, "linear.delta: needs desc.causal; expected 0");
    if (linear->causal && (a->q_length != a->kv_length || a->q_total != a->kv_total))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.kv_length: causal linear attention has as many keys as queries; "
                        "expected %u%s",
                        a->q_length, a->mask & SQA_MASK_RAGGED ? ", and totals likewise" : "");
    return SQA_OK;
}

static sqa_status check_options(const sqa_linear_options *options)
{
    const struct {
        const char *name;
        uint32_t value, most;
    } counts[] = {
        {"linear.feature", (uint32_t)options->feature, SQA_FEATURE_RELU},
        {"linear.decay", (uint32_t)options->decay, SQA_DECAY_CHANNEL},
        {"linear.delta", options->delta, 1},
        {"linear.normalise", options->normalise, options->delta ? 0 : 1},
        {"linear.state", (uint32_t)options->state, SQA_STATE_IN_PLACE},
    };
    sqa_status status =
        sqa_check_version("linear.version", options->version, SQA_LINEAR_OPTIONS_VERSION);
    for (size_t i = 0; i < sizeof counts / sizeof *counts && status == SQA_OK; i++)
        status = sqa_check_range(counts[i].name, counts[i].value, 0, counts[i].most);
    if (status == SQA_OK && options->normalise &&
        !(options->epsilon > 0.0f && isfinite(options->epsilon)))
        status = sqa_fail(SQA_INVALID_ARGUMENT, "linear.epsilon: must be positive and finite");
    return status;
}

bool sqa_linear_starts(const sqa_linear *linear)
{
    return linear->state != SQA_STATE_NONE && linear->state != SQA_STATE_OUT;
}

bool sqa_linear_ends(const sqa_linear *linear)
{
    return linear->state >= SQA_STATE_OUT;
}

uint32_t sqa_linear_decay_dim(const sqa_linear *linear)
{
    return linear->decay == SQA_DECAY_CHANNEL ? linear->attention.head_dim : 1;
}

uint32_t sqa_linear_tokens(const sqa_linear *linear)
{
    const sqa_attention *a = &linear->attention;
    return a->mask & SQA_MASK_RAGGED ? a->kv_total : a->kv_length;
}

static bool has_token_decay(const sqa_linear *linear)
{
    return linear->decay == SQA_DECAY_TOKEN || linear->decay == SQA_DECAY_CHANNEL;
}

static sqa_status set_strides(const sqa_linear *linear, const char *field, bool there,
                              const sqa_strides *asked, uint32_t dim, sqa_strides *out)
{
    const sqa_attention *a = &linear->attention;
    const bool ragged = a->mask & SQA_MASK_RAGGED;
    const uint32_t tokens = sqa_linear_tokens(linear);
    if (!there)
        return SQA_OK;
    *out = *asked;
    if (!asked->batch && !asked->head && !asked->sequence)
        *out = sqa_strides_bhsd(a->kv_heads, tokens, dim);
    if (ragged)
        out->batch = 0;
    return sqa_check_strides(field, out, ragged ? 1 : a->batch, a->kv_heads, tokens);
}

static sqa_status set_views(sqa_linear *linear, const sqa_strides *decay, const sqa_strides *beta)
{
    sqa_status status = set_strides(linear, "linear.decay_strides", has_token_decay(linear), decay,
                                    sqa_linear_decay_dim(linear), &linear->decay_strides);
    return status == SQA_OK ? set_strides(linear, "linear.beta_strides", linear->delta, beta, 1,
                                          &linear->beta_strides)
                            : status;
}

static sqa_status set_attention(sqa_linear *linear, const sqa_attention_desc *desc)
{
    sqa_attention_desc asked = sqa_attention_desc_read(desc);
    asked.causal = SQA_CAUSAL_NONE; /* which one token would lose */
    asked.align = SQA_ALIGN_BOTTOM_RIGHT;
    linear->causal = desc->causal != SQA_CAUSAL_NONE;
    if (desc->causal > SQA_CAUSAL_TOP_LEFT)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.causal: %d is not one of 0..2",
                        (int)desc->causal);
    sqa_status status = sqa_attention_from_desc(&linear->attention, &asked);
    return status == SQA_OK ? check_pattern(&linear->attention, &asked) : status;
}

sqa_status sqa_linear_from_desc(sqa_linear *out, const sqa_attention_desc *desc,
                                const sqa_linear_options *options)
{
    static const sqa_linear_options usual = SQA_LINEAR_OPTIONS_INIT;
    sqa_linear linear;
    memset(&linear, 0, sizeof linear);
    options = options ? options : &usual;
    if (!desc)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc: must not be NULL");
    sqa_status status = check_options(options);
    if (status == SQA_OK)
        status = set_attention(&linear, desc);
    if (status != SQA_OK)
        return status;
    linear.feature = options->feature;
    linear.decay = options->decay;
    linear.delta = options->delta;
    linear.normalise = options->normalise;
    linear.epsilon = options->normalise ? options->epsilon : 0.0f;
    linear.state = options->state;
    status = check_causal(&linear);
    if (status == SQA_OK)
        status = set_views(&linear, &options->decay_strides, &options->beta_strides);
    if (status == SQA_OK)
        memcpy(out, &linear, sizeof linear);
    return status;
}

void sqa_linear_pack(sqa_linear *linear)
{
    static const sqa_strides packed = {0, 0, 0};
    (void)set_views(linear, &packed, &packed);
}

static sqa_strides own_strides(const sqa_strides *strides, const sqa_strides *usual)
{
    static const sqa_strides none = {0, 0, 0};
    return memcmp(strides, usual, sizeof *strides) ? *strides : none;
}

void sqa_linear_to_desc(const sqa_linear *linear, sqa_attention_desc *desc,
                        sqa_linear_options *options)
{
    sqa_linear usual = *linear;
    sqa_linear_pack(&usual);
    sqa_attention_to_desc(&linear->attention, desc);
    desc->causal = linear->causal ? SQA_CAUSAL_BOTTOM_RIGHT : SQA_CAUSAL_NONE;
    *options = (sqa_linear_options)SQA_LINEAR_OPTIONS_INIT;
    options->feature = linear->feature;
    options->decay = linear->decay;
    options->delta = linear->delta;
    options->normalise = linear->normalise;
    if (linear->normalise)
        options->epsilon = linear->epsilon;
    options->state = linear->state;
    options->decay_strides = own_strides(&linear->decay_strides, &usual.decay_strides);
    options->beta_strides = own_strides(&linear->beta_strides, &usual.beta_strides);
}
