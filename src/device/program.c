#include "device/program.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#include "device/cl_status.h"

/* The compiler's verdict, as opposed to a call that could not be made. */
static bool is_refusal(cl_int code)
{
    return code == CL_BUILD_PROGRAM_FAILURE || code == CL_COMPILE_PROGRAM_FAILURE ||
           code == CL_LINK_PROGRAM_FAILURE || code == CL_COMPILER_NOT_AVAILABLE;
}

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

static sqa_status build(cl_program *out, cl_program program, cl_device_id device,
                        const char *options)
{
    cl_int code = clBuildProgram(program, 1, &device, options, NULL, NULL);
    if (code != CL_SUCCESS) {
        sqa_status status = is_refusal(code) ? fail_with_log(code, program, device)
                                             : sqa_fail_cl(code, "clBuildProgram");
        clReleaseProgram(program);
        return status;
    }
    *out = program;
    return SQA_OK;
}

sqa_status sqa_program_build(cl_program *out, cl_context context, cl_device_id device,
                             const char *source, const char *options)
{
    cl_int code = CL_SUCCESS;
    cl_program program = clCreateProgramWithSource(context, 1, &source, NULL, &code);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clCreateProgramWithSource");
    return build(out, program, device, options);
}

sqa_status sqa_program_build_binary(cl_program *out, cl_context context, cl_device_id device,
                                    const unsigned char *binary, size_t size, const char *options)
{
    cl_int code = CL_SUCCESS, taken = CL_SUCCESS;
    assert(size > 0); /* whether it is sound was for the caller to see */
    cl_program program =
        clCreateProgramWithBinary(context, 1, &device, &size, &binary, &taken, &code);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clCreateProgramWithBinary");
    if (taken != CL_SUCCESS) {
        clReleaseProgram(program);
        return sqa_fail_cl(taken, "clCreateProgramWithBinary");
    }
    return build(out, program, device, options);
}

/* A program has a binary for every device of its context, or only for those built. */
enum { MOST_DEVICES = 64 };

static sqa_status place_of_device(cl_program program, cl_device_id device, size_t *place,
                                  size_t *bytes)
{
    cl_device_id devices[MOST_DEVICES];
    size_t sizes[MOST_DEVICES], devices_size = 0, sizes_size = 0;
    cl_int code =
        clGetProgramInfo(program, CL_PROGRAM_DEVICES, sizeof devices, devices, &devices_size);
    if (code == CL_SUCCESS)
        code = clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof sizes, sizes, &sizes_size);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clGetProgramInfo");
    const size_t count = devices_size / sizeof *devices;
    for (size_t i = 0; i < count && count == sizes_size / sizeof *sizes; i++)
        if (devices[i] == device && sizes[i] > 0) {
            *place = i;
            *bytes = sizes[i];
            return SQA_OK;
        }
    return sqa_fail(SQA_UNSUPPORTED, "the runtime has no binary of the program for this device");
}

sqa_status sqa_program_binary(cl_program program, cl_device_id device, unsigned char **out,
                              size_t *size)
{
    unsigned char *binaries[MOST_DEVICES] = {0}; /* NULL: not that device's */
    size_t place = 0, bytes = 0;
    sqa_status status = place_of_device(program, device, &place, &bytes);
    if (status != SQA_OK)
        return status;
    unsigned char *binary = malloc(bytes);
    if (!binary)
        return sqa_fail_memory("a program's binary");
    binaries[place] = binary;
    cl_int code = clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof binaries, binaries, NULL);
    if (code != CL_SUCCESS) {
        free(binary);
        return sqa_fail_cl(code, "clGetProgramInfo(CL_PROGRAM_BINARIES)");
    }
    *out = binary;
    *size = bytes;
    return SQA_OK;
}
