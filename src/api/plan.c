/* Public entry points of plans and of forward attention. */
#include "runtime/plan.h"

#include <string.h>

#include "api/tensors.h"
#include "runtime/context.h"
#include "runtime/warm_up.h"

static sqa_status check_not_null(const char *name, const void *pointer)
{
    return pointer ? SQA_OK : sqa_fail(SQA_INVALID_ARGUMENT, "%s: must not be NULL", name);
}

static sqa_status check_options(const sqa_plan_options *options)
{
    if (!options)
        return SQA_OK;
    if (options->version != SQA_PLAN_OPTIONS_VERSION)
        return sqa_fail(SQA_INVALID_ARGUMENT, "options.version: %u is not %u", options->version,
                        SQA_PLAN_OPTIONS_VERSION);
    if (options->config && !options->family)
        return sqa_fail(SQA_INVALID_ARGUMENT, "options.config: needs options.family");
    return SQA_OK;
}

sqa_status sqa_plan_create(sqa_plan **out, sqa_context *context, const sqa_attention_desc *desc,
                           const sqa_plan_options *options)
{
    sqa_problem problem;
    sqa_status status = check_not_null("out", out);
    if (status == SQA_OK)
        status = check_not_null("context", context);
    if (status == SQA_OK)
        status = check_options(options);
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
    return plan ? plan->launch.workspace_bytes : 0;
}

sqa_status sqa_plan_explain(const sqa_plan *plan, sqa_plan_info *out)
{
    sqa_status status = check_not_null("plan", plan);
    if (status == SQA_OK)
        status = check_not_null("out", out);
    if (status == SQA_OK && out->version != SQA_PLAN_INFO_VERSION)
        status = sqa_fail(SQA_INVALID_ARGUMENT, "out.version: %u is not %u", out->version,
                          SQA_PLAN_INFO_VERSION);
    if (status != SQA_OK)
        return status;
    *out = (sqa_plan_info){.version = SQA_PLAN_INFO_VERSION,
                           .family = plan->choice.family->name,
                           .config = plan->config,
                           .rung = sqa_rung_name(plan->choice.rung),
                           .source = plan->choice.source,
                           .reason = sqa_text_get(&plan->reason)};
    return SQA_OK;
}

sqa_status sqa_plan_warm_up(sqa_plan *plan, cl_command_queue queue)
{
    sqa_status status = check_not_null("plan", plan);
    if (status == SQA_OK)
        status = check_not_null("queue", queue);
    return status == SQA_OK ? sqa_warm_up(plan, queue) : status;
}

sqa_status sqa_forward(sqa_plan *plan, cl_command_queue queue, const sqa_tensors *tensors,
                       cl_uint wait_count, const cl_event *wait_list, cl_event *event)
{
    sqa_tensor by_role[SQA_ROLE_COUNT];
    sqa_status status = check_not_null("plan", plan);
    if (status == SQA_OK)
        status = check_not_null("queue", queue);
    if (status == SQA_OK)
        status = check_not_null("tensors", tensors);
    if (status == SQA_OK && (wait_count == 0) != (wait_list == NULL))
        status =
            sqa_fail(SQA_INVALID_ARGUMENT, "wait_list: must be NULL exactly when wait_count is 0");
    if (status == SQA_OK)
        status = sqa_check_tensors(by_role, tensors, &plan->problem, plan->workspace,
                                   plan->launch.workspace_bytes);
    return status == SQA_OK ? sqa_plan_enqueue(plan, by_role, queue, wait_count, wait_list, event)
                            : status;
}

sqa_status sqa_attention_forward(sqa_context *context, cl_command_queue queue,
                                 const sqa_attention_desc *desc, const sqa_tensors *tensors,
                                 cl_uint wait_count, const cl_event *wait_list, cl_event *event)
{
    sqa_problem problem;
    sqa_plan *plan = NULL;
    sqa_status status = check_not_null("context", context);
    if (status == SQA_OK)
        status = sqa_problem_from_desc(&problem, desc);
    if (status == SQA_OK)
        status = sqa_plan_cache_get(context->plans, context, &problem, &plan);
    if (status != SQA_OK)
        return status;
    status = sqa_forward(plan, queue, tensors, wait_count, wait_list, event);
    sqa_plan_release(plan);
    return status;
}
