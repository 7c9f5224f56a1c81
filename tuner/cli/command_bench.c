/* sqa bench: reads which variants at which sizes, prints them side by side. The
 * measuring is trial/bench.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "cli/command.h"
#include "cli/device_json.h"
#include "cli/device_option.h"
#include "cli/log_option.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "problem/names.h"
#include "trial/bench.h"

static const char summary[] =
    "Times attention variants side by side, with the kernels the library would use,\n"
    "as fractions of the device's own ceiling measured in the same run, and against\n"
    "multi-head attention. Every row is checked against an fp64 reference.";

typedef struct bench_words {
    const char *variants, *heads, *lengths, *dim, *batch, *rounds, *family, *device, *database;
    const char *log_level;
    bool causal, against_default, json;
} bench_words;

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
    sqa_variant variant;
    sqa_status status = sqa_variant_from_name(word, &variant);
    if (status != SQA_OK)
        return status;
    for (size_t i = 0; i < out->variant_count; i++)
        if (out->variants[i] == variant)
            return sqa_fail(SQA_INVALID_ARGUMENT, "--variant names %s twice", word);
    out->variants[out->variant_count++] = variant;
    return SQA_OK;
}

static sqa_status take_length(const char *word, sqa_bench_options *out)
{
    return read_number("seq", word, 1, 1u << 24, &out->lengths[out->length_count++]);
}

static sqa_status read_words(const bench_words *words, sqa_bench_options *out)
{
    const struct {
        const char *name, *text, *otherwise;
        uint32_t low, high, *out;
    } numbers[] = {
        {"heads", words->heads, "8", 1, 65535, &out->heads},
        {"dim", words->dim, "64", 1, 512, &out->dim},
        {"batch", words->batch, "1", 1, 65535, &out->batch},
        {"rounds", words->rounds, "7", 1, 1000, &out->rounds},
    };
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0] && status == SQA_OK; i++)
        status =
            read_number(numbers[i].name, numbers[i].text ? numbers[i].text : numbers[i].otherwise,
                        numbers[i].low, numbers[i].high, numbers[i].out);
    if (status == SQA_OK)
        status =
            each_word("variant", words->variants ? words->variants : "mha,gqa,mqa,sqa,ssqa,xsqa",
                      SQA_VARIANT_COUNT, take_variant, out);
    if (status == SQA_OK)
        status = each_word("seq", words->lengths ? words->lengths : "2048",
                           sizeof out->lengths / sizeof out->lengths[0], take_length, out);
    out->causal = words->causal ? SQA_CAUSAL_BOTTOM_RIGHT : SQA_CAUSAL_NONE;
    out->family = words->family;
    out->against_default = words->against_default;
    return status;
}

static void print_report(const sqa_bench_options *options, const sqa_bench_report *report)
{
    static const char *const headings[] = {"Hq",      "Hkv",        "seq",    "ms",
                                           "GFLOP/s", "of ceiling", "vs MHA", "max error"};
    printf("ceiling: %.1f GFLOP/s multiply-add (%s), %.1f GB/s copy (%s)\n",
           report->ceiling.fma_gflops, report->ceiling.fma_variant, report->ceiling.copy_gbs,
           report->ceiling.copy_variant);
    printf("batch %u, head dimension %u, f32%s, median of %u rounds\n\n", options->batch,
           options->dim, options->causal ? ", causal" : "", options->rounds);
    sqa_table table = SQA_TABLE_INIT;
    sqa_table_column(&table, "variant", SQA_ALIGN_LEFT);
    for (size_t i = 0; i < sizeof headings / sizeof headings[0]; i++)
        sqa_table_column(&table, headings[i], SQA_ALIGN_RIGHT);
    if (options->against_default) {
        sqa_table_column(&table, "default ms", SQA_ALIGN_RIGHT);
        sqa_table_column(&table, "vs default", SQA_ALIGN_RIGHT);
    }
    sqa_table_column(&table, "kernel", SQA_ALIGN_LEFT);
    for (size_t i = 0; i < report->count; i++) {
        const sqa_bench_row *row = &report->rows[i];
        if (!row->shown)
            continue;
        sqa_table_cell(&table, "%s", sqa_variant_name(row->variant));
        sqa_table_cell(&table, "%u", row->desc.q_heads);
        sqa_table_cell(&table, "%u", row->desc.kv_heads);
        sqa_table_cell(&table, "%u", row->desc.q_length);
        sqa_table_cell(&table, "%.2f", row->median_ms);
        sqa_table_cell(&table, "%.1f", row->gflops);
        sqa_table_cell(&table, "%.2f", row->gflops / report->ceiling.fma_gflops);
        sqa_table_cell(&table, "%.2fx", row->speedup_vs_mha);
        sqa_table_cell(&table, "%.1e", row->max_error);
        if (options->against_default) {
            sqa_table_cell(&table, "%.2f", row->default_ms);
            sqa_table_cell(&table, "%.2fx", row->default_ms / row->median_ms);
        }
        sqa_table_cell(&table, "%s (%s)", row->family, row->source);
    }
    sqa_table_print(&table, stdout);
}

static void write_row(sqa_json *json, const sqa_bench_options *options, const sqa_bench_row *row,
                      const sqa_ceiling *ceiling)
{
    const sqa_attention_desc *desc = &row->desc;
    sqa_json_object(json, NULL);
    sqa_json_string(json, "op", sqa_operation_name(desc->operation));
    sqa_json_string(json, "variant", sqa_variant_name(row->variant));
    sqa_json_integer(json, "batch", desc->batch);
    sqa_json_integer(json, "q_heads", desc->q_heads);
    sqa_json_integer(json, "kv_heads", desc->kv_heads);
    sqa_json_integer(json, "seq", desc->q_length);
    sqa_json_integer(json, "dim", desc->head_dim);
    sqa_json_string(json, "dtype", sqa_dtype_name(desc->dtype));
    sqa_json_boolean(json, "causal", desc->causal != SQA_CAUSAL_NONE);
    sqa_json_number(json, "median_ms", row->median_ms);
    sqa_json_number(json, "spread_ms", row->spread_ms);
    sqa_json_number(json, "gflops", row->gflops);
    sqa_json_number(json, "gbs", row->gbs);
    sqa_json_number(json, "fraction_of_ceiling", row->gflops / ceiling->fma_gflops);
    sqa_json_number(json, "speedup_vs_mha", row->speedup_vs_mha);
    sqa_json_number(json, "max_error", row->max_error);
    if (options->against_default) {
        sqa_json_number(json, "default_ms", row->default_ms);
        sqa_json_number(json, "speedup_vs_default", row->default_ms / row->median_ms);
    }
    sqa_json_string(json, "family", row->family);
    sqa_json_string(json, "config", row->config);
    sqa_json_string(json, "rung", row->rung);
    sqa_json_string(json, "source", row->source);
    sqa_json_close(json);
}

static void write_report(const sqa_bench_options *options, const sqa_bench_report *report,
                         const sqa_device *device, unsigned platform, unsigned index)
{
    sqa_json json;
    sqa_json_begin(&json, stdout);
    sqa_json_device(&json, platform, index, device);
    sqa_json_object(&json, "ceiling");
    sqa_json_number(&json, "fma_gflops", report->ceiling.fma_gflops);
    sqa_json_number(&json, "copy_gbs", report->ceiling.copy_gbs);
    sqa_json_close(&json);
    sqa_json_array(&json, "rows");
    for (size_t i = 0; i < report->count; i++)
        if (report->rows[i].shown)
            write_row(&json, options, &report->rows[i], &report->ceiling);
    sqa_json_close(&json);
    sqa_json_finish(&json);
}

static void show(void *user, double done, const char *what)
{
    sqa_progress_draw(user, done, "%s", what);
}

static sqa_status run(const bench_words *words, const sqa_bench_options *options)
{
    sqa_context_options made = SQA_CONTEXT_OPTIONS_INIT;
    sqa_context *context = NULL;
    sqa_device device;
    unsigned platform, index;
    sqa_bench_report report;
    made.user_database = words->database;
    sqa_status status = sqa_log_option(words->log_level, &made);
    if (status == SQA_OK)
        status = sqa_device_option(words->device, &platform, &index);
    if (status == SQA_OK)
        status = sqa_context_open(&context, platform, index, &made);
    if (status == SQA_OK)
        status = sqa_device_query(&device, sqa_context_cl_device(context));
    if (status == SQA_OK) {
        sqa_progress progress = sqa_progress_begin();
        status = sqa_bench_run(context, options, show, &progress, &report);
        sqa_progress_clear(&progress);
    }
    if (status == SQA_OK) {
        if (words->json)
            write_report(options, &report, &device, platform, index);
        else
            print_report(options, &report);
        sqa_bench_report_free(&report);
    }
    sqa_context_destroy(context);
    return status;
}

int sqa_command_bench(int argc, char **argv)
{
    bench_words words = {0};
    const sqa_option table[] = {
        {"variant", "NAMES", "mha,gqa,mqa,sqa,ssqa,xsqa (default), also xsmqa,lsqa,rsqa",
         .text = &words.variants},
        {"heads", "H", "heads of the multi-head model (8)", .text = &words.heads},
        {"seq", "LENGTHS", "sequence lengths, such as 1024,4096 (2048)", .text = &words.lengths},
        {"dim", "D", "head dimension (64)", .text = &words.dim},
        {"batch", "B", "batch size (1)", .text = &words.batch},
        {"causal", NULL, "with a causal mask", .flag = &words.causal},
        {"rounds", "N", "samples of each row (7)", .text = &words.rounds},
        {"against-default", NULL, "also time what runs without any tuning database",
         .flag = &words.against_default},
        {"family", "NAME", "this kernel family instead of the best known", .text = &words.family},
        {"device", "P:D", "platform and device as `sqa info` prints them (0:0)",
         .text = &words.device},
        {"db", "FILE", "tuning database instead of the user's own", .text = &words.database},
        {"json", NULL, "one JSON document", .flag = &words.json},
        {"log-level", "LEVEL", "error, warning (default), info or debug", .text = &words.log_level},
        {0},
    };
    sqa_bench_options options;
    int code;
    if (!sqa_options_read(argc, argv, summary, table, &code))
        return code;
    memset(&options, 0, sizeof options);
    sqa_status status = read_words(&words, &options);
    if (status == SQA_OK)
        status = run(&words, &options);
    return status == SQA_OK ? SQA_EXIT_OK : sqa_command_fail(argv[0], status);
}
