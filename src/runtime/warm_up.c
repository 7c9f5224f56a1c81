#include "runtime/warm_up.h"

#include "device/cl_status.h"
#include "operations/tensors.h"
#include "runtime/context.h"
#include "runtime/small_run.h"

/* One zeroed buffer that serves every slot: a warm-up's result means nothing, and
 * kernels stay within their tensors whatever these hold. */
static sqa_status scratch_buffer(cl_mem *out, const sqa_leaf *leaf, const sqa_problem *small,
                                 cl_command_queue queue)
{
    const cl_float zero = 0.0f;
    size_t floats = (size_t)(sqa_problem_bytes(small) / sizeof zero) + 2;
    cl_int code = CL_SUCCESS;
    cl_mem buffer =
        clCreateBuffer(leaf->context->cl, CL_MEM_READ_WRITE, floats * sizeof zero, NULL, &code);
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

static sqa_status warm_up_own(sqa_leaf *leaf, cl_command_queue queue)
{
    if (leaf->launch.step_count == 0)
        return SQA_OK;
    const sqa_problem small = sqa_leaf_relative(leaf, SQA_RELATIVE_SMALL);
    cl_mem buffer = NULL;
    sqa_status status = scratch_buffer(&buffer, leaf, &small, queue);
    if (status != SQA_OK)
        return status;
    sqa_tensor tensors[SQA_MAX_SLOTS];
    for (int i = 0; i < SQA_MAX_SLOTS; i++)
        tensors[i] = (sqa_tensor){buffer, 0};
    status = sqa_small_run(leaf, &small, tensors, queue);
    clReleaseMemObject(buffer);
    if (status == SQA_OK)
        sqa_program_cache_keep(leaf->context->programs, leaf->program);
    return status;
}

/* What does not run gives way, as at its first call. */
static sqa_status warm_up_leaf(sqa_leaf *leaf, cl_command_queue queue)
{
    sqa_leaf *instead = atomic_load(&leaf->substitute);
    sqa_status status = SQA_OK;
    if (!instead) {
        status = warm_up_own(leaf, queue);
        instead = status == SQA_OK ? NULL : sqa_leaf_pass_over(leaf);
    }
    return instead ? warm_up_own(instead, queue) : status;
}

sqa_status sqa_warm_up(sqa_plan *plan, cl_command_queue queue)
{
    sqa_status status = SQA_OK;
    for (uint32_t i = 0; i < plan->stage_count && status == SQA_OK; i++)
        status = warm_up_leaf(plan->stages[i].leaf, queue);
    return status;
}
