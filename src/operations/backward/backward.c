/* Backward attention: delta, then dQ, dK and dV, then the gradients of what joins scores. */
#include <string.h>

#include "operations/attention/fields.h"
#include "operations/backward/fields.h"
#include "operations/backward/slots.h"
#include "operations/backward/stages.h"
#include "operations/entries.h"
#include "operations/recipe.h"
#include "operations/tensors.h"

static const sqa_shape_field *const fields[] = {
    sqa_size_fields,         sqa_value_fields,
    sqa_storage_fields,      sqa_position_fields,
    sqa_pattern_fields,      sqa_list_fields,
    sqa_ragged_fields,       sqa_gradient_fields,
    sqa_layout_fields,       sqa_value_layout_fields,
    sqa_dout_fields,         sqa_core_stride_fields,
    sqa_score_stride_fields, NULL,
};

#define CORE (SQA_GRADIENT_Q | SQA_GRADIENT_K | SQA_GRADIENT_V)

static sqa_status settle(const void *descriptor, sqa_problem *out)
{
    const sqa_backward_desc *desc = descriptor;
    return sqa_problem_from_gradients(out, SQA_OPERATION_BACKWARD, CORE | SQA_GRADIENTS_OF_SCORES,
                                      &desc->attention, &desc->options);
}

static const sqa_tensor_slot slots[SQA_BACKWARD_SLOTS] = {
    SQA_BACKWARD_INPUT_SLOTS,
    SQA_BACKWARD_CORE_SLOTS,
    SQA_BACKWARD_SCORE_SLOTS,
    [SQA_SLOT_O] = {SQA_BACKWARD_SLOT(o, SQA_SLOT_INPUT), SQA_UNIT_INPUT},
};

static double flop(const sqa_problem *problem)
{
    return sqa_backward_core_flop(problem) + sqa_backward_scores_flop(problem);
}

static sqa_status add_stage(sqa_recipe *recipe, const sqa_problem *problem, sqa_link delta,
                            sqa_status (*from)(const sqa_problem *problem, sqa_problem *out))
{
    sqa_stage *stage = sqa_recipe_add_stage(recipe);
    sqa_stage_link_callers(stage, SQA_BACKWARD_SLOTS);
    stage->links[SQA_SLOT_DELTA] = delta;
    return from(problem, &stage->problem);
}

static sqa_status recipe(const sqa_problem *problem, sqa_recipe *out)
{
    const uint32_t gradients = problem->of.backward.gradients;
    sqa_tensor_shape shape;
    sqa_backward_tensor(problem, SQA_SLOT_DELTA, &shape);
    const sqa_link delta = sqa_recipe_add_scratch(out, &shape);
    sqa_status status = add_stage(out, problem, delta, sqa_backward_delta_of);
    if (status == SQA_OK && gradients & CORE)
        status = add_stage(out, problem, delta, sqa_backward_core_of);
    if (status == SQA_OK && gradients & SQA_GRADIENTS_OF_SCORES)
        status = add_stage(out, problem, delta, sqa_backward_scores_of);
    return status;
}

const sqa_operation_entry sqa_operation_backward = {
    .id = SQA_OPERATION_BACKWARD,
    .name = "backward",
    .summary = "gradients of attention: dQ, dK, dV, dBias, dSinks, dSlopes",
    .fields = fields,
    .needs = sqa_attention_needs,
    .descriptor_bytes = sizeof(sqa_backward_desc),
    .start = sqa_backward_start,
    .settle = settle,
    .describe = sqa_backward_describe,
    .class_parts = sqa_backward_class_parts,
    .tensors = SQA_BACKWARD_TENSORS,
    .slots = slots,
    .slot_count = SQA_BACKWARD_SLOTS,
    .tensor = sqa_backward_tensor,
    .is_touched = sqa_backward_is_touched,
    .is_updated = sqa_backward_is_updated,
    .is_nothing = sqa_writes_nothing,
    .flop = flop,
    .groups = sqa_backward_groups,
    .tolerances = sqa_backward_tolerances,
    .tolerance_count = SQA_BACKWARD_TOLERANCES,
    .recipe = recipe,
};
