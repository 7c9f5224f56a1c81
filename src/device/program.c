#include "device/program.h"

#include <stdlib.h>

#include "device/cl_status.h"

static sqa_status fail_with_log(cl_int code, cl_program program, cl_device_id device)
{
    size_t length = 0;
    char *log = NULL;
    if (clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, 0, NULL, &length) ==
            CL_SUCCESS &&
        length > 0)
        log = calloc(length + 1, 1);
    if (log)
        clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, length, log, NULL);
    sqa_status status =
        sqa_fail(SQA_BUILD_FAILED, "clBuildProgram failed: %s (%d)%s%s", sqa_cl_error_name(code),
                 code, log && log[0] ? ": " : "", log ? log : "");
    free(log);
    return status;
}

sqa_status sqa_program_build(cl_program *out, cl_context context, cl_device_id device,
                             const char *source, const char *options)
{
    cl_int code = CL_SUCCESS;
    cl_program program = clCreateProgramWithSource(context, 1, &source, NULL, &code);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clCreateProgramWithSource");
    code = clBuildProgram(program, 1, &device, options, NULL, NULL);
    if (code != CL_SUCCESS) {
        sqa_status status = fail_with_log(code, program, device);
        clReleaseProgram(program);
        return status;
    }
    *out = program;
    return SQA_OK;
}
