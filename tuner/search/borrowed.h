/* Measuring what results are worth that are borrowed: every row of a database on problems of
 * other classes, beside what runs there without any database, round after round. How far a row
 * is borrowed (SQA_BORROWED_MOST) is judged by that. Prints nothing. */
#ifndef SQA_TUNER_BORROWED_H
#define SQA_TUNER_BORROWED_H

#include <stdatomic.h>

#include "trial/protocol.h"
#include "tuning/tuning_table.h"

/* A row of the database on a problem. */
typedef struct sqa_borrowed {
    const sqa_problem *problem;
    const sqa_tuning_row *row;
    /* `relative` is its time over the default's: 1 where it is the default's configuration.
     * SQA_TRIAL_REJECTED: it cannot run the problem. */
    sqa_trial_result result;
} sqa_borrowed;

typedef struct sqa_borrowed_options {
    unsigned platform, device;
    const char *database; /* whose rows of this device; no other database is read */
    const sqa_problem *problems;
    size_t problem_count;
    unsigned timeout_s; /* of the rows of one problem, seven at a time; 0: 600 */
    sqa_log log;
    const atomic_bool *stop;
    /* Gets the device before all else; then every row of a problem, the nearest class first. */
    void (*begin)(void *user, const sqa_device *device);
    void (*tell)(void *user, const sqa_borrowed *borrowed);
    void (*progress)(void *user, size_t done); /* problems */
    void *user;
} sqa_borrowed_options;

/* Errors: SQA_INVALID_ARGUMENT when the database has no row of this device;
 * SQA_NO_DEVICE, SQA_OPENCL_ERROR, SQA_OUT_OF_MEMORY. */
sqa_status sqa_measure_borrowed(const sqa_borrowed_options *options);

#endif
