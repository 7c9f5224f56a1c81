/* Trying configurations inside this process: build, check against the reference, and only
 * then time. What may hang or crash does so here; that is why only the worker calls this. */
#ifndef SQA_TUNER_RUN_TRIAL_H
#define SQA_TUNER_RUN_TRIAL_H

#include "trial/protocol.h"
#include "trial/trial_bench.h"

/* Builds one candidate ahead, for trials on `problem` and on whatever else its program can
 * run. On a CPU, where nobody measures while others build, also launched and held against
 * the reference on something small. `out` says what failed, or what it took. */
void sqa_run_build(sqa_trial_bench *bench, const sqa_problem *problem,
                   const sqa_candidate_text *candidate, sqa_trial_result *out);

/* One candidate on `problem`. A candidate that fails is a result, not an error. */
void sqa_run_trial(sqa_trial_bench *bench, const sqa_problem *problem,
                   const sqa_candidate_text *candidate, const sqa_pace *pace,
                   sqa_trial_result *out);

/* All of them in turn, round after round, so that a slow moment of the machine
 * meets them all alike. `relative` is to the last of them, round by round; *ceiling is the
 * median of what the device could do in the same rounds, NaN where that is not known. */
void sqa_run_finals(sqa_trial_bench *bench, const sqa_problem *problem,
                    const sqa_candidate_text *candidates, uint32_t count, uint32_t rounds,
                    sqa_trial_result *results, sqa_ceiling *ceiling);

#endif
