/* Public entry points of the attention layer. */
#include "sqa_cl/layer.h"

#include "api/call.h"
#include "api/kept.h"
#include "operations/entries.h"
#include "operations/layer/fields.h"
#include "operations/layer/slots.h"
#include "problem/checks.h"
#include "runtime/plan.h"

sqa_status sqa_layer_plan_create(sqa_plan **out, sqa_context *context, const sqa_layer_desc *desc,
                                 const sqa_plan_options *options)
{
    sqa_problem problem;
    sqa_status status = sqa_check_planning(out, context, options);
    if (status == SQA_OK)
        status = sqa_problem_from_layer(&problem, desc);
    return status == SQA_OK ? sqa_plan_build(out, context, &problem, options) : status;
}

sqa_status sqa_layer_backward_plan_create(sqa_plan **out, sqa_context *context,
                                          const sqa_layer_desc *desc,
                                          const sqa_layer_backward_options *backward,
                                          const sqa_plan_options *options)
{
    sqa_problem problem;
    sqa_status status = sqa_check_planning(out, context, options);
    if (status == SQA_OK)
        status = sqa_problem_from_layer_backward(&problem, desc, backward);
    return status == SQA_OK ? sqa_plan_build(out, context, &problem, options) : status;
}

sqa_status sqa_layer_run(sqa_plan *plan, cl_command_queue queue, const sqa_layer_tensors *tensors,
                         cl_uint wait_count, const cl_event *wait_list, cl_event *event)
{
    return sqa_call_plan(plan, &sqa_operation_layer, queue, tensors, wait_count, wait_list, event);
}

sqa_status sqa_layer_backward_run(sqa_plan *plan, cl_command_queue queue,
                                  const sqa_layer_backward_tensors *tensors, cl_uint wait_count,
                                  const cl_event *wait_list, cl_event *event)
{
    return sqa_call_plan(plan, &sqa_operation_layer_backward, queue, tensors, wait_count, wait_list,
                         event);
}

sqa_status sqa_layer(sqa_context *context, cl_command_queue queue, const sqa_layer_desc *desc,
                     const sqa_layer_tensors *tensors, cl_uint wait_count,
                     const cl_event *wait_list, cl_event *event)
{
    sqa_problem problem;
    sqa_status status = sqa_check_not_null("context", context);
    if (status == SQA_OK)
        status = sqa_problem_from_layer(&problem, desc);
    return status == SQA_OK
               ? sqa_call_problem(context, &problem, queue, tensors, wait_count, wait_list, event)
               : status;
}

sqa_status sqa_layer_backward(sqa_context *context, cl_command_queue queue,
                              const sqa_layer_desc *desc,
                              const sqa_layer_backward_options *backward,
                              const sqa_layer_backward_tensors *tensors, cl_uint wait_count,
                              const cl_event *wait_list, cl_event *event)
{
    sqa_problem problem;
    sqa_status status = sqa_check_not_null("context", context);
    if (status == SQA_OK)
        status = sqa_problem_from_layer_backward(&problem, desc, backward);
    return status == SQA_OK
               ? sqa_call_problem(context, &problem, queue, tensors, wait_count, wait_list, event)
               : status;
}

sqa_status sqa_layer_kept_layout(const sqa_layer_desc *desc, sqa_layer_kept *out)
{
    sqa_problem problem;
    sqa_status status = sqa_check_not_null("out", out);
    if (status == SQA_OK)
        status = sqa_check_version("out.version", out->version, SQA_LAYER_KEPT_VERSION);
    if (status == SQA_OK)
        status = sqa_check_not_null("desc", desc);
    if (status != SQA_OK)
        return status;
    sqa_layer_desc keeping = sqa_layer_desc_read(desc);
    keeping.keep = 1;
    status = sqa_problem_from_layer(&problem, &keeping);
    if (status != SQA_OK)
        return status;
    out->bytes = 0;
    out->q = sqa_kept_place(&problem, SQA_SLOT_Q, &out->bytes);
    out->k = sqa_kept_place(&problem, SQA_SLOT_K, &out->bytes);
    out->v = sqa_kept_place(&problem, SQA_SLOT_V, &out->bytes);
    out->qkv = sqa_kept_place(&problem, SQA_LAYER_QKV, &out->bytes);
    out->o = sqa_kept_place(&problem, SQA_SLOT_O, &out->bytes);
    out->lse = sqa_kept_place(&problem, SQA_SLOT_LSE, &out->bytes);
    out->q_projected = sqa_kept_place(&problem, SQA_LAYER_Q_PROJECTED, &out->bytes);
    out->k_projected = sqa_kept_place(&problem, SQA_LAYER_K_PROJECTED, &out->bytes);
    out->g = sqa_kept_place(&problem, SQA_LAYER_G, &out->bytes);
    out->decay_projected = sqa_kept_place(&problem, SQA_LAYER_DECAY_PROJECTED, &out->bytes);
    out->beta_projected = sqa_kept_place(&problem, SQA_LAYER_BETA_PROJECTED, &out->bytes);
    return SQA_OK;
}
