#include "runtime/self_check.h"

#include "device/cl_status.h"
#include "runtime/context.h"
#include "runtime/small_run.h"

#define CHECK_SEED 1

sqa_status sqa_leaf_judge_on(const sqa_leaf *leaf, sqa_host_tensors *tensors, bool all_rows,
                             uint64_t seed, cl_command_queue queue, sqa_kept_rows *kept,
                             sqa_judgement *out)
{
    sqa_tensor bound[SQA_MAX_SLOTS];
    char finding[SQA_FINDING_TEXT];
    sqa_status status = sqa_host_tensors_upload(tensors, leaf->context->cl);
    if (status != SQA_OK)
        return status;
    sqa_host_tensors_bind(tensors, bound);
    status = sqa_small_run(leaf, &tensors->problem, bound, queue);
    if (status == SQA_OK)
        status = sqa_host_tensors_look_over(tensors, queue, finding);
    if (status == SQA_OK)
        status = sqa_judge_keeping(tensors, all_rows, seed, finding, kept, out);
    return status;
}

sqa_status sqa_leaf_judge(const sqa_leaf *leaf, const sqa_problem *problem, bool all_rows,
                          uint64_t seed, cl_command_queue queue, sqa_judgement *out)
{
    sqa_host_tensors tensors;
    sqa_status status = sqa_host_tensors_create(&tensors, problem, seed, true);
    if (status != SQA_OK)
        return status;
    status = sqa_leaf_judge_on(leaf, &tensors, all_rows, seed, queue, NULL, out);
    sqa_host_tensors_free(&tensors);
    return status;
}

static sqa_status check(const sqa_leaf *leaf)
{
    const sqa_problem small = sqa_leaf_relative(leaf, SQA_RELATIVE_SMALL);
    cl_int code = CL_SUCCESS;
    cl_command_queue queue =
        clCreateCommandQueue(leaf->context->cl, leaf->context->device.id, 0, &code);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clCreateCommandQueue(self-check)");
    sqa_judgement judgement;
    sqa_status status = sqa_leaf_judge(leaf, &small, false, CHECK_SEED, queue, &judgement);
    if (status == SQA_OK && !judgement.passed)
        status = sqa_fail(SQA_WRONG_RESULT, "self-check: %s", judgement.message);
    clReleaseCommandQueue(queue);
    return status;
}

sqa_status sqa_self_check(const sqa_leaf *leaf)
{
    sqa_program_cache *programs = leaf->context->programs;
    /* What a library runs does not follow from the program beside it. */
    const bool is_own = !leaf->choice.family->library;
    if (leaf->launch.step_count == 0 ||
        (is_own && sqa_program_cache_is_checked(programs, leaf->program)))
        return SQA_OK;
    sqa_status status = check(leaf);
    if (status == SQA_OK && is_own)
        sqa_program_cache_set_checked(programs, leaf->program);
    return status;
}
