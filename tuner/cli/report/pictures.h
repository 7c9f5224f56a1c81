/* The pictures of a report: gnuplot draws them, and they become part of the page. */
#ifndef SQA_TUNER_REPORT_PICTURES_H
#define SQA_TUNER_REPORT_PICTURES_H

#include <stdio.h>

#include "cli/report/data.h"
#include "text/gnuplot.h"

/* Bars from 0 on, each with its name, value and range, and a line at 1 (times) or 100 (%). */
typedef struct sqa_bars {
    const char *title, *unit; /* of the axis; what follows a number */
    double line;              /* 0: none */
    struct sqa_bar {
        char name[96];
        double value;
        sqa_range range;
    } bars[32];
    size_t count;
} sqa_bars;

/* A rate, or one rate over another, of the trial whose times give it its range. Leaves out
 * what is not finite or has no room. */
void sqa_bars_add(sqa_bars *bars, double value, const sqa_stored_trial *trial, const char *format,
                  ...) SQA_PRINTF(4, 5);

/* Both write a <figure>, or nothing when `gnuplot` is NULL or there is too little to draw. */
sqa_status sqa_report_draw_bars(FILE *file, const char *gnuplot, const sqa_bars *bars,
                                const char *caption);
sqa_status sqa_report_draw_traces(FILE *file, const char *gnuplot, const sqa_report_part *part);

#endif
