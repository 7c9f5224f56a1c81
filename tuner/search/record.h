/* Recording a sweep: measures what its file does not have yet, in order, and keeps
 * each as soon as it is known, so that it can be stopped at any moment and goes on
 * where it was. What was measured while the machine was slow, which the yardstick
 * tells, or unsteady, is measured again once the rest is there. Prints nothing. */
#ifndef SQA_TUNER_RECORD_H
#define SQA_TUNER_RECORD_H

#include <stdatomic.h>

#include "search/sweep.h"

typedef struct sqa_record_options {
    unsigned platform, device;
    const char *file;
    const sqa_problem *problem;
    const sqa_kernel_family *family;
    const char *set;    /* which values of its parameters; NULL: all */
    double seconds;     /* stop after so long; 0: when it is complete */
    uint32_t trials;    /* or after so many; 0 likewise */
    unsigned timeout_s; /* per trial; 0: 20 */
    const atomic_bool *stop;
    void (*progress)(void *user, size_t done, size_t count, double seconds_left);
    void *progress_user;
} sqa_record_options;

typedef struct sqa_record_report {
    size_t count;    /* configurations of the sweep */
    size_t known;    /* those the file had */
    size_t done;     /* those it has now */
    size_t doubtful; /* of these, measured while the machine was slow or unsteady */
    bool continued;  /* another recording goes on from the file: it is no device or pipe */
} sqa_record_report;

/* Errors: SQA_INVALID_ARGUMENT, also for a file that is another sweep's; SQA_DATABASE_ERROR
 * when it cannot be written; SQA_NO_DEVICE, SQA_OPENCL_ERROR, SQA_OUT_OF_MEMORY. */
sqa_status sqa_record_sweep(const sqa_record_options *options, sqa_record_report *report);

#endif
