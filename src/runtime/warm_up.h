/* The first launch, on a small problem of the plan's own program. */
#ifndef SQA_RUNTIME_WARM_UP_H
#define SQA_RUNTIME_WARM_UP_H

#include "runtime/plan.h"

/* Runs the plan's program once on scratch buffers and waits for it; then its binary
 * is complete, and is kept. */
sqa_status sqa_warm_up(sqa_plan *plan, cl_command_queue queue);

#endif
