/* See pictures.h. Texts in the scripts are made here of numbers and words of
 * the library; nothing a database says reaches gnuplot. */
#include "cli/report/pictures.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/db/subcommand.h"
#include "text/html.h"

/* Told apart by lightness, too (Okabe and Ito). */
static const char *const colours[] = {"#08306b", "#e69f00", "#009e73", "#d55e00",
                                      "#56b4e9", "#cc79a7", "#7a7a7a", "#5b2a86"};
enum { COLOURS = sizeof colours / sizeof colours[0] };

void sqa_bars_add(sqa_bars *bars, double value, const sqa_stored_trial *trial, const char *format,
                  ...)
{
    if (!isfinite(value) || bars->count == sizeof bars->bars / sizeof bars->bars[0])
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(bars->bars[bars->count].name, sizeof bars->bars[0].name, format, arguments);
    va_end(arguments);
    bars->bars[bars->count].value = value;
    bars->bars[bars->count++].range =
        sqa_range_of_rate(value, trial->result.spread_ms / trial->result.median_ms);
}

/* gnuplot's SVG without what only a file of its own needs: the prolog, symbols that
 * are not used here, and names, which have to be unique in a page. */
static void write_svg(FILE *file, char *svg)
{
    char *at = strstr(svg, "<svg"), *defs = strstr(svg, "<defs>"), *end = strstr(svg, "</defs>");
    if (!at)
        return;
    if (defs && end)
        memset(defs, ' ', (size_t)(end - defs) + strlen("</defs>"));
    fputs("<svg role=\"img\"", file);
    for (at += 4; *at;) {
        size_t name = strncmp(at, " id=\"", 5) ? 0 : 5 + strcspn(at + 5, "\"") + 1;
        size_t blanks = strspn(at, " \t\n");
        if (name) {
            at += name;
        } else if (blanks > 1) {
            fputc(memchr(at, '\n', blanks) ? '\n' : ' ', file);
            at += blanks;
        } else {
            fputc(*at++, file);
        }
    }
}

static sqa_status draw(FILE *file, const char *gnuplot, sqa_text *script, const char *caption)
{
    sqa_picture picture;
    sqa_status status = sqa_text_status(script);
    if (status == SQA_OK)
        status = sqa_gnuplot_draw(gnuplot, sqa_text_get(script), &picture);
    if (status == SQA_OK) {
        fputs("<figure>\n", file);
        write_svg(file, picture.bytes);
        sqa_html_element(file, "figcaption", "%s", caption);
        fputs("</figure>\n", file);
        free(picture.bytes);
    }
    sqa_text_free(script);
    return status;
}

static void begin_script(sqa_text *script, unsigned height)
{
    sqa_text_format(script,
                    "set encoding utf8\nset terminal svg size 960,%u dynamic noenhanced font "
                    "'sans-serif,14' background rgb 'white'\n"
                    "set border 3 linecolor rgb '#888888'\nset tics nomirror out scale 0.5\n"
                    "set grid linecolor rgb '#dddddd'\n",
                    height);
}

sqa_status sqa_report_draw_bars(FILE *file, const char *gnuplot, const sqa_bars *bars,
                                const char *caption)
{
    sqa_text script = SQA_TEXT_INIT;
    if (!gnuplot || bars->count < 2)
        return SQA_OK;
    begin_script(&script, 90 + 26 * (unsigned)bars->count);
    sqa_text_append(&script, "$bars << END\n");
    for (size_t i = 0; i < bars->count; i++)
        sqa_text_format(&script, "\"%s\" %.6g %.6g %.6g\n", bars->bars[i].name, bars->bars[i].value,
                        bars->bars[i].range.low, bars->bars[i].range.high);
    sqa_text_format(&script,
                    "END\nunset key\nset style fill solid noborder\nset lmargin 34\n"
                    "set yrange [%zu.5:-0.5]\nset xrange [0:*]\nset offsets 0,graph 0.08,0,0\n"
                    "set ytics scale 0\nset grid noytics xtics\nset xlabel '%s'\n",
                    bars->count - 1, bars->title);
    if (bars->line > 0)
        sqa_text_format(&script,
                        "set arrow from %g,graph 0 to %g,graph 1 nohead front linewidth 1.5 "
                        "linecolor rgb '#e69f00'\n",
                        bars->line, bars->line);
    sqa_text_format(
        &script,
        "plot $bars using 2:0:(0):2:($0-0.36):($0+0.36):yticlabels(1) with boxxyerror "
        "linecolor rgb '#3a76b0', '' using 3:0:($4-$3):(0) with vectors " SQA_GNUPLOT_RANGE
        ", '' using 4:0:(sprintf('%%.%df%s', $2)) with labels left offset 0.5,0\n",
        bars->line == 1 ? 2 : 0, bars->unit);
    return draw(file, gnuplot, &script, caption);
}

static void add_trace(sqa_text *script, const sqa_trace *trace, size_t number)
{
    sqa_text_format(script, "$trace_%zu << END\n", number);
    for (size_t i = 0; i < trace->point_count; i++)
        sqa_text_format(script, "%u %.6g\n", trace->points[i].trial, trace->points[i].gflops);
    /* The best stays the best until the search ends. */
    sqa_text_format(script, "%u %.6g\nEND\n", trace->trials,
                    trace->points[trace->point_count - 1].gflops);
}

/* What is told apart by the eye: the searches with the most trials, so many at most. */
static size_t choose_traces(const sqa_report_part *part, const sqa_trace *out[COLOURS])
{
    size_t count = 0;
    for (size_t i = 0; i < part->trace_count; i++) {
        const sqa_trace *trace = &part->traces[i];
        if (trace->trials < 2 || !trace->point_count)
            continue;
        size_t place = count;
        while (place > 0 && out[place - 1]->trials < trace->trials)
            place--;
        if (place == COLOURS)
            continue;
        if (count < COLOURS)
            count++;
        memmove(&out[place + 1], &out[place], (count - 1 - place) * sizeof *out);
        out[place] = trace;
    }
    return count;
}

sqa_status sqa_report_draw_traces(FILE *file, const char *gnuplot, const sqa_report_part *part)
{
    const sqa_trace *traces[COLOURS] = {NULL};
    size_t count = choose_traces(part, traces);
    if (!gnuplot || count == 0)
        return SQA_OK;
    sqa_text script = SQA_TEXT_INIT;
    begin_script(&script, 360 + 22 * (unsigned)count);
    for (size_t i = 0; i < count; i++)
        add_trace(&script, traces[i], i);
    sqa_text_append(&script, "set key outside below left maxcols 1 Left reverse samplen 2\n"
                             "set xlabel 'trials made'\nset ylabel 'best so far, GFLOP/s'\n"
                             "set xrange [0:*]\nset yrange [0:*]\nplot");
    for (size_t i = 0; i < count; i++) {
        char problem[SQA_DB_PROBLEM_TEXT], heads[SQA_DB_HEADS_TEXT];
        sqa_db_problem_text(traces[i]->best, problem);
        sqa_db_heads_text(traces[i]->best, heads);
        sqa_text_format(&script,
                        "%s $trace_%zu using 1:2 with steps linewidth 2.5 dashtype %zu linecolor "
                        "rgb '%s' title '%s, heads %s'",
                        i ? "," : "", i, 1 + i / 4, colours[i], problem, heads);
    }
    sqa_text_append(&script, "\n");
    return draw(file, gnuplot, &script,
                "How the best rate rose in the course of each search. Finals, which measure the "
                "best few again in turn, are left out.");
}
