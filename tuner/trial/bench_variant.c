/* See bench_variant.h. */
#include "trial/bench_variant.h"

#include <strings.h>

#include "base/status.h"
#include "base/text.h"
#include "shape/shape.h"
#include "trial/bench.h"

/* A window's default: as many keys in reach, with a causal mask and without. */
enum { WINDOW_KEYS = 128 };

#define EVERY_REACH(name, label, heads)                                                            \
    {name, label, heads, SQA_BENCH_REACH_ALL},                                                     \
        {"sw-" name, "SW-" label, heads, SQA_BENCH_REACH_WINDOW},                                  \
    {                                                                                              \
        "flex-" name, "Flex-" label, heads, SQA_BENCH_REACH_GLOBALS                                \
    }

const sqa_bench_variant sqa_bench_variants[SQA_BENCH_VARIANT_COUNT] = {
    EVERY_REACH("mha", "MHA", SQA_VARIANT_MHA),
    EVERY_REACH("gqa", "GQA", SQA_VARIANT_GQA),
    EVERY_REACH("mqa", "MQA", SQA_VARIANT_MQA),
    EVERY_REACH("sqa", "SQA", SQA_VARIANT_SQA),
    EVERY_REACH("ssqa", "sSQA", SQA_VARIANT_SSQA),
    EVERY_REACH("xsqa", "xSQA", SQA_VARIANT_XSQA),
    EVERY_REACH("xsmqa", "xSMQA", SQA_VARIANT_XSMQA),
    EVERY_REACH("lsqa", "lSQA", SQA_VARIANT_LSQA),
    EVERY_REACH("rsqa", "rSQA", SQA_VARIANT_RSQA),
    {"swa", "SWA", SQA_VARIANT_MHA, SQA_BENCH_REACH_WINDOW},
};

sqa_status sqa_bench_variant_find(const char *name, const sqa_bench_variant **out)
{
    sqa_text known = SQA_TEXT_INIT;
    for (size_t i = 0; i < SQA_BENCH_VARIANT_COUNT; i++) {
        if (!strcasecmp(name, sqa_bench_variants[i].name)) {
            *out = &sqa_bench_variants[i];
            sqa_text_free(&known);
            return SQA_OK;
        }
        if (sqa_bench_variants[i].reach == SQA_BENCH_REACH_ALL)
            sqa_text_format(&known, "%s, ", sqa_bench_variants[i].name);
    }
    sqa_status status = sqa_fail(SQA_INVALID_ARGUMENT,
                                 "--variant: '%.40s' is not one of %sthe same after sw- or flex-, "
                                 "swa",
                                 name, sqa_text_get(&known));
    sqa_text_free(&known);
    return status;
}

static void set_window(const sqa_bench_options *options, sqa_attention_desc *desc)
{
    if (options->window)
        desc->window = *options->window;
    else if (desc->causal != SQA_CAUSAL_NONE)
        desc->window = (sqa_window){WINDOW_KEYS, 0};
    else
        desc->window = (sqa_window){WINDOW_KEYS / 2, WINDOW_KEYS / 2};
}

sqa_status sqa_bench_describe(const sqa_bench_options *options, const sqa_bench_variant *variant,
                              uint32_t length, uint32_t dim, sqa_attention_desc *out)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.batch = options->batch;
    desc.q_length = desc.kv_length = length;
    desc.head_dim = dim;
    desc.dtype = options->dtype;
    sqa_status status =
        sqa_variant_heads(variant->heads, options->heads, &desc.q_heads, &desc.kv_heads);
    if (status == SQA_OK)
        status = sqa_shape_pattern_apply(options->pattern, &desc);
    if (variant->reach != SQA_BENCH_REACH_ALL)
        set_window(options, &desc);
    if (variant->reach == SQA_BENCH_REACH_GLOBALS)
        desc.globals = (sqa_globals){options->globals, 0};
    *out = desc;
    return status;
}
