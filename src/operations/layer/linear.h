/* Linear attention within a layer (include/sqa_cl/linear.h): nothing of it but what the layer has
 * to know. */
#ifndef SQA_OPERATIONS_LAYER_LINEAR_H
#define SQA_OPERATIONS_LAYER_LINEAR_H

#include "operations/layer/slots.h"
#include "sqa_cl/activation.h"

/* Decay, beta, states and their gradients, by the layer's slots. */
bool sqa_layer_linear_tensor(const sqa_layer_pass *layer, uint32_t slot, sqa_tensor_shape *out);

/* A beta to check with, of a number in [0, 1): so small that the state does not grow, of keys that
 * come of weights to check with, or are normalised. */
float sqa_layer_map_beta(const sqa_problem *problem, float number);

/* The stage from Q, K and V to O; and from dO to dQ, dK and dV, all of which are written, as is
 * what the layer is not asked for. `projected`: what decay and beta follow from, and backward where
 * its gradients go; not looked at where the layer has none. Errors: those of activations. */
sqa_status sqa_layer_add_linear(sqa_recipe *recipe, const sqa_layer_pass *layer,
                                const sqa_link attended[3], const sqa_link projected[2],
                                sqa_link o);
sqa_status sqa_layer_add_linear_backward(sqa_recipe *recipe, const sqa_layer_pass *layer,
                                         const sqa_link read[3], sqa_link dout,
                                         const sqa_link attended[3], const sqa_link projected[2]);

/* What decay (0) or beta (1) follows from by this activation, to f32. */
sqa_activation_desc sqa_layer_projected_desc(const sqa_layer_pass *layer, uint32_t number);

#endif
