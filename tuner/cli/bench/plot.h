/* `sqa bench --plot`: a picture of the rows, drawn by gnuplot. What gnuplot is to
 * draw is script.c's business; this is about files and the program. */
#ifndef SQA_TUNER_BENCH_PLOT_H
#define SQA_TUNER_BENCH_PLOT_H

#include "cli/bench/view.h"
#include "text/gnuplot.h"

typedef struct sqa_bench_plot {
    char file[1024], part[1040]; /* the picture, and what it is called while in the making */
    char gnuplot[SQA_GNUPLOT_PATH];
    bool svg;
} sqa_bench_plot;

/* Sees to it before anything is measured that there can be a picture.
 * Errors: SQA_INVALID_ARGUMENT for a name that ends in neither .png nor .svg or
 * cannot be written; SQA_UNSUPPORTED without gnuplot. */
sqa_status sqa_bench_plot_open(sqa_bench_plot *plot, const char *file);

/* Draws; an older picture stays until the new one is complete. */
sqa_status sqa_bench_plot_draw(const sqa_bench_plot *plot, const sqa_bench_view *view);

#endif
