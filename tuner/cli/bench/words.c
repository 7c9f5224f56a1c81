/* See words.h. */
#include "cli/bench/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "cli/bench/paper.h"
#include "problem/names.h"
#include "problem/problem.h"
#include "text/number.h"

static sqa_status read_number(const char *option, const char *text, uint32_t low, uint32_t high,
                              uint32_t *out)
{
    char *end = NULL;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || value < low || value > high)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--%s is '%s'; expected a number from %u to %u",
                        option, text, low, high);
    *out = (uint32_t)value;
    return SQA_OK;
}

/* Hands each of the words between commas to `take`. */
static sqa_status each_word(const char *option, const char *list, size_t most,
                            sqa_status (*take)(const char *word, sqa_bench_options *out),
                            sqa_bench_options *out)
{
    for (size_t i = 0;; i++) {
        char word[32];
        size_t length = strcspn(list, ",");
        if (i == most || length >= sizeof word)
            return sqa_fail(SQA_INVALID_ARGUMENT, "--%s takes at most %zu words of 31 characters",
                            option, most);
        memcpy(word, list, length);
        word[length] = '\0';
        sqa_status status = take(word, out);
        if (status != SQA_OK || !list[length])
            return status;
        list += length + 1;
    }
}

static sqa_status take_variant(const char *word, sqa_bench_options *out)
{
    const sqa_bench_variant *variant = NULL;
    sqa_status status = sqa_bench_variant_find(word, &variant);
    if (status != SQA_OK)
        return status;
    for (size_t i = 0; i < out->variant_count; i++)
        if (out->variants[i] == variant)
            return sqa_fail(SQA_INVALID_ARGUMENT, "--variant names %s twice", word);
    out->variants[out->variant_count++] = variant;
    return SQA_OK;
}

static sqa_status take_number(const char *option, const char *word, uint32_t high, uint32_t *list,
                              size_t *count)
{
    uint32_t value = 0;
    sqa_status status = read_number(option, word, 1, high, &value);
    for (size_t i = 0; i < *count && status == SQA_OK; i++)
        if (list[i] == value)
            status = sqa_fail(SQA_INVALID_ARGUMENT, "--%s names %u twice", option, value);
    if (status == SQA_OK)
        list[(*count)++] = value;
    return status;
}

static sqa_status take_length(const char *word, sqa_bench_options *out)
{
    return take_number("seq", word, 1u << 24, out->lengths, &out->length_count);
}

static sqa_status take_dim(const char *word, sqa_bench_options *out)
{
    return take_number("dim", word, 512, out->dims, &out->dim_count);
}

static sqa_status read_numbers(const sqa_bench_words *words, sqa_bench_options *out)
{
    const struct {
        const char *name, *text, *otherwise;
        uint32_t low, high, *out;
    } numbers[] = {
        {"heads", words->heads, "8", 1, 65535, &out->heads},
        {"batch", words->batch, "1", 1, 65535, &out->batch},
        {"rounds", words->rounds, "7", 1, 1000, &out->rounds},
    };
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0] && status == SQA_OK; i++)
        status =
            read_number(numbers[i].name, numbers[i].text ? numbers[i].text : numbers[i].otherwise,
                        numbers[i].low, numbers[i].high, numbers[i].out);
    return status;
}

/* A list that was not given is its default, or under a preset the preset's business. */
static sqa_status read_lists(const sqa_bench_words *words, sqa_bench_options *out)
{
    const struct {
        const char *name, *text, *otherwise;
        size_t most;
        sqa_status (*take)(const char *word, sqa_bench_options *out);
    } lists[] = {
        {"variant", words->variants, "mha,gqa,mqa,sqa,ssqa,xsqa", SQA_BENCH_VARIANT_COUNT,
         take_variant},
        {"seq", words->lengths, "2048", SQA_BENCH_MOST, take_length},
        {"dim", words->dims, "64", SQA_BENCH_MOST, take_dim},
    };
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0] && status == SQA_OK; i++) {
        const char *text = lists[i].text;
        if (!text && !words->preset)
            text = lists[i].otherwise;
        if (text)
            status = each_word(lists[i].name, text, lists[i].most, lists[i].take, out);
    }
    return status;
}

/* The one preset leaves lengths, batch, dtype and mask to choose. */
static sqa_status read_preset(const sqa_bench_words *words, sqa_bench_options *out)
{
    if (!words->preset)
        return SQA_OK;
    if (strcmp(words->preset, "paper") != 0)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--preset is '%s'; expected paper", words->preset);
    if (words->variants || words->heads || words->dims || words->window || words->against_default)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "--preset paper fixes variants, heads, dimension and window; leave out "
                        "--variant, --heads, --dim, --window and --against-default");
    return sqa_bench_paper_options(out);
}

static bool any_reach(const sqa_bench_options *options, sqa_bench_reach least)
{
    bool any = false;
    for (size_t i = 0; i < options->variant_count; i++)
        any = any || options->variants[i]->reach >= least;
    return any;
}

/* The window is that of the variants that have one; where there is none, of all. */
static sqa_status read_window(sqa_bench_words *words, sqa_bench_options *out)
{
    if (!words->window)
        return SQA_OK;
    if (!sqa_read_window(words->window, ',', &words->window_read))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "--window is '%s'; expected L,R, each from 0 to %d or -1 for no bound",
                        words->window, SQA_WINDOW_MOST);
    if (any_reach(out, SQA_BENCH_REACH_WINDOW))
        out->window = &words->window_read;
    return SQA_OK;
}

static sqa_status read_globals(const sqa_bench_words *words, sqa_bench_options *out)
{
    if (words->globals && !any_reach(out, SQA_BENCH_REACH_GLOBALS))
        return sqa_fail(SQA_INVALID_ARGUMENT, "--globals is for flex- variants; for others there "
                                              "is --pattern window=L:R,globals=N");
    return read_number("globals", words->globals ? words->globals : "16", 1, 1u << 20,
                       &out->globals);
}

/* Of every row: --causal, --pattern and --window in the keys of a shape. */
static sqa_status join_pattern(const sqa_bench_words *words, sqa_bench_options *out)
{
    char window[32] = "";
    const char *given = words->pattern ? words->pattern : "";
    if (words->window && !out->window)
        snprintf(window, sizeof window, "window=%d:%d", words->window_read.left,
                 words->window_read.right);
    int length = snprintf(out->pattern, sizeof out->pattern, "%s%s%s%s%s",
                          words->causal ? "causal" : "", words->causal && *given ? "," : "", given,
                          *window && (words->causal || *given) ? "," : "", window);
    if (length >= (int)sizeof out->pattern)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--pattern is longer than %zu characters",
                        sizeof out->pattern - 1);
    return SQA_OK;
}

/* A variant's own window would take the place of the pattern's. */
static sqa_status check_no_window(const sqa_bench_options *options)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    sqa_status status = sqa_shape_pattern_apply(options->pattern, &desc);
    if (status != SQA_OK)
        return sqa_fail(status, "--pattern: %s", sqa_last_error());
    if (!any_reach(options, SQA_BENCH_REACH_WINDOW) ||
        (desc.window.left == -1 && desc.window.right == -1 && desc.globals.count == 0))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "--pattern gives a window or global tokens, which sw- and "
                    "flex- variants have of their own; expected --window and "
                    "--globals for those");
}

/* Everything that will be measured is a problem the library takes. */
static sqa_status check_problems(const sqa_bench_options *options)
{
    sqa_status status = check_no_window(options);
    for (size_t v = 0; v < options->variant_count; v++)
        for (size_t n = 0; n < options->length_count && status == SQA_OK; n++) {
            sqa_attention_desc desc;
            sqa_problem problem;
            status = sqa_bench_describe(options, options->variants[v], options->lengths[n],
                                        options->dims[0], &desc);
            if (status == SQA_OK)
                status = sqa_problem_from_desc(&problem, &desc);
            if (status != SQA_OK)
                status = sqa_fail(status, "--pattern: %s", sqa_last_error());
        }
    return status;
}

static sqa_status read_pattern(sqa_bench_words *words, sqa_bench_options *out)
{
    sqa_status status = read_window(words, out);
    if (status == SQA_OK)
        status = read_globals(words, out);
    return status == SQA_OK ? join_pattern(words, out) : status;
}

sqa_status sqa_bench_words_read(sqa_bench_words *words, sqa_bench_options *out)
{
    *out = (sqa_bench_options){0};
    sqa_status status = read_numbers(words, out);
    if (status == SQA_OK)
        status = read_lists(words, out);
    if (status == SQA_OK)
        status = read_preset(words, out);
    if (status == SQA_OK && words->dtype && !sqa_dtype_from_name(words->dtype, &out->dtype))
        status = sqa_fail(SQA_INVALID_ARGUMENT, "--dtype is '%s'; expected f32, f16 or bf16",
                          words->dtype);
    if (status == SQA_OK)
        status = read_pattern(words, out);
    if (status == SQA_OK)
        status = check_problems(out);
    out->family = words->family;
    out->against_default = words->against_default;
    return status;
}
