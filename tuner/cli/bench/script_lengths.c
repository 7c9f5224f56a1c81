/* See script_lengths.h. */
#include "cli/bench/script_lengths.h"

#include <stdio.h>

#include "cli/bench/script_head.h"
#include "problem/names.h"
#include "text/gnuplot.h"

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

/* What tells the line from the others. */
static void write_name(const sqa_bench_view *view, const sqa_bench_row *row, sqa_text *out)
{
    const sqa_bench_options *options = view->options;
    char name[192];
    int used = snprintf(name, sizeof name, "%s, %s", row->pass->name, row->variant->label);
#define ALSO(when, ...)                                                                            \
    if ((when) && used < (int)sizeof name)                                                         \
    used += snprintf(name + used, sizeof name - (size_t)used, __VA_ARGS__)
    ALSO(options->dim_count > 1, ", D = %u", row->dim);
    ALSO(options->batch_count > 1, ", batch %u", row->batch);
    ALSO(options->kv_format_count > 0, ", KV %s", sqa_dtype_name(row->kv_dtype));
    ALSO(row->asked_family, ", %s", row->asked_family);
    ALSO(row->peer, ", %s", row->peer);
#undef ALSO
    sqa_gnuplot_quote(out, name);
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
                         "set format x '%.0f'\nset format y '%g'\nset xlabel 'length, tokens'\n"
                         "set ylabel 'time, ms'\nset key top left Left reverse\n"
                         "set tmargin at screen 0.86\n");
    for (const sqa_bench_row *line = next_line(report, NULL); line; line = next_line(report, line))
        write_points(view, line, number++, out);
    number = 0;
    for (const sqa_bench_row *line = next_line(report, NULL); line; line = next_line(report, line))
        write_line(view, line, number++, out);
    sqa_text_append(out, "\n");
    return sqa_text_status(out);
}
