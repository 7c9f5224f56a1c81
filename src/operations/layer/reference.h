/* The oracle of the layer: fp64 sums by plain loops, from the definition in
 * include/sqa_cl/layer.h and the oracles of attention. Where layer.h says that numbers are rounded
 * to how they are stored, so are these. */
#ifndef SQA_OPERATIONS_LAYER_REFERENCE_H
#define SQA_OPERATIONS_LAYER_REFERENCE_H

#include "operations/layer/slots.h"
#include "operations/linear/reference.h"

/* What lies between a layer's input and output, or their gradients, of all rows. */
typedef struct sqa_layer_reference {
    const sqa_layer_pass *layer;
    sqa_projection projections[SQA_MAX_PROJECTIONS];
    uint32_t count;
    float *outputs[SQA_MAX_PROJECTIONS]; /* of projections, or their gradients */
    float *attended[2];                  /* with qk_norm Q and K, or their gradients */
    float *cache[2];                     /* keys and values with the new tokens */
    int32_t *positions;                  /* of rows, where a cache says them */
    float *dout;
    float *gates[2];                /* decay and beta, where they follow from X */
    float *gated;                   /* of a backward pass with a gate: what goes through Wo */
    sqa_reference_inputs attention; /* by the slots of (backward) attention, or linear attention,
                                       for whose gradients it is what they have prepared */
} sqa_layer_reference;

/* Q, K and V by the projections. false: there is no memory. To be freed in any case. */
bool sqa_layer_reference_forward(sqa_layer_reference *out, const sqa_layer_pass *layer,
                                 const sqa_reference_inputs *inputs);

/* dO, and with `inner` dQ, dK and dV, from what was kept. Likewise. */
bool sqa_layer_reference_backward(sqa_layer_reference *out, const sqa_layer_pass *layer,
                                  const sqa_reference_inputs *inputs, bool inner);
void sqa_layer_reference_free(sqa_layer_reference *reference);

/* Of which: where Q, K, V (its slot) or its gradient begins as attention has it; and dQ, dK and dV
 * from dO. false: there is no memory. */
float *sqa_layer_reference_attended(const sqa_layer_reference *reference, uint32_t slot);
bool sqa_layer_reference_set_core(sqa_layer_reference *out);

/* Decay and beta of linear attention, where they follow from X, from what that is: forward the
 * projections' outputs, backward what was kept; and then the gradients of it. Likewise. */
bool sqa_layer_reference_set_gates(sqa_layer_reference *out, const void *const projected[2]);
void sqa_layer_reference_gate_gradients(sqa_layer_reference *out, const void *const projected[2]);

/* A row of O, which is not rounded yet, and of softmax attention its LSE. */
void sqa_layer_reference_o(const sqa_layer_reference *reference, uint32_t batch, uint32_t head,
                           uint32_t query, double *o, double *lse);

/* A query of the batch entry, all of whose output heads go through Wo: columns first ..
 * first + count - 1 of its row of Y. */
void sqa_layer_reference_y(const sqa_layer_reference *reference, const sqa_reference_inputs *inputs,
                           uint32_t batch, uint32_t query, uint32_t first, uint32_t count,
                           double *out);

/* A row of a gradient of the layer, in another slot than those of scores: likewise. */
void sqa_layer_reference_gradient(const sqa_layer_reference *reference,
                                  const sqa_reference_inputs *inputs, uint32_t slot, uint32_t row,
                                  uint32_t first, uint32_t count, double *out);

#endif
