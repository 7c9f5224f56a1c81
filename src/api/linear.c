/* Public entry points of linear attention. */
#include "sqa_cl/linear.h"

#include "api/call.h"
#include "operations/entries.h"
#include "operations/linear/fields.h"
#include "runtime/plan.h"

static sqa_status create_plan(sqa_plan **out, sqa_context *context, sqa_operation operation,
                              const sqa_attention_desc *desc, const sqa_linear_options *linear,
                              const sqa_plan_options *options)
{
    sqa_problem problem;
    sqa_status status = sqa_check_planning(out, context, options);
    if (status == SQA_OK)
        status = sqa_problem_from_linear(&problem, operation, desc, linear);
    return status == SQA_OK ? sqa_plan_build(out, context, &problem, options) : status;
}

static sqa_status call(sqa_context *context, cl_command_queue queue, sqa_operation operation,
                       const sqa_attention_desc *desc, const sqa_linear_options *linear,
                       const void *tensors, cl_uint wait_count, const cl_event *wait_list,
                       cl_event *event)
{
    sqa_problem problem;
    sqa_status status = sqa_check_not_null("context", context);
    if (status == SQA_OK)
        status = sqa_problem_from_linear(&problem, operation, desc, linear);
    return status == SQA_OK
               ? sqa_call_problem(context, &problem, queue, tensors, wait_count, wait_list, event)
               : status;
}

sqa_status sqa_linear_plan_create(sqa_plan **out, sqa_context *context,
                                  const sqa_attention_desc *desc, const sqa_linear_options *linear,
                                  const sqa_plan_options *options)
{
    return create_plan(out, context, SQA_OPERATION_LINEAR_FORWARD, desc, linear, options);
}

sqa_status sqa_linear_forward(sqa_plan *plan, cl_command_queue queue,
                              const sqa_linear_tensors *tensors, cl_uint wait_count,
                              const cl_event *wait_list, cl_event *event)
{
    return sqa_call_plan(plan, &sqa_operation_linear_forward, queue, tensors, wait_count, wait_list,
                         event);
}

sqa_status sqa_linear_attention(sqa_context *context, cl_command_queue queue,
                                const sqa_attention_desc *desc, const sqa_linear_options *linear,
                                const sqa_linear_tensors *tensors, cl_uint wait_count,
                                const cl_event *wait_list, cl_event *event)
{
    return call(context, queue, SQA_OPERATION_LINEAR_FORWARD, desc, linear, tensors, wait_count,
                wait_list, event);
}

sqa_status sqa_linear_backward_plan_create(sqa_plan **out, sqa_context *context,
                                           const sqa_attention_desc *desc,
                                           const sqa_linear_options *linear,
                                           const sqa_plan_options *options)
{
    return create_plan(out, context, SQA_OPERATION_LINEAR_BACKWARD, desc, linear, options);
}

sqa_status sqa_linear_backward(sqa_plan *plan, cl_command_queue queue,
                               const sqa_linear_backward_tensors *tensors, cl_uint wait_count,
                               const cl_event *wait_list, cl_event *event)
{
    return sqa_call_plan(plan, &sqa_operation_linear_backward, queue, tensors, wait_count,
                         wait_list, event);
}

sqa_status sqa_linear_attention_backward(sqa_context *context, cl_command_queue queue,
                                         const sqa_attention_desc *desc,
                                         const sqa_linear_options *linear,
                                         const sqa_linear_backward_tensors *tensors,
                                         cl_uint wait_count, const cl_event *wait_list,
                                         cl_event *event)
{
    return call(context, queue, SQA_OPERATION_LINEAR_BACKWARD, desc, linear, tensors, wait_count,
                wait_list, event);
}
