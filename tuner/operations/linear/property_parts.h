/* Linear attention in parts. */
#ifndef SQA_TUNER_LINEAR_PROPERTY_PARTS_H
#define SQA_TUNER_LINEAR_PROPERTY_PARTS_H

#include "operations/tuner_operation.h"

/* A causal sequence of a state in and out, cut anywhere, the second part from the first one's
 * state, is the whole; and of gradients, the first part from that of the second one's state. The
 * decay, if any, is one per token or channel. */
sqa_property_check sqa_property_linear_parts;

#endif
