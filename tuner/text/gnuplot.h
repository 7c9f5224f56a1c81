/* The program gnuplot, where it is installed. What is drawn is its callers' business. */
#ifndef SQA_TUNER_TEXT_GNUPLOT_H
#define SQA_TUNER_TEXT_GNUPLOT_H

#include "base/text.h"

#define SQA_GNUPLOT_PATH 1024

/* Where it is on the PATH. Errors: SQA_UNSUPPORTED, saying which package has it. */
sqa_status sqa_gnuplot_find(char out[SQA_GNUPLOT_PATH]);

/* Runs the script; the picture goes to the file descriptor `picture`.
 * Errors: SQA_UNSUPPORTED, also when nothing was drawn. */
sqa_status sqa_gnuplot_run(const char *gnuplot, const char *script, int picture);

/* Appends `text` as a quoted string of gnuplot's language: names come from drivers,
 * and may hold anything. */
void sqa_gnuplot_quote(sqa_text *out, const char *text);

#endif
