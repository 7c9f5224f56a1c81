/* Stands before the runtime's own function. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "refuse_launch.h"

#include <CL/cl.h>
#include <dlfcn.h>

bool refuse_launch, refuse_build;

cl_int clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions,
                              const size_t *offset, const size_t *global, const size_t *local,
                              cl_uint wait_count, const cl_event *wait_list, cl_event *event)
{
    typedef cl_int enqueue(cl_command_queue, cl_kernel, cl_uint, const size_t *, const size_t *,
                           const size_t *, cl_uint, const cl_event *, cl_event *);
    enqueue *real;
    *(void **)&real = dlsym(RTLD_NEXT, "clEnqueueNDRangeKernel");
    if (refuse_launch) {
        refuse_launch = false;
        return CL_OUT_OF_RESOURCES;
    }
    return real(queue, kernel, dimensions, offset, global, local, wait_count, wait_list, event);
}

cl_int clBuildProgram(cl_program program, cl_uint device_count, const cl_device_id *devices,
                      const char *options,
                      void(CL_CALLBACK *notify)(cl_program program, void *user), void *user)
{
    typedef cl_int build(cl_program, cl_uint, const cl_device_id *, const char *,
                         void(CL_CALLBACK *)(cl_program, void *), void *);
    build *real;
    *(void **)&real = dlsym(RTLD_NEXT, "clBuildProgram");
    if (refuse_build) {
        refuse_build = false;
        return CL_BUILD_PROGRAM_FAILURE;
    }
    return real(program, device_count, devices, options, notify, user);
}
