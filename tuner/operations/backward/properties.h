/* What must hold of the gradients whatever the numbers are. */
#ifndef SQA_TUNER_BACKWARD_PROPERTIES_H
#define SQA_TUNER_BACKWARD_PROPERTIES_H

#include "operations/tuner_operation.h"

/* NaN and infinity in everything that is not seen, and in dO of rows that saw nothing, change
 * no bit; NaN in a vector reaches the gradients that depend on it, and those only. Of
 * backward_core, with any gradients. */
sqa_property_check sqa_backward_hides;

/* What is dropped is what the seed and a pair's numbers say, in dQ and in dV. Of backward_core
 * with a dimension of K for every key and one of V for every query. */
sqa_property_check sqa_backward_drops;

/* A gradient has the same bits whichever others there are. */
sqa_property_check sqa_backward_left_out;

/* Parameters, values and weights at the ends of their ranges give what fp64 gives. Of
 * backward_core and backward_scores, of few heads. */
sqa_property_check sqa_backward_numbers;

/* Of a backward pass: one query and one key give dQ = dK = 0 and dV = dO. */
sqa_property_check sqa_backward_one_pair;

#endif
