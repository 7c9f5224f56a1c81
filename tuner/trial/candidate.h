/* The steps that every trial of a candidate goes through before it is timed:
 * build, and compare with the reference. */
#ifndef SQA_TUNER_CANDIDATE_H
#define SQA_TUNER_CANDIDATE_H

#include "trial/protocol.h"
#include "trial/trial_bench.h"

/* Makes the plan; `launch`: with the slow first launch of its program, on something small.
 * NULL: *out says why not. */
sqa_plan *sqa_candidate_build(sqa_trial_bench *bench, const sqa_problem *problem,
                              const sqa_candidate_text *candidate, bool launch,
                              sqa_trial_result *out);

/* The plan's program held against the reference in all rows of small relatives of its
 * problem, with ends in every tile and guards around every tensor; once per program and
 * relative. false: *out says what is wrong. */
bool sqa_candidate_is_sound(sqa_trial_bench *bench, const sqa_plan *plan, sqa_trial_result *out);

/* Launches the plan once on the very problem, timed, and holds some rows against the
 * reference. `work` gets the plan and its tensors. false: *out says what is wrong. */
bool sqa_candidate_is_right(sqa_trial_bench *bench, sqa_plan *plan, sqa_kept_problem *problem,
                            sqa_plan_work *work, sqa_sample *sample, sqa_trial_result *out);

/* What the comparison means for the result: times, and whether they can be ranked. */
void sqa_candidate_accept(const sqa_comparison *comparison, sqa_trial_result *out);

#endif
