/* Activations and their gradients as the tuner knows them. */
#ifndef SQA_TUNER_ACTIVATION_H
#define SQA_TUNER_ACTIVATION_H

#include "operations/tuner_operation.h"

extern const sqa_tuner_operation sqa_tuner_activation;
extern const sqa_tuner_operation sqa_tuner_activation_backward;

#endif
