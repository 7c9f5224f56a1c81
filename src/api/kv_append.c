/* Public entry points of appending to a cache. */
#include "api/call.h"
#include "operations/entries.h"
#include "operations/kv_append/slots.h"
#include "runtime/plan.h"
#include "sqa_cl/kv_cache.h"

sqa_status sqa_kv_append_plan_create(sqa_plan **out, sqa_context *context,
                                     const sqa_kv_append_desc *desc,
                                     const sqa_plan_options *options)
{
    sqa_problem problem;
    sqa_status status = sqa_check_planning(out, context, options);
    if (status == SQA_OK)
        status = sqa_problem_from_kv_append(&problem, desc);
    return status == SQA_OK ? sqa_plan_build(out, context, &problem, options) : status;
}

sqa_status sqa_kv_append_run(sqa_plan *plan, cl_command_queue queue,
                             const sqa_kv_append_tensors *tensors, cl_uint wait_count,
                             const cl_event *wait_list, cl_event *event)
{
    return sqa_call_plan(plan, &sqa_operation_kv_append, queue, tensors, wait_count, wait_list,
                         event);
}

sqa_status sqa_kv_append(sqa_context *context, cl_command_queue queue,
                         const sqa_kv_append_desc *desc, const sqa_kv_append_tensors *tensors,
                         cl_uint wait_count, const cl_event *wait_list, cl_event *event)
{
    sqa_problem problem;
    sqa_status status = sqa_check_not_null("context", context);
    if (status == SQA_OK)
        status = sqa_problem_from_kv_append(&problem, desc);
    return status == SQA_OK
               ? sqa_call_problem(context, &problem, queue, tensors, wait_count, wait_list, event)
               : status;
}

static sqa_status check_sequence(const sqa_appending *a, uint32_t number, int64_t given,
                                 int64_t count)
{
    const int64_t position = a->at_end ? given - count : given;
    const int64_t room = a->capacity - position;
    if (position < 0 || room < 0)
        return sqa_fail(SQA_INVALID_ARGUMENT, "positions[%u]: %lld is outside 0..%u, the capacity",
                        number, (long long)given, a->capacity);
    if (count < 0 || count > a->length)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "cu_seqlens: sequence %u has %lld tokens, outside 0..%u", number,
                        (long long)count, a->length);
    if (count <= room)
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "positions[%u]: of %lld new tokens behind %lld fit %lld, the capacity being %u",
                    number, (long long)count, (long long)position, (long long)room, a->capacity);
}

sqa_status sqa_kv_append_check(const sqa_kv_append_desc *desc, const int32_t *positions,
                               const int32_t *cu_seqlens)
{
    sqa_problem problem;
    const sqa_appending *a = &problem.of.appending;
    sqa_status status = sqa_problem_from_kv_append(&problem, desc);
    if (status == SQA_OK)
        status = sqa_check_not_null("positions", positions);
    if (status == SQA_OK && a->ragged)
        status = sqa_check_not_null("cu_seqlens", cu_seqlens);
    for (uint32_t b = 0; status == SQA_OK && b < a->batch; b++)
        status = check_sequence(a, b, positions[b],
                                a->ragged ? (int64_t)cu_seqlens[b + 1] - cu_seqlens[b] : a->length);
    if (status == SQA_OK && a->ragged &&
        (cu_seqlens[0] != 0 || cu_seqlens[a->batch] < 0 ||
         (uint32_t)cu_seqlens[a->batch] != a->total))
        status = sqa_fail(SQA_INVALID_ARGUMENT,
                          "cu_seqlens: goes from %d to %d; expected from 0 to the total, %u",
                          cu_seqlens[0], cu_seqlens[a->batch], a->total);
    return status;
}
