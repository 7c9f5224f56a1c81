/* What a worker tries candidates with: a context without any database, a queue, and what it
 * keeps for the candidates to come: programs, problems, what was found right. */
#ifndef SQA_TUNER_TRIAL_BENCH_H
#define SQA_TUNER_TRIAL_BENCH_H

#include "trial/ceiling.h"
#include "trial/kept_problem.h"

/* A program that was built for a candidate. */
typedef struct sqa_kept_program {
    struct sqa_kept_program *next;
    cl_program program; /* the context's */
    double build_ms;    /* to build it, and for its first launch where that was made */
    bool launched;
    double max_error; /* of the relatives that it was right about; NaN: of none yet */
    struct sqa_passed_relative {
        struct sqa_passed_relative *next;
        sqa_problem problem;
    } * passed;
} sqa_kept_program;

typedef struct sqa_trial_bench {
    sqa_context *context;
    cl_command_queue queue;
    sqa_sample_fault fault; /* for tests */
    sqa_kept_problems problems;
    sqa_kept_program *programs;
    sqa_ceiling_probe *ceiling; /* NULL: not asked for yet */
} sqa_trial_bench;

/* `programs`: as of sqa_worker_serve(). Hardly a candidate is ever compiled again but for finals.
 * Errors: SQA_NO_DEVICE, SQA_OPENCL_ERROR. Close it also after a failure. */
sqa_status sqa_trial_bench_open(sqa_trial_bench *bench, unsigned platform, unsigned device,
                                const char *programs);
void sqa_trial_bench_close(sqa_trial_bench *bench);

/* The problem to time candidates on, with what the library runs for it without any database,
 * warm and ready to be timed beside them: where that cannot run, or takes too long to be
 * repeated so often, the yardstick's work is empty.
 * Errors: those of sqa_kept_problem_get(). */
sqa_status sqa_trial_bench_problem(sqa_trial_bench *bench, const sqa_problem *problem,
                                   sqa_kept_problem **out);

/* Samples what the device can do once more, the first time by the variants `known` from
 * another process; the best so far, as sqa_ceiling_probe_result().
 * Errors: those of sqa_ceiling_probe_create() and of sampling. */
sqa_status sqa_trial_bench_ceiling(sqa_trial_bench *bench, const sqa_ceiling *known,
                                   sqa_ceiling *out);

/* What was built last took less than it seemed: it stood still. */
void sqa_trial_bench_paused(sqa_trial_bench *bench, uint32_t milliseconds);

/* What is known of a program; NULL: nothing, or, when asked to add it, no memory. */
sqa_kept_program *sqa_trial_bench_program(sqa_trial_bench *bench, cl_program program, bool add);

#endif
