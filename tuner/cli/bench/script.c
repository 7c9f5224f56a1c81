/* See script.h. Bars stand at positions computed here: those of the first variant or shape
 * around 0, of the second around 1, ... */
#include "cli/bench/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench/crossover.h"
#include "cli/bench/script_head.h"
#include "cli/bench/script_lengths.h"
#include "problem/names.h"
#include "text/gnuplot.h"

#define CLUSTER 0.74           /* of the distance between two variants is bars */
#define OVERHANG 0.09          /* of the line of savings, to either side of the bars */
#define MOST_LABELLED_BARS 24u /* more, and the numbers on them would overlap */
#define FEW_BARS 12u           /* wide enough for a longer number */
#define SHAPE_LINE 8u          /* characters after which a shape goes on below */

/* The key, in parts of the picture. */
#define KEY_SHORT_COLUMNS 4u
#define KEY_SHORT_STEP 0.20
#define KEY_LONG_COLUMNS 3u /* where entries name more than a length */
#define KEY_LONG_STEP 0.28
#define KEY_SAMPLE 0.03

#define SAVING_COLOUR "#e69f00"

typedef struct script {
    const sqa_bench_view *view;
    sqa_text *out;
    const sqa_bench_row **series; /* a row of each colour, */
    size_t series_count;
    const sqa_bench_row **places; /* and one of each variant or shape, in order */
    size_t place_count;
    size_t bars;
    bool shapes; /* no variants: there is no speed-up against MHA */
} script;

static bool is_same_series(const sqa_bench_row *a, const sqa_bench_row *b)
{
    return a->pass == b->pass && a->asked_family == b->asked_family && a->length == b->length &&
           a->dim == b->dim;
}

static bool is_same_place(const sqa_bench_row *a, const sqa_bench_row *b)
{
    return a->variant == b->variant && (a->variant || !strcmp(a->shape, b->shape));
}

static size_t series_of(const script *s, const sqa_bench_row *row)
{
    size_t i = 0;
    while (i < s->series_count && !is_same_series(s->series[i], row))
        i++;
    return i;
}

static size_t number_of(const script *s, const sqa_bench_row *row)
{
    size_t i = 0;
    while (i < s->place_count && !is_same_place(s->places[i], row))
        i++;
    return i;
}

static sqa_status collect(script *s)
{
    const sqa_bench_report *report = s->view->report;
    s->series = calloc(report->count + 1, sizeof *s->series);
    s->places = calloc(report->count + 1, sizeof *s->places);
    if (!s->series || !s->places)
        return sqa_fail_memory("the picture's bars");
    s->shapes = true;
    for (size_t i = 0; i < report->count; i++) {
        const sqa_bench_row *row = &report->rows[i];
        if (!row->shown)
            continue;
        s->bars++;
        s->shapes = s->shapes && !row->variant;
        if (series_of(s, row) == s->series_count)
            s->series[s->series_count++] = row;
        if (number_of(s, row) == s->place_count)
            s->places[s->place_count++] = row;
    }
    return SQA_OK;
}

/* From a light blue to a dark one: in order without any sense of colour. */
static void colour_of(const script *s, size_t index, char out[8])
{
    static const double light[3] = {158, 202, 225}, dark[3] = {8, 48, 107};
    double at = s->series_count > 1 ? (double)index / (double)(s->series_count - 1) : 0.6;
    unsigned part[3];
    for (int i = 0; i < 3; i++)
        part[i] = (unsigned)(light[i] + at * (dark[i] - light[i]) + 0.5);
    snprintf(out, 8, "#%02x%02x%02x", part[0] & 255, part[1] & 255, part[2] & 255);
}

/* The middle of a bar, and the edges of its share of the place it is in, of which
 * the outer two reach a little further than the bars. */
typedef struct bar_place {
    double middle, left, right;
} bar_place;

static bar_place place_of_bar(const script *s, const sqa_bench_row *row)
{
    const size_t n = series_of(s, row);
    const double width = CLUSTER / (double)s->series_count;
    const double begin = (double)number_of(s, row) - 0.5 * CLUSTER + width * (double)n;
    bar_place place = {begin + 0.5 * width, begin, begin + width};
    if (n == 0)
        place.left -= OVERHANG;
    if (n + 1 == s->series_count)
        place.right += OVERHANG;
    return place;
}

/* What is proportional to 1 / time, with the range that the row's own times leave it. */
static void write_rate(const script *s, const sqa_bench_row *row, double value)
{
    const sqa_range range = sqa_range_of_rate(value, row->spread_ms / row->median_ms);
    sqa_text_format(s->out, " %.4f %.4f %.4f", value, range.low, range.high);
}

/* $bars_I: position; speed-up, or the fraction of what reading reaches, its low and high; the
 * fraction of the multiply-add ceiling, likewise. */
static void write_bar_data(const script *s, size_t n)
{
    const sqa_bench_report *report = s->view->report;
    sqa_text_format(s->out, "$bars_%zu << END\n", n);
    for (size_t i = 0; i < report->count; i++) {
        const sqa_bench_row *row = &report->rows[i];
        if (!row->shown || series_of(s, row) != n)
            continue;
        sqa_text_format(s->out, "%.4f", place_of_bar(s, row).middle);
        write_rate(s, row, s->shapes ? row->fraction_of_read : row->speedup_vs_mha);
        write_rate(s, row, row->fraction_of_ceiling);
        sqa_text_append(s->out, "\n");
    }
    sqa_text_append(s->out, "END\n");
}

/* And $saving: left edge, what the FLOPs save, width. A window saves the more the
 * longer the sequence is, heads save the same at all lengths. */
static void write_data(const script *s)
{
    const sqa_bench_report *report = s->view->report;
    for (size_t n = 0; n < s->series_count; n++)
        write_bar_data(s, n);
    sqa_text_append(s->out, "$saving << END\n");
    for (size_t i = 0; i < report->count; i++) {
        const sqa_bench_row *row = &report->rows[i];
        const bar_place place = place_of_bar(s, row);
        if (row->shown && row->variant)
            sqa_text_format(s->out, "%.4f %.4f %.4f\n", place.left, row->saving_vs_mha,
                            place.right - place.left);
    }
    sqa_text_append(s->out, "END\n");
}

/* A variant with its heads; the keys of a shape in short lines below one another. */
static void write_place(const script *s, const sqa_bench_row *row)
{
    size_t in_line = 0;
    if (row->variant) {
        sqa_text_format(s->out, "%s\\n%u/%u", row->variant->label, row->q_heads, row->kv_heads);
        return;
    }
    for (const char *at = row->shape; *at; at++, in_line++) {
        sqa_text_append_bytes(s->out, at, 1);
        if (*at == ',' && in_line >= SHAPE_LINE) {
            sqa_text_append(s->out, "\\n");
            in_line = 0;
        }
    }
}

static void write_axes(const script *s)
{
    sqa_text_format(
        s->out,
        "set border 3 linecolor rgb '#555555'\nset tics nomirror out scale 0.6\n"
        "unset key\nset grid ytics linecolor rgb '#dddddd'\nset boxwidth %.4f\n"
        "set style fill solid 1.0 noborder\nset xrange [-0.6:%.1f]\nset xtics scale 0 (",
        0.92 * CLUSTER / (double)s->series_count, (double)s->place_count - 0.4);
    for (size_t i = 0; i < s->place_count; i++) {
        sqa_text_append(s->out, i ? ", \"" : "\"");
        write_place(s, s->places[i]);
        sqa_text_format(s->out, "\" %zu", i);
    }
    sqa_text_append(s->out, s->shapes ? ") font ',11'\n" : ")\n");
    if (!s->shapes)
        sqa_text_append(s->out, "set xlabel 'query heads / key-value heads' offset 0,-0.8\n");
    sqa_text_append(s->out, "set tmargin at screen 0.79\nset bmargin at screen 0.275\n");
}

/* Where the key's entries go: centred rows at the foot. gnuplot's own keeps within
 * one panel's width, which is too little for this. */
typedef struct key_place {
    double x, y;
} key_place;

static key_place place_of(const script *s, size_t entry)
{
    const sqa_bench_options *options = s->view->options;
    const bool is_long = s->shapes || options->pass_count > 1 || options->family_count > 1;
    const double step = is_long ? KEY_LONG_STEP : KEY_SHORT_STEP;
    const size_t columns = is_long ? KEY_LONG_COLUMNS : KEY_SHORT_COLUMNS;
    const size_t entries = s->series_count + (s->shapes ? 0 : 1), row = entry / columns;
    const size_t first = row * columns;
    const size_t in_row = entries - first < columns ? entries - first : columns;
    const bool last = !s->shapes && first + in_row == entries; /* the row of the one long text */
    const double width = step * (double)in_row + (last ? 0.05 : 0.0);
    return (key_place){0.5 - 0.5 * width + step * (double)(entry - first),
                       0.085 - 0.05 * (double)row};
}

static void write_key_entry(const script *s, size_t entry, const char *text)
{
    key_place at = place_of(s, entry);
    sqa_text_format(s->out, "set label %zu at screen %.4f,%.4f left ", 10 + entry,
                    at.x + KEY_SAMPLE + 0.008, at.y);
    sqa_gnuplot_quote(s->out, text);
    sqa_text_append(s->out, "\n");
}

/* What tells the bars of one colour from the others. */
static void name_series(const script *s, const sqa_bench_row *row, char *out, size_t size)
{
    const sqa_bench_options *options = s->view->options;
    char pass[48] = "", tokens[48] = "", batch[24] = "", kept[24] = "", family[40] = "";
    if (options->pass_count > 1 || !row->variant)
        snprintf(pass, sizeof pass, "%s%s", row->pass->name, row->variant ? ", " : "");
    if (row->variant)
        snprintf(tokens, sizeof tokens, "%u tokens", row->length);
    if (row->variant && options->dim_count > 1)
        snprintf(tokens, sizeof tokens, "%u tokens, D = %u", row->length, row->dim);
    if (row->asked_family && options->family_count > 1)
        snprintf(family, sizeof family, ", %s", row->asked_family);
    if (row->variant && options->batch_count > 1)
        snprintf(batch, sizeof batch, ", batch %u", row->batch);
    if (row->variant && options->kv_format_count > 0)
        snprintf(kept, sizeof kept, ", KV %s", sqa_kv_dtype_name(row->kv_dtype));
    snprintf(out, size, "%s%s%s%s%s", pass, tokens, batch, kept, family);
}

static void write_key(const script *s)
{
    char text[144], colour[8];
    for (size_t n = 0; n < s->series_count; n++) {
        key_place at = place_of(s, n);
        colour_of(s, n, colour);
        sqa_text_format(s->out,
                        "set object %zu rectangle from screen %.4f,%.4f to screen %.4f,%.4f "
                        "fillstyle solid noborder fillcolor rgb '%s'\n",
                        10 + n, at.x, at.y - 0.014, at.x + KEY_SAMPLE, at.y + 0.014, colour);
        name_series(s, s->series[n], text, sizeof text);
        write_key_entry(s, n, text);
    }
    if (s->shapes)
        return;
    key_place at = place_of(s, s->series_count);
    sqa_text_format(s->out,
                    "set arrow 10 from screen %.4f,%.4f to screen %.4f,%.4f nohead linewidth 2.5 "
                    "linecolor rgb '" SAVING_COLOUR "'\n",
                    at.x, at.y, at.x + KEY_SAMPLE, at.y);
    write_key_entry(s, s->series_count, "MHA's FLOPs / the variant's");
}

/* The bars of one panel, from the column `first` of the data on, `scale` times as high; with
 * their ranges, and with numbers on top. */
static void write_bars(const script *s, unsigned first, unsigned scale, const char *format)
{
    for (size_t n = 0; n < s->series_count; n++) {
        char colour[8];
        colour_of(s, n, colour);
        sqa_text_format(s->out,
                        "%s $bars_%zu using 1:(%u*$%u) with boxes linecolor rgb '%s', $bars_%zu "
                        "using 1:(%u*$%u):(0):(%u*($%u-$%u)) with vectors " SQA_GNUPLOT_RANGE,
                        n ? "," : "", n, scale, first, colour, n, scale, first + 1, scale,
                        first + 2, first + 1);
    }
    for (size_t n = 0; n < s->series_count && s->bars <= MOST_LABELLED_BARS; n++)
        sqa_text_format(s->out,
                        ", $bars_%zu using 1:(%u*$%u):(sprintf('%s', %u*$%u)) with labels font "
                        "',11' offset 0,0.55",
                        n, scale, first + 2, format, scale, first);
    sqa_text_append(s->out, "\n");
}

/* What the arithmetic promises is drawn first, behind the bars: it shows beside
 * them, and above those that fall short of it. */
static void write_speedups(const script *s)
{
    sqa_text_append(s->out, "set title 'speed-up against MHA (times)' offset 0,-0.3\n"
                            "set yrange [0:*]\nset offsets 0,0,graph 0.08,0\n"
                            "plot $saving using 1:2:3:(0) with vectors nohead "
                            "linewidth 2.5 linecolor rgb '" SAVING_COLOUR "',");
    write_bars(s, 2, 1, s->bars > FEW_BARS ? "%.1f" : "%.2f");
}

/* Instead of speed-ups, where there is no MHA. */
static void write_reads(const script *s)
{
    sqa_text_format(s->out,
                    "set yrange [0:105<*]\nset offsets 0,0,graph 0.05,0\n"
                    "set title 'bytes of the tensors in %% of reading, %.0f GB/s' offset 0,-0.3\n"
                    "plot",
                    s->view->report->rate[SQA_CEILING_READ]);
    write_bars(s, 2, 100, "%.0f");
}

static void write_fractions(const script *s)
{
    sqa_text_format(s->out,
                    "unset label\nunset object\nunset arrow\n"
                    "set lmargin at screen 0.555\nset rmargin at screen 0.995\n"
                    "set offsets 0,0,graph 0.05,0\nset yrange [0:105<*]\nset ytics 0,20,100\n"
                    "set title 'rate in %% of the multiply-add ceiling, %.0f GFLOP/s' "
                    "offset 0,-0.3\nplot",
                    s->view->report->rate[SQA_CEILING_FMA]);
    write_bars(s, 5, 100, "%.0f");
}

static void write_panels(const script *s)
{
    write_data(s);
    write_axes(s);
    write_key(s);
    sqa_text_append(s->out, "set multiplot\nset lmargin at screen 0.055\n"
                            "set rmargin at screen 0.495\n");
    if (s->shapes)
        write_reads(s);
    else
        write_speedups(s);
    write_fractions(s);
    sqa_text_append(s->out, "unset multiplot\n");
}

sqa_status sqa_bench_script(const sqa_bench_view *view, bool svg, sqa_text *out)
{
    script s = {.view = view, .out = out};
    if (sqa_bench_has_crossovers(view->report))
        return sqa_bench_script_lengths(view, svg, out);
    sqa_status status = collect(&s);
    if (status == SQA_OK) {
        sqa_bench_script_head(view, s.shapes, svg, out);
        if (s.bars)
            write_panels(&s);
    }
    free(s.series);
    free(s.places);
    return status == SQA_OK ? sqa_text_status(out) : status;
}
