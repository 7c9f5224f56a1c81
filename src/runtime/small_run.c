#include "runtime/small_run.h"

#include <math.h>
#include <string.h>

#include "device/cl_status.h"
#include "problem/selection.h"
#include "runtime/context.h"

#define SMALL_LENGTH 300u

/* Lists that name half of the key blocks, whatever the problem's name; where they are
 * the output, as many as there will be. */
static void shorten_blocks(sqa_problem *small)
{
    if (!(small->mask & SQA_MASK_BLOCKS))
        return;
    sqa_blocks *blocks = &small->blocks;
    blocks->batch = 1;
    blocks->heads = 1;
    if (blocks->query_size > small->q_length)
        blocks->query_size = small->q_length;
    if (blocks->key_size > small->kv_length && small->kv_length > 0)
        blocks->key_size = small->kv_length;
    blocks->entries = sqa_problem_query_blocks(small) * ((sqa_problem_key_blocks(small) + 1) / 2);
    if (small->operation == SQA_OPERATION_SELECT_BLOCKS)
        sqa_set_selected_entries(small);
}

sqa_problem sqa_small_problem(const sqa_plan *plan)
{
    sqa_problem small = plan->problem;
    const uint32_t most = small.q_heads < small.kv_heads ? small.q_heads : small.kv_heads;
    const bool aligned = small.bottom_right;
    small.batch = 1;
    small.q_heads /= most;
    small.kv_heads /= most;
    small.out_heads /= most;
    small.scale = 1.0f / sqrtf((float)small.head_dim);
    if (small.q_length > SMALL_LENGTH)
        small.q_length = SMALL_LENGTH;
    if (small.kv_length > SMALL_LENGTH)
        small.kv_length = SMALL_LENGTH;
    small.diagonal = aligned ? (int32_t)small.kv_length - (int32_t)small.q_length : 0;
    small.q_total = small.q_length;
    small.kv_total = small.kv_length;
    if (small.globals.listed && small.globals.count > small.kv_length)
        small.globals.count = small.kv_length;
    shorten_blocks(&small);
    small.q = sqa_strides_bhsd(small.q_heads, small.q_length, small.head_dim);
    small.k = sqa_strides_bhsd(small.kv_heads, small.kv_length, small.head_dim);
    small.v = sqa_strides_bhsd(small.kv_heads, small.kv_length, small.value_dim);
    small.o = sqa_strides_bhsd(small.out_heads, small.q_length, small.value_dim);
    small.bias = small.pair_mask =
        sqa_strides_bhsd(small.out_heads, small.q_length, small.kv_length);
    return small;
}

static sqa_status run_launch(const sqa_plan *plan, const sqa_launch *launch,
                             const sqa_tensor tensors[SQA_ROLE_COUNT], cl_command_queue queue)
{
    sqa_kernel_set set;
    sqa_status status =
        sqa_kernel_set_create(&set, plan->program, plan->context->device.id, launch);
    if (status != SQA_OK)
        return status;
    status = sqa_enqueue(&set, launch, tensors, queue, 0, NULL, NULL);
    cl_int code = clFinish(queue);
    if (status == SQA_OK && code != CL_SUCCESS)
        status = sqa_fail_cl(code, "clFinish");
    sqa_kernel_set_release(&set);
    return status;
}

sqa_status sqa_small_run(const sqa_plan *plan, const sqa_problem *small,
                         const sqa_tensor tensors[SQA_ROLE_COUNT], cl_command_queue queue)
{
    sqa_launch launch;
    sqa_tensor all[SQA_ROLE_COUNT];
    memset(&launch, 0, sizeof launch);
    memcpy(all, tensors, sizeof all);
    plan->choice.family->launch(&plan->choice.config, small, &plan->context->device, &launch);
    cl_mem workspace = NULL;
    if (launch.workspace_bytes > 0) {
        cl_int code = CL_SUCCESS;
        workspace = clCreateBuffer(plan->context->cl, CL_MEM_READ_WRITE, launch.workspace_bytes,
                                   NULL, &code);
        if (code != CL_SUCCESS)
            return sqa_fail_cl(code, "clCreateBuffer(workspace)");
        all[SQA_ROLE_WORKSPACE] = (sqa_tensor){workspace, 0};
    }
    sqa_status status = run_launch(plan, &launch, all, queue);
    if (workspace)
        clReleaseMemObject(workspace);
    return status;
}
