/* Linear attention within a layer (include/sqa_cl/linear.h): nothing of it but what the layer has
 * to know. */
#ifndef SQA_OPERATIONS_LAYER_LINEAR_H
#define SQA_OPERATIONS_LAYER_LINEAR_H

#include "operations/layer/slots.h"

/* Decay, beta, states and their gradients, by the layer's slots. */
bool sqa_layer_linear_tensor(const sqa_layer_pass *layer, uint32_t slot, sqa_tensor_shape *out);

/* A beta to check with, of a number in [0, 1): so small that the state does not grow, of keys that
 * come of weights to check with, or are normalised. */
float sqa_layer_map_beta(const sqa_problem *problem, float number);

/* The stage from Q, K and V to O; and from dO to dQ, dK and dV, all of which are written, as is
 * what the layer is not asked for. */
void sqa_layer_add_linear(sqa_recipe *recipe, const sqa_layer_pass *layer,
                          const sqa_link attended[3], sqa_link o);
void sqa_layer_add_linear_backward(sqa_recipe *recipe, const sqa_layer_pass *layer,
                                   const sqa_link read[3], sqa_link dout,
                                   const sqa_link attended[3]);

#endif
