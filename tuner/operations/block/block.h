/* The transformer block and its gradients as the tuner knows them. */
#ifndef SQA_TUNER_BLOCK_H
#define SQA_TUNER_BLOCK_H

#include "operations/tuner_operation.h"

extern const sqa_tuner_operation sqa_tuner_block, sqa_tuner_block_backward;

#endif
