/* See words.h. */
#include "cli/bench/words.h"

#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "cli/bench/paper.h"
#include "cli/operation_option.h"
#include "operations/operations.h"
#include "problem/names.h"
#include "problem/problem.h"

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

static sqa_status read_variants(const char *list, sqa_bench_options *out)
{
    for (size_t i = 0;; i++) {
        char word[32];
        size_t length = strcspn(list, ",");
        if (i == SQA_BENCH_VARIANT_COUNT || length >= sizeof word)
            return sqa_fail(SQA_INVALID_ARGUMENT,
                            "--variant takes at most %u words of 31 characters",
                            SQA_BENCH_VARIANT_COUNT);
        memcpy(word, list, length);
        word[length] = '\0';
        sqa_status status = take_variant(word, out);
        if (status != SQA_OK || !list[length])
            return status;
        list += length + 1;
    }
}

static void copy_counts(const sqa_option_counts *from, uint32_t *list, size_t *count)
{
    *count = from->count;
    memcpy(list, from->items, from->count * sizeof *list);
}

/* What was not given is its default, or under a preset the preset's business. */
static sqa_status read_rows(const sqa_bench_words *words, sqa_bench_options *out)
{
    static const sqa_option_counts length = {{2048}, 1}, dim = {{64}, 1};
    const bool settled = words->preset != NULL;
    _Static_assert(SQA_OPTION_COUNTS <= SQA_BENCH_MOST, "room for every number");
    out->heads = words->heads ? words->heads : 8;
    out->queries = words->queries;
    out->batch = words->batch;
    out->rounds = words->rounds;
    copy_counts(words->lengths.count || settled ? &words->lengths : &length, out->lengths,
                &out->length_count);
    copy_counts(words->dims.count || settled ? &words->dims : &dim, out->dims, &out->dim_count);
    if (settled)
        return SQA_OK;
    return read_variants(words->variants ? words->variants : "mha,gqa,mqa,sqa,ssqa,xsqa", out);
}

/* The one preset leaves lengths, batch, dtype and mask to choose. */
static sqa_status read_preset(const sqa_bench_words *words, sqa_bench_options *out)
{
    if (!words->preset)
        return SQA_OK;
    if (strcmp(words->preset, "paper") != 0)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--preset is '%s'; expected paper", words->preset);
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
static void settle_window(const sqa_bench_words *words, sqa_bench_options *out)
{
    if (words->has_window && any_reach(out, SQA_BENCH_REACH_WINDOW))
        out->window = &words->window;
}

static sqa_status settle_globals(const sqa_bench_words *words, sqa_bench_options *out)
{
    if (words->globals && !any_reach(out, SQA_BENCH_REACH_GLOBALS))
        return sqa_fail(SQA_INVALID_ARGUMENT, "--globals is for flex- variants; for others there "
                                              "is --pattern window=L:R,globals=N");
    out->globals = words->globals ? words->globals : 16;
    return SQA_OK;
}

/* Of every row: --causal, --pattern and --window in the keys of a shape. */
static sqa_status join_pattern(const sqa_bench_words *words, sqa_bench_options *out)
{
    char window[32] = "";
    const char *given = words->pattern ? words->pattern : "";
    if (words->has_window && !out->window)
        snprintf(window, sizeof window, "window=%d:%d", words->window.left, words->window.right);
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
    const bool windowed = sqa_bench_has_key(options->pattern, "window") ||
                          sqa_bench_has_key(options->pattern, "globals");
    if (!windowed || !any_reach(options, SQA_BENCH_REACH_WINDOW))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "--pattern gives a window or global tokens, which sw- and "
                    "flex- variants have of their own; expected --window and "
                    "--globals for those");
}

/* What the shape of a row was refused for; that it became a shape is not the user's affair. */
static sqa_status refuse_pattern(sqa_status status)
{
    static const char shape[] = "shape: ";
    const char *why = sqa_last_error();
    return sqa_fail(status, "--pattern: %s",
                    strncmp(why, shape, sizeof shape - 1) ? why : why + sizeof shape - 1);
}

/* Everything that will be measured is a problem the library takes. */
static sqa_status check_problems(const sqa_bench_options *options)
{
    sqa_status status = check_no_window(options);
    for (size_t v = 0; v < options->variant_count; v++)
        for (size_t n = 0; n < options->length_count && status == SQA_OK; n++) {
            sqa_bench_row row;
            status = sqa_bench_describe(options, options->variants[v], options->lengths[n],
                                        options->dims[0], &row);
            if (status != SQA_OK)
                status = refuse_pattern(status);
        }
    return status;
}

static sqa_status read_operation(const sqa_bench_words *words, sqa_bench_options *out)
{
    const sqa_operation_entry *entry = sqa_operation_at(0);
    sqa_status status = sqa_operation_option(words->operation, &entry);
    out->operation = entry->id;
    return status;
}

sqa_status sqa_bench_words_read(const sqa_bench_words *words, sqa_bench_options *out)
{
    const sqa_kernel_family *family = NULL;
    *out = (sqa_bench_options){0};
    sqa_status status = read_operation(words, out);
    if (status == SQA_OK)
        status = read_rows(words, out);
    if (status == SQA_OK)
        status = read_preset(words, out);
    if (status == SQA_OK && words->dtype && !sqa_dtype_from_name(words->dtype, &out->dtype))
        status = sqa_fail(SQA_INVALID_ARGUMENT, "--dtype is '%s'; expected f32, f16 or bf16",
                          words->dtype);
    settle_window(words, out);
    if (status == SQA_OK)
        status = settle_globals(words, out);
    if (status == SQA_OK)
        status = join_pattern(words, out);
    if (status == SQA_OK)
        status = check_problems(out);
    if (status == SQA_OK && words->family)
        status =
            sqa_family_option(words->family, sqa_operation_at((size_t)out->operation), &family);
    out->family = words->family;
    out->against_default = words->against_default;
    return status;
}
