#include "problem/block.h"

#include <math.h>
#include <string.h>

#include "base/status.h"
#include "problem/checks.h"
#include "problem/matrix.h"
#include "problem/norm.h"

static sqa_status check_numbers(const sqa_block_desc *desc)
{
    const struct {
        const char *name;
        uint32_t value, least, most;
    } numbers[] = {
        {"desc.kind", (uint32_t)desc->kind, 0, SQA_BLOCK_PARALLEL},
        {"desc.mlp_dim", desc->mlp_dim, 1, SQA_MAX_MODEL_DIM},
        {"desc.activation", (uint32_t)desc->activation, 0, SQA_ACTIVATION_LAST},
        {"desc.gated", desc->gated, 0, 1},
        {"desc.biases", desc->biases, 0, 1},
        {"desc.norm", (uint32_t)desc->norm, 0, SQA_NORM_LAYER},
        {"desc.keep", desc->keep, 0, 1},
    };
    sqa_status status = sqa_check_version("desc.version", desc->version, SQA_BLOCK_DESC_VERSION);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && status == SQA_OK; i++)
        status =
            sqa_check_range(numbers[i].name, numbers[i].value, numbers[i].least, numbers[i].most);
    if (status == SQA_OK && !(isfinite(desc->norm_eps) && desc->norm_eps > 0.0f))
        status =
            sqa_fail(SQA_INVALID_ARGUMENT, "desc.norm_eps: %g; expected a finite number above 0",
                     (double)desc->norm_eps);
    if (status == SQA_OK && !desc->layer)
        status = sqa_fail(SQA_INVALID_ARGUMENT, "desc.layer: must not be NULL");
    return status;
}

/* Beyond what a layer of its own may be. */
static sqa_status check_layer(const sqa_layer_pass *layer)
{
    if (layer->context_dim > 0)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.layer.context_dim: %u; must be 0 in a block, which attends to itself",
                        layer->context_dim);
    return sqa_check_range("desc.layer.d_model", layer->d_model, 1, SQA_MAX_NORM_DIM);
}

sqa_status sqa_block_from_desc(sqa_block_pass *out, const sqa_block_desc *desc,
                               const sqa_block_backward_options *backward)
{
    sqa_block_pass block;
    sqa_layer_backward_options options = SQA_LAYER_BACKWARD_OPTIONS_INIT;
    memset(&block, 0, sizeof block);
    if (!desc)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc: must not be NULL");
    sqa_status status = check_numbers(desc);
    if (status == SQA_OK && backward)
        status = sqa_check_version("backward.version", backward->version,
                                   SQA_BLOCK_BACKWARD_OPTIONS_VERSION);
    if (status != SQA_OK)
        return status;
    sqa_layer_desc layer = sqa_layer_desc_read(desc->layer);
    layer.keep = desc->keep;
    options.accumulate = backward ? backward->accumulate : 0;
    status = sqa_layer_from_desc(&block.layer, &layer, backward ? &options : NULL);
    block.kind = desc->kind;
    block.mlp_dim = desc->mlp_dim;
    block.activation = desc->activation;
    block.gated = desc->gated;
    block.biases = desc->biases;
    block.norm = desc->norm;
    block.norm_eps = desc->norm_eps;
    if (status == SQA_OK)
        status = check_layer(&block.layer);
    if (status == SQA_OK)
        memcpy(out, &block, sizeof block);
    return status;
}

void sqa_block_to_desc(const sqa_block_pass *block, sqa_block_desc *desc,
                       sqa_block_backward_options *backward)
{
    *desc = (sqa_block_desc)SQA_BLOCK_DESC_INIT;
    *backward = (sqa_block_backward_options)SQA_BLOCK_BACKWARD_OPTIONS_INIT;
    desc->kind = block->kind;
    desc->mlp_dim = block->mlp_dim;
    desc->activation = block->activation;
    desc->gated = block->gated;
    desc->biases = block->biases;
    desc->norm = block->norm;
    desc->norm_eps = block->norm_eps;
    desc->keep = block->layer.keep;
    backward->accumulate = block->layer.accumulate;
}
