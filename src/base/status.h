/* Recording failures: the code goes back to the caller, the words to the
 * calling thread's detail (sqa_last_error). Knows nothing of OpenCL. */
#ifndef SQA_BASE_STATUS_H
#define SQA_BASE_STATUS_H

#include "sqa_cl/status.h"

#if defined(__GNUC__)
#define SQA_PRINTF(string, first) __attribute__((format(printf, string, first)))
#else
#define SQA_PRINTF(string, first)
#endif

/* Sets the thread's detail and returns `code`, so that `return sqa_fail(...)` reads well. */
sqa_status sqa_fail(sqa_status code, const char *format, ...) SQA_PRINTF(2, 3);

/* The failure of an allocation of `what`. */
sqa_status sqa_fail_memory(const char *what);

#endif
