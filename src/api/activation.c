/* Public entry points of activations. */
#include "sqa_cl/activation.h"

#include "api/call.h"
#include "operations/activation/fields.h"
#include "operations/entries.h"
#include "runtime/plan.h"

sqa_status sqa_activation_plan_create(sqa_plan **out, sqa_context *context,
                                      const sqa_activation_desc *desc,
                                      const sqa_plan_options *options)
{
    sqa_problem problem;
    sqa_status status = sqa_check_planning(out, context, options);
    if (status == SQA_OK)
        status = sqa_problem_from_activation(&problem, desc);
    return status == SQA_OK ? sqa_plan_build(out, context, &problem, options) : status;
}

sqa_status sqa_activation_run(sqa_plan *plan, cl_command_queue queue,
                              const sqa_activation_tensors *tensors, cl_uint wait_count,
                              const cl_event *wait_list, cl_event *event)
{
    return sqa_call_plan(plan, &sqa_operation_activation, queue, tensors, wait_count, wait_list,
                         event);
}

sqa_status sqa_activation_backward_plan_create(sqa_plan **out, sqa_context *context,
                                               const sqa_activation_desc *desc,
                                               const sqa_activation_backward_options *backward,
                                               const sqa_plan_options *options)
{
    sqa_problem problem;
    sqa_status status = sqa_check_planning(out, context, options);
    if (status == SQA_OK)
        status = sqa_problem_from_activation_backward(&problem, desc, backward);
    return status == SQA_OK ? sqa_plan_build(out, context, &problem, options) : status;
}

sqa_status sqa_activation_backward(sqa_plan *plan, cl_command_queue queue,
                                   const sqa_activation_backward_tensors *tensors,
                                   cl_uint wait_count, const cl_event *wait_list, cl_event *event)
{
    return sqa_call_plan(plan, &sqa_operation_activation_backward, queue, tensors, wait_count,
                         wait_list, event);
}
