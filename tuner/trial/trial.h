/* A trial: one configuration of one family, tried on one problem. Plain data,
 * shared by the worker that measures, the search that decides and the store
 * that remembers. */
#ifndef SQA_TUNER_TRIAL_H
#define SQA_TUNER_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/kernel_family.h"
#include "problem/problem.h"

typedef enum sqa_trial_status {
    SQA_TRIAL_OK = 0,
    SQA_TRIAL_COMPILE_FAILED, /* the OpenCL compiler refused it, or the launch failed */
    SQA_TRIAL_WRONG_RESULT,   /* differs from the fp64 reference: never timed */
    SQA_TRIAL_TIMEOUT,        /* did not come back in time; the child was killed */
    SQA_TRIAL_CRASHED,        /* the child died */
    SQA_TRIAL_TOO_NOISY,      /* correct, but the timings spread too far to rank it */
    SQA_TRIAL_REJECTED,       /* the constraints refuse it on this device */
    SQA_TRIAL_MODELLED        /* never tried: a database has what a model says of it */
} sqa_trial_status;

const char *sqa_trial_status_name(sqa_trial_status status); /* "ok", "compile_failed", ... */
bool sqa_trial_status_from_name(const char *name, sqa_trial_status *out);

typedef struct sqa_trial_result {
    sqa_trial_status status;
    double median_ms; /* NaN unless status is ok or too_noisy; likewise below */
    double spread_ms; /* interquartile range of the samples */
    /* Times what the library runs there without any database, sampled in turn with it.
     * Among finalists: times the last of them, the median of all rounds. NaN: nothing
     * to compare with. */
    double relative;
    double relative_spread; /* how far the samples agree; of finalists, interquartile */
    double yardstick_ms;    /* what it was compared with took then; NaN of finalists */
    double max_error;       /* largest |output - reference| over max |V|; NaN when not reached */
    double build_ms;
    uint32_t samples;
    char message[512]; /* why it failed, one line; "" when ok */
} sqa_trial_result;

/* A result without measurements; newlines in the message become spaces. */
sqa_trial_result sqa_trial_failure(sqa_trial_status status, const char *message);

#endif
