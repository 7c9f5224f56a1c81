/* The stages of a layer that its descriptor may ask for: of Q and K by number, 0 and 1, the norm
 * and the positions; the cache; the gate. Errors: those of their operations. */
#ifndef SQA_OPERATIONS_LAYER_STAGES_H
#define SQA_OPERATIONS_LAYER_STAGES_H

#include "operations/recipe.h"

/* Heads normalised, from what is projected to what attention has. */
sqa_status sqa_layer_add_norm(sqa_recipe *recipe, const sqa_layer_pass *layer, uint32_t number,
                              sqa_link x, sqa_link y);

/* From dY to dX, and to the gradient of the weight: those of them that are needed. */
sqa_status sqa_layer_add_norm_backward(sqa_recipe *recipe, const sqa_layer_pass *layer,
                                       uint32_t number, sqa_link dy, sqa_link dx);

/* Heads turned where they lie, or back. */
sqa_status sqa_layer_add_rope(sqa_recipe *recipe, const sqa_layer_pass *layer, uint32_t number,
                              bool inverse, sqa_link x);

/* What attention reads once for every tile of the other side: K and V (their slots), or backward Q
 * and dO. Where the rows of a head lie apart, and there are many readers, they are brought together
 * first: *at is then scratch, with *strides of its own. */
sqa_status sqa_layer_gather(sqa_recipe *recipe, const sqa_layer_pass *layer, uint32_t slot,
                            sqa_link *at, sqa_strides *strides);

/* New keys, turned on their way where the cache says where they stand, and values. */
sqa_status sqa_layer_add_append(sqa_recipe *recipe, const sqa_layer_pass *layer, sqa_link k,
                                sqa_link v);

sqa_activation_desc sqa_layer_gate_desc(const sqa_layer_pass *layer);

#endif
