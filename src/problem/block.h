/* A block as a validated descriptor (include/sqa_cl/block.h). The tag sqa_block is a function's
 * name in the public interface. */
#ifndef SQA_PROBLEM_BLOCK_H
#define SQA_PROBLEM_BLOCK_H

#include "problem/layer.h"
#include "sqa_cl/block.h"

typedef struct sqa_block_pass {
    sqa_layer_pass layer; /* keeps, and of a backward pass accumulates, as the block does */
    sqa_block_kind kind;
    uint32_t mlp_dim;
    sqa_activation activation;
    uint32_t gated, biases;
    sqa_norm_kind norm;
    float norm_eps;
} sqa_block_pass;

/* Fills *out, padding too. `backward` NULL: a forward pass.
 * Errors: SQA_INVALID_ARGUMENT, naming the field. */
sqa_status sqa_block_from_desc(sqa_block_pass *out, const sqa_block_desc *desc,
                               const sqa_block_backward_options *backward);

/* Descriptor and options that give this pass again, but for the layer's own descriptor. */
void sqa_block_to_desc(const sqa_block_pass *block, sqa_block_desc *desc,
                       sqa_block_backward_options *backward);

static inline bool sqa_block_is_serial(const sqa_block_pass *block)
{
    return block->kind == SQA_BLOCK_SERIAL;
}

static inline bool sqa_block_has_norm_bias(const sqa_block_pass *block)
{
    return block->biases && block->norm == SQA_NORM_LAYER;
}

#endif
