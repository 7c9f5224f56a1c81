/* See plot.h. */
#include "cli/bench/plot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/status.h"
#include "base/text.h"
#include "cli/bench/script.h"
#include "text/gnuplot.h"

static sqa_status take_name(sqa_bench_plot *plot, const char *file)
{
    size_t length = strlen(file);
    const char *suffix = length > 4 ? file + length - 4 : "";
    plot->svg = !strcasecmp(suffix, ".svg");
    if (!plot->svg && strcasecmp(suffix, ".png") != 0)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--plot is '%s'; expected a name in .png or .svg",
                        file);
    if (length >= sizeof plot->file)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--plot takes a name of at most %zu characters",
                        sizeof plot->file - 1);
    memcpy(plot->file, file, length + 1);
    snprintf(plot->part, sizeof plot->part, "%s.part", file);
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
    if (status == SQA_OK)
        status = find_gnuplot(plot);
    if (status != SQA_OK)
        return status;
    int made = open(plot->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (made < 0)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--plot: %s cannot be written: %s", plot->file,
                        strerror(errno));
    close(made);
    unlink(plot->part); /* it can be made, and is when there is something to draw */
    return SQA_OK;
}

static sqa_status draw(const sqa_bench_plot *plot, const char *text)
{
    int picture = open(plot->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (picture < 0)
        return sqa_fail(SQA_UNSUPPORTED, "--plot: %s: %s", plot->part, strerror(errno));
    sqa_status status = sqa_gnuplot_run(plot->gnuplot, text, picture);
    close(picture);
    return status == SQA_OK ? SQA_OK
                            : sqa_fail(status, "--plot: %s: %s", plot->file, sqa_last_error());
}

sqa_status sqa_bench_plot_draw(const sqa_bench_plot *plot, const sqa_bench_view *view)
{
    sqa_text text = SQA_TEXT_INIT;
    sqa_bench_script(view, plot->svg, &text);
    sqa_status status = sqa_text_status(&text);
    if (status == SQA_OK)
        status = draw(plot, sqa_text_get(&text));
    sqa_text_free(&text);
    if (status == SQA_OK && rename(plot->part, plot->file))
        status =
            sqa_fail(SQA_UNSUPPORTED, "--plot: cannot write %s: %s", plot->file, strerror(errno));
    if (status != SQA_OK)
        unlink(plot->part);
    return status;
}
