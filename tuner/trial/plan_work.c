/* See plan_work.h. */
#include "trial/plan_work.h"

static sqa_status enqueue(void *user, cl_command_queue queue, cl_event *event)
{
    sqa_plan_work *work = user;
    work->tensors[SQA_SLOT_WORKSPACE] = (sqa_tensor){work->plan->workspace, 0};
    return sqa_plan_enqueue(work->plan, work->tensors, queue, 0, NULL, event);
}

sqa_work sqa_plan_work_of(sqa_plan_work *work)
{
    return (sqa_work){enqueue, work};
}
