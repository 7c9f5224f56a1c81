#include "runtime/warm_up.h"

#include "device/cl_status.h"
#include "problem/work.h"
#include "runtime/context.h"
#include "runtime/small_run.h"

/* One zeroed buffer that serves every role: a warm-up's result means nothing, and
 * kernels stay within their tensors whatever these hold. */
static sqa_status scratch_buffer(cl_mem *out, const sqa_plan *plan, const sqa_problem *small,
                                 cl_command_queue queue)
{
    const cl_float zero = 0.0f;
    size_t floats = (size_t)(sqa_problem_bytes(small) / sizeof zero) + 2;
    cl_int code = CL_SUCCESS;
    cl_mem buffer =
        clCreateBuffer(plan->context->cl, CL_MEM_READ_WRITE, floats * sizeof zero, NULL, &code);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clCreateBuffer(warm-up)");
    code = clEnqueueFillBuffer(queue, buffer, &zero, sizeof zero, 0, floats * sizeof zero, 0, NULL,
                               NULL);
    if (code != CL_SUCCESS) {
        clReleaseMemObject(buffer);
        return sqa_fail_cl(code, "clEnqueueFillBuffer(warm-up)");
    }
    *out = buffer;
    return SQA_OK;
}

sqa_status sqa_warm_up(sqa_plan *plan, cl_command_queue queue)
{
    if (plan->launch.step_count == 0)
        return SQA_OK;
    sqa_problem small = sqa_small_problem(plan);
    cl_mem buffer = NULL;
    sqa_status status = scratch_buffer(&buffer, plan, &small, queue);
    if (status != SQA_OK)
        return status;
    sqa_tensor tensors[SQA_ROLE_COUNT];
    for (int i = 0; i < SQA_ROLE_COUNT; i++)
        tensors[i] = (sqa_tensor){buffer, 0};
    status = sqa_small_run(plan, &small, tensors, queue);
    clReleaseMemObject(buffer);
    if (status == SQA_OK)
        sqa_program_cache_keep(plan->context->programs, plan->program);
    return status;
}
