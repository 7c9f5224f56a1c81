/* The stages of a backward pass as problems of their own. */
#ifndef SQA_OPERATIONS_BACKWARD_STAGES_H
#define SQA_OPERATIONS_BACKWARD_STAGES_H

#include "problem/problem.h"

/* What each stage does of the backward pass `problem`; of the last two, one that asks for such
 * gradients. Errors: those of sqa_backward_from_desc(). */
sqa_status sqa_backward_delta_of(const sqa_problem *problem, sqa_problem *out);
sqa_status sqa_backward_core_of(const sqa_problem *problem, sqa_problem *out);
sqa_status sqa_backward_scores_of(const sqa_problem *problem, sqa_problem *out);

#endif
