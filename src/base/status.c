#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

/* Long enough for a message and the head of a compiler log. */
static _Thread_local char detail[4096];

sqa_status sqa_fail(sqa_status code, const char *format, ...)
{
    /* The arguments may point into `detail` itself when a failure is re-worded. */
    char message[sizeof detail];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    snprintf(detail, sizeof detail, "%s", message);
    return code;
}

sqa_status sqa_fail_memory(const char *what)
{
    return sqa_fail(SQA_OUT_OF_MEMORY, "out of host memory for %s", what);
}

const char *sqa_last_error(void)
{
    return detail;
}

const char *sqa_status_name(sqa_status status)
{
    switch (status) {
    case SQA_OK: return "SQA_OK";
    case SQA_INVALID_ARGUMENT: return "SQA_INVALID_ARGUMENT";
    case SQA_UNSUPPORTED: return "SQA_UNSUPPORTED";
    case SQA_OUT_OF_MEMORY: return "SQA_OUT_OF_MEMORY";
    case SQA_NO_DEVICE: return "SQA_NO_DEVICE";
    case SQA_BUILD_FAILED: return "SQA_BUILD_FAILED";
    case SQA_OPENCL_ERROR: return "SQA_OPENCL_ERROR";
    case SQA_DATABASE_ERROR: return "SQA_DATABASE_ERROR";
    case SQA_WRONG_RESULT: return "SQA_WRONG_RESULT";
    }
    return "unknown status";
}
