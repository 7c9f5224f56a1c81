#include "text/terminal.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/number.h"

/* Less is no width that anything could be fitted to. */
enum { LEAST_COLUMNS = 40, MOST_COLUMNS = 100000 };

int sqa_terminal_columns(FILE *stream)
{
    const char *text = getenv("COLUMNS");
    uint32_t columns = 0;
    struct winsize size;
    if (text && sqa_read_count(text, LEAST_COLUMNS, MOST_COLUMNS, &columns))
        return (int)columns;
    const int file = fileno(stream);
    if (file >= 0 && isatty(file) && !ioctl(file, TIOCGWINSZ, &size) &&
        size.ws_col >= LEAST_COLUMNS)
        return size.ws_col;
    return 0;
}
