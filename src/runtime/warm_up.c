#include "runtime/warm_up.h"

#include <string.h>

#include "device/cl_status.h"
#include "problem/names.h"
#include "runtime/context.h"

/* Long enough that every family takes both its whole-tile and its edge path. */
#define WARM_UP_LENGTH 300u

/* The plan's problem cut down to one batch entry and short lengths, packed. */
static sqa_problem shrink(const sqa_problem *problem)
{
    sqa_problem small = *problem;
    small.batch = 1;
    if (small.q_length > WARM_UP_LENGTH)
        small.q_length = WARM_UP_LENGTH;
    if (small.kv_length > WARM_UP_LENGTH)
        small.kv_length = WARM_UP_LENGTH;
    if (small.mask & SQA_MASK_CAUSAL)
        small.diagonal = (int32_t)small.kv_length - (int32_t)small.q_length;
    small.q = sqa_strides_bhsd(small.q_heads, small.q_length, small.head_dim);
    small.k = sqa_strides_bhsd(small.kv_heads, small.kv_length, small.head_dim);
    small.v = sqa_strides_bhsd(small.kv_heads, small.kv_length, small.value_dim);
    small.o = sqa_strides_bhsd(small.out_heads, small.q_length, small.value_dim);
    return small;
}

/* One zeroed buffer that serves every role: a warm-up's result means nothing. */
static sqa_status scratch_buffer(cl_mem *out, const sqa_plan *plan, const sqa_problem *small,
                                 const sqa_launch *launch, cl_command_queue queue)
{
    size_t bytes = (size_t)(sqa_problem_bytes(small) + 4.0 * small->out_heads * small->q_length);
    if (bytes < launch->workspace_bytes)
        bytes = launch->workspace_bytes;
    bytes = (bytes + 7) / 4 * 4;
    cl_int code = CL_SUCCESS;
    cl_mem buffer = clCreateBuffer(plan->context->cl, CL_MEM_READ_WRITE, bytes, NULL, &code);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clCreateBuffer(warm-up)");
    const cl_float zero = 0.0f;
    code = clEnqueueFillBuffer(queue, buffer, &zero, sizeof zero, 0, bytes, 0, NULL, NULL);
    if (code != CL_SUCCESS) {
        clReleaseMemObject(buffer);
        return sqa_fail_cl(code, "clEnqueueFillBuffer(warm-up)");
    }
    *out = buffer;
    return SQA_OK;
}

static sqa_status run(sqa_plan *plan, const sqa_launch *launch, cl_mem buffer,
                      cl_command_queue queue)
{
    sqa_kernel_set set;
    sqa_status status = sqa_kernel_set_create(&set, plan->program, plan->context->device.id, launch);
    if (status != SQA_OK)
        return status;
    sqa_tensor tensors[SQA_ROLE_COUNT];
    for (int i = 0; i < SQA_ROLE_COUNT; i++)
        tensors[i] = (sqa_tensor){buffer, 0};
    status = sqa_enqueue(&set, launch, tensors, queue, 0, NULL, NULL);
    cl_int code = clFinish(queue);
    if (status == SQA_OK && code != CL_SUCCESS)
        status = sqa_fail_cl(code, "clFinish(warm-up)");
    sqa_kernel_set_release(&set);
    return status;
}

sqa_status sqa_warm_up(sqa_plan *plan, cl_command_queue queue)
{
    if (plan->launch.step_count == 0)
        return SQA_OK;
    sqa_problem small = shrink(&plan->problem);
    sqa_launch launch;
    memset(&launch, 0, sizeof launch);
    plan->choice.family->launch(&plan->choice.config, &small, &plan->context->device, &launch);
    cl_mem buffer = NULL;
    sqa_status status = scratch_buffer(&buffer, plan, &small, &launch, queue);
    if (status != SQA_OK)
        return status;
    status = run(plan, &launch, buffer, queue);
    clReleaseMemObject(buffer);
    return status;
}
