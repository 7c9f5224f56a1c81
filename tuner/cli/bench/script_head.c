/* See script_head.h. */
#include "cli/bench/script_head.h"

#include <stdio.h>

#include "problem/names.h"
#include "text/gnuplot.h"
#include "trial/bench_rows.h"

static void write_terminal(sqa_text *out, bool svg)
{
    sqa_text_append(out, "set encoding utf8\n");
    if (svg)
        sqa_text_append(out,
                        "set terminal svg size 960,470 dynamic noenhanced font 'sans-serif,14' "
                        "background rgb 'white'\n");
    else
        sqa_text_append(out,
                        "if (strstrt(GPVAL_TERMINALS, 'pngcairo')) { set terminal pngcairo size "
                        "1440,705 noenhanced font 'Sans,15' background rgb 'white' } else { "
                        "set terminal png size 1440,705 noenhanced }\n");
}

/* "forward, backward" */
static void name_passes(const sqa_bench_view *view, char *out, size_t size)
{
    const sqa_bench_options *options = view->options;
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < options->pass_count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "",
                                 options->passes[i].name);
}

/* What all bars of variants have in common. */
static void describe_model(const sqa_bench_view *view, char *out, size_t size)
{
    const sqa_bench_options *options = view->options;
    char pass[48] = "", dim[32] = "", queries[32] = "", batch[24] = ""; /* several are in the key */
    const uint32_t asked = sqa_bench_queries(options, &options->passes[0]);
    if (options->dim_count == 1)
        snprintf(dim, sizeof dim, "head dimension %u, ", options->dims[0]);
    if (options->batch_count == 1)
        snprintf(batch, sizeof batch, "batch %u, ", options->batches[0]);
    if (asked)
        snprintf(queries, sizeof queries, "queries %u, ", asked);
    if (options->pass_count == 1)
        snprintf(pass, sizeof pass, "%s, ", options->passes[0].name);
    snprintf(out, size, "; %s%s%s%s%s%s%s", pass, options->pattern, *options->pattern ? ", " : "",
             batch, queries, dim, sqa_dtype_name(options->dtype));
}

static void write_titles(const sqa_bench_view *view, bool shapes, sqa_text *out)
{
    const sqa_bench_options *options = view->options;
    const sqa_device_strings *device = &view->device->strings;
    char text[768 + SQA_SHAPE_TEXT], passes[160], model[256 + SQA_SHAPE_TEXT] = "";
    name_passes(view, passes, sizeof passes);
    if (shapes)
        snprintf(text, sizeof text, "%s on %s", passes, device->device_name);
    else
        snprintf(text, sizeof text, "Attention variants of one model (%u heads) on %s",
                 options->heads, device->device_name);
    sqa_text_append(out, "set label 1 at screen 0.5,0.95 center font ',18' ");
    sqa_gnuplot_quote(out, text);
    if (!shapes)
        describe_model(view, model, sizeof model);
    snprintf(text, sizeof text, "%u compute units, %s%s; %u rounds, their median and middle half",
             device->compute_units, device->platform_name, model, options->rounds);
    sqa_text_append(out, "\nset label 2 at screen 0.5,0.895 center textcolor rgb '#555555' ");
    sqa_gnuplot_quote(out, text);
    sqa_text_append(out, "\n");
}

void sqa_bench_script_head(const sqa_bench_view *view, bool shapes, bool svg, sqa_text *out)
{
    write_terminal(out, svg);
    write_titles(view, shapes, out);
}
