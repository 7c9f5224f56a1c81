/* Linear attention under decays of every strength. */
#ifndef SQA_TUNER_LINEAR_PROPERTY_DECAYS_H
#define SQA_TUNER_LINEAR_PROPERTY_DECAYS_H

#include "operations/tuner_operation.h"

/* Every row agrees with the reference where decays hardly forget over all tokens, where each
 * leaves a ten-thousandth, where they are of any size between, and where such stretches follow
 * each other. */
sqa_property_check sqa_property_linear_decays;

#endif
