/* Trials on a machine that is not one's own: made again when it was found at less
 * than its full pace, which shows in the yardstick, unless the candidate is behind anyway.
 * Repeating is cheap, the worker has the kernel already. */
#ifndef SQA_TUNER_STEADY_TRIAL_H
#define SQA_TUNER_STEADY_TRIAL_H

#include "trial/runner.h"

typedef struct sqa_steadiness {
    double yardstick_ms; /* what the yardstick took at the best pace seen; NaN: none yet */
    unsigned attempts;   /* most trials of one candidate */
} sqa_steadiness;

/* The attempt at the best pace of those it took. Errors: those of sqa_runner_trial. */
sqa_status sqa_steady_trial(sqa_runner *runner, const sqa_problem *problem,
                            const sqa_candidate_text *candidate, const sqa_pace *pace,
                            sqa_steadiness *steadiness, sqa_trial_result *out);

#endif
