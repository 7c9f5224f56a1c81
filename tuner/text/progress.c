/* See progress.h. */
#include "text/progress.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "text/terminal.h"

enum { BAR_WIDTH = 20, DEFAULT_COLUMNS = 80, LONGEST_TEXT = 400 };

#define PAUSE_SECONDS 15.0

sqa_progress sqa_progress_begin(const char *command)
{
    const char *term = getenv("TERM");
    bool capable = !term || strcmp(term, "dumb") != 0;
    return (sqa_progress){.terminal = isatty(STDERR_FILENO) && capable,
                          .command = command,
                          .pause_s = PAUSE_SECONDS,
                          .last_s = sqa_clock_seconds()};
}

static void draw_bar(sqa_progress *progress, double done, const char *text)
{
    char bar[BAR_WIDTH + 1];
    int filled = (int)(done * BAR_WIDTH + 0.5);
    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[BAR_WIDTH] = '\0';
    /* One column stays free: a full line makes some terminals scroll. */
    const int columns = sqa_terminal_columns(stderr);
    const int room = (columns ? columns : DEFAULT_COLUMNS) - BAR_WIDTH - 4;
    fprintf(stderr, "\r[%s] %.*s\033[K", bar, room, text);
    fflush(stderr);
    progress->drawn = true;
}

static void write_line(sqa_progress *progress, double done, const char *text)
{
    const double now = sqa_clock_seconds();
    if (!progress->command || !(now - progress->last_s >= progress->pause_s))
        return;
    fprintf(stderr, "sqa %s: %.0f %%, %s\n", progress->command, 100 * done, text);
    progress->last_s = now;
}

void sqa_progress_draw(sqa_progress *progress, double done, const char *format, ...)
{
    char text[LONGEST_TEXT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    (progress->terminal ? draw_bar : write_line)(progress, fmin(fmax(done, 0.0), 1.0), text);
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
