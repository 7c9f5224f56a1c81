/* Public entry points of normalisation and its gradients. */
#include "sqa_cl/norm.h"

#include "api/call.h"
#include "operations/entries.h"
#include "operations/norm/fields.h"
#include "runtime/plan.h"

sqa_status sqa_norm_plan_create(sqa_plan **out, sqa_context *context, const sqa_norm_desc *desc,
                                const sqa_plan_options *options)
{
    sqa_problem problem;
    sqa_status status = sqa_check_planning(out, context, options);
    if (status == SQA_OK)
        status = sqa_problem_from_norm(&problem, desc);
    return status == SQA_OK ? sqa_plan_build(out, context, &problem, options) : status;
}

sqa_status sqa_norm_backward_plan_create(sqa_plan **out, sqa_context *context,
                                         const sqa_norm_backward_desc *desc,
                                         const sqa_plan_options *options)
{
    sqa_problem problem;
    sqa_status status = sqa_check_planning(out, context, options);
    if (status == SQA_OK)
        status = sqa_problem_from_norm_backward(&problem, desc);
    return status == SQA_OK ? sqa_plan_build(out, context, &problem, options) : status;
}

sqa_status sqa_norm_run(sqa_plan *plan, cl_command_queue queue, const sqa_norm_tensors *tensors,
                        cl_uint wait_count, const cl_event *wait_list, cl_event *event)
{
    return sqa_call_plan(plan, &sqa_operation_norm, queue, tensors, wait_count, wait_list, event);
}

sqa_status sqa_norm_backward_run(sqa_plan *plan, cl_command_queue queue,
                                 const sqa_norm_backward_tensors *tensors, cl_uint wait_count,
                                 const cl_event *wait_list, cl_event *event)
{
    return sqa_call_plan(plan, &sqa_operation_norm_backward, queue, tensors, wait_count, wait_list,
                         event);
}

sqa_status sqa_norm(sqa_context *context, cl_command_queue queue, const sqa_norm_desc *desc,
                    const sqa_norm_tensors *tensors, cl_uint wait_count, const cl_event *wait_list,
                    cl_event *event)
{
    sqa_problem problem;
    sqa_status status = sqa_check_not_null("context", context);
    if (status == SQA_OK)
        status = sqa_problem_from_norm(&problem, desc);
    return status == SQA_OK
               ? sqa_call_problem(context, &problem, queue, tensors, wait_count, wait_list, event)
               : status;
}

sqa_status sqa_norm_backward(sqa_context *context, cl_command_queue queue,
                             const sqa_norm_backward_desc *desc,
                             const sqa_norm_backward_tensors *tensors, cl_uint wait_count,
                             const cl_event *wait_list, cl_event *event)
{
    sqa_problem problem;
    sqa_status status = sqa_check_not_null("context", context);
    if (status == SQA_OK)
        status = sqa_problem_from_norm_backward(&problem, desc);
    return status == SQA_OK
               ? sqa_call_problem(context, &problem, queue, tensors, wait_count, wait_list, event)
               : status;
}
