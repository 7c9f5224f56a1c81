/* The oracle of a block: fp64 sums by plain loops, from the definition in include/sqa_cl/block.h
 * and the oracles of the layer, norms and activations. Where block.h says that numbers are rounded
 * to how they are stored, so are these. */
#ifndef SQA_OPERATIONS_BLOCK_REFERENCE_H
#define SQA_OPERATIONS_BLOCK_REFERENCE_H

#include "operations/block/slots.h"
#include "operations/layer/reference.h"

/* What lies between a block's input and output, or their gradients. Matrices are of all rows; those
 * of a backward pass are NULL in a forward one, and normed2 and dmiddle in a parallel block. */
typedef struct sqa_block_reference {
    const sqa_block_pass *block;
    const sqa_reference_inputs *inputs;
    sqa_problem layer_problem;
    sqa_reference_inputs layer_inputs; /* the layer's own: what is normalised, and its dY */
    sqa_layer_reference layer;
    float *normed, *normed2;
    float *hidden, *dup, *dgate;
    float *dmiddle, *dnormed, *dnormed2; /* dnormed2: of a parallel block dnormed */
} sqa_block_reference;

/* NULL: there is no memory. */
sqa_block_reference *sqa_block_reference_create(const sqa_problem *problem,
                                                const sqa_reference_inputs *inputs);
void sqa_block_reference_free(sqa_block_reference *reference);

/* Numbers of one row: d_model of Y and H, mlp_dim of `up` and `gate`. */
typedef struct sqa_block_row {
    double *y, *middle, *up, *gate;
} sqa_block_row;

/* Of a query of the batch entry, whose row among all is `row`. false: there is no memory. To be
 * freed in any case. */
bool sqa_block_reference_row(const sqa_block_reference *reference, uint32_t batch, uint32_t query,
                             uint32_t row, sqa_block_row *out);
void sqa_block_row_free(sqa_block_row *row);

/* Columns first .. first + count - 1 of a row of a gradient in one of the block's own slots, or
 * of dX: without what was there before. */
void sqa_block_reference_gradient(const sqa_block_reference *reference, uint32_t slot, uint32_t row,
                                  uint32_t first, uint32_t count, double *out);

#endif
