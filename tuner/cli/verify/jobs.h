/* What `sqa verify` is to check, job by job: a kernel family with one configuration and
 * storage type, and how many checks that is. */
#ifndef SQA_TUNER_VERIFY_JOBS_H
#define SQA_TUNER_VERIFY_JOBS_H

#include "cli/verify/words.h"
#include "conformance/suite.h"

typedef struct sqa_verify_job {
    sqa_operation operation;
    const sqa_kernel_family *family; /* NULL: a recipe */
    sqa_dtype dtype;
    const char *set;              /* the configuration that was typed; NULL: none */
    char picked[SQA_CONFIG_TEXT]; /* or the one picked at random; "": none */
    bool sampled; /* fewer shapes: there are many such jobs, or they differ in little */
    size_t checks;
} sqa_verify_job;

typedef struct sqa_verify_jobs {
    sqa_verify_job *jobs;
    size_t count, checks;
} sqa_verify_jobs;

#define SQA_VERIFY_JOBS_INIT                                                                       \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

/* NULL: the default. Lives as long as the job. */
const char *sqa_verify_job_config(const sqa_verify_job *job);

/* All that the words ask for; without jobs that have nothing to check. Free them also after
 * a failure. Errors: SQA_INVALID_ARGUMENT when nothing remains, SQA_OUT_OF_MEMORY. */
sqa_status sqa_verify_jobs_make(sqa_verify_jobs *out, const sqa_verify_words *words,
                                const sqa_device *device);
void sqa_verify_jobs_free(sqa_verify_jobs *jobs);

/* Makes the job's checks, which `suite` is set up for. Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_verify_job_run(const sqa_verify_words *words, const sqa_verify_job *job,
                              const sqa_suite *suite, sqa_suite_counts *counts);

#endif
