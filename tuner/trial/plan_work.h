/* A plan on the tensors it is timed with, as work that sqa_measure knows. */
#ifndef SQA_TUNER_PLAN_WORK_H
#define SQA_TUNER_PLAN_WORK_H

#include "operations/tensors.h"
#include "runtime/plan.h"
#include "trial/measure.h"

typedef struct sqa_plan_work {
    sqa_plan *plan;
    sqa_tensor tensors[SQA_MAX_SLOTS]; /* but for the workspace, which is the plan's own */
} sqa_plan_work;

/* Enqueues the plan once. *event (may be NULL) is left as it is where it would not tell of all
 * that the plan does: of several kernels, it is the last one's. */
sqa_status sqa_plan_time(sqa_plan *plan, const sqa_tensor tensors[SQA_MAX_SLOTS],
                         cl_command_queue queue, cl_event *event);

/* `work` must stay where it is while the result is used. */
sqa_work sqa_plan_work_of(sqa_plan_work *work);

#endif
