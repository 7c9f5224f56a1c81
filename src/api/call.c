#include "api/call.h"

#include <string.h>

#include "api/tensors.h"
#include "operations/operations.h"
#include "problem/checks.h"
#include "runtime/context.h"
#include "runtime/plan.h"

sqa_status sqa_check_not_null(const char *name, const void *pointer)
{
    return pointer ? SQA_OK : sqa_fail(SQA_INVALID_ARGUMENT, "%s: must not be NULL", name);
}

static sqa_status check_plan_options(const sqa_plan_options *options)
{
    if (!options)
        return SQA_OK;
    sqa_status status =
        sqa_check_version("options.version", options->version, SQA_PLAN_OPTIONS_VERSION);
    if (status != SQA_OK)
        return status;
    if (options->config && !options->family)
        return sqa_fail(SQA_INVALID_ARGUMENT, "options.config: needs options.family");
    return SQA_OK;
}

sqa_status sqa_check_planning(sqa_plan **out, sqa_context *context, const sqa_plan_options *options)
{
    sqa_status status = sqa_check_not_null("out", out);
    if (status == SQA_OK)
        status = sqa_check_not_null("context", context);
    return status == SQA_OK ? check_plan_options(options) : status;
}

static sqa_status check_operation(const sqa_plan *plan, const sqa_operation_entry *operation)
{
    if (plan->problem.operation == operation->id)
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT, "plan: is one for %s, not for %s",
                    sqa_operation_name(plan->problem.operation), operation->name);
}

/* What lies behind the workspace is not in the first version. */
static sqa_status check_version(const sqa_plan *plan, const sqa_tensor_struct *known,
                                const void *tensors)
{
    uint32_t version;
    memcpy(&version, tensors, sizeof version);
    sqa_status status = sqa_check_version("tensors.version", version, known->version);
    for (uint32_t i = 0; i < plan->need_count && status == SQA_OK && version < 2; i++)
        if (plan->needs[i].member > known->workspace)
            status = sqa_fail(SQA_INVALID_ARGUMENT,
                              "tensors.version: 1 has no %s, which the plan needs; expected 2..%u",
                              plan->needs[i].name, known->version);
    return status;
}

static sqa_status check_tensors(sqa_tensor by_slot[SQA_MAX_SLOTS], const sqa_plan *plan,
                                const sqa_tensor_struct *known, const void *tensors)
{
    cl_mem workspace;
    memcpy(&workspace, (const char *)tensors + known->workspace, sizeof workspace);
    return sqa_check_tensors(by_slot, plan, tensors, workspace);
}

sqa_status sqa_check_call(const sqa_plan *plan, const sqa_operation_entry *operation,
                          cl_command_queue queue, const void *tensors, cl_uint wait_count,
                          const cl_event *wait_list)
{
    sqa_status status = sqa_check_not_null("plan", plan);
    if (status == SQA_OK)
        status = check_operation(plan, operation);
    if (status == SQA_OK)
        status = sqa_check_not_null("queue", queue);
    if (status == SQA_OK)
        status = sqa_check_not_null("tensors", tensors);
    if (status == SQA_OK)
        status = check_version(plan, &operation->tensors, tensors);
    if (status == SQA_OK && (wait_count == 0) != (wait_list == NULL))
        status =
            sqa_fail(SQA_INVALID_ARGUMENT, "wait_list: must be NULL exactly when wait_count is 0");
    return status;
}

sqa_status sqa_call_checked(sqa_plan *plan, const sqa_operation_entry *operation,
                            cl_command_queue queue, const void *tensors, cl_mem packed,
                            cl_uint wait_count, const cl_event *wait_list, cl_event *event)
{
    sqa_tensor by_slot[SQA_MAX_SLOTS];
    sqa_status status = check_tensors(by_slot, plan, &operation->tensors, tensors);
    if (status != SQA_OK)
        return status;
    by_slot[SQA_SLOT_PACKED].buffer = packed;
    return sqa_plan_enqueue(plan, by_slot, queue, wait_count, wait_list, event);
}

sqa_status sqa_call_plan(sqa_plan *plan, const sqa_operation_entry *operation,
                         cl_command_queue queue, const void *tensors, cl_uint wait_count,
                         const cl_event *wait_list, cl_event *event)
{
    sqa_status status = sqa_check_call(plan, operation, queue, tensors, wait_count, wait_list);
    return status == SQA_OK ? sqa_call_checked(plan, operation, queue, tensors, NULL, wait_count,
                                               wait_list, event)
                            : status;
}

sqa_status sqa_call_problem(sqa_context *context, const sqa_problem *problem,
                            cl_command_queue queue, const void *tensors, cl_uint wait_count,
                            const cl_event *wait_list, cl_event *event)
{
    sqa_plan *plan = NULL;
    sqa_status status = sqa_plan_cache_get(context->plans, context, problem, &plan);
    if (status != SQA_OK)
        return status;
    status = sqa_call_plan(plan, sqa_operation_of(problem), queue, tensors, wait_count, wait_list,
                           event);
    sqa_plan_release(plan);
    return status;
}
