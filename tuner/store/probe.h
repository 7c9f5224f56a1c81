/* What probes found out about kernel families, per environment: the latest answer. The library
 * reads it by src/tuning/probe_answers.h. */
#ifndef SQA_TUNER_STORE_PROBE_H
#define SQA_TUNER_STORE_PROBE_H

#include "store/store.h"

/* Whether there is an answer about `family` in the environment, and whether it is a failure. */
sqa_status sqa_store_find_probe(sqa_store *store, int64_t environment,
                                const sqa_kernel_family *family, bool *found, bool *failed);

/* Records the answer, in place of an earlier one. */
sqa_status sqa_store_set_probe(sqa_store *store, int64_t environment,
                               const sqa_kernel_family *family, const sqa_trial_result *result);

#endif
