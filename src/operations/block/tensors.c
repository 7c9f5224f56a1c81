/* Which tensors a block has beside its layer's, and of what shape. */
#include "operations/tensors.h"

#include <string.h>

#include "operations/block/slots.h"

static bool parameter(const sqa_block_pass *block, uint32_t slot, sqa_tensor_shape *out)
{
    const bool serial = sqa_block_is_serial(block), norm_bias = sqa_block_has_norm_bias(block);
    const bool gated = block->gated, biases = block->biases;
    const uint32_t model = block->layer.d_model, inner = block->mlp_dim;
    const struct {
        bool present;
        uint32_t rows, columns;
    } parameters[] = {
        {true, 1, model},
        {norm_bias, 1, model},
        {serial, 1, model},
        {serial && norm_bias, 1, model},
        {true, model, inner},
        {gated, model, inner},
        {true, inner, model},
        {biases, 1, inner},
        {biases && gated, 1, inner},
        {biases, 1, model},
    };
    const uint32_t i = slot - SQA_BLOCK_NORM1;
    *out = sqa_layer_matrix(&block->layer, parameters[i].rows, parameters[i].columns);
    return parameters[i].present;
}

static bool kept(const sqa_block_pass *block, uint32_t slot, sqa_tensor_shape *out)
{
    const uint32_t rows = sqa_layer_q_rows(&block->layer);
    *out = sqa_layer_matrix(&block->layer, rows,
                            slot == SQA_BLOCK_MIDDLE ? block->layer.d_model : block->mlp_dim);
    return block->layer.keep && (slot != SQA_BLOCK_MIDDLE || sqa_block_is_serial(block)) &&
           (slot != SQA_BLOCK_GATE || block->gated);
}

bool sqa_block_tensor(const sqa_problem *problem, uint32_t slot, sqa_tensor_shape *out)
{
    const sqa_block_pass *block = &problem->of.block;
    if (slot < SQA_LAYER_SLOTS)
        return sqa_layer_tensor(problem, slot, out);
    if (slot >= SQA_BLOCK_DNORM1)
        return parameter(block, slot - SQA_BLOCK_DNORM1 + SQA_BLOCK_NORM1, out);
    return slot < SQA_BLOCK_MIDDLE ? parameter(block, slot, out) : kept(block, slot, out);
}

bool sqa_block_is_touched(const sqa_problem *problem, uint32_t slot)
{
    return slot >= SQA_LAYER_SLOTS || sqa_layer_is_touched(problem, slot);
}

bool sqa_block_is_updated(const sqa_problem *problem, uint32_t slot)
{
    if (slot < SQA_LAYER_SLOTS)
        return sqa_layer_is_updated(problem, slot);
    return problem->of.layer.accumulate && slot >= SQA_BLOCK_DNORM1;
}

void sqa_block_layer(const sqa_problem *problem, sqa_problem *out)
{
    memset(out, 0, sizeof *out);
    out->operation = problem->operation == SQA_OPERATION_BLOCK ? SQA_OPERATION_LAYER
                                                               : SQA_OPERATION_LAYER_BACKWARD;
    memcpy(&out->of.layer, &problem->of.block.layer, sizeof out->of.layer);
}
