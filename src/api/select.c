/* Public entry points of block selection. */
#include "sqa_cl/select.h"

#include "api/call.h"
#include "base/status.h"
#include "operations/entries.h"
#include "operations/select_blocks.h"
#include "operations/selected_forward.h"
#include "runtime/plan.h"

sqa_status sqa_select_entries(const sqa_attention_desc *desc, const sqa_select_options *select,
                              uint32_t *entries)
{
    sqa_problem problem;
    sqa_status status = sqa_check_not_null("entries", entries);
    if (status == SQA_OK)
        status = sqa_problem_from_selection(&problem, desc, select, false);
    if (status == SQA_OK)
        *entries = problem.of.attention.blocks.entries;
    return status;
}

sqa_status sqa_select_plan_create(sqa_plan **out, sqa_context *context,
                                  const sqa_attention_desc *desc, const sqa_select_options *select,
                                  const sqa_plan_options *options)
{
    sqa_problem problem;
    sqa_status status = sqa_check_planning(out, context, options);
    if (status == SQA_OK)
        status = sqa_problem_from_selection(&problem, desc, select, true);
    return status == SQA_OK ? sqa_plan_build(out, context, &problem, options) : status;
}

sqa_status sqa_select_blocks(sqa_plan *plan, cl_command_queue queue, const sqa_tensors *tensors,
                             cl_uint wait_count, const cl_event *wait_list, cl_event *event)
{
    return sqa_call_plan(plan, &sqa_operation_select_blocks, queue, tensors, wait_count, wait_list,
                         event);
}

sqa_status sqa_attention_select_blocks(sqa_context *context, cl_command_queue queue,
                                       const sqa_attention_desc *desc,
                                       const sqa_select_options *select, const sqa_tensors *tensors,
                                       cl_uint wait_count, const cl_event *wait_list,
                                       cl_event *event)
{
    sqa_problem problem;
    sqa_status status = sqa_check_not_null("context", context);
    if (status == SQA_OK)
        status = sqa_problem_from_selection(&problem, desc, select, true);
    return status == SQA_OK
               ? sqa_call_problem(context, &problem, queue, tensors, wait_count, wait_list, event)
               : status;
}

sqa_status sqa_selected_plan_create(sqa_plan **out, sqa_context *context,
                                    const sqa_attention_desc *desc,
                                    const sqa_select_options *select,
                                    const sqa_plan_options *options)
{
    sqa_problem problem;
    sqa_status status = sqa_check_planning(out, context, options);
    if (status == SQA_OK)
        status = sqa_problem_from_selected(&problem, desc, select);
    return status == SQA_OK ? sqa_plan_build(out, context, &problem, options) : status;
}

sqa_status sqa_selected_forward(sqa_plan *plan, cl_command_queue queue, const sqa_tensors *tensors,
                                cl_uint wait_count, const cl_event *wait_list, cl_event *event)
{
    return sqa_call_plan(plan, &sqa_operation_selected_forward, queue, tensors, wait_count,
                         wait_list, event);
}

sqa_status sqa_attention_selected_forward(sqa_context *context, cl_command_queue queue,
                                          const sqa_attention_desc *desc,
                                          const sqa_select_options *select,
                                          const sqa_tensors *tensors, cl_uint wait_count,
                                          const cl_event *wait_list, cl_event *event)
{
    sqa_problem problem;
    sqa_status status = sqa_check_not_null("context", context);
    if (status == SQA_OK)
        status = sqa_problem_from_selected(&problem, desc, select);
    return status == SQA_OK
               ? sqa_call_problem(context, &problem, queue, tensors, wait_count, wait_list, event)
               : status;
}
