#include "runtime/small_run.h"

#include <string.h>

#include "device/cl_status.h"
#include "operations/operations.h"
#include "runtime/context.h"

sqa_problem sqa_leaf_relative(const sqa_leaf *leaf, sqa_relative which)
{
    sqa_problem relative;
    sqa_operation_of(&leaf->problem)->relative(&leaf->problem, which, &relative);
    return relative;
}

static sqa_status run_launch(const sqa_leaf *leaf, const sqa_launch *launch,
                             const sqa_tensor tensors[SQA_MAX_SLOTS], cl_command_queue queue)
{
    sqa_kernel_set set;
    sqa_status status =
        sqa_kernel_set_create(&set, leaf->program, leaf->context->device.id, launch);
    if (status != SQA_OK)
        return status;
    status = sqa_enqueue(&set, launch, tensors, queue, 0, NULL, NULL, NULL);
    cl_int code = clFinish(queue);
    if (status == SQA_OK && code != CL_SUCCESS)
        status = sqa_fail_cl(code, "clFinish");
    sqa_kernel_set_release(&set);
    return status;
}

static sqa_status run_with_workspace(const sqa_leaf *leaf, const sqa_launch *launch,
                                     const sqa_tensor tensors[SQA_MAX_SLOTS],
                                     cl_command_queue queue)
{
    sqa_tensor all[SQA_MAX_SLOTS];
    cl_mem workspace = NULL;
    memcpy(all, tensors, sizeof all);
    all[SQA_SLOT_PACKED].buffer = NULL;
    if (launch->workspace_bytes > 0) {
        cl_int code = CL_SUCCESS;
        workspace = clCreateBuffer(leaf->context->cl, CL_MEM_READ_WRITE, launch->workspace_bytes,
                                   NULL, &code);
        if (code != CL_SUCCESS)
            return sqa_fail_cl(code, "clCreateBuffer(workspace)");
        all[SQA_SLOT_WORKSPACE] = (sqa_tensor){workspace, 0};
    }
    sqa_status status = run_launch(leaf, launch, all, queue);
    if (workspace)
        clReleaseMemObject(workspace);
    return status;
}

sqa_status sqa_small_run(const sqa_leaf *leaf, const sqa_problem *problem,
                         const sqa_tensor tensors[SQA_MAX_SLOTS], cl_command_queue queue)
{
    sqa_launch launch;
    sqa_status status = sqa_leaf_launch(leaf, problem, &launch);
    if (status == SQA_OK)
        status = run_with_workspace(leaf, &launch, tensors, queue);
    sqa_launch_free(&launch);
    return status;
}
