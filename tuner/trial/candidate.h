/* The steps that every trial of a candidate goes through before it is timed:
 * build, and compare with the oracle. */
#ifndef SQA_TUNER_CANDIDATE_H
#define SQA_TUNER_CANDIDATE_H

#include "trial/protocol.h"
#include "trial/trial_bench.h"

#define SQA_SAMPLED_ROWS 64u /* of the real shape; the small probes are compared whole */

/* Makes the plan and its slow first launch. NULL: *out says why not. */
sqa_plan *sqa_candidate_build(sqa_trial_bench *bench, const sqa_attention_desc *desc,
                              const sqa_candidate_text *candidate, sqa_trial_result *out);

/* One comparison with the oracle, of `sampled_rows` query rows or, at 0, of all.
 * false: *out says what is wrong. */
bool sqa_candidate_passes(sqa_trial_bench *bench, const sqa_attention_desc *desc,
                          const sqa_candidate_text *candidate, uint32_t sampled_rows,
                          sqa_trial_result *out);

/* What the comparison means for the result: times, and whether they can be ranked. */
void sqa_candidate_accept(const sqa_comparison *comparison, sqa_trial_result *out);

#endif
