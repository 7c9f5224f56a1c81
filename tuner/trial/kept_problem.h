/* What a worker keeps of the problems it has met, for the next candidate: the inputs, what
 * the reference says of them, and the yardstick. They come round again and again, and cost
 * more than a launch. */
#ifndef SQA_TUNER_KEPT_PROBLEM_H
#define SQA_TUNER_KEPT_PROBLEM_H

#include "reference/host_tensors.h"
#include "reference/kept_rows.h"
#include "trial/plan_work.h"
#include "trial/sampling.h"

typedef struct sqa_kept_problem {
    struct sqa_kept_problem *next;
    sqa_problem problem;
    bool guarded;             /* to check with, not to time with */
    sqa_host_tensors tensors; /* without elements when they had to make room */
    sqa_kept_rows expected;
    bool has_yardstick; /* it was looked for */
    sqa_plan_work yardstick_work;
    sqa_yardstick yardstick;
} sqa_kept_problem;

/* The last used first. */
typedef struct sqa_kept_problems {
    sqa_kept_problem *first;
} sqa_kept_problems;

/* The problem with its tensors, on the host and in `context`; what was not used for long
 * makes room. It stays valid until the next call, its address longer.
 * Errors: SQA_OUT_OF_MEMORY, SQA_OPENCL_ERROR. */
sqa_status sqa_kept_problem_get(sqa_kept_problems *all, const sqa_problem *problem, bool guarded,
                                cl_context context, sqa_kept_problem **out);
void sqa_kept_problems_free(sqa_kept_problems *all);

#endif
