/* See plot.h. */
#include "cli/bench/plot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/status.h"
#include "base/text.h"
#include "cli/bench/script.h"
#include "text/gnuplot.h"
#include "text/output.h"

static sqa_status take_name(sqa_bench_plot *plot, const char *file)
{
    size_t length = strlen(file);
    const char *suffix = length > 4 ? file + length - 4 : "";
    plot->svg = !strcasecmp(suffix, ".svg");
    if (!plot->svg && strcasecmp(suffix, ".png") != 0)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--plot is '%s'; expected a name in .png or .svg",
                        file);
    plot->file = file;
    return SQA_OK;
}

static sqa_status find_gnuplot(sqa_bench_plot *plot)
{
    sqa_status status = sqa_gnuplot_find(plot->gnuplot);
    return status == SQA_OK ? SQA_OK : sqa_fail(status, "--plot: %s", sqa_last_error());
}

sqa_status sqa_bench_plot_open(sqa_bench_plot *plot, const char *file)
{
    memset(plot, 0, sizeof *plot);
    sqa_status status = take_name(plot, file);
    return status == SQA_OK ? find_gnuplot(plot) : status;
}

static sqa_status write_picture(const sqa_bench_plot *plot, const sqa_picture *picture)
{
    sqa_output out;
    sqa_status status = sqa_output_open(&out, "--plot", plot->file);
    if (status != SQA_OK)
        return status;
    fwrite(picture->bytes, 1, picture->size, out.file);
    return sqa_output_close(&out, SQA_OK);
}

sqa_status sqa_bench_plot_draw(const sqa_bench_plot *plot, const sqa_bench_view *view)
{
    sqa_text text = SQA_TEXT_INIT;
    sqa_picture picture = {NULL, 0};
    sqa_status status = sqa_bench_script(view, plot->svg, &text);
    if (status == SQA_OK && sqa_gnuplot_draw(plot->gnuplot, sqa_text_get(&text), &picture))
        status = sqa_fail(SQA_UNSUPPORTED, "--plot: %s: %s", plot->file, sqa_last_error());
    if (status == SQA_OK)
        status = write_picture(plot, &picture);
    free(picture.bytes);
    sqa_text_free(&text);
    return status;
}
