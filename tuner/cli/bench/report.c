/* See report.h. Which fields a row has is fields.c's business. */
#include "cli/bench/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/bench/fields.h"
#include "cli/bench/paper.h"
#include "cli/device_json.h"
#include "problem/names.h"
#include "text/json.h"
#include "text/table.h"

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
    printf("ceiling: %.1f GFLOP/s multiply-add (%s), %.1f GB/s copy (%s)\n", report->fma_gflops,
           report->ceiling.variant[SQA_CEILING_FMA], report->copy_gbs,
           report->ceiling.variant[SQA_CEILING_COPY]);
    printf("batch %u, %s%s%s, ", options->batch, sqa_dtype_name(options->dtype),
           *options->pattern ? ", " : "", options->pattern);
    if (options->queries)
        printf("%u %s on seq keys, ", options->queries,
               options->queries == 1 ? "query" : "queries");
    printf("medians of %u rounds\n\n", options->rounds);
}

/* Whether rows have a pattern that the head does not tell. */
static bool patterns_differ(const sqa_bench_options *options)
{
    bool differ = false;
    for (size_t i = 0; i < options->variant_count; i++)
        differ = differ || options->variants[i]->reach != SQA_BENCH_REACH_ALL;
    return differ;
}

static void add_columns(sqa_table *table, const sqa_bench_options *options)
{
    static const struct {
        const char *heading;
        unsigned rank; /* where there is no room for all; 0: always there */
    } figures[] = {{"Hq", 2},     {"Hkv", 2},      {"D", 4},       {"seq", 0},
                   {"ms", 0},     {"spread", 2},   {"GFLOP/s", 3}, {"of ceiling", 1},
                   {"vs MHA", 0}, {"max error", 5}};
    sqa_table_column(table, "variant", SQA_ALIGN_LEFT);
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        sqa_table_spare(table, figures[i].heading, SQA_ALIGN_RIGHT, figures[i].rank);
    if (options->queries) /* few: what counts are the bytes of K and V */
        sqa_table_spare(table, "GB/s", SQA_ALIGN_RIGHT, 1);
    if (options->against_default) {
        sqa_table_spare(table, "default ms", SQA_ALIGN_RIGHT, 1);
        sqa_table_spare(table, "vs default", SQA_ALIGN_RIGHT, 1);
    }
    if (patterns_differ(options))
        sqa_table_spare(table, "pattern", SQA_ALIGN_LEFT, 2);
    sqa_table_spare(table, "kernel", SQA_ALIGN_LEFT, 4);
}

static void add_row(sqa_table *table, const sqa_bench_options *options, const sqa_bench_row *row)
{
    sqa_table_cell(table, "%s", row->variant->name);
    sqa_table_cell(table, "%u", row->q_heads);
    sqa_table_cell(table, "%u", row->kv_heads);
    sqa_table_cell(table, "%u", row->dim);
    sqa_table_cell(table, "%u", row->length);
    sqa_table_cell(table, "%.2f", row->median_ms);
    sqa_table_cell(table, "%s%.0f%%", row->noisy ? "* " : "",
                   100.0 * row->spread_ms / row->median_ms);
    sqa_table_cell(table, "%.1f", row->gflops);
    sqa_table_cell(table, "%.2f", row->fraction_of_ceiling);
    sqa_table_cell(table, "%.2fx", row->speedup_vs_mha);
    sqa_table_cell(table, "%.1e", row->max_error);
    if (options->queries)
        sqa_table_cell(table, "%.1f", row->gbs);
    if (options->against_default) {
        sqa_table_cell(table, "%.2f", row->default_ms);
        sqa_table_cell(table, "%.2fx", row->default_ms / row->median_ms);
    }
    if (patterns_differ(options))
        sqa_table_cell(table, "%s", row->pattern);
    sqa_table_cell(table, "%s (%s)", row->family, row->source);
}

void sqa_bench_print_table(const sqa_bench_view *view)
{
    sqa_table table = SQA_TABLE_INIT;
    table.wide = view->wide;
    print_head(view);
    if (view->paper) {
        sqa_bench_paper_print(view);
    } else {
        add_columns(&table, view->options);
        for (size_t i = 0; i < view->report->count; i++)
            if (view->report->rows[i].shown)
                add_row(&table, view->options, &view->report->rows[i]);
        sqa_table_print(&table, stdout);
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
    sqa_json_number(&json, "fma_gflops", report->fma_gflops);
    sqa_json_number(&json, "copy_gbs", report->copy_gbs);
    sqa_json_number(&json, "fma_best_gflops", report->ceiling.rate[SQA_CEILING_FMA]);
    sqa_json_number(&json, "copy_best_gbs", report->ceiling.rate[SQA_CEILING_COPY]);
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
        fprintf(stderr, "\nsqa bench: they can be asked for, as by --preset paper --seq %u\n",
                report->left_out[0].length);
    if (report->interrupted)
        fprintf(stderr, "sqa bench: interrupted; %s\n",
                report->count ? "what was measured until then is shown" : "nothing was measured");
}
