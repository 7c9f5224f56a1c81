/* Linear attention in parts. */
#ifndef SQA_TUNER_LINEAR_PROPERTY_PARTS_H
#define SQA_TUNER_LINEAR_PROPERTY_PARTS_H

#include "operations/tuner_operation.h"

/* A causal sequence cut anywhere, the second part from the first one's state, is the whole. */
sqa_property_check sqa_property_linear_parts;

#endif
