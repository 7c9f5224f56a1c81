/* Building OpenCL programs. */
#ifndef SQA_DEVICE_PROGRAM_H
#define SQA_DEVICE_PROGRAM_H

#include "base/status.h"
#include "sqa_cl/export.h"

/* Compiles `source` for one device. On SQA_BUILD_FAILED the detail holds the head
 * of the compiler's log. The caller releases *out. */
sqa_status sqa_program_build(cl_program *out, cl_context context, cl_device_id device,
                             const char *source, const char *options);

#endif
