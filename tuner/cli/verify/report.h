/* What `sqa verify` says: failures as they come, a line per job and one at the end, or all
 * of it as one JSON document; and on standard error how far it is. */
#ifndef SQA_TUNER_VERIFY_REPORT_H
#define SQA_TUNER_VERIFY_REPORT_H

#include "cli/verify/jobs.h"
#include "text/json.h"
#include "text/progress.h"

typedef struct sqa_verify_report {
    const sqa_verify_words *words;
    const sqa_device *device;
    sqa_json json;
    sqa_progress progress;
    size_t total;           /* outcomes that are to come */
    size_t done;            /* and that came */
    size_t checked, failed; /* of those done: what is not supported is neither */
    const sqa_suite *suite; /* the one running */
    double begun_s, suite_begun_s;
} sqa_verify_report;

void sqa_verify_report_begin(sqa_verify_report *out, const sqa_verify_words *words,
                             const sqa_device *device, size_t total);

/* Before and after a job's checks; in between come its outcomes, `user` being the report. */
void sqa_verify_report_job(sqa_verify_report *report, const sqa_suite *suite);
void sqa_verify_report_outcome(void *user, const sqa_outcome *outcome);
void sqa_verify_report_counts(sqa_verify_report *report, const sqa_suite_counts *counts);

/* `interrupted`: before all was checked. */
void sqa_verify_report_end(sqa_verify_report *report, bool interrupted);

#endif
