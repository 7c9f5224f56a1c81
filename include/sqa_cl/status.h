/* Status codes and the per-thread detail behind them.
 *
 * Every function that can fail returns an sqa_status; results come back through
 * output parameters, which are left untouched on failure. The library never
 * prints, aborts or exits. */
#ifndef SQA_CL_STATUS_H
#define SQA_CL_STATUS_H

#include "export.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum sqa_status {
    SQA_OK = 0,
    SQA_INVALID_ARGUMENT = -1, /* an argument or descriptor field is outside its range */
    SQA_UNSUPPORTED = -2,      /* valid, but no kernel here can do it */
    SQA_OUT_OF_MEMORY = -3,    /* host or device memory ran out */
    SQA_NO_DEVICE = -4,        /* no OpenCL platform or device at the index asked for */
    SQA_BUILD_FAILED = -5,     /* the OpenCL compiler refused a kernel; the detail holds its log */
    SQA_OPENCL_ERROR = -6,     /* another OpenCL call failed; the detail names it and its code */
    SQA_DATABASE_ERROR = -7,   /* a tuning database could not be read or written */
    SQA_WRONG_RESULT = -8      /* a kernel's output failed its check */
} sqa_status;

/* The name of a status, such as "SQA_INVALID_ARGUMENT"; static storage.
 * Unknown values give "unknown status". */
SQA_API const char *sqa_status_name(sqa_status status);

/* What went wrong, to be read right after a call on this thread that failed: one
 * line that names the argument and the range allowed, or the OpenCL call and its
 * error; a compiler's log may follow on further lines. The text belongs to the library and lives
 * until the next failing call on the same thread. */
SQA_API const char *sqa_last_error(void);

#ifdef __cplusplus
}
#endif

#endif
