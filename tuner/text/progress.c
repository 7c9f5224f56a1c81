/* See progress.h. */
#include "text/progress.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BAR_WIDTH = 20, DEFAULT_COLUMNS = 80, MOST_COLUMNS = 400 };

sqa_progress sqa_progress_begin(void)
{
    const char *term = getenv("TERM");
    bool capable = !term || strcmp(term, "dumb") != 0;
    sqa_progress progress = {isatty(STDERR_FILENO) && capable, false};
    return progress;
}

static int columns(void)
{
    const char *text = getenv("COLUMNS");
    int value = text ? atoi(text) : 0;
    return value >= 40 && value <= MOST_COLUMNS ? value : DEFAULT_COLUMNS;
}

void sqa_progress_draw(sqa_progress *progress, double done, const char *format, ...)
{
    if (!progress->terminal)
        return;
    char bar[BAR_WIDTH + 1], text[MOST_COLUMNS];
    int filled = (int)(fmin(fmax(done, 0.0), 1.0) * BAR_WIDTH + 0.5);
    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[BAR_WIDTH] = '\0';
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    /* One column stays free: a full line makes some terminals scroll. */
    fprintf(stderr, "\r[%s] %.*s\033[K", bar, columns() - BAR_WIDTH - 4, text);
    fflush(stderr);
    progress->drawn = true;
}

void sqa_progress_clear(sqa_progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", stderr);
    progress->drawn = false;
}

const char *sqa_progress_time(double seconds, char out[16])
{
    if (!(seconds >= 0 && seconds < 1e6)) {
        snprintf(out, 16, "-:--");
        return out;
    }
    unsigned whole = (unsigned)(seconds + 0.5);
    snprintf(out, 16, "%u:%02u", whole / 60, whole % 60);
    return out;
}
