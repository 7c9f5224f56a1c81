/* Names of log levels, and the log callback of every command. */
#include "cli/log_option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"

static const char *const level_names[] = {
    [SQA_LOG_ERROR] = "error",
    [SQA_LOG_WARNING] = "warning",
    [SQA_LOG_INFO] = "info",
    [SQA_LOG_DEBUG] = "debug",
};
enum { LEVEL_COUNT = sizeof level_names / sizeof level_names[0] };

void sqa_log_to_stderr(void *user, sqa_log_level level, const char *message)
{
    (void)user;
    const char *name = (unsigned)level < LEVEL_COUNT ? level_names[level] : "message";
    fprintf(stderr, "sqa: %s: %s\n", name, message);
}

sqa_status sqa_log_option(const char *text, sqa_context_options *options)
{
    const char *where = "--log-level";
    if (!text) {
        where = "$SQA_CL_LOG";
        text = getenv("SQA_CL_LOG");
    }
    if (!text || !*text)
        text = level_names[SQA_LOG_WARNING];
    for (unsigned level = 0; level < LEVEL_COUNT; level++)
        if (!strcmp(text, level_names[level])) {
            options->log = sqa_log_to_stderr;
            options->log_level = (sqa_log_level)level;
            return SQA_OK;
        }
    return sqa_fail(SQA_INVALID_ARGUMENT, "%s is '%s'; expected error, warning, info or debug",
                    where, text);
}
