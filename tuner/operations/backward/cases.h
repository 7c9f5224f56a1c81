/* The cases of a backward pass and its stages: those of forward attention, each with some of
 * its gradients. */
#ifndef SQA_TUNER_BACKWARD_CASES_H
#define SQA_TUNER_BACKWARD_CASES_H

#include "operations/tuner_operation.h"

/* Grids, one without a name ends them. */
extern const sqa_case_grid sqa_backward_grids[], sqa_backward_delta_grids[],
    sqa_backward_core_grids[], sqa_backward_scores_grids[];

#endif
