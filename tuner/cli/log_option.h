/* What the library has to say, on standard error: --log-level, else $SQA_CL_LOG,
 * else warnings and errors. */
#ifndef SQA_TUNER_LOG_OPTION_H
#define SQA_TUNER_LOG_OPTION_H

#include "sqa_cl/context.h"

/* `text` is the option's value ("error", "warning", "info" or "debug"), NULL when
 * it was not given. Sets the log members of *options.
 * Errors: SQA_INVALID_ARGUMENT. */
sqa_status sqa_log_option(const char *text, sqa_context_options *options);

/* The callback it sets: prints "sqa: warning: ..." to standard error. */
void sqa_log_to_stderr(void *user, sqa_log_level level, const char *message);

#endif
