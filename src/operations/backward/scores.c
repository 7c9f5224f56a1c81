/* The stage of a backward pass for what joins the scores: dBias, dSinks and dSlopes. They are
 * sums over a great deal, of matrices that are computed once more. */
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
    sqa_score_gradient_fields,
    sqa_layout_fields,
    sqa_value_layout_fields,
    sqa_dout_fields,
    sqa_score_stride_fields,
    NULL,
};

static const sqa_shape_field_need needs[] = {
    {"hq,variant", "the heads are missing; expected hq=1..65535 or variant=NAME,h=H"},
    {"n,nq", "the length is missing; expected n or nq from 0 to 1073741824"},
    {"grads", "the gradients are missing; expected grads=bias, sinks, slopes or several of them "
              "such as bias+sinks"},
    {0},
};

static sqa_status settle(const void *descriptor, sqa_problem *out)
{
    const sqa_backward_desc *desc = descriptor;
    return sqa_problem_from_gradients(out, SQA_OPERATION_BACKWARD_SCORES, SQA_GRADIENTS_OF_SCORES,
                                      &desc->attention, &desc->options);
}

sqa_status sqa_backward_scores_of(const sqa_problem *problem, sqa_problem *out)
{
    sqa_backward_desc desc;
    sqa_backward_describe(problem, &desc);
    desc.options.gradients &= SQA_GRADIENTS_OF_SCORES;
    return settle(&desc, out);
}

static const sqa_tensor_slot slots[SQA_BACKWARD_SLOTS] = {
    SQA_BACKWARD_INPUT_SLOTS,
    SQA_BACKWARD_SCORE_SLOTS,
    [SQA_SLOT_DELTA] = {SQA_BACKWARD_DELTA(SQA_SLOT_INPUT), SQA_UNIT_INPUT},
};

const sqa_operation_entry sqa_operation_backward_scores = {
    .id = SQA_OPERATION_BACKWARD_SCORES,
    .name = "backward_scores",
    .summary = "of backward: dBias, dSinks, dSlopes",
    .fields = fields,
    .needs = needs,
    .descriptor_bytes = sizeof(sqa_backward_desc),
    .start = sqa_backward_scores_start,
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
    .flop = sqa_backward_scores_flop,
    .relative = sqa_backward_relative,
    .groups = sqa_backward_score_groups,
    .tolerances = sqa_backward_tolerances,
    .tolerance_count = SQA_BACKWARD_TOLERANCES,
};
