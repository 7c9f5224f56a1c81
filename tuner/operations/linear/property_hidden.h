/* What a causal mask hides of linear attention. */
#ifndef SQA_TUNER_LINEAR_PROPERTY_HIDDEN_H
#define SQA_TUNER_LINEAR_PROPERTY_HIDDEN_H

#include "operations/tuner_operation.h"

/* NaN in a token changes no bit of the rows that do not see it, nor of the gradients that have
 * nothing to do with it. */
sqa_property_check sqa_property_linear_hidden;
sqa_property_check sqa_property_linear_hidden_gradients;

#endif
