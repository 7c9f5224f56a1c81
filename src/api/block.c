/* Public entry points of transformer blocks. */
#include "sqa_cl/block.h"

#include "api/call.h"
#include "api/kept.h"
#include "operations/block/fields.h"
#include "operations/block/slots.h"
#include "operations/entries.h"
#include "problem/checks.h"
#include "runtime/plan.h"

sqa_status sqa_block_plan_create(sqa_plan **out, sqa_context *context, const sqa_block_desc *desc,
                                 const sqa_plan_options *options)
{
    sqa_problem problem;
    sqa_status status = sqa_check_planning(out, context, options);
    if (status == SQA_OK)
        status = sqa_problem_from_block(&problem, desc);
    return status == SQA_OK ? sqa_plan_build(out, context, &problem, options) : status;
}

sqa_status sqa_block_backward_plan_create(sqa_plan **out, sqa_context *context,
                                          const sqa_block_desc *desc,
                                          const sqa_block_backward_options *backward,
                                          const sqa_plan_options *options)
{
    sqa_problem problem;
    sqa_status status = sqa_check_planning(out, context, options);
    if (status == SQA_OK)
        status = sqa_problem_from_block_backward(&problem, desc, backward);
    return status == SQA_OK ? sqa_plan_build(out, context, &problem, options) : status;
}

sqa_status sqa_block_run(sqa_plan *plan, cl_command_queue queue, const sqa_block_tensors *tensors,
                         cl_uint wait_count, const cl_event *wait_list, cl_event *event)
{
    return sqa_call_plan(plan, &sqa_operation_block, queue, tensors, wait_count, wait_list, event);
}

sqa_status sqa_block_backward_run(sqa_plan *plan, cl_command_queue queue,
                                  const sqa_block_backward_tensors *tensors, cl_uint wait_count,
                                  const cl_event *wait_list, cl_event *event)
{
    return sqa_call_plan(plan, &sqa_operation_block_backward, queue, tensors, wait_count, wait_list,
                         event);
}

sqa_status sqa_block(sqa_context *context, cl_command_queue queue, const sqa_block_desc *desc,
                     const sqa_block_tensors *tensors, cl_uint wait_count,
                     const cl_event *wait_list, cl_event *event)
{
    sqa_problem problem;
    sqa_status status = sqa_check_not_null("context", context);
    if (status == SQA_OK)
        status = sqa_problem_from_block(&problem, desc);
    return status == SQA_OK
               ? sqa_call_problem(context, &problem, queue, tensors, wait_count, wait_list, event)
               : status;
}

sqa_status sqa_block_backward(sqa_context *context, cl_command_queue queue,
                              const sqa_block_desc *desc,
                              const sqa_block_backward_options *backward,
                              const sqa_block_backward_tensors *tensors, cl_uint wait_count,
                              const cl_event *wait_list, cl_event *event)
{
    sqa_problem problem;
    sqa_status status = sqa_check_not_null("context", context);
    if (status == SQA_OK)
        status = sqa_problem_from_block_backward(&problem, desc, backward);
    return status == SQA_OK
               ? sqa_call_problem(context, &problem, queue, tensors, wait_count, wait_list, event)
               : status;
}

sqa_status sqa_block_kept_layout(const sqa_block_desc *desc, sqa_block_kept *out)
{
    sqa_problem problem;
    sqa_status status = sqa_check_not_null("out", out);
    if (status == SQA_OK)
        status = sqa_check_version("out.version", out->version, SQA_BLOCK_KEPT_VERSION);
    if (status == SQA_OK)
        status = sqa_check_not_null("desc", desc);
    if (status != SQA_OK)
        return status;
    sqa_block_desc keeping = *desc;
    keeping.keep = 1;
    status = sqa_problem_from_block(&problem, &keeping);
    if (status == SQA_OK)
        status = sqa_layer_kept_layout(desc->layer, &out->layer);
    if (status != SQA_OK)
        return status;
    out->bytes = out->layer.bytes;
    out->middle = sqa_kept_place(&problem, SQA_BLOCK_MIDDLE, &out->bytes);
    out->up = sqa_kept_place(&problem, SQA_BLOCK_UP, &out->bytes);
    out->gate = sqa_kept_place(&problem, SQA_BLOCK_GATE, &out->bytes);
    return SQA_OK;
}
