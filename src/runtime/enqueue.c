#include "runtime/enqueue.h"

#include <string.h>

#include "device/cl_status.h"

static cl_int set_constant(cl_kernel kernel, cl_uint index, const sqa_argument *argument)
{
    switch (argument->kind) {
    case SQA_ARGUMENT_INT: {
        cl_int value = argument->value.i;
        return clSetKernelArg(kernel, index, sizeof value, &value);
    }
    case SQA_ARGUMENT_LONG: {
        cl_long value = argument->value.l;
        return clSetKernelArg(kernel, index, sizeof value, &value);
    }
    case SQA_ARGUMENT_FLOAT: {
        cl_float value = argument->value.f;
        return clSetKernelArg(kernel, index, sizeof value, &value);
    }
    case SQA_ARGUMENT_BUFFER:
    case SQA_ARGUMENT_OFFSET: break;
    }
    return CL_SUCCESS;
}

/* At every call, also with the handle of the call before: kernels do not retain their
 * buffers, and a new buffer may get the handle of one that is gone. */
static cl_int set_tensor(cl_kernel kernel, cl_uint index, const sqa_argument *argument,
                         const sqa_tensor tensors[SQA_MAX_SLOTS])
{
    const uint32_t slot = argument->value.slot;
    const bool own = slot == SQA_SLOT_PACKED && !tensors[slot].buffer;
    const sqa_tensor *tensor = &tensors[own ? SQA_SLOT_WORKSPACE : slot];
    if (argument->kind == SQA_ARGUMENT_BUFFER)
        return clSetKernelArg(kernel, index, sizeof tensor->buffer, &tensor->buffer);
    cl_long offset = sqa_element_places(argument->element, (int64_t)tensor->offset);
    return clSetKernelArg(kernel, index, sizeof offset, &offset);
}

static bool is_tensor_argument(const sqa_argument *argument)
{
    return argument->kind == SQA_ARGUMENT_BUFFER || argument->kind == SQA_ARGUMENT_OFFSET;
}

/* A kernel's own limit may be below the device's (registers, local memory). */
static sqa_status check_work_group(cl_kernel kernel, cl_device_id device,
                                   const sqa_launch_step *step)
{
    size_t most = 0, wanted = 1;
    for (cl_uint i = 0; i < step->dimensions && step->local[0]; i++)
        wanted *= step->local[i];
    cl_int code = clGetKernelWorkGroupInfo(kernel, device, CL_KERNEL_WORK_GROUP_SIZE, sizeof most,
                                           &most, NULL);
    if (code == CL_SUCCESS && most > 0 && wanted > most)
        return sqa_fail(SQA_BUILD_FAILED, "%s runs with at most %zu work-items a group, not %zu",
                        step->kernel, most, wanted);
    return SQA_OK;
}

static sqa_status create_step(cl_kernel *out, cl_program program, cl_device_id device,
                              const sqa_launch_step *step)
{
    cl_int code = CL_SUCCESS;
    cl_kernel kernel = clCreateKernel(program, step->kernel, &code);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clCreateKernel");
    sqa_status status = check_work_group(kernel, device, step);
    if (status != SQA_OK) {
        clReleaseKernel(kernel);
        return status;
    }
    for (cl_uint i = 0; i < step->argument_count; i++) {
        code = set_constant(kernel, i, &step->arguments[i]);
        if (code != CL_SUCCESS) {
            clReleaseKernel(kernel);
            return sqa_fail_cl(code, "clSetKernelArg");
        }
    }
    *out = kernel;
    return SQA_OK;
}

sqa_status sqa_kernel_set_create(sqa_kernel_set *out, cl_program program, cl_device_id device,
                                 const sqa_launch *launch)
{
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < launch->step_count; i++) {
        if (launch->steps[i].call)
            continue;
        sqa_status status = create_step(&out->kernels[i], program, device, &launch->steps[i]);
        if (status != SQA_OK) {
            sqa_kernel_set_release(out);
            return status;
        }
    }
    return SQA_OK;
}

void sqa_kernel_set_release(sqa_kernel_set *set)
{
    for (int i = 0; i < SQA_MAX_STEPS; i++)
        if (set->kernels[i])
            clReleaseKernel(set->kernels[i]);
    memset(set, 0, sizeof *set);
}

/* What a runtime answers that finds out at the launch that a kernel does not compile or fit. */
static bool is_refusal(cl_int code)
{
    return code == CL_OUT_OF_RESOURCES || code == CL_BUILD_PROGRAM_FAILURE ||
           code == CL_INVALID_PROGRAM_EXECUTABLE || code == CL_INVALID_WORK_GROUP_SIZE ||
           code == CL_INVALID_WORK_ITEM_SIZE;
}

static sqa_status enqueue_step(cl_kernel kernel, const sqa_launch_step *step,
                               const sqa_tensor tensors[SQA_MAX_SLOTS], cl_command_queue queue,
                               cl_uint wait_count, const cl_event *wait_list, cl_event *event,
                               bool *refused)
{
    if (step->call)
        return step->call->enqueue(step->problem, tensors, queue, wait_count, wait_list, event,
                                   refused);
    for (cl_uint i = 0; i < step->argument_count; i++) {
        if (!is_tensor_argument(&step->arguments[i]))
            continue;
        cl_int code = set_tensor(kernel, i, &step->arguments[i], tensors);
        if (code != CL_SUCCESS)
            return sqa_fail_cl(code, "clSetKernelArg");
    }
    cl_int code =
        clEnqueueNDRangeKernel(queue, kernel, step->dimensions, NULL, step->global,
                               step->local[0] ? step->local : NULL, wait_count, wait_list, event);
    *refused = is_refusal(code);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clEnqueueNDRangeKernel");
}

/* The steps `begin` to `end` - 1, chained by events, so that an out-of-order queue keeps their
 * order. */
static sqa_status enqueue_steps(uint32_t begin, uint32_t end, const sqa_kernel_set *set,
                                const sqa_launch *launch, const sqa_tensor tensors[SQA_MAX_SLOTS],
                                cl_command_queue queue, cl_uint wait_count,
                                const cl_event *wait_list, cl_event *event, bool *refused)
{
    if (begin == end) {
        cl_int code = clEnqueueMarkerWithWaitList(queue, wait_count, wait_list, event);
        return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clEnqueueMarkerWithWaitList");
    }
    cl_event previous = NULL;
    sqa_status status = SQA_OK;
    for (uint32_t i = begin; i < end && status == SQA_OK; i++) {
        const bool first = i == begin, last = i + 1 == end;
        cl_event done = NULL;
        bool step_refused = false;
        status =
            enqueue_step(set->kernels[i], &launch->steps[i], tensors, queue, first ? wait_count : 1,
                         first ? wait_list : &previous, last ? event : &done, &step_refused);
        *refused = step_refused && first;
        if (previous)
            clReleaseEvent(previous);
        previous = done;
    }
    return status;
}

static uint32_t packing_steps(const sqa_launch *launch)
{
    uint32_t count = 0;
    while (count < launch->step_count && launch->steps[count].packs)
        count++;
    return count;
}

sqa_status sqa_enqueue(const sqa_kernel_set *set, const sqa_launch *launch,
                       const sqa_tensor tensors[SQA_MAX_SLOTS], cl_command_queue queue,
                       cl_uint wait_count, const cl_event *wait_list, cl_event *event,
                       bool *refused)
{
    const uint32_t begin = tensors[SQA_SLOT_PACKED].buffer ? packing_steps(launch) : 0;
    bool unused;
    refused = refused ? refused : &unused;
    *refused = false;
    return enqueue_steps(begin, launch->step_count, set, launch, tensors, queue, wait_count,
                         wait_list, event, refused);
}

sqa_status sqa_enqueue_packing(const sqa_kernel_set *set, const sqa_launch *launch,
                               const sqa_tensor tensors[SQA_MAX_SLOTS], cl_command_queue queue,
                               cl_uint wait_count, const cl_event *wait_list, cl_event *event)
{
    bool unused;
    return enqueue_steps(0, packing_steps(launch), set, launch, tensors, queue, wait_count,
                         wait_list, event, &unused);
}
