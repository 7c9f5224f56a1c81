/* Choosing: from the caller's options, the tuning table and, on a device without a
 * compiler, the pre-built programs to an ordered list of
 * family and configuration, each already checked against this device's
 * constraints. The plan builds the first that compiles. */
#ifndef SQA_RUNTIME_CHOOSE_H
#define SQA_RUNTIME_CHOOSE_H

#include "base/text.h"
#include "kernels/prebuilt_program.h"
#include "sqa_cl/plan.h"
#include "tuning/lookup.h"

typedef struct sqa_choice {
    const sqa_kernel_family *family;
    sqa_config config;
    sqa_rung rung;
    const char *source; /* "override", "user-db", "extra-db", "seed-db", "prebuilt", "default" */
    const sqa_tuning_row *row; /* what it was taken from; NULL where it is none */
    bool borrowed;             /* measured on another device or driver or with another mask, or
                                  not at all, or probed with another problem: needs a self-check */
} sqa_choice;

#define SQA_MAX_CHOICES 16

typedef struct sqa_choices {
    sqa_choice items[SQA_MAX_CHOICES]; /* best first; the naive family's default is always last
                                          unless the caller named a family */
    size_t count;
    sqa_text passed_over; /* "<what>: <why>; " for every row that did not qualify */
} sqa_choices;

/* `prebuilt` and `options` may be NULL. The caller frees out->passed_over.
 * Errors: SQA_INVALID_ARGUMENT for an override that does not exist or cannot run. */
sqa_status sqa_choose(sqa_choices *out, const sqa_device *device, const sqa_tuning_table *table,
                      const sqa_prebuilt *prebuilt, const sqa_problem *problem,
                      const sqa_plan_options *options);

#endif
