/* The oracle of what becomes of the heads of Q and K between projection and attention, and of
 * their gradients on the way back: by the definitions in include/sqa_cl/norm.h and rope.h. */
#ifndef SQA_OPERATIONS_LAYER_REFERENCE_HEADS_H
#define SQA_OPERATIONS_LAYER_REFERENCE_HEADS_H

#include "operations/layer/slots.h"

/* The heads of Q or K within a matrix. */
typedef struct sqa_reference_heads {
    float *first;
    uint32_t rows, heads, dim;
    uint64_t stride; /* from a row to the next */
} sqa_reference_heads;

/* y = norm(x), every head by itself. */
void sqa_reference_heads_normalise(const sqa_layer_pass *layer, const sqa_reference_heads *x,
                                   const float *weight, const sqa_reference_heads *y);

/* The gradient of x, from that of y; dx may be NULL. Adds to that of the weight, which may be. */
void sqa_reference_heads_normalise_back(const sqa_layer_pass *layer, const sqa_reference_heads *x,
                                        const float *weight, const sqa_reference_heads *dy,
                                        const sqa_reference_heads *dx, double *dweight);

/* Turns heads by the positions of their rows, or back; `positions` NULL: they follow from rows. */
void sqa_reference_heads_turn(const sqa_layer_pass *layer, const int32_t *positions, bool back,
                              const sqa_reference_heads *x);

/* Multiplies the blocks of heads by their Hadamard matrices. */
void sqa_reference_heads_spread(const sqa_layer_pass *layer, const sqa_reference_heads *x);

#endif
