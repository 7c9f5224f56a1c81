/* The first launch, on small problems of the plan's own programs. */
#ifndef SQA_RUNTIME_WARM_UP_H
#define SQA_RUNTIME_WARM_UP_H

#include "runtime/plan.h"

/* Runs each of the plan's programs once on scratch buffers and waits for it; then its
 * binary is complete, and is kept. */
sqa_status sqa_warm_up(sqa_plan *plan, cl_command_queue queue);

#endif
