/* See script_lengths.h. */
#include "cli/bench/script_lengths.h"

#include <math.h>
#include <stdio.h>

#include "cli/bench/script_head.h"
#include "problem/names.h"
#include "text/gnuplot.h"
#include "trial/bench_rows.h"
#include "trial/bench_variant.h"

/* Told apart without a sense of colour, too (Okabe and Ito); then again from the first. */
static const char *const colours[] = {"#08306b", "#e69f00", "#009e73",
                                      "#56b4e9", "#d55e00", "#cc79a7"};
enum { COLOURS = sizeof colours / sizeof *colours };

static bool is_drawn(const sqa_bench_row *row)
{
    return row->shown && row->variant;
}

static bool is_same_line(const sqa_bench_row *a, const sqa_bench_row *b)
{
    return a->pass == b->pass && a->variant == b->variant && a->dim == b->dim &&
           a->batch == b->batch && a->kv_dtype == b->kv_dtype && a->peer == b->peer &&
           a->asked_family == b->asked_family;
}

/* The first row of the line after `row`; of the first line, after NULL. NULL: it was the last. */
static const sqa_bench_row *next_line(const sqa_bench_report *report, const sqa_bench_row *row)
{
    const sqa_bench_row *end = report->rows + report->count;
    for (row = row ? row + 1 : report->rows; row < end; row++) {
        const sqa_bench_row *before = report->rows;
        while (before < row && !(is_drawn(before) && is_same_line(before, row)))
            before++;
        if (is_drawn(row) && before == row)
            return row;
    }
    return NULL;
}

/* Whether another operation is shown in place of this one, which then goes without its name. */
static bool is_replaced(const sqa_bench_options *options, const sqa_timed_pass *pass)
{
    for (size_t i = 0; i < options->pass_count; i++) {
        const sqa_tuner_operation *other =
            sqa_tuner_operation_find(options->passes[i].parts[0].operation->id);
        if (other && other->instead_of == pass->parts[0].operation)
            return true;
    }
    return false;
}

/* Whether head counts differ among the lines. */
static bool has_several_heads(const sqa_bench_options *options)
{
    for (size_t i = 1; i < options->variant_count; i++)
        if (options->variants[i]->heads != options->variants[0]->heads)
            return true;
    return false;
}

/* Of the head counts alone, without what is seen. */
static const char *heads_label(const sqa_bench_variant *variant)
{
    size_t i = 0;
    while (sqa_bench_variants[i].heads != variant->heads ||
           sqa_bench_variants[i].reach != SQA_BENCH_REACH_ALL)
        i++;
    return sqa_bench_variants[i].label;
}

/* Keys before, and after where there are such; global tokens; "" where all are seen. */
static void name_reach(const sqa_bench_options *options, const sqa_bench_variant *variant,
                       char out[64])
{
    const sqa_window window = sqa_bench_window(options);
    out[0] = '\0';
    if (variant->reach == SQA_BENCH_REACH_ALL)
        return;
    int used = snprintf(out, 64, "window %d", window.left);
    if (window.right)
        used += snprintf(out + used, 64 - (size_t)used, " + %d", window.right);
    if (variant->reach == SQA_BENCH_REACH_GLOBALS)
        snprintf(out + used, 64 - (size_t)used, " and %u global", options->globals);
}

/* What tells the line from the others, and no more. */
static void write_name(const sqa_bench_view *view, const sqa_bench_row *row, sqa_text *out)
{
    const sqa_bench_options *options = view->options;
    const bool replaced = is_replaced(options, row->pass);
    char name[192], reach[64];
    int used = 0;
    name_reach(options, row->variant, reach);
#define ALSO(when, ...)                                                                            \
    if ((when) && used < (int)sizeof name - 2) {                                                   \
        used += snprintf(name + used, sizeof name - (size_t)used, "%s", used ? ", " : "");         \
        used += snprintf(name + used, sizeof name - (size_t)used, __VA_ARGS__);                    \
    }
    ALSO(!replaced, "%s", row->pass->name)
    ALSO(has_several_heads(options) || (replaced && !reach[0]), "%s", heads_label(row->variant))
    ALSO(reach[0], "%s", reach)
    ALSO(options->dim_count > 1, "D = %u", row->dim)
    ALSO(options->batch_count > 1, "batch %u", row->batch)
    ALSO(options->kv_format_count > 0, "KV %s", sqa_dtype_name(row->kv_dtype))
    ALSO(row->asked_family, "%s", row->asked_family)
    ALSO(row->peer, "%s", row->peer)
#undef ALSO
    sqa_gnuplot_quote(out, name);
}

static void write_lengths(const sqa_bench_options *options, sqa_text *out)
{
    for (size_t i = 0; i < options->length_count; i++)
        sqa_text_format(out, "%s%u", i ? ", " : "set xtics (", options->lengths[i]);
    sqa_text_append(out, ")\n");
}

/* 1, 2 and 5 of each decade, from below the shortest time to above the longest. */
static void write_times(const sqa_bench_report *report, sqa_text *out)
{
    static const double steps[] = {1.0, 2.0, 5.0};
    double least = INFINITY, most = 0.0;
    for (size_t i = 0; i < report->count; i++)
        if (is_drawn(&report->rows[i])) {
            least = fmin(least, report->rows[i].median_ms);
            most = fmax(most, report->rows[i].median_ms);
        }
    const char *before = "";
    sqa_text_append(out, "set ytics (");
    for (double decade = pow(10.0, floor(log10(least))); decade <= most; decade *= 10.0)
        for (int i = 0; i < 3; i++)
            if (decade * steps[i] >= 0.4 * least && decade * steps[i] <= 2.5 * most) {
                sqa_text_format(out, "%s%g", before, decade * steps[i]);
                before = ", ";
            }
    sqa_text_append(out, ")\n");
}

/* $line_I: length, milliseconds, and the range of the middle half of their samples. */
static void write_points(const sqa_bench_view *view, const sqa_bench_row *line, size_t number,
                         sqa_text *out)
{
    const sqa_bench_report *report = view->report;
    sqa_text_format(out, "$line_%zu << END\n", number);
    for (size_t i = 0; i < report->count; i++) {
        const sqa_bench_row *row = &report->rows[i];
        if (is_drawn(row) && is_same_line(row, line))
            sqa_text_format(out, "%u %.6f %.6f %.6f\n", row->length, row->median_ms,
                            row->median_ms / (1.0 + 0.5 * row->spread_ms / row->median_ms),
                            row->median_ms + 0.5 * row->spread_ms);
    }
    sqa_text_append(out, "END\n");
}

static void write_line(const sqa_bench_view *view, const sqa_bench_row *line, size_t number,
                       sqa_text *out)
{
    const char *colour = colours[number % COLOURS];
    const int dash = number / COLOURS % 4 + 1;
    sqa_text_format(out,
                    "%s $line_%zu using 1:2:3:4 with yerrorbars pointtype 7 pointsize 0.5 "
                    "linecolor rgb '%s' notitle, $line_%zu using 1:2 with lines linewidth 2.2 "
                    "dashtype %d linecolor rgb '%s' title ",
                    number ? "," : "plot", number, colour, number, dash, colour);
    write_name(view, line, out);
}

sqa_status sqa_bench_script_lengths(const sqa_bench_view *view, bool svg, sqa_text *out)
{
    const sqa_bench_report *report = view->report;
    size_t number = 0;
    sqa_bench_script_head(view, false, svg, out);
    sqa_text_append(out, "set border 3 linecolor rgb '#555555'\nset tics nomirror out scale 0.6\n"
                         "set grid linecolor rgb '#dddddd'\nset logscale x 2\nset logscale y\n"
                         "set xlabel 'length, tokens'\n"
                         "set ylabel 'time, ms'\nset key top left Left reverse\n"
                         "set tmargin at screen 0.86\n");
    write_lengths(view->options, out);
    write_times(report, out);
    for (const sqa_bench_row *line = next_line(report, NULL); line; line = next_line(report, line))
        write_points(view, line, number++, out);
    number = 0;
    for (const sqa_bench_row *line = next_line(report, NULL); line; line = next_line(report, line))
        write_line(view, line, number++, out);
    sqa_text_append(out, "\n");
    return sqa_text_status(out);
}
