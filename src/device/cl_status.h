/* OpenCL return codes as library failures. */
#ifndef SQA_DEVICE_CL_STATUS_H
#define SQA_DEVICE_CL_STATUS_H

#include "base/status.h"
#include "sqa_cl/export.h"

/* "CL_INVALID_VALUE" and so on; "unknown OpenCL error" otherwise. */
const char *sqa_cl_error_name(cl_int code);

/* Records "<call> failed: <name> (<code>)"; gives SQA_OUT_OF_MEMORY for the
 * allocation failures, SQA_OPENCL_ERROR otherwise. */
sqa_status sqa_fail_cl(cl_int code, const char *call);

#endif
