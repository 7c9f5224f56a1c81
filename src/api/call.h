/* What the entry points of all operations have in common: checking their arguments
 * and enqueueing a plan. */
#ifndef SQA_API_CALL_H
#define SQA_API_CALL_H

#include "operations/operation.h"
#include "sqa_cl/plan.h"

/* Errors: SQA_INVALID_ARGUMENT with the name of the argument. */
sqa_status sqa_check_not_null(const char *name, const void *pointer);

/* The arguments that all functions have that make a plan; `options` may be NULL.
 * Errors: SQA_INVALID_ARGUMENT. */
sqa_status sqa_check_planning(sqa_plan **out, sqa_context *context,
                              const sqa_plan_options *options);

/* Everything about a call but the tensors themselves.
 * Errors: SQA_INVALID_ARGUMENT with the name of the argument. */
sqa_status sqa_check_call(const sqa_plan *plan, const sqa_operation_entry *operation,
                          cl_command_queue queue, const void *tensors, cl_uint wait_count,
                          const cl_event *wait_list);

/* Checks every argument and enqueues the plan, which has to be for that operation, on
 * `tensors`, its public struct of them. Errors as sqa_forward(). */
sqa_status sqa_call_plan(sqa_plan *plan, const sqa_operation_entry *operation,
                         cl_command_queue queue, const void *tensors, cl_uint wait_count,
                         const cl_event *wait_list, cl_event *event);

/* The part of it that is left after sqa_check_call(), with weights that were packed for the
 * plan; NULL: none. */
sqa_status sqa_call_checked(sqa_plan *plan, const sqa_operation_entry *operation,
                            cl_command_queue queue, const void *tensors, cl_mem packed,
                            cl_uint wait_count, const cl_event *wait_list, cl_event *event);

/* The same with the plan that the context keeps for the problem. */
sqa_status sqa_call_problem(sqa_context *context, const sqa_problem *problem,
                            cl_command_queue queue, const void *tensors, cl_uint wait_count,
                            const cl_event *wait_list, cl_event *event);

#endif
