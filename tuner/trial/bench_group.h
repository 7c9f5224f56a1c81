/* The rows that are compared with one another, and so sampled in the same rounds. Which groups
 * there are is bench.c's business, which rows bench_rows.c's. */
#ifndef SQA_TUNER_BENCH_GROUP_H
#define SQA_TUNER_BENCH_GROUP_H

#include "trial/bench_rows.h"
#include "trial/timing_tensors.h"

/* Numbers that are only known to be few. */
typedef struct sqa_bench_rates {
    double *values;
    size_t count;
} sqa_bench_rates;

typedef struct sqa_bench_group {
    sqa_bench_rows rows;
    double round_s;                           /* what one round takes */
    sqa_bench_rates rates[SQA_CEILING_KINDS]; /* of the ceilings, sampled between the rows */
    bool interrupted;
} sqa_bench_group;

/* What all groups of a run share. */
typedef struct sqa_bench_state {
    sqa_context *context;
    const sqa_bench_options *options;
    cl_command_queue queue;
    sqa_timing_tensors tensors;
    sqa_ceiling_probe *ceiling;
    struct sqa_peer *peer; /* NULL: none was asked for */
    sqa_bench_progress progress;
    void *progress_user;
    double begun_s, expected_s, done_s; /* for the progress, in expected seconds */
} sqa_bench_state;

/* Prepares, checks and samples the rows of that number. When it is interrupted the rows rest on
 * the rounds that were complete; without any there are none. *group is to be freed, whatever is
 * returned. */
sqa_status sqa_bench_group_measure(sqa_bench_state *run, size_t number, sqa_bench_group *group);
void sqa_bench_group_free(sqa_bench_group *group);

/* A guess of how long that takes, good enough for a progress bar. */
double sqa_bench_group_expected(const sqa_bench_state *run, size_t number);

/* What is going on now, then what of the expected time it took. */
void sqa_bench_announce(const sqa_bench_state *run, const char *format, ...) SQA_PRINTF(2, 3);

#endif
