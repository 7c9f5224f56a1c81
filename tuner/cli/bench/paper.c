/* See paper.h. */
#include "cli/bench/paper.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "problem/names.h"
#include "text/table.h"
#include "trial/bench_rows.h"

/* The paper's dense models: model dimension 256, 16 heads. */
enum { PAPER_HEADS = 16, PAPER_DIM = 16, PAPER_COLUMNS = 7, PAPER_LENGTHS = 6 };
enum { PAPER_LAYERS = 8 };

/* Lengths that would take longer are left out, unless they are asked for. */
#define PAPER_BUDGET_SECONDS 120.0

static const struct {
    const char *heading;
    const char *variant; /* of sqa_bench_variants */
} columns[PAPER_COLUMNS] = {
    {"xSQA", "xsqa"}, {"SQA", "sqa"}, {"sSQA", "ssqa"}, {"SWA(128)", "swa"},
    {"MQA", "mqa"},   {"GQA", "gqa"}, {"MHA", "mha"},
};

/* Table 3 as published: seconds per step, which is the forward pass of the whole
 * 8-layer model, on one A100 of 40 GB. Of 16384 it has none: whole layers are measured there. */
static const struct {
    uint32_t length;
    double seconds[PAPER_COLUMNS];
} published[PAPER_LENGTHS] = {
    {1024, {0.0570, 0.0642, 0.0669, 0.0759, 0.0760, 0.0785, 0.0869}},
    {4096, {0.0637, 0.0750, 0.0793, 0.0794, 0.1001, 0.1027, 0.1114}},
    {16384, {0}},
    {32768, {0.1348, 0.1991, 0.2117, 0.1871, 0.3612, 0.3637, 0.3727}},
    {131072, {0.3759, 0.6308, 0.6630, 0.7531, 1.2530, 1.2558, 1.2648}},
    {200000, {0.8194, 1.4116, 1.4824, 1.1871, 2.8555, 2.8596, 2.8734}},
};

static bool has_times(int length)
{
    return published[length].seconds[0] > 0.0;
}

static bool any_layer(const sqa_bench_options *options)
{
    bool any = false;
    for (size_t i = 0; i < options->pass_count; i++)
        any = any || sqa_bench_is_layer(&options->passes[i]);
    return any;
}

sqa_status sqa_bench_paper_options(bool full, sqa_bench_options *out)
{
    sqa_status status = SQA_OK;
    out->heads = PAPER_HEADS;
    out->dims[0] = PAPER_DIM;
    out->dim_count = 1;
    out->variant_count = 0;
    for (int c = 0; c < PAPER_COLUMNS && status == SQA_OK; c++)
        status = sqa_bench_variant_find(columns[c].variant, &out->variants[out->variant_count++]);
    if (out->length_count)
        return status;
    for (int n = 0; n < PAPER_LENGTHS; n++)
        if (has_times(n) || any_layer(out))
            out->lengths[out->length_count++] = published[n].length;
    out->budget_s = full ? 0.0 : PAPER_BUDGET_SECONDS;
    return status;
}

static double published_seconds(int column, uint32_t length)
{
    for (int n = 0; n < PAPER_LENGTHS; n++)
        if (published[n].length == length && has_times(n))
            return published[n].seconds[column];
    return (double)NAN;
}

static double published_speedup(int column, uint32_t length)
{
    return published_seconds(PAPER_COLUMNS - 1, length) / published_seconds(column, length);
}

double sqa_bench_paper_speedup(const sqa_bench_variant *variant, uint32_t length)
{
    for (int c = 0; c < PAPER_COLUMNS; c++)
        if (!strcmp(columns[c].variant, variant->name))
            return published_speedup(c, length);
    return (double)NAN;
}

static const sqa_bench_row *find_row(const sqa_bench_report *report, const sqa_timed_pass *pass,
                                     const char *variant, uint32_t length)
{
    for (size_t i = 0; i < report->count; i++) {
        const sqa_bench_row *row = &report->rows[i];
        if (row->pass == pass && !strcmp(row->variant->name, variant) && row->length == length)
            return row;
    }
    return NULL;
}

static void cell_time(sqa_table *table, const sqa_bench_row *row, int column, uint32_t length)
{
    (void)column, (void)length;
    if (row)
        sqa_table_cell(table, "%.2f%s", row->median_ms, row->noisy ? "*" : "");
    else
        sqa_table_cell(table, "-");
}

static void cell_model(sqa_table *table, const sqa_bench_row *row, int column, uint32_t length)
{
    const double paper = published_seconds(column, length);
    if (row && isnan(paper))
        sqa_table_cell(table, "%.3f (-)", row->median_ms * 1e-3 * PAPER_LAYERS);
    else if (row)
        sqa_table_cell(table, "%.3f (%.3f)", row->median_ms * 1e-3 * PAPER_LAYERS, paper);
    else
        sqa_table_cell(table, "-");
}

static void cell_speedup(sqa_table *table, const sqa_bench_row *row, int column, uint32_t length)
{
    char own[32] = "-";
    double paper = published_speedup(column, length);
    if (row)
        snprintf(own, sizeof own, "%.2fx", row->speedup_vs_mha);
    if (isnan(paper))
        sqa_table_cell(table, "%s (-)", own);
    else
        sqa_table_cell(table, "%s (%.2fx)", own, paper);
}

static void cell_fraction(sqa_table *table, const sqa_bench_row *row, int column, uint32_t length)
{
    (void)column, (void)length;
    if (row)
        sqa_table_cell(table, "%.2f", row->fraction_of_ceiling);
    else
        sqa_table_cell(table, "-");
}

static void print_block(const sqa_bench_view *view, const sqa_timed_pass *pass, const char *title,
                        void (*cell)(sqa_table *, const sqa_bench_row *, int, uint32_t))
{
    const sqa_bench_report *report = view->report;
    sqa_table table = SQA_TABLE_INIT;
    printf("\n%s: %s\n", pass->name, title);
    sqa_table_column(&table, "seq", SQA_ALIGN_RIGHT);
    for (int c = 0; c < PAPER_COLUMNS; c++)
        sqa_table_column(&table, columns[c].heading, SQA_ALIGN_RIGHT);
    for (size_t n = 0; n < view->options->length_count; n++) {
        uint32_t length = view->options->lengths[n];
        if (!find_row(report, pass, "mha", length))
            continue; /* left out, or not come to */
        sqa_table_cell(&table, "%u", length);
        for (int c = 0; c < PAPER_COLUMNS; c++)
            cell(&table, find_row(report, pass, columns[c].variant, length), c, length);
    }
    sqa_table_print(&table, stdout);
}

void sqa_bench_paper_print(const sqa_bench_view *view)
{
    const sqa_bench_options *options = view->options;
    printf("Table 3 of arXiv 2510.01817 on %s: %u heads of dimension %u, batch %u, %s%s%s\n",
           view->device->strings.device_name, options->heads, options->dims[0], options->batches[0],
           sqa_dtype_name(options->dtype), *options->pattern ? ", " : "", options->pattern);
    for (size_t p = 0; p < options->pass_count; p++) {
        const sqa_timed_pass *pass = &options->passes[p];
        print_block(view, pass, "time of one attention layer, ms", cell_time);
        if (sqa_bench_is_layer(pass))
            print_block(view, pass,
                        "8 times that, s (in brackets the paper's model, forward on an A100)",
                        cell_model);
        print_block(
            view, pass,
            "speed-up against MHA (in brackets the paper's whole model, forward on an A100)",
            cell_speedup);
        print_block(view, pass, "part of the multiply-add ceiling", cell_fraction);
    }
}
