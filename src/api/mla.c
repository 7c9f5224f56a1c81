/* Public entry points of multi-head latent attention. */
#include "sqa_cl/mla.h"

#include "api/call.h"
#include "operations/entries.h"
#include "operations/mla/slots.h"
#include "runtime/plan.h"

sqa_status sqa_mla_plan_create(sqa_plan **out, sqa_context *context, const sqa_mla_desc *desc,
                               const sqa_plan_options *options)
{
    sqa_problem problem;
    sqa_status status = sqa_check_planning(out, context, options);
    if (status == SQA_OK)
        status = sqa_problem_from_mla(&problem, desc);
    return status == SQA_OK ? sqa_plan_build(out, context, &problem, options) : status;
}

sqa_status sqa_mla_run(sqa_plan *plan, cl_command_queue queue, const sqa_mla_tensors *tensors,
                       cl_uint wait_count, const cl_event *wait_list, cl_event *event)
{
    return sqa_call_plan(plan, &sqa_operation_mla_layer, queue, tensors, wait_count, wait_list,
                         event);
}

sqa_status sqa_mla_layer(sqa_context *context, cl_command_queue queue, const sqa_mla_desc *desc,
                         const sqa_mla_tensors *tensors, cl_uint wait_count,
                         const cl_event *wait_list, cl_event *event)
{
    sqa_problem problem;
    sqa_status status = sqa_check_not_null("context", context);
    if (status == SQA_OK)
        status = sqa_problem_from_mla(&problem, desc);
    return status == SQA_OK
               ? sqa_call_problem(context, &problem, queue, tensors, wait_count, wait_list, event)
               : status;
}
