/* Messages to the caller's log callback; nothing is ever printed from here. */
#ifndef SQA_BASE_LOG_H
#define SQA_BASE_LOG_H

#include "base/status.h"
#include "sqa_cl/context.h"

typedef struct sqa_log {
    sqa_log_callback callback; /* NULL: messages are dropped before they are made */
    void *user;
    sqa_log_level level;
} sqa_log;

/* `log` may be NULL. */
void sqa_log_write(const sqa_log *log, sqa_log_level level, const char *format, ...)
    SQA_PRINTF(3, 4);

#endif
