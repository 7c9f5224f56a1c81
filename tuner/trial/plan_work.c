/* See plan_work.h. */
#include "trial/plan_work.h"

/* What a library's call enqueues may be several. */
static bool is_one_kernel(const sqa_plan *plan)
{
    const sqa_launch *launch = &plan->stages[0].leaf->launch;
    return plan->stage_count == 1 && launch->step_count == 1 && !launch->steps[0].call;
}

sqa_status sqa_plan_time(sqa_plan *plan, const sqa_tensor tensors[SQA_MAX_SLOTS],
                         cl_command_queue queue, cl_event *event)
{
    return sqa_plan_enqueue(plan, tensors, queue, 0, NULL, is_one_kernel(plan) ? event : NULL);
}

static sqa_status enqueue(void *user, cl_command_queue queue, cl_event *event)
{
    sqa_plan_work *work = user;
    work->tensors[SQA_SLOT_WORKSPACE] = (sqa_tensor){work->plan->workspace, 0};
    return sqa_plan_time(work->plan, work->tensors, queue, event);
}

sqa_work sqa_plan_work_of(sqa_plan_work *work)
{
    return (sqa_work){enqueue, work};
}
