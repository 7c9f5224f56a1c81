/* The stage of a backward pass that has its five matrix products: dQ, dK and dV from Q, K, V,
 * dO, LSE and delta. Sinks are in LSE, and O in delta. */
#include <string.h>

#include "operations/attention/fields.h"
#include "operations/backward/fields.h"
#include "operations/backward/slots.h"
#include "operations/backward/stages.h"
#include "operations/entries.h"
#include "operations/tensors.h"

static const sqa_shape_field *const fields[] = {
    sqa_size_fields,
    sqa_value_fields,
    sqa_storage_fields,
    sqa_position_fields,
    sqa_pattern_fields,
    sqa_list_fields,
    sqa_ragged_fields,
    sqa_core_gradient_fields,
    sqa_layout_fields,
    sqa_value_layout_fields,
    sqa_dout_fields,
    sqa_core_stride_fields,
    NULL,
};

#define CORE (SQA_GRADIENT_Q | SQA_GRADIENT_K | SQA_GRADIENT_V)

static sqa_status make(const sqa_backward_desc *desc, sqa_problem *out)
{
    sqa_attention_desc attention = desc->attention;
    attention.sinks = 0;
    return sqa_problem_from_gradients(out, SQA_OPERATION_BACKWARD_CORE, CORE, &attention,
                                      &desc->options);
}

static sqa_status settle(const void *descriptor, sqa_problem *out)
{
    return make(descriptor, out);
}

sqa_status sqa_backward_core_of(const sqa_problem *problem, sqa_problem *out)
{
    sqa_backward_desc desc;
    sqa_backward_describe(problem, &desc);
    desc.options.gradients &= CORE;
    return make(&desc, out);
}

static const sqa_tensor_slot slots[SQA_BACKWARD_SLOTS] = {
    SQA_BACKWARD_INPUT_SLOTS,
    SQA_BACKWARD_CORE_SLOTS,
    [SQA_SLOT_DELTA] = {SQA_BACKWARD_DELTA(SQA_SLOT_INPUT), SQA_UNIT_INPUT},
};

const sqa_operation_entry sqa_operation_backward_core = {
    .id = SQA_OPERATION_BACKWARD_CORE,
    .name = "backward_core",
    .summary = "of backward: dQ, dK, dV from Q, K, V, dO, LSE and delta",
    .fields = fields,
    .needs = sqa_attention_needs,
    .descriptor_bytes = sizeof(sqa_backward_desc),
    .start = sqa_backward_start,
    .settle = settle,
    .describe = sqa_backward_describe,
    .class_parts = sqa_backward_class_parts,
    .tensors = SQA_BACKWARD_STAGE_TENSORS,
    .slots = slots,
    .slot_count = SQA_BACKWARD_SLOTS,
    .tensor = sqa_backward_tensor,
    .is_touched = sqa_backward_is_touched,
    .is_updated = sqa_backward_is_updated,
    .is_nothing = sqa_writes_nothing,
    .flop = sqa_backward_core_flop,
    .relative = sqa_backward_relative,
    .groups = sqa_backward_core_groups,
    .tolerances = sqa_backward_tolerances,
    .tolerance_count = SQA_BACKWARD_TOLERANCES,
};
