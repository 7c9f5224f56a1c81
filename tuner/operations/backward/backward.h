/* Backward attention, a recipe, and its stages as the tuner knows them. */
#ifndef SQA_TUNER_BACKWARD_H
#define SQA_TUNER_BACKWARD_H

#include "operations/tuner_operation.h"

extern const sqa_tuner_operation sqa_tuner_backward, sqa_tuner_backward_delta,
    sqa_tuner_backward_core, sqa_tuner_backward_scores;

#endif
