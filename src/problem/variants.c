/* The attention variants: one row each, as fractions of the heads of the
 * comparable multi-head model. */
#include <stddef.h>
#include <stdio.h>
#include <strings.h>

#include "base/status.h"
#include "sqa_cl/attention.h"

/* Heads are numerator * H / denominator; denominator 0 means a single head. */
typedef struct fraction {
    uint32_t numerator, denominator;
} fraction;

static const struct {
    const char *name;
    fraction q, kv;
} variants[SQA_VARIANT_COUNT] = {
    [SQA_VARIANT_MHA] = {"mha", {1, 1}, {1, 1}},     [SQA_VARIANT_GQA] = {"gqa", {1, 1}, {1, 4}},
    [SQA_VARIANT_MQA] = {"mqa", {1, 1}, {0, 0}},     [SQA_VARIANT_SQA] = {"sqa", {1, 2}, {1, 4}},
    [SQA_VARIANT_SSQA] = {"ssqa", {1, 2}, {1, 2}},   [SQA_VARIANT_XSQA] = {"xsqa", {1, 4}, {1, 4}},
    [SQA_VARIANT_XSMQA] = {"xsmqa", {1, 4}, {0, 0}}, [SQA_VARIANT_LSQA] = {"lsqa", {3, 4}, {1, 4}},
    [SQA_VARIANT_RSQA] = {"rsqa", {1, 4}, {1, 2}},
};

static uint32_t heads_of(fraction part, uint32_t heads)
{
    uint32_t count = part.denominator ? part.numerator * heads / part.denominator : 1;
    return count ? count : 1;
}

static int divides_either_way(uint32_t a, uint32_t b)
{
    return a >= b ? a % b == 0 : b % a == 0;
}

sqa_status sqa_variant_heads(sqa_variant variant, uint32_t heads, uint32_t *q_heads,
                             uint32_t *kv_heads)
{
    if ((size_t)variant >= SQA_VARIANT_COUNT)
        return sqa_fail(SQA_INVALID_ARGUMENT, "variant: %d is not one of 0..%d", (int)variant,
                        SQA_VARIANT_COUNT - 1);
    if (heads < 1 || heads > 65535)
        return sqa_fail(SQA_INVALID_ARGUMENT, "heads: %u is outside 1..65535", heads);
    if (!q_heads || !kv_heads)
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s: must not be NULL",
                        q_heads ? "kv_heads" : "q_heads");
    uint32_t q = heads_of(variants[variant].q, heads);
    uint32_t kv = heads_of(variants[variant].kv, heads);
    while (!divides_either_way(q, kv))
        kv--;
    *q_heads = q;
    *kv_heads = kv;
    return SQA_OK;
}

const char *sqa_variant_name(sqa_variant variant)
{
    return (size_t)variant < SQA_VARIANT_COUNT ? variants[variant].name : NULL;
}

sqa_status sqa_variant_from_name(const char *name, sqa_variant *out)
{
    if (!name || !out)
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s: must not be NULL", name ? "out" : "name");
    char known[128] = "";
    size_t length = 0;
    for (int i = 0; i < SQA_VARIANT_COUNT; i++) {
        if (!strcasecmp(name, variants[i].name)) {
            *out = (sqa_variant)i;
            return SQA_OK;
        }
        length += (size_t)snprintf(known + length, sizeof known - length, "%s%s", i ? ", " : "",
                                   variants[i].name);
    }
    return sqa_fail(SQA_INVALID_ARGUMENT, "variant: '%.40s' is not one of %s", name, known);
}
