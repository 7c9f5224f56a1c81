/* The rows of one length and dimension: what is compared with one another, and so
 * sampled in the same rounds. Which groups there are is bench.c's business. */
#ifndef SQA_TUNER_BENCH_GROUP_H
#define SQA_TUNER_BENCH_GROUP_H

#include "trial/bench.h"
#include "trial/timing_tensors.h"

typedef struct sqa_bench_group {
    uint32_t length, dim;
    sqa_bench_row *rows;
    size_t count;
    double round_s;     /* what one round takes */
    double *fma, *copy; /* rates of the ceiling, sampled between the rows */
    size_t fma_count, copy_count;
    bool interrupted;
} sqa_bench_group;

/* What all groups of a run share. */
typedef struct sqa_bench_state {
    sqa_context *context;
    const sqa_bench_options *options;
    cl_command_queue queue;
    sqa_timing_tensors tensors;
    sqa_ceiling_probe *ceiling;
    sqa_bench_progress progress;
    void *progress_user;
    double begun_s, expected_s, done_s; /* for the progress, in expected seconds */
} sqa_bench_state;

/* Prepares, checks and samples the rows of group->length and group->dim, the only
 * members that need to be set. When it is interrupted the rows rest on the rounds
 * that were complete; without any there are none. */
sqa_status sqa_bench_group_measure(sqa_bench_state *run, sqa_bench_group *group);
void sqa_bench_group_free(sqa_bench_group *group);

/* A guess of how long that takes, good enough for a progress bar. */
double sqa_bench_group_expected(const sqa_bench_state *run, uint32_t length, uint32_t dim);

/* What is going on now, then what of the expected time it took. */
void sqa_bench_announce(const sqa_bench_state *run, const char *format, ...) SQA_PRINTF(2, 3);

#endif
