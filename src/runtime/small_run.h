/* Running a plan's program on a small problem of the same kind: what warming up
 * and self-checking share. */
#ifndef SQA_RUNTIME_SMALL_RUN_H
#define SQA_RUNTIME_SMALL_RUN_H

#include "runtime/plan.h"

/* The plan's problem cut down to one batch entry, one group of heads and short
 * lengths, packed and with the default scale; long enough that every family takes both its
 * whole-tile and its edge path. */
sqa_problem sqa_small_problem(const sqa_plan *plan);

/* Enqueues the plan's program on `small` and waits. Tensors by role; the workspace
 * is brought along here. */
sqa_status sqa_small_run(const sqa_plan *plan, const sqa_problem *small,
                         const sqa_tensor tensors[SQA_ROLE_COUNT], cl_command_queue queue);

#endif
