/* Attention to selected blocks, a recipe, as the tuner knows it. */
#ifndef SQA_TUNER_SELECTED_FORWARD_H
#define SQA_TUNER_SELECTED_FORWARD_H

#include "operations/tuner_operation.h"

extern const sqa_tuner_operation sqa_tuner_selected_forward;

#endif
