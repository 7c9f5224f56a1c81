/* Linear attention as the tuner knows it. */
#ifndef SQA_TUNER_LINEAR_H
#define SQA_TUNER_LINEAR_H

#include "operations/tuner_operation.h"

extern const sqa_tuner_operation sqa_tuner_linear, sqa_tuner_linear_backward;

#endif
