#include "operations/block/fields.h"

#include <string.h>

#include "operations/field_values.h"
#include "operations/matrix_fields.h"

#define AT(member) offsetof(sqa_block_shape, block.member)

SQA_FLOAT_KEY(norm_eps, sqa_block_shape, block.norm_eps, 1e-5f)

static const char *const kind_words[] = {"serial", "parallel", NULL};
static const char *const norm_words[] = {"rms", "layer", NULL};

const sqa_shape_field sqa_block_fields[] = {
    {"kind", "kind", "serial (default) or parallel", SQA_FIELD_WORD, .offset = AT(kind),
     .words = kind_words},
    {"mlp", "mlp_dim", "width of the perceptron", SQA_FIELD_COUNT, .offset = AT(mlp_dim),
     .least = 1, .most = SQA_MAX_MODEL_DIM},
    {"act", "activation", SQA_ACTIVATION_MEANING, SQA_FIELD_WORD, .offset = AT(activation),
     .words = sqa_activation_words},
    {"gated", "gated", "the activation is multiplied by another product", SQA_FIELD_FLAG,
     .offset = AT(gated)},
    {"mlpbiases", "mlp_biases", "the perceptron has biases, and LayerNorm", SQA_FIELD_FLAG,
     .offset = AT(biases)},
    {"norm", "norm", "rms (default) or layer", SQA_FIELD_WORD, .offset = AT(norm),
     .words = norm_words},
    {"norm_eps", "norm_eps", "is added to the variance (1e-5)", SQA_FIELD_OWN, .number = true,
     .read = read_norm_eps, .write = write_norm_eps},
    {0},
};

const sqa_shape_field sqa_block_keep_fields[] = {
    {"keep", "keep", "writes what a backward pass reads", SQA_FIELD_FLAG, .offset = AT(keep)},
    {0},
};

const sqa_shape_field sqa_block_gradient_fields[] = {
    {"accumulate", "accumulate", "gradients of parameters are added to what is there",
     SQA_FIELD_FLAG, .offset = offsetof(sqa_block_shape, backward.accumulate)},
    {0},
};

const sqa_shape_field_need sqa_block_needs[] = {
    {"hq,variant", "the heads are missing; expected hq=1..65535 or variant=NAME,h=H"},
    {"n,nq", "the length is missing; expected n or nq from 0 to 1073741824"},
    {"dmodel", "dmodel is missing; expected a number from 1 to 1048576"},
    {"mlp", "mlp is missing; expected a number from 1 to 16777216"},
    {0},
};

static sqa_status make(sqa_problem *out, sqa_operation operation, const sqa_block_desc *desc,
                       const sqa_block_backward_options *backward)
{
    sqa_problem problem;
    memset(&problem, 0, sizeof problem);
    problem.operation = operation;
    sqa_status status = sqa_block_from_desc(&problem.of.block, desc, backward);
    if (status == SQA_OK)
        memcpy(out, &problem, sizeof problem);
    return status;
}

sqa_status sqa_problem_from_block(sqa_problem *out, const sqa_block_desc *desc)
{
    return make(out, SQA_OPERATION_BLOCK, desc, NULL);
}

sqa_status sqa_problem_from_block_backward(sqa_problem *out, const sqa_block_desc *desc,
                                           const sqa_block_backward_options *backward)
{
    static const sqa_block_backward_options usual = SQA_BLOCK_BACKWARD_OPTIONS_INIT;
    return make(out, SQA_OPERATION_BLOCK_BACKWARD, desc, backward ? backward : &usual);
}

/* A text without `gated` has no gate and, by the words' order, no activation unless it says so. */
void sqa_block_start(void *descriptor)
{
    sqa_block_shape *shape = descriptor;
    sqa_layer_start(&shape->layer);
    shape->block = (sqa_block_desc)SQA_BLOCK_DESC_INIT;
    shape->block.activation = SQA_ACTIVATION_NONE;
    shape->block.gated = 0;
    shape->backward = (sqa_block_backward_options)SQA_BLOCK_BACKWARD_OPTIONS_INIT;
}

static sqa_status settle(const sqa_block_shape *shape, sqa_problem *out, bool backward)
{
    sqa_layer_desc layer;
    sqa_block_desc desc = shape->block;
    sqa_status status = sqa_layer_shape_desc(&shape->layer, &layer);
    if (status != SQA_OK)
        return status;
    desc.layer = &layer;
    return backward ? sqa_problem_from_block_backward(out, &desc, &shape->backward)
                    : sqa_problem_from_block(out, &desc);
}

sqa_status sqa_block_settle(const void *descriptor, sqa_problem *out)
{
    return settle(descriptor, out, false);
}

sqa_status sqa_block_backward_settle(const void *descriptor, sqa_problem *out)
{
    return settle(descriptor, out, true);
}

void sqa_block_describe(const sqa_problem *problem, void *descriptor)
{
    sqa_block_shape *shape = descriptor;
    sqa_layer_describe(problem, &shape->layer);
    sqa_block_to_desc(&problem->of.block, &shape->block, &shape->backward);
}
