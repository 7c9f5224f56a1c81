/* The gradients of a block (include/sqa_cl/block.h): a recipe, too. */
#include "operations/attention/fields.h"
#include "operations/block/fields.h"
#include "operations/block/slots.h"
#include "operations/entries.h"
#include "operations/tensors.h"

static const sqa_shape_field *const fields[] = {
    sqa_size_fields,       sqa_value_fields,          sqa_storage_fields,
    sqa_position_fields,   sqa_pattern_fields,        sqa_list_fields,
    sqa_ragged_fields,     sqa_layer_size_fields,     sqa_layer_position_fields,
    sqa_layer_kind_fields, sqa_linear_rule_fields,    sqa_linear_stride_fields,
    sqa_block_fields,      sqa_block_gradient_fields, NULL,
};

#define SLOT(tensor, how)                                                                          \
    .name = #tensor, .use = how, .member = offsetof(sqa_block_backward_tensors, tensor)
#define INPUT(tensor) SLOT(tensor, SQA_SLOT_INPUT)
#define OUTPUT(tensor) SLOT(tensor, SQA_SLOT_OUTPUT), SQA_UNIT_INPUT

/* What is kept is of no forward pass, as in a layer. */
static const sqa_tensor_slot slots[SQA_BLOCK_SLOTS] = {
    [SQA_BLOCK_NORM1] = {INPUT(norm1), .low = 0.5f, .high = 1.5f},
    [SQA_BLOCK_NORM1_BIAS] = {INPUT(norm1_bias), SQA_UNIT_INPUT},
    [SQA_BLOCK_NORM2] = {INPUT(norm2), .low = 0.5f, .high = 1.5f},
    [SQA_BLOCK_NORM2_BIAS] = {INPUT(norm2_bias), SQA_UNIT_INPUT},
    [SQA_BLOCK_WUP] = {INPUT(wup), .low = -0.25f, .high = 0.25f},
    [SQA_BLOCK_WGATE] = {INPUT(wgate), .low = -0.25f, .high = 0.25f},
    [SQA_BLOCK_WDOWN] = {INPUT(wdown), .low = -0.25f, .high = 0.25f},
    [SQA_BLOCK_MIDDLE] = {INPUT(middle), SQA_UNIT_INPUT},
    [SQA_BLOCK_UP] = {INPUT(up), .low = -3.0f, .high = 3.0f},
    [SQA_BLOCK_GATE] = {INPUT(gate), .low = -3.0f, .high = 3.0f},
    [SQA_BLOCK_DNORM1] = {OUTPUT(dnorm1)},
    [SQA_BLOCK_DNORM1_BIAS] = {OUTPUT(dnorm1_bias)},
    [SQA_BLOCK_DNORM2] = {OUTPUT(dnorm2)},
    [SQA_BLOCK_DNORM2_BIAS] = {OUTPUT(dnorm2_bias)},
    [SQA_BLOCK_DWUP] = {OUTPUT(dwup)},
    [SQA_BLOCK_DWGATE] = {OUTPUT(dwgate)},
    [SQA_BLOCK_DWDOWN] = {OUTPUT(dwdown)},
    [SQA_BLOCK_DBUP] = {OUTPUT(dbup)},
    [SQA_BLOCK_DBGATE] = {OUTPUT(dbgate)},
    [SQA_BLOCK_DBDOWN] = {OUTPUT(dbdown)},
};

/* Of each product two: by its weight and by its input. */
static double flop(const sqa_problem *problem)
{
    const sqa_block_pass *block = &problem->of.block;
    sqa_problem layer;
    sqa_block_layer(problem, &layer);
    return sqa_problem_flop(&layer) + (block->gated ? 12.0 : 8.0) *
                                          sqa_layer_q_rows(&block->layer) * block->layer.d_model *
                                          block->mlp_dim;
}

const sqa_operation_entry sqa_operation_block_backward = {
    .id = SQA_OPERATION_BLOCK_BACKWARD,
    .name = "block_backward",
    .summary = "gradients of the transformer block",
    .fields = fields,
    .needs = sqa_block_needs,
    .descriptor_bytes = sizeof(sqa_block_shape),
    .start = sqa_block_start,
    .settle = sqa_block_backward_settle,
    .describe = sqa_block_describe,
    .class_parts = sqa_attention_class_parts,
    .tensors = {SQA_BLOCK_BACKWARD_TENSORS_VERSION,
                offsetof(sqa_block_backward_tensors, workspace)},
    .slots = slots,
    .slot_count = SQA_BLOCK_SLOTS,
    .inner = &sqa_operation_layer_backward,
    .inner_tensors = offsetof(sqa_block_backward_tensors, layer),
    .tensor = sqa_block_tensor,
    .is_touched = sqa_block_is_touched,
    .is_updated = sqa_block_is_updated,
    .is_nothing = sqa_writes_nothing,
    .flop = flop,
    .groups = sqa_block_backward_groups,
    .tolerances = sqa_block_backward_tolerances,
    .tolerance_count = SQA_BLOCK_BACKWARD_TOLERANCES,
    .recipe = sqa_block_backward_recipe,
};
