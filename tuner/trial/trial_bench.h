/* What a worker tries candidates with: a context without any database, a queue,
 * tensors, and the yardstick of the problem at hand. */
#ifndef SQA_TUNER_TRIAL_BENCH_H
#define SQA_TUNER_TRIAL_BENCH_H

#include "trial/sampling.h"
#include "trial/timing_tensors.h"

typedef struct sqa_trial_bench {
    sqa_context *context;
    cl_command_queue queue;
    sqa_timing_tensors tensors;
    sqa_sample_fault fault; /* for tests */

    /* Kept by sqa_trial_bench_yardstick. */
    sqa_problem yardstick_problem;
    sqa_plan *yardstick_plan; /* NULL: none for that problem */
    sqa_timing_work yardstick_work;
    sqa_yardstick yardstick;
} sqa_trial_bench;

/* Errors: SQA_NO_DEVICE, SQA_OPENCL_ERROR. Close it also after a failure. */
sqa_status sqa_trial_bench_open(sqa_trial_bench *bench, unsigned platform, unsigned device);
void sqa_trial_bench_close(sqa_trial_bench *bench);

/* What the library runs for `problem` without any database, warm and ready to be
 * timed beside the candidates. Where it cannot run, or takes too long to be
 * repeated so often, its work is empty. Tensors for `problem` must be reserved. */
const sqa_yardstick *sqa_trial_bench_yardstick(sqa_trial_bench *bench, const sqa_problem *problem);

#endif
