/* Results held against the fp64 reference of their operation, by the promises in its
 * table. How they were computed is not known here. */
#ifndef SQA_REFERENCE_JUDGE_H
#define SQA_REFERENCE_JUDGE_H

#include "reference/error.h"
#include "reference/host_tensors.h"
#include "reference/kept_rows.h"

/* One output's distance from the reference, as far as rows were judged. */
typedef struct sqa_output_error {
    bool judged;
    double rms;      /* relative */
    double max;      /* largest difference, over the largest magnitude of what the promise names */
    double absolute; /* largest difference */
} sqa_output_error;

typedef struct sqa_judgement {
    bool passed;
    sqa_output_error of[SQA_MAX_TENSORS];
    double max_error;               /* of the first output there is of numbers; 0: none is */
    char message[SQA_FINDING_TEXT]; /* what failed, "" when passed */
} sqa_judgement;

/* Judges all rows, or of each group of outputs as many as its operation says do: first, last
 * and random ones by `seed`; ends are where tiles go wrong. `finding` (sqa_host_tensors): what
 * the run itself already showed, which is worse.
 * Errors: SQA_OUT_OF_MEMORY; SQA_UNSUPPORTED, where there is no promise for an output. */
sqa_status sqa_judge(const sqa_host_tensors *tensors, bool all_rows, uint64_t seed,
                     const char *finding, sqa_judgement *out);

/* The same, where several results of the same inputs are judged with the same rows: what the
 * reference says of them is computed for the first and kept. */
sqa_status sqa_judge_keeping(const sqa_host_tensors *tensors, bool all_rows, uint64_t seed,
                             const char *finding, sqa_kept_rows *kept, sqa_judgement *out);

/* What max_error of a correct result is at most. Errors: SQA_UNSUPPORTED as above. */
sqa_status sqa_judge_limit(const sqa_problem *problem, double *out);

#endif
