/* Rotary position embedding for the tuner: cases, properties, presets. */
#ifndef SQA_TUNER_ROPE_H
#define SQA_TUNER_ROPE_H

#include "operations/tuner_operation.h"

extern const sqa_tuner_operation sqa_tuner_rope;

#endif
