/* `sqa bench --plot`: a picture of the rows, drawn by gnuplot. What gnuplot is to
 * draw is script.c's business; this is about the file and the program. */
#ifndef SQA_TUNER_BENCH_PLOT_H
#define SQA_TUNER_BENCH_PLOT_H

#include "cli/bench/view.h"
#include "text/gnuplot.h"

typedef struct sqa_bench_plot {
    const char *file; /* borrowed */
    char gnuplot[SQA_GNUPLOT_PATH];
    bool svg;
} sqa_bench_plot;

/* Sees to it before anything is measured that there can be a picture.
 * Errors: SQA_INVALID_ARGUMENT for a name that ends in neither .png nor .svg;
 * SQA_UNSUPPORTED without gnuplot. */
sqa_status sqa_bench_plot_open(sqa_bench_plot *plot, const char *file);

/* Draws. Errors: those of sqa_gnuplot_draw() and of sqa_output_open(). */
sqa_status sqa_bench_plot_draw(const sqa_bench_plot *plot, const sqa_bench_view *view);

#endif
