/* The check before a configuration that was measured elsewhere (another driver,
 * another device) is used here for the first time. */
#ifndef SQA_RUNTIME_SELF_CHECK_H
#define SQA_RUNTIME_SELF_CHECK_H

#include "runtime/plan.h"

/* Runs the plan's program on random data and holds sampled rows against the fp64
 * reference. A program that passed once in this context is not run again.
 * Errors: SQA_WRONG_RESULT, and those of running. */
sqa_status sqa_self_check(const sqa_plan *plan);

#endif
