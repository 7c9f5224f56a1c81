/* Public entry points of the matrix product. */
#include "sqa_cl/matmul.h"

#include "api/call.h"
#include "api/tensors.h"
#include "operations/entries.h"
#include "operations/matmul/fields.h"
#include "operations/matmul/slots.h"
#include "runtime/context.h"
#include "runtime/packed.h"

sqa_status sqa_matmul_plan_create(sqa_plan **out, sqa_context *context, const sqa_matmul_desc *desc,
                                  const sqa_plan_options *options)
{
    sqa_problem problem;
    sqa_status status = sqa_check_planning(out, context, options);
    if (status == SQA_OK)
        status = sqa_problem_from_matmul(&problem, desc);
    return status == SQA_OK ? sqa_plan_build(out, context, &problem, options) : status;
}

sqa_status sqa_matmul_pack(sqa_matmul_packed **out, sqa_plan *plan, cl_command_queue queue,
                           const sqa_matmul_tensors *tensors, cl_uint wait_count,
                           const cl_event *wait_list, cl_event *event)
{
    sqa_tensor by_slot[SQA_MAX_SLOTS] = {{0}};
    sqa_status status = sqa_check_not_null("out", out);
    if (status == SQA_OK)
        status = sqa_check_call(plan, &sqa_operation_matmul, queue, tensors, wait_count, wait_list);
    for (uint32_t slot = SQA_SLOT_MATRIX_B; slot <= SQA_SLOT_MATRIX_B2 && status == SQA_OK; slot++)
        status = sqa_check_tensor(&by_slot[slot], plan, tensors, slot);
    return status == SQA_OK
               ? sqa_packed_create(out, plan, by_slot, queue, wait_count, wait_list, event)
               : status;
}

void sqa_matmul_packed_destroy(sqa_matmul_packed *packed)
{
    sqa_packed_destroy(packed);
}

/* The packed weights of a call that was checked; NULL: none. */
static const sqa_matmul_packed *packed_of(const sqa_matmul_tensors *tensors)
{
    return tensors->version >= 2 ? tensors->packed : NULL;
}

sqa_status sqa_matmul_run(sqa_plan *plan, cl_command_queue queue, const sqa_matmul_tensors *tensors,
                          cl_uint wait_count, const cl_event *wait_list, cl_event *event)
{
    sqa_status status =
        sqa_check_call(plan, &sqa_operation_matmul, queue, tensors, wait_count, wait_list);
    if (status != SQA_OK)
        return status;
    const sqa_matmul_packed *packed = packed_of(tensors);
    if (!packed || plan->problem.of.product.k == 0)
        return sqa_call_checked(plan, &sqa_operation_matmul, queue, tensors, NULL, wait_count,
                                wait_list, event);
    sqa_matmul_tensors with_weights = *tensors;
    with_weights.b = packed->b;
    with_weights.b2 = packed->b2;
    status = sqa_packed_check(packed, plan);
    return status == SQA_OK ? sqa_call_checked(plan, &sqa_operation_matmul, queue, &with_weights,
                                               packed->buffer, wait_count, wait_list, event)
                            : status;
}

sqa_status sqa_matmul(sqa_context *context, cl_command_queue queue, const sqa_matmul_desc *desc,
                      const sqa_matmul_tensors *tensors, cl_uint wait_count,
                      const cl_event *wait_list, cl_event *event)
{
    sqa_problem problem;
    sqa_plan *plan = NULL;
    sqa_status status = sqa_check_not_null("context", context);
    if (status == SQA_OK)
        status = sqa_problem_from_matmul(&problem, desc);
    if (status == SQA_OK)
        status = sqa_plan_cache_get(context->plans, context, &problem, &plan);
    if (status != SQA_OK)
        return status;
    status = sqa_matmul_run(plan, queue, tensors, wait_count, wait_list, event);
    sqa_plan_release(plan);
    return status;
}
