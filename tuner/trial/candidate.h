/* The steps that every trial of a candidate goes through before it is timed:
 * build, and compare with the reference. */
#ifndef SQA_TUNER_CANDIDATE_H
#define SQA_TUNER_CANDIDATE_H

#include "trial/protocol.h"
#include "trial/trial_bench.h"

/* Makes the plan and its slow first launch. NULL: *out says why not. */
sqa_plan *sqa_candidate_build(sqa_trial_bench *bench, const sqa_problem *problem,
                              const sqa_candidate_text *candidate, sqa_trial_result *out);

/* The plan's program held against the reference: some rows of the very problem, and
 * `with_relatives` all rows of small ones with ends in every tile. false: *out says what is
 * wrong. */
bool sqa_candidate_passes(sqa_trial_bench *bench, const sqa_plan *plan, bool with_relatives,
                          sqa_trial_result *out);

/* What the comparison means for the result: times, and whether they can be ranked. */
void sqa_candidate_accept(const sqa_comparison *comparison, sqa_trial_result *out);

#endif
