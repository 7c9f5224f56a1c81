/* Normalisation and its gradients for the tuner: cases, properties, presets. */
#ifndef SQA_TUNER_NORM_H
#define SQA_TUNER_NORM_H

#include "operations/tuner_operation.h"

extern const sqa_tuner_operation sqa_tuner_norm, sqa_tuner_norm_backward;

#endif
