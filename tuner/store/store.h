/* The tuning database as the tuner uses it: everything that writes. The library
 * itself only reads (src/tuning). Short transactions, rollback journal, busy
 * time-out, bound parameters; safe for several processes at once. */
#ifndef SQA_TUNER_STORE_H
#define SQA_TUNER_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "device/device.h"
#include "problem/problem.h"
#include "problem/problem_class.h"
#include "trial/trial.h"

typedef struct sqa_store sqa_store;

/* Opens `path`, making the file, its folders and its schema when missing, and
 * migrating an older schema. A newer schema, a damaged file or an unwritable
 * place is SQA_DATABASE_ERROR with a detail that says which and what to do. */
sqa_status sqa_store_open(sqa_store **out, const char *path);
sqa_status sqa_store_open_read_only(sqa_store **out, const char *path);
void sqa_store_close(sqa_store *store);

/* Finds or adds the device and its environment (platform, driver, library
 * version); the id stands for both in the calls below. */
sqa_status sqa_store_environment(sqa_store *store, const sqa_device *device, int64_t *environment);

/* One trial as it is remembered. The problem's class and shape are stored with it. */
typedef struct sqa_trial_record {
    int64_t environment;
    const sqa_problem *problem;
    const sqa_kernel_family *family;
    const sqa_config *config;
    const sqa_trial_result *result;
    double fma_ceiling_gflops; /* the device's, measured in the same run; NaN unknown */
    uint64_t seed;             /* of the search that proposed it */
    bool final;                /* re-measured interleaved against the other finalists */
} sqa_trial_record;

/* Adds the trial in a transaction of its own: once this returns it survives a kill. */
sqa_status sqa_store_add_trial(sqa_store *store, const sqa_trial_record *record, int64_t *trial);

/* Records trial `trial` as the winner of its environment and class. */
sqa_status sqa_store_set_winner(sqa_store *store, int64_t trial);

/* The latest search trial of `config` for the same environment, problem shape,
 * family and space version; *found false when there is none. What resuming reads. */
sqa_status sqa_store_find_trial(sqa_store *store, const sqa_trial_record *key,
                                sqa_trial_result *out, bool *found);

#endif
