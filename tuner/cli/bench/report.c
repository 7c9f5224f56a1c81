/* See report.h. Which fields a row has is fields.c's business. */
#include "cli/bench/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/bench/crossover.h"
#include "cli/bench/fields.h"
#include "cli/bench/paper.h"
#include "cli/device_json.h"
#include "problem/names.h"
#include "text/json.h"
#include "text/table.h"
#include "trial/bench_rows.h"

static bool any_noisy(const sqa_bench_report *report)
{
    bool noisy = false;
    for (size_t i = 0; i < report->count; i++)
        noisy = noisy || report->rows[i].noisy;
    return noisy;
}

static void print_head(const sqa_bench_view *view)
{
    const sqa_bench_options *options = view->options;
    const sqa_bench_report *report = view->report;
    const uint32_t queries = sqa_bench_queries(options, &options->passes[0]);
    printf("ceiling: %.1f GFLOP/s multiply-add (%s), %.1f GB/s copy (%s), %.1f GB/s read (%s)\n",
           report->rate[SQA_CEILING_FMA], report->ceiling.variant[SQA_CEILING_FMA],
           report->rate[SQA_CEILING_COPY], report->ceiling.variant[SQA_CEILING_COPY],
           report->rate[SQA_CEILING_READ], report->ceiling.variant[SQA_CEILING_READ]);
    if (options->pass_count == 1)
        printf("%s, ", options->passes[0].name);
    if (options->variant_count && options->batch_count == 1)
        printf("batch %u, ", options->batches[0]);
    if (options->variant_count)
        printf("%s%s%s, ", sqa_dtype_name(options->dtype), *options->pattern ? ", " : "",
               options->pattern);
    if (queries)
        printf("%u %s on seq keys, ", queries, queries == 1 ? "query" : "queries");
    if (options->shortest)
        printf("caches of %u to seq keys, ", options->shortest);
    printf("medians of %u rounds\n", options->rounds);
}

/* Whether rows have a pattern that the head does not tell. */
static bool patterns_differ(const sqa_bench_view *view)
{
    const sqa_bench_options *options = view->options;
    bool differ = false;
    for (size_t i = 0; i < options->variant_count; i++)
        differ = differ || options->variants[i]->reach != SQA_BENCH_REACH_ALL;
    return differ;
}

static bool has_passes(const sqa_bench_view *view)
{
    return view->options->pass_count > 1;
}

static bool has_families(const sqa_bench_view *view)
{
    return view->options->family_count > 1 || view->options->peer;
}

static bool has_default(const sqa_bench_view *view)
{
    return view->options->against_default;
}

static bool has_batches(const sqa_bench_view *view)
{
    return view->options->batch_count > 1;
}

static bool has_kv_formats(const sqa_bench_view *view)
{
    return view->options->kv_format_count > 0;
}

/* Where a step of generating text is timed. */
static bool has_cache(const sqa_bench_view *view)
{
    bool any = false;
    for (size_t i = 0; i < view->options->pass_count; i++)
        any = any || view->options->passes[i].queries;
    return any;
}

/* Where bytes are what counts. */
static bool has_reads(const sqa_bench_view *view)
{
    bool any = view->options->queries > 0 || has_cache(view);
    for (size_t i = 0; i < view->report->count; i++)
        any = any || view->report->rows[i].reads;
    return any;
}

/* What stands in a column. */
#define CELL(name, ...)                                                                            \
    static void name(sqa_table *table, const sqa_bench_row *row)                                   \
    {                                                                                              \
        sqa_table_cell(table, __VA_ARGS__);                                                        \
    }
CELL(op, "%s", row->pass->name)
CELL(variant, "%s", row->variant->name)
CELL(shape, "%s", row->shape)
CELL(q_heads, "%u", row->q_heads)
CELL(kv_heads, "%u", row->kv_heads)
CELL(dim, "%u", row->dim)
CELL(length, "%u", row->length)
CELL(ms, "%.*f", row->median_ms < 1.0 ? 4 : 2, row->median_ms)
CELL(spread, "%s%.0f%%", row->noisy ? "* " : "", 100.0 * row->spread_ms / row->median_ms)
CELL(gflops, "%.1f", row->gflops)
CELL(of_ceiling, "%.2f", row->fraction_of_ceiling)
CELL(vs_mha, "%.2fx", row->speedup_vs_mha)
CELL(vs_first, "%.2fx", row->speedup_vs_first)
CELL(gbs, "%.1f", row->gbs)
CELL(of_read, "%.2f", row->fraction_of_read)
CELL(of_roofline, "%.2f", row->fraction_of_roofline)
CELL(token_bytes, "%.0f", row->token_bytes)
CELL(kv_format, "%s", sqa_kv_dtype_name(row->kv_dtype))
CELL(batch, "%u", row->batch)
CELL(default_ms, "%.2f", row->default_ms)
CELL(vs_default, "%.2fx", row->default_ms / row->median_ms)
CELL(pattern, "%s", row->pattern)
CELL(kernel, "%s (%s)", row->family, row->source)

/* Of a peer none is known. */
static void max_error(sqa_table *table, const sqa_bench_row *row)
{
    if (isnan(row->max_error))
        sqa_table_cell(table, "-");
    else
        sqa_table_cell(table, "%.1e", row->max_error);
}

typedef enum column_of { OF_ALL, OF_VARIANTS, OF_SHAPES } column_of;

static const struct column {
    const char *heading;
    sqa_table_align align;
    unsigned rank; /* where there is no room for all; 0: always there */
    column_of of;
    void (*cell)(sqa_table *table, const sqa_bench_row *row);
    bool (*when)(const sqa_bench_view *view); /* NULL: always */
} columns[] = {
    {"op", SQA_ALIGN_LEFT, 0, OF_ALL, op, has_passes},
    {"variant", SQA_ALIGN_LEFT, 0, OF_VARIANTS, variant, NULL},
    {"shape", SQA_ALIGN_LEFT, 0, OF_SHAPES, shape, NULL},
    {"Hq", SQA_ALIGN_RIGHT, 2, OF_VARIANTS, q_heads, NULL},
    {"Hkv", SQA_ALIGN_RIGHT, 2, OF_VARIANTS, kv_heads, NULL},
    {"D", SQA_ALIGN_RIGHT, 4, OF_VARIANTS, dim, NULL},
    {"KV", SQA_ALIGN_LEFT, 0, OF_VARIANTS, kv_format, has_kv_formats},
    {"batch", SQA_ALIGN_RIGHT, 0, OF_VARIANTS, batch, has_batches},
    {"seq", SQA_ALIGN_RIGHT, 0, OF_VARIANTS, length, NULL},
    {"ms", SQA_ALIGN_RIGHT, 0, OF_ALL, ms, NULL},
    {"spread", SQA_ALIGN_RIGHT, 2, OF_ALL, spread, NULL},
    {"GFLOP/s", SQA_ALIGN_RIGHT, 3, OF_ALL, gflops, NULL},
    {"of ceiling", SQA_ALIGN_RIGHT, 1, OF_ALL, of_ceiling, NULL},
    {"vs MHA", SQA_ALIGN_RIGHT, 0, OF_VARIANTS, vs_mha, NULL},
    {"vs first", SQA_ALIGN_RIGHT, 1, OF_ALL, vs_first, has_families},
    {"max error", SQA_ALIGN_RIGHT, 5, OF_ALL, max_error, NULL},
    {"GB/s", SQA_ALIGN_RIGHT, 1, OF_ALL, gbs, has_reads},
    {"of read", SQA_ALIGN_RIGHT, 1, OF_ALL, of_read, has_reads},
    {"of roofline", SQA_ALIGN_RIGHT, 0, OF_ALL, of_roofline, has_cache},
    {"bytes/token", SQA_ALIGN_RIGHT, 3, OF_VARIANTS, token_bytes, has_cache},
    {"default ms", SQA_ALIGN_RIGHT, 1, OF_ALL, default_ms, has_default},
    {"vs default", SQA_ALIGN_RIGHT, 1, OF_ALL, vs_default, has_default},
    {"pattern", SQA_ALIGN_LEFT, 2, OF_VARIANTS, pattern, patterns_differ},
    {"kernel", SQA_ALIGN_LEFT, 4, OF_ALL, kernel, NULL},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static bool has_column(const sqa_bench_view *view, const struct column *column, column_of of)
{
    return (column->of == OF_ALL || column->of == of) && (!column->when || column->when(view));
}

/* Several families are told apart by their names. */
static unsigned rank_of(const sqa_bench_view *view, const struct column *column)
{
    return column->cell == kernel && has_families(view) ? 0 : column->rank;
}

static void print_rows(const sqa_bench_view *view, column_of of)
{
    const sqa_bench_report *report = view->report;
    sqa_table table = SQA_TABLE_INIT;
    bool any = false;
    table.wide = view->wide;
    for (size_t c = 0; c < COLUMNS; c++)
        if (has_column(view, &columns[c], of))
            sqa_table_spare(&table, columns[c].heading, columns[c].align,
                            rank_of(view, &columns[c]));
    for (size_t i = 0; i < report->count; i++) {
        const sqa_bench_row *row = &report->rows[i];
        if (!row->shown || (of == OF_VARIANTS) != (row->variant != NULL))
            continue;
        any = true;
        for (size_t c = 0; c < COLUMNS; c++)
            if (has_column(view, &columns[c], of))
                columns[c].cell(&table, row);
    }
    if (!any)
        return;
    printf("\n");
    sqa_table_print(&table, stdout);
}

void sqa_bench_print_table(const sqa_bench_view *view)
{
    print_head(view);
    if (view->options->paper && !has_families(view)) {
        printf("\n");
        sqa_bench_paper_print(view);
    } else {
        print_rows(view, OF_VARIANTS);
        print_rows(view, OF_SHAPES);
        sqa_bench_print_crossovers(view);
    }
    if (any_noisy(view->report))
        printf("\n* the samples spread over more than %.0f %% of the median: measure again in a "
               "quiet moment, or with more --rounds\n",
               100.0 * SQA_BENCH_NOISY);
}

static void write_json_row(sqa_json *json, const sqa_bench_view *view, const sqa_bench_row *row)
{
    sqa_field value;
    sqa_json_object(json, NULL);
    for (size_t i = 0; sqa_bench_field(view, row, i, &value); i++)
        sqa_field_write_json(json, &value);
    sqa_json_close(json);
}

static void write_left_out(sqa_json *json, const sqa_bench_report *report)
{
    sqa_json_array(json, "left_out");
    for (size_t i = 0; i < report->left_out_count; i++) {
        sqa_json_object(json, NULL);
        sqa_json_integer(json, "seq", report->left_out[i].length);
        sqa_json_number(json, "expected_s", report->left_out[i].seconds);
        sqa_json_close(json);
    }
    sqa_json_close(json);
}

void sqa_bench_print_json(const sqa_bench_view *view)
{
    const sqa_bench_report *report = view->report;
    sqa_json json;
    sqa_json_begin(&json, stdout);
    sqa_json_device(&json, view->platform, view->index, view->device);
    sqa_json_object(&json, "ceiling");
    sqa_json_number(&json, "fma_gflops", report->rate[SQA_CEILING_FMA]);
    sqa_json_number(&json, "copy_gbs", report->rate[SQA_CEILING_COPY]);
    sqa_json_number(&json, "read_gbs", report->rate[SQA_CEILING_READ]);
    sqa_json_number(&json, "fma_best_gflops", report->ceiling.rate[SQA_CEILING_FMA]);
    sqa_json_number(&json, "copy_best_gbs", report->ceiling.rate[SQA_CEILING_COPY]);
    sqa_json_number(&json, "read_best_gbs", report->ceiling.rate[SQA_CEILING_READ]);
    sqa_json_close(&json);
    sqa_json_array(&json, "rows");
    for (size_t i = 0; i < report->count; i++)
        if (report->rows[i].shown)
            write_json_row(&json, view, &report->rows[i]);
    sqa_json_close(&json);
    write_left_out(&json, report);
    sqa_json_boolean(&json, "interrupted", report->interrupted);
    sqa_json_finish(&json);
}

static void write_csv_row(const sqa_bench_view *view, const sqa_bench_row *row)
{
    enum { MOST_FIELDS = 40 };
    sqa_field fields[MOST_FIELDS];
    size_t count = 0;
    while (count < MOST_FIELDS && sqa_bench_field(view, row, count, &fields[count]))
        count++;
    sqa_fields_write_csv(stdout, fields, count, !row);
}

void sqa_bench_print_csv(const sqa_bench_view *view)
{
    write_csv_row(view, NULL);
    for (size_t i = 0; i < view->report->count; i++)
        if (view->report->rows[i].shown)
            write_csv_row(view, &view->report->rows[i]);
}

static void print_duration(double seconds)
{
    if (seconds < 120)
        fprintf(stderr, "%.0f s", seconds);
    else if (seconds < 7200)
        fprintf(stderr, "%.0f min", seconds / 60);
    else
        fprintf(stderr, "%.1f h", seconds / 3600);
}

void sqa_bench_print_notes(const sqa_bench_view *view)
{
    const sqa_bench_report *report = view->report;
    for (size_t i = 0; i < report->left_out_count; i++) {
        fputs(i == 0 ? "sqa bench: left out, for the time they take here: " : ", ", stderr);
        fprintf(stderr, "%u (about ", report->left_out[i].length);
        print_duration(report->left_out[i].seconds);
        fputs(")", stderr);
    }
    if (report->left_out_count)
        fprintf(stderr, "\nsqa bench: they can be asked for, by --full or as by --seq %u\n",
                report->left_out[0].length);
    if (report->interrupted)
        fprintf(stderr, "sqa bench: interrupted; %s\n",
                report->count ? "what was measured until then is shown" : "nothing was measured");
}
