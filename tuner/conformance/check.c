#include "conformance/check.h"

#include "device/cl_status.h"
#include "runtime/context.h"
#include "runtime/plan.h"

static sqa_status enqueue_and_wait(sqa_plan *plan, const sqa_tensor tensors[SQA_MAX_SLOTS],
                                   cl_command_queue queue)
{
    cl_event event = NULL;
    sqa_status status = sqa_plan_enqueue(plan, tensors, queue, 0, NULL, &event);
    if (status != SQA_OK)
        return status;
    cl_int code = clWaitForEvents(1, &event);
    clReleaseEvent(event);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clWaitForEvents");
}

sqa_status sqa_check_run(sqa_plan *plan, sqa_host_tensors *tensors, cl_command_queue queue,
                         char finding[SQA_FINDING_TEXT])
{
    sqa_tensor bound[SQA_MAX_SLOTS];
    finding[0] = '\0';
    sqa_status status = sqa_host_tensors_upload(tensors, plan->context->cl);
    if (status != SQA_OK)
        return status;
    sqa_host_tensors_bind(tensors, bound);
    bound[SQA_SLOT_WORKSPACE] = (sqa_tensor){plan->workspace, 0};
    status = enqueue_and_wait(plan, bound, queue);
    return status == SQA_OK ? sqa_host_tensors_look_over(tensors, queue, finding) : status;
}

sqa_status sqa_check(sqa_context *context, cl_command_queue queue, const sqa_problem *problem,
                     const sqa_plan_options *options, uint64_t seed, bool all_rows,
                     sqa_judgement *out)
{
    sqa_host_tensors tensors;
    sqa_plan *plan = NULL;
    char finding[SQA_FINDING_TEXT];
    sqa_status status = sqa_host_tensors_create(&tensors, problem, seed, true);
    if (status != SQA_OK)
        return status;
    status = sqa_plan_build(&plan, context, problem, options);
    if (status == SQA_OK)
        status = sqa_check_run(plan, &tensors, queue, finding);
    if (status == SQA_OK)
        status = sqa_judge(&tensors, all_rows, seed, finding, out);
    sqa_plan_destroy(plan);
    sqa_host_tensors_free(&tensors);
    return status;
}
