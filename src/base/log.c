#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

void sqa_log_write(const sqa_log *log, sqa_log_level level, const char *format, ...)
{
    if (!log || !log->callback || level > log->level)
        return;
    char message[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    for (char *at = message; *at; at++)
        if (*at == '\n')
            *at = ' ';
    log->callback(log->user, level, message);
}
