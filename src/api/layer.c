/* Public entry points of the attention layer. */
#include "sqa_cl/layer.h"

#include "api/call.h"
#include "operations/entries.h"
#include "operations/layer/fields.h"
#include "operations/layer/slots.h"
#include "operations/tensors.h"
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

/* Behind what there is, as far as devices want views aligned; the offset in its elements. */
static size_t place(const sqa_problem *problem, uint32_t slot, size_t *bytes)
{
    enum { ALIGNMENT = 256 };
    sqa_tensor_shape shape;
    if (!sqa_tensor_shape_of(problem, slot, &shape))
        return 0;
    const size_t at = (*bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    *bytes = at + (size_t)sqa_element_bytes(shape.element, sqa_tensor_extent(&shape));
    return at * 8 / sqa_element_bits(shape.element);
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
    sqa_layer_desc keeping = *desc;
    keeping.keep = 1;
    status = sqa_problem_from_layer(&problem, &keeping);
    if (status != SQA_OK)
        return status;
    out->bytes = 0;
    out->q = place(&problem, SQA_SLOT_Q, &out->bytes);
    out->k = place(&problem, SQA_SLOT_K, &out->bytes);
    out->v = place(&problem, SQA_SLOT_V, &out->bytes);
    out->qkv = place(&problem, SQA_LAYER_QKV, &out->bytes);
    out->o = place(&problem, SQA_SLOT_O, &out->bytes);
    out->lse = place(&problem, SQA_SLOT_LSE, &out->bytes);
    out->q_projected = place(&problem, SQA_LAYER_Q_PROJECTED, &out->bytes);
    out->k_projected = place(&problem, SQA_LAYER_K_PROJECTED, &out->bytes);
    out->g = place(&problem, SQA_LAYER_G, &out->bytes);
    return SQA_OK;
}
