/* The cases and properties of an operation run on one kernel family and configuration.
 * Says what came out case by case; showing it is the caller's. */
#ifndef SQA_TUNER_SUITE_H
#define SQA_TUNER_SUITE_H

#include <stdatomic.h>

#include "conformance/check.h"
#include "conformance/shared_programs.h"
#include "kernels/kernel_family.h"
#include "operations/shape.h"
#include "operations/tuner_operation.h"

/* A shape, a configuration and the words around them. */
#define SQA_SUITE_SUBJECT (SQA_SHAPE_TEXT + SQA_CONFIG_TEXT + 64)

typedef enum sqa_verdict {
    SQA_VERDICT_PASSED = 0,
    SQA_VERDICT_FAILED,
    SQA_VERDICT_UNSUPPORTED /* the family or the configuration is not for this problem */
} sqa_verdict;

typedef struct sqa_outcome {
    sqa_verdict verdict;
    const char *subject; /* the options of `sqa verify` that repeat the case */
    const char *message; /* why it failed or is not supported; "" when passed */
} sqa_outcome;

typedef struct sqa_suite {
    sqa_context *context;
    cl_command_queue queue;
    const sqa_device *device; /* of the context */
    sqa_operation operation;
    const sqa_kernel_family *family; /* NULL: a recipe, whose stages have families */
    sqa_dtype dtype;                 /* of every case */
    const char *config;              /* NULL: the family's default for each problem */
    sqa_shared_programs *shared;     /* for the cases of grids; NULL: no case has to share */
    uint64_t seed;
    bool all_rows; /* compared with the reference; false: as many as the operation says do */
    /* Not 0: a grid ends before its next case, and a check that cannot be made has no outcome;
     * may be NULL. */
    const atomic_bool *stop;
    void (*report)(void *user, const sqa_outcome *outcome); /* may be NULL */
    void *user;
} sqa_suite;

typedef struct sqa_suite_counts {
    size_t passed, failed, unsupported;
    sqa_output_error worst[SQA_MAX_TENSORS]; /* by slot, of the passed cases */
} sqa_suite_counts;

/* Each adds to *counts. A check that could not be made counts as failed. */
void sqa_suite_case(const sqa_suite *suite, const sqa_problem *problem, sqa_suite_counts *counts);
void sqa_suite_property(const sqa_suite *suite, const sqa_property *property, bool small,
                        sqa_suite_counts *counts);

/* All cases of a grid, each with a seed of its own. Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_suite_grid(const sqa_suite *suite, const sqa_case_grid *grid, sqa_grid_size size,
                          sqa_suite_counts *counts);

/* How many outcomes that reports. Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_suite_grid_count(const sqa_suite *suite, const sqa_case_grid *grid,
                                sqa_grid_size size, size_t *count);

/* Texts of up to `capacity` valid configurations, picked at random from those of an everyday
 * problem of the family's operation. Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_suite_random_configs(const sqa_suite *suite, bool small, size_t capacity,
                                    char (*texts)[SQA_CONFIG_TEXT], size_t *count);

#endif
