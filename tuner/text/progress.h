/* How far a long command is, on standard error: a bar that redraws itself where that is a
 * terminal, otherwise a short line every now and then. */
#ifndef SQA_TUNER_TEXT_PROGRESS_H
#define SQA_TUNER_TEXT_PROGRESS_H

#include <stdbool.h>

#include "base/status.h"

typedef struct sqa_progress {
    bool terminal;
    bool drawn;          /* the line now holds a bar */
    const char *command; /* begins the lines off a terminal; NULL: there are none */
    double pause_s;      /* between two of those */
    double last_s;       /* of the clock, when the last was written or it all began */
} sqa_progress;

/* Finds out whether standard error is a terminal. `command`: "bench", NULL for one that
 * tells how far it is in its own way elsewhere. */
sqa_progress sqa_progress_begin(const char *command);

/* "[#####.....] <text>", cut to the terminal's width; `done` from 0 to 1. Elsewhere, when it
 * is time, "sqa <command>: <percent>, <text>". */
void sqa_progress_draw(sqa_progress *progress, double done, const char *format, ...)
    SQA_PRINTF(3, 4);

/* Clears the bar, so that something else can be printed. */
void sqa_progress_clear(sqa_progress *progress);

/* "1:05" for seconds, "-:--" for NaN. */
const char *sqa_progress_time(double seconds, char out[16]);

#endif
