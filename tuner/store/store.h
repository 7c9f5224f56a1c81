/* The tuning database as the tuner uses it: everything that writes. The library
 * itself only reads (src/tuning). Short transactions, rollback journal, busy
 * time-out, bound parameters; safe for several processes at once. */
#ifndef SQA_TUNER_STORE_H
#define SQA_TUNER_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "device/device.h"
#include "operations/problem_class.h"
#include "problem/problem.h"
#include "store/stored_trial.h"
#include "trial/trial.h"

typedef struct sqa_store sqa_store;

/* Opens `path`, making the file, its folders and its schema when missing, and
 * migrating an older schema. A newer schema, a damaged file or an unwritable
 * place is SQA_DATABASE_ERROR with a detail that says which and what to do. */
sqa_status sqa_store_open(sqa_store **out, const char *path);

/* To look only: the file must exist and stays as it is; of an older schema a copy in
 * memory is brought up. */
sqa_status sqa_store_open_read_only(sqa_store **out, const char *path);

/* The database built into the library, read only; without rows when none ships. */
sqa_status sqa_store_open_seed(sqa_store **out);

/* NULL is allowed. */
void sqa_store_close(sqa_store *store);

/* The file's path, or words for the built-in one. */
const char *sqa_store_path(const sqa_store *store);

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
    sqa_trial_ceilings ceilings; /* NaN or 0: unknown */
    uint64_t seed;               /* of the search that proposed it */
    bool final;                  /* re-measured interleaved against the other finalists */
    const char *source_hash;     /* of the generated kernel; NULL: unknown */
} sqa_trial_record;

/* Adds the trial in a transaction of its own: once this returns it survives a kill.
 * `trial` may be NULL. */
sqa_status sqa_store_add_trial(sqa_store *store, const sqa_trial_record *record, int64_t *trial);

/* Records trial `trial` as the winner of its environment and class. Only a trial
 * that was found correct can win.
 * Errors: SQA_INVALID_ARGUMENT, SQA_DATABASE_ERROR. */
sqa_status sqa_store_set_winner(sqa_store *store, int64_t trial);

/* The latest search trial of `config` for the same environment, problem,
 * family and space version; *found false when there is none. What resuming reads.
 * `result` of the key is not looked at and may be NULL. */
sqa_status sqa_store_find_trial(sqa_store *store, const sqa_trial_record *key,
                                sqa_trial_result *out, bool *found);

/* How many configurations were tried for the stored trial's problem in its environment. */
sqa_status sqa_store_configurations(sqa_store *store, const sqa_stored_trial *trial, int64_t *out);

/* Seconds that a trial of the latest searches on the device took here, from one to the next:
 * compiling, measuring and what programs were shared or at hand; NaN: too few are stored. */
sqa_status sqa_store_trial_seconds(sqa_store *store, const sqa_device_identity *identity,
                                   double *out);

/* Which trials to look at. Zero-filled: all of them. */
typedef struct sqa_store_filter {
    const char *device;                  /* part of a device's names, any case */
    const sqa_device_identity *identity; /* exactly this device; NULL: any */
    /* These exactly, by the words of the columns, */
    const char *vendor, *family, *operation, *status;
    const char *dtype, *mask;    /* and by those of the class key; */
    const char *variant;         /* heads that this variant (NULL: any) has in a model of `heads` */
    uint32_t heads;              /* heads (0: of any number) */
    uint32_t head_dim, q_length; /* d and nq of the shape; 0: any */
    int64_t id;                  /* of one trial; 0: any */
    bool best_only;              /* the best per environment and problem class */
    bool winners_only;           /* the winner of a final per environment and problem class */
    bool ranking; /* the best per environment and exact problem; problems that differ in
                     their heads alone together, the fastest of each first */
} sqa_store_filter;

/* Called with each trial; NULL for a row that cannot be read, whose reason is
 * sqa_last_error(). Anything but SQA_OK ends the visit. */
typedef sqa_status (*sqa_store_visit)(void *user, const sqa_stored_trial *trial);

/* Visits the trials ordered by device, problem class, family, configuration and
 * time. Nothing stays locked while `visit` runs, so that it may take its time. */
sqa_status sqa_store_each(sqa_store *store, const sqa_store_filter *filter, sqa_store_visit visit,
                          void *user);

/* The state of a database. */
typedef struct sqa_store_report {
    bool sound;
    char problem[512]; /* the first thing found wrong, "" when sound */
    int schema_version;
    int64_t devices, environments, classes, trials, winners, best, quarantined;
    int64_t outdated; /* trials of another version of their family's parameters: of no use */
    int64_t reopened; /* winners over other candidates than their families have today, or over
                         unknown ones: in use, but not the last word */
    int64_t doubtful; /* trials that an import would refuse for another reason, */
    char doubt[512];  /* the first of those reasons */
} sqa_store_report;

/* Checks every page, reference and figure. A database that is not sound is no
 * error of this call. */
sqa_status sqa_store_check(sqa_store *store, sqa_store_report *out);

#endif
