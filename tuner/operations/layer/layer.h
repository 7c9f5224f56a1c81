/* The attention layer and its gradients as the tuner knows them. */
#ifndef SQA_TUNER_LAYER_H
#define SQA_TUNER_LAYER_H

#include "operations/tuner_operation.h"

extern const sqa_tuner_operation sqa_tuner_layer, sqa_tuner_layer_backward;

#endif
