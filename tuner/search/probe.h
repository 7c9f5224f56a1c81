/* Probes: whether a device's compiler does right by the instructions of families that OpenCL C
 * does not promise. Their own shapes are built, run and held against the reference in a worker's
 * process, which may crash or hang; the answer is remembered for the environment. Prints
 * nothing. */
#ifndef SQA_TUNER_SEARCH_PROBE_H
#define SQA_TUNER_SEARCH_PROBE_H

#include "store/store.h"
#include "trial/runner.h"

/* What is asked, and of whom; all borrowed. */
typedef struct sqa_probing {
    sqa_store *store;
    int64_t environment;
    const sqa_device *device;
    sqa_runner *runner;
    /* Told of each answer that was found out now; may be NULL. */
    void (*tell)(void *user, const sqa_kernel_family *family, const sqa_trial_result *result);
    void *user;
} sqa_probing;

/* Which answers there are already are asked for again. */
typedef enum sqa_probe_again {
    SQA_PROBE_NONE_AGAIN = 0,
    SQA_PROBE_FAILED_AGAIN,
    SQA_PROBE_ALL_AGAIN
} sqa_probe_again;

/* Probes the families that need it and support their shapes on the device: those of the
 * problems' operations, or all where `problems` is NULL. A failed probe is an answer.
 * Errors: SQA_DATABASE_ERROR; when no worker can be started. */
sqa_status sqa_probe_families(const sqa_probing *probing, const sqa_problem *problems,
                              size_t problem_count, sqa_probe_again again);

#endif
