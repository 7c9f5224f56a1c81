/* How far a long command is: a bar that redraws itself on standard error when
 * that is a terminal, nothing otherwise. */
#ifndef SQA_TUNER_TEXT_PROGRESS_H
#define SQA_TUNER_TEXT_PROGRESS_H

#include <stdbool.h>

#include "base/status.h"

typedef struct sqa_progress {
    bool terminal;
    bool drawn; /* the line now holds a bar */
} sqa_progress;

/* Finds out whether standard error is a terminal. */
sqa_progress sqa_progress_begin(void);

/* "[#####.....] <text>", cut to the terminal's width; `done` from 0 to 1. */
void sqa_progress_draw(sqa_progress *progress, double done, const char *format, ...)
    SQA_PRINTF(3, 4);

/* Clears the bar, so that something else can be printed. */
void sqa_progress_clear(sqa_progress *progress);

/* "1:05" for seconds, "-:--" for NaN. */
const char *sqa_progress_time(double seconds, char out[16]);

#endif
