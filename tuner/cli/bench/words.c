/* See words.h. */
#include "cli/bench/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "cli/bench/paper.h"
#include "cli/bench/what.h"
#include "operations/operations.h"
#include "problem/names.h"
#include "problem/problem.h"
#include "trial/bench_rows.h"
#include "trial/peer.h"

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
    return sqa_bench_each_word("--variant", list, SQA_BENCH_VARIANT_COUNT, take_variant, out);
}

static sqa_status take_kv_format(const char *word, sqa_bench_options *out)
{
    sqa_dtype dtype;
    if (!sqa_kv_dtype_from_name(word, &dtype))
        return sqa_fail(SQA_INVALID_ARGUMENT, "--kv-format is '%s'; expected " SQA_KV_DTYPES, word);
    for (size_t i = 0; i < out->kv_format_count; i++)
        if (out->kv_formats[i] == dtype)
            return sqa_fail(SQA_INVALID_ARGUMENT, "--kv-format names %s twice", word);
    out->kv_formats[out->kv_format_count++] = dtype;
    return SQA_OK;
}

static sqa_status read_kv_formats(const char *list, sqa_bench_options *out)
{
    for (size_t i = 0; i < out->pass_count; i++)
        for (size_t p = 0; p < out->passes[i].part_count; p++)
            if (!sqa_bench_has_field(out->passes[i].parts[p].operation, "kv"))
                return sqa_fail(SQA_INVALID_ARGUMENT,
                                "--kv-format is for forward and decode, not for --op %s",
                                out->passes[i].name);
    return sqa_bench_each_word("--kv-format", list, SQA_BENCH_MOST, take_kv_format, out);
}

/* Latents are of attention to a cache, and pages of what reads one. */
static sqa_status read_caches(const sqa_bench_words *words, sqa_bench_options *out)
{
    const char *wanting = words->page ? "--page" : NULL;
    for (size_t i = 0; i < out->variant_count; i++)
        if (out->variants[i]->is_latent)
            wanting = "--variant mla";
    for (size_t i = 0; wanting && i < out->pass_count; i++)
        if (!sqa_bench_has_latents(&out->passes[i]))
            return sqa_fail(SQA_INVALID_ARGUMENT, "%s is for forward and decode, not for --op %s",
                            wanting, out->passes[i].name);
    for (size_t i = 0; words->shortest && i < out->length_count; i++)
        if (words->shortest > out->lengths[i])
            return sqa_fail(SQA_INVALID_ARGUMENT,
                            "--shortest is %u; expected a number from 1 to --kv-length, %u",
                            words->shortest, out->lengths[i]);
    out->page = words->page;
    out->shortest = words->shortest;
    return SQA_OK;
}

static void copy_counts(const sqa_option_counts *from, uint32_t *list, size_t *count)
{
    *count = from->count;
    memcpy(list, from->items, from->count * sizeof *list);
}

/* What was not given is its default, or under a preset the preset's business. */
static sqa_status read_model(const sqa_bench_words *words, sqa_bench_options *out)
{
    static const sqa_option_counts length = {{2048}, 1}, dim = {{64}, 1}, batch = {{1}, 1};
    const sqa_option_counts *lengths =
        words->kv_lengths.count ? &words->kv_lengths : &words->lengths;
    const bool settled = out->paper;
    _Static_assert(SQA_OPTION_COUNTS <= SQA_BENCH_MOST, "room for every number");
    out->heads = words->heads ? words->heads : 8;
    out->queries = words->queries;
    copy_counts(words->batches.count ? &words->batches : &batch, out->batches, &out->batch_count);
    copy_counts(lengths->count || settled ? lengths : &length, out->lengths, &out->length_count);
    copy_counts(words->dims.count || settled ? &words->dims : &dim, out->dims, &out->dim_count);
    if (settled)
        return SQA_OK;
    return read_variants(words->variants ? words->variants : "mha,gqa,mqa,sqa,ssqa,xsqa", out);
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

static sqa_status add_key(const char *key, const char *value, sqa_bench_options *out)
{
    const size_t used = strlen(out->pattern), left = sizeof out->pattern - used;
    const int length = snprintf(out->pattern + used, left, "%s%s%s%s", used ? "," : "", key,
                                *value ? "=" : "", value);
    return length < (int)left
               ? SQA_OK
               : sqa_fail(SQA_INVALID_ARGUMENT, "--pattern is longer than %zu characters",
                          sizeof out->pattern - 1);
}

static bool of_layers(const char *key)
{
    return !strcmp(key, "linear") || !strcmp(key, "wdecay") || !strcmp(key, "wbeta");
}

/* An option that every operation has to have a key for. */
static sqa_status check_key(const char *option, const char *key, const sqa_bench_options *out)
{
    for (size_t i = 0; i < out->pass_count; i++)
        for (size_t p = 0; p < out->passes[i].part_count; p++)
            if (!sqa_bench_has_field(out->passes[i].parts[p].operation, key))
                return sqa_fail(SQA_INVALID_ARGUMENT, "--%s is for %s, not for --op %s", option,
                                of_layers(key) ? "layer and block" : "linear, layer and block",
                                out->passes[i].name);
    return SQA_OK;
}

static bool is_listed(const char *value, const char *const *values)
{
    for (; *values; values++)
        if (!strcmp(value, *values))
            return true;
    return false;
}

/* --attention, and what linear attention is made by. */
static sqa_status add_linear(const sqa_bench_words *words, sqa_bench_options *out)
{
    static const char *const kinds[] = {"softmax", "linear", NULL};
    static const char *const features[] = {"identity", "elu1", "relu", NULL};
    static const char *const decays[] = {"none", "head", "token", "channel", NULL};
    const bool linear = words->attention && !strcmp(words->attention, "linear");
    const struct {
        const char *option, *value, *key, *expected;
        const char *const *values; /* NULL: it has none */
    } options[] = {
        {"attention", words->attention, "linear", "softmax or linear", kinds},
        {"feature", words->feature, "feature", "identity, elu1 or relu", features},
        {"decay", words->decay, "decay", "none, head, token or channel", decays},
        {"delta", words->delta ? "" : NULL, "delta", NULL, NULL},
        {"normalise", words->normalise ? "" : NULL, "normalise", NULL, NULL},
        {"project-decay", words->project_decay ? "" : NULL, "wdecay", NULL, NULL},
        {"project-beta", words->project_beta ? "" : NULL, "wbeta", NULL, NULL},
    };
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < sizeof options / sizeof *options && status == SQA_OK; i++) {
        if (!options[i].value)
            continue;
        if (options[i].values && !is_listed(options[i].value, options[i].values))
            return sqa_fail(SQA_INVALID_ARGUMENT, "--%s is '%.40s'; expected %s", options[i].option,
                            options[i].value, options[i].expected);
        status = check_key(options[i].option, options[i].key, out);
        if (status == SQA_OK && i == 0 ? linear : status == SQA_OK)
            status = add_key(options[i].key, i ? options[i].value : "", out);
    }
    return status;
}

/* Of every row: --causal, --pattern, --window, --page and linear attention in the keys of a shape.
 */
static sqa_status join_pattern(const sqa_bench_words *words, sqa_bench_options *out)
{
    char value[32];
    sqa_status status = words->causal ? add_key("causal", "", out) : SQA_OK;
    if (status == SQA_OK && words->pattern)
        status = add_key(words->pattern, "", out);
    if (status == SQA_OK && words->has_window && !out->window) {
        snprintf(value, sizeof value, "%d:%d", words->window.left, words->window.right);
        status = add_key("window", value, out);
    }
    if (status == SQA_OK && words->page) {
        snprintf(value, sizeof value, "%u", words->page);
        status = add_key("page", value, out);
    }
    return status == SQA_OK ? add_linear(words, out) : status;
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
    for (size_t i = 0; i < sqa_bench_group_count(options) && status == SQA_OK; i++) {
        sqa_bench_rows rows;
        status = sqa_bench_rows_lay_out(options, i, &rows);
        if (status != SQA_OK && rows.length)
            status = refuse_pattern(status);
        sqa_bench_rows_free(&rows);
    }
    return status;
}

/* The preset that is a table of its own, not a list of problems. */
static bool is_paper_preset(const sqa_bench_words *words)
{
    return words->preset && !strcmp(words->preset, "paper");
}

/* Layers, without the rest of a block, of which nothing is asked that the paper's model settles. */
static bool is_paper_layer(const sqa_bench_words *words, const sqa_bench_options *options)
{
    bool layers = options->pass_count > 0;
    for (size_t i = 0; i < options->pass_count; i++)
        layers = layers && sqa_bench_is_layer(&options->passes[i]) &&
                 !sqa_bench_has_field(options->passes[i].parts[0].operation, "mlp");
    return layers && !words->shapes.count && !words->preset && !words->variants && !words->heads &&
           !words->queries && !words->dims.count && !words->has_window && !words->globals &&
           !words->attention && !words->against_default;
}

static bool any_pass(const sqa_bench_options *options, bool with_variants)
{
    bool any = false;
    for (size_t i = 0; i < options->pass_count; i++)
        any = any || sqa_bench_has_variants(&options->passes[i]) == with_variants;
    return any;
}

/* An option that says something of a model's variants; NULL: none was given. */
static const char *model_option(const sqa_bench_words *words)
{
    const struct {
        const char *name;
        bool given;
    } options[] = {
        {"kv-length", words->kv_lengths.count},
        {"variant", words->variants},
        {"heads", words->heads},
        {"seq", words->lengths.count},
        {"queries", words->queries},
        {"dim", words->dims.count},
        {"batch", words->batches.count},
        {"dtype", words->dtype},
        {"causal", words->causal},
        {"window", words->has_window},
        {"globals", words->globals},
        {"kv-format", words->kv_formats},
        {"page", words->page},
        {"pattern", words->pattern},
        {"attention", words->attention},
        {"feature", words->feature},
        {"decay", words->decay},
        {"delta", words->delta},
        {"normalise", words->normalise},
        {"project-decay", words->project_decay},
        {"project-beta", words->project_beta},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i].given)
            return options[i].name;
    return NULL;
}

/* Of one model, whose variants are compared. */
static sqa_status read_variants_of_model(const sqa_bench_words *words, sqa_bench_options *out)
{
    sqa_status status = read_model(words, out);
    if (status == SQA_OK && out->paper)
        status = sqa_bench_paper_options(words->full, out);
    if (status == SQA_OK && words->dtype && !sqa_dtype_from_name(words->dtype, &out->dtype))
        status = sqa_fail(SQA_INVALID_ARGUMENT, "--dtype is '%s'; expected f32, f16 or bf16",
                          words->dtype);
    if (status == SQA_OK && words->kv_formats)
        status = read_kv_formats(words->kv_formats, out);
    if (status == SQA_OK)
        status = read_caches(words, out);
    settle_window(words, out);
    if (status == SQA_OK)
        status = settle_globals(words, out);
    return status == SQA_OK ? join_pattern(words, out) : status;
}

/* Shapes, a preset's shapes, or variants of a model; what has no variants has presets. */
static sqa_status read_problems(const sqa_bench_words *words, sqa_bench_options *out)
{
    const char *given = model_option(words);
    sqa_status status = SQA_OK;
    if (words->shapes.count)
        return sqa_bench_read_shapes(&words->shapes, out);
    if (words->preset && !is_paper_preset(words))
        return given ? sqa_fail(SQA_INVALID_ARGUMENT,
                                "--%s is not for the shapes of a preset, but for variants", given)
                     : sqa_bench_read_preset(words->preset, out);
    if (!out->pass_count)
        status = sqa_timed_pass_find(sqa_operation_at(0)->name, &out->passes[out->pass_count++]);
    if (status == SQA_OK && any_pass(out, true))
        status = read_variants_of_model(words, out);
    else if (status == SQA_OK && (given || words->preset))
        status = sqa_fail(SQA_INVALID_ARGUMENT,
                          "--%s is for variants, which --op %s has not; expected --shape",
                          given ? given : "preset", out->passes[0].name);
    if (status == SQA_OK && any_pass(out, false))
        status = words->preset ? sqa_fail(SQA_INVALID_ARGUMENT,
                                          "--preset paper is for operations that have variants")
                               : sqa_bench_read_default_presets(out);
    return status;
}

/* Some row has to be one for it. */
static sqa_status read_peer(const char *name, sqa_bench_options *out)
{
    bool any = false;
    sqa_status status = sqa_peer_find(name);
    out->peer = status == SQA_OK ? name : NULL;
    for (size_t i = 0; i < sqa_bench_group_count(out) && status == SQA_OK && !any; i++) {
        sqa_bench_rows rows;
        status = sqa_bench_rows_lay_out(out, i, &rows);
        for (size_t r = 0; r < rows.count; r++)
            any = any || rows.items[r].peer;
        sqa_bench_rows_free(&rows);
    }
    if (status != SQA_OK || any)
        return status;
    return sqa_fail(SQA_INVALID_ARGUMENT, "--peer is '%s', which is for %s", name,
                    sqa_peer_rows(name));
}

sqa_status sqa_bench_words_read(const sqa_bench_words *words, sqa_bench_options *out)
{
    *out = (sqa_bench_options){.rounds = words->rounds, .against_default = words->against_default};
    if (is_paper_preset(words) && words->batches.count > 1)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--preset paper takes one --batch");
    if (is_paper_preset(words) && (words->against_default || words->peer))
        return sqa_fail(SQA_INVALID_ARGUMENT, "--preset paper and --%s exclude each other",
                        words->peer ? "peer" : "against-default");
    sqa_status status = words->passes ? sqa_bench_read_passes(words->passes, out) : SQA_OK;
    const bool layer = is_paper_layer(words, out);
    out->paper = layer || is_paper_preset(words);
    if (status == SQA_OK && layer)
        status = sqa_bench_add_training(out);
    if (status == SQA_OK && words->full && !out->paper)
        status = sqa_fail(SQA_INVALID_ARGUMENT, "--full is for the paper's lengths; expected "
                                                "--preset paper, or --op layer by itself");
    if (status == SQA_OK)
        status = read_problems(words, out);
    if (status == SQA_OK)
        status = check_problems(out);
    if (status == SQA_OK && words->families)
        status = sqa_bench_read_families(words->families, out);
    if (status == SQA_OK && words->peer)
        status = read_peer(words->peer, out);
    return status;
}

void sqa_bench_options_free(sqa_bench_options *options)
{
    free(options->shapes);
    options->shapes = NULL;
    options->shape_count = 0;
}
