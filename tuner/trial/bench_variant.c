/* See bench_variant.h. */
#include "trial/bench_variant.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/status.h"
#include "base/text.h"
#include "operations/operations.h"
#include "operations/shape.h"
#include "problem/names.h"
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

/* The key at *text, which moves on to the next; false: there is none. */
static bool next_key(const char **text, const char **key, size_t *length)
{
    *key = *text;
    *length = strcspn(*text, ",");
    *text += *length + ((*text)[*length] == ',');
    return *length > 0;
}

static bool is_named(const char *key, size_t length, const char *name)
{
    const size_t size = strlen(name);
    return length >= size && !strncmp(key, name, size) && (length == size || key[size] == '=');
}

bool sqa_bench_has_key(const char *pattern, const char *name)
{
    const char *key;
    size_t length;
    while (next_key(&pattern, &key, &length))
        if (is_named(key, length, name))
            return true;
    return false;
}

static sqa_window window_of(const sqa_bench_options *options)
{
    if (options->window)
        return *options->window;
    return sqa_bench_has_key(options->pattern, "causal")
               ? (sqa_window){WINDOW_KEYS, 0}
               : (sqa_window){WINDOW_KEYS / 2, WINDOW_KEYS / 2};
}

/* The problem as a shape, from which it is read: so every operation that has these keys can
 * be asked for. */
static void shape_of(const sqa_bench_options *options, const sqa_bench_variant *variant,
                     const sqa_bench_row *row, sqa_text *out)
{
    sqa_text_format(out, "op=%s,b=%u,hq=%u,hkv=%u,", sqa_operation_name(options->operation),
                    row->batch, row->q_heads, row->kv_heads);
    if (options->queries)
        sqa_text_format(out, "nq=%u,nk=%u", row->queries, row->length);
    else
        sqa_text_format(out, "n=%u", row->length);
    sqa_text_format(out, ",d=%u,dtype=%s", row->dim, sqa_dtype_name(row->dtype));
    if (options->pattern[0])
        sqa_text_format(out, ",%s", options->pattern);
    if (variant->reach != SQA_BENCH_REACH_ALL) {
        const sqa_window window = window_of(options);
        sqa_text_format(out, ",window=%d:%d", window.left, window.right);
    }
    if (variant->reach == SQA_BENCH_REACH_GLOBALS)
        sqa_text_format(out, ",globals=%u", options->globals);
}

/* What the problem's shape says beyond what a row has fields for. */
static void keep_pattern(const sqa_problem *problem, char out[SQA_SHAPE_TEXT])
{
    static const char *const fields[] = {"op", "b", "hq", "hkv", "nq", "nk", "d", "dtype"};
    char shape[SQA_SHAPE_TEXT];
    const char *text = shape, *key;
    size_t length, used = 0;
    sqa_problem_format(problem, shape, sizeof shape);
    out[0] = '\0';
    while (next_key(&text, &key, &length)) {
        bool known = false;
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
            known = known || is_named(key, length, fields[i]);
        if (!known)
            used += (size_t)snprintf(out + used, SQA_SHAPE_TEXT - used, "%s%.*s", used ? "," : "",
                                     (int)length, key);
    }
}

sqa_status sqa_bench_describe(const sqa_bench_options *options, const sqa_bench_variant *variant,
                              uint32_t length, uint32_t dim, sqa_bench_row *out)
{
    sqa_text shape = SQA_TEXT_INIT;
    out->variant = variant;
    out->batch = options->batch;
    out->queries = options->queries ? options->queries : length;
    out->length = length;
    out->dim = dim;
    out->dtype = options->dtype;
    sqa_status status =
        sqa_variant_heads(variant->heads, options->heads, &out->q_heads, &out->kv_heads);
    if (status != SQA_OK)
        return status;
    shape_of(options, variant, out, &shape);
    status = sqa_text_status(&shape);
    if (status == SQA_OK)
        status = sqa_problem_parse(sqa_text_get(&shape), &out->problem);
    sqa_text_free(&shape);
    if (status == SQA_OK)
        keep_pattern(&out->problem, out->pattern);
    out->causal = status == SQA_OK && sqa_bench_has_key(out->pattern, "causal");
    return status;
}
