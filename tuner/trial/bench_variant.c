/* See bench_variant.h. */
#include "trial/bench_variant.h"

#include <strings.h>

#include "base/status.h"
#include "base/text.h"

#define EVERY_REACH(name, label, heads)                                                            \
    {name, label, heads, SQA_BENCH_REACH_ALL, false},                                              \
        {"sw-" name, "SW-" label, heads, SQA_BENCH_REACH_WINDOW, false},                           \
    {                                                                                              \
        "flex-" name, "Flex-" label, heads, SQA_BENCH_REACH_GLOBALS, false                         \
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
    {"swa", "SWA", SQA_VARIANT_MHA, SQA_BENCH_REACH_WINDOW, false},
    {"mla", "MLA", SQA_VARIANT_MQA, SQA_BENCH_REACH_ALL, true},
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
