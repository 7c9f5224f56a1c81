/* The program gnuplot, where it is installed. What is drawn is its callers' business. */
#ifndef SQA_TUNER_TEXT_GNUPLOT_H
#define SQA_TUNER_TEXT_GNUPLOT_H

#include "base/text.h"

#define SQA_GNUPLOT_PATH 1024

/* Where it is on the PATH. Errors: SQA_UNSUPPORTED, saying which package has it. */
sqa_status sqa_gnuplot_find(char out[SQA_GNUPLOT_PATH]);

typedef struct sqa_picture {
    char *bytes; /* a zero follows them; the caller frees them */
    size_t size;
} sqa_picture;

/* Runs the script and takes in what it drew.
 * Errors: SQA_UNSUPPORTED, also when nothing was drawn; SQA_OUT_OF_MEMORY. */
sqa_status sqa_gnuplot_draw(const char *gnuplot, const char *script, sqa_picture *out);

/* Where the middle half of its samples puts a rate: `spread` is the interquartile range of
 * the times as a part of their median, taken to lie evenly around it. NaN: no range. */
typedef struct sqa_range {
    double low, high;
} sqa_range;
sqa_range sqa_range_of_rate(double rate, double spread);

/* How vectors along ranges are drawn, with a tick at both ends. */
#define SQA_GNUPLOT_RANGE "heads size graph 0.006,90 linewidth 1.2 linecolor rgb '#404040'"

/* Appends `text` as a quoted string of gnuplot's language: names come from drivers,
 * and may hold anything. */
void sqa_gnuplot_quote(sqa_text *out, const char *text);

#endif
