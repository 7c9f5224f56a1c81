/* Public entry points of plans and of forward attention. */
#include "runtime/plan.h"

#include "api/call.h"
#include "operations/entries.h"
#include "problem/checks.h"
#include "runtime/context.h"
#include "runtime/warm_up.h"

sqa_status sqa_plan_create(sqa_plan **out, sqa_context *context, const sqa_attention_desc *desc,
                           const sqa_plan_options *options)
{
    sqa_problem problem;
    sqa_status status = sqa_check_planning(out, context, options);
    if (status == SQA_OK)
        status = sqa_problem_from_desc(&problem, desc);
    return status == SQA_OK ? sqa_plan_build(out, context, &problem, options) : status;
}

void sqa_plan_destroy(sqa_plan *plan)
{
    sqa_plan_release(plan);
}

size_t sqa_plan_workspace_size(const sqa_plan *plan)
{
    return plan ? plan->workspace_bytes : 0;
}

sqa_status sqa_plan_explain(const sqa_plan *plan, sqa_plan_info *out)
{
    sqa_status status = sqa_check_not_null("plan", plan);
    if (status == SQA_OK)
        status = sqa_check_not_null("out", out);
    if (status == SQA_OK)
        status = sqa_check_version("out.version", out->version, SQA_PLAN_INFO_VERSION);
    if (status != SQA_OK)
        return status;
    const sqa_choice *choice = sqa_plan_weakest_choice(plan);
    *out = (sqa_plan_info){.version = out->version,
                           .family = sqa_text_get(&plan->family),
                           .config = sqa_text_get(&plan->config),
                           .rung = sqa_rung_name(choice->rung),
                           .source = choice->source,
                           .reason = sqa_text_get(&plan->reason)};
    return SQA_OK;
}

sqa_status sqa_plan_warm_up(sqa_plan *plan, cl_command_queue queue)
{
    sqa_status status = sqa_check_not_null("plan", plan);
    if (status == SQA_OK)
        status = sqa_check_not_null("queue", queue);
    return status == SQA_OK ? sqa_warm_up(plan, queue) : status;
}

sqa_status sqa_forward(sqa_plan *plan, cl_command_queue queue, const sqa_tensors *tensors,
                       cl_uint wait_count, const cl_event *wait_list, cl_event *event)
{
    return sqa_call_plan(plan, &sqa_operation_forward, queue, tensors, wait_count, wait_list,
                         event);
}

sqa_status sqa_attention_forward(sqa_context *context, cl_command_queue queue,
                                 const sqa_attention_desc *desc, const sqa_tensors *tensors,
                                 cl_uint wait_count, const cl_event *wait_list, cl_event *event)
{
    sqa_problem problem;
    sqa_status status = sqa_check_not_null("context", context);
    if (status == SQA_OK)
        status = sqa_problem_from_desc(&problem, desc);
    return status == SQA_OK
               ? sqa_call_problem(context, &problem, queue, tensors, wait_count, wait_list, event)
               : status;
}
