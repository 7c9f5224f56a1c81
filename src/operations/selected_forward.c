/* Learnable sparsity as one operation: select blocks, then attend to them. */
#include "operations/selected_forward.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "operations/attention/fields.h"
#include "operations/attention/selection_reference.h"
#include "operations/attention/slots.h"
#include "operations/attention/work.h"
#include "operations/entries.h"
#include "operations/recipe.h"
#include "operations/select_blocks.h"
#include "problem/pattern.h"

static const sqa_shape_field *const fields[] = {
    sqa_size_fields,         sqa_value_fields,
    sqa_storage_fields,      sqa_position_fields,
    sqa_pattern_fields,      sqa_selection_fields,
    sqa_output_fields,       sqa_layout_fields,
    sqa_value_layout_fields, NULL,
};

/* The two stages as problems; windows and masks are the forward pass's alone. */
static sqa_status make_stages(const sqa_attention_desc *desc, const sqa_select_options *select,
                              sqa_problem *selection, sqa_problem *forward)
{
    sqa_attention_desc scored = sqa_attention_desc_read(desc), listed = scored;
    scored.window = (sqa_window){-1, -1};
    scored.key_mask = 0;
    scored.mask.present = 0;
    sqa_status status = sqa_problem_from_selection(selection, &scored, select, false);
    if (status != SQA_OK)
        return status;
    listed.operation = SQA_OPERATION_FORWARD;
    listed.blocks.entries = selection->of.attention.blocks.entries;
    return sqa_problem_from_desc(forward, &listed);
}

sqa_status sqa_problem_from_selected(sqa_problem *out, const sqa_attention_desc *desc,
                                     const sqa_select_options *select)
{
    sqa_problem selection, forward, problem;
    if (!desc)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc: must not be NULL");
    sqa_status status = make_stages(desc, select, &selection, &forward);
    if (status != SQA_OK)
        return status;
    memset(&problem, 0, sizeof problem);
    problem.operation = SQA_OPERATION_SELECTED_FORWARD;
    problem.of.selection = selection.of.selection;
    problem.of.selection.attention = forward.of.attention;
    /* Local blocks ask for positions, even where no rule of the forward pass does. */
    if (selection.of.selection.local_blocks > 0)
        sqa_set_positions(&problem.of.selection.attention, desc);
    memcpy(out, &problem, sizeof problem);
    return SQA_OK;
}

static void start(void *descriptor)
{
    *(sqa_selection_desc *)descriptor =
        (sqa_selection_desc){SQA_ATTENTION_DESC_INIT, SQA_SELECT_OPTIONS_INIT};
}

static sqa_status settle(const void *descriptor, sqa_problem *out)
{
    const sqa_selection_desc *desc = descriptor;
    return sqa_problem_from_selected(out, &desc->attention, &desc->select);
}

static void describe(const sqa_problem *problem, void *descriptor)
{
    sqa_selection_desc *desc = descriptor;
    sqa_selection_to_desc(&problem->of.selection, &desc->attention, &desc->select);
}

static sqa_status stages_of(const sqa_problem *problem, sqa_problem *selection,
                            sqa_problem *forward)
{
    sqa_selection_desc desc;
    describe(problem, &desc);
    return make_stages(&desc.attention, &desc.select, selection, forward);
}

static const sqa_tensor_slot slots[SQA_ATTENTION_SLOTS] = {SQA_ROW_SLOTS};

static double flop(const sqa_problem *problem)
{
    return sqa_selection_flop(&problem->of.attention) + sqa_attention_flop(&problem->of.attention);
}

typedef struct position {
    uint32_t batch, head, query;
} position;

static position position_of(const sqa_attention *a, uint64_t row)
{
    const uint64_t heads = row / a->q_length;
    return (position){(uint32_t)(heads / a->out_heads), (uint32_t)(heads % a->out_heads),
                      (uint32_t)(row % a->q_length)};
}

static uint64_t count_rows(const sqa_problem *problem)
{
    const sqa_attention *a = &problem->of.attention;
    return (uint64_t)a->batch * a->out_heads * a->q_length;
}

/* The list of the row's query block by the reference, as the only one of all lists. false:
 * rounding may decide what is in it, and so the row's result; or there is no memory. */
static bool list_of(const sqa_problem *selection, const sqa_reference_inputs *inputs, position at,
                    int32_t *offsets, int32_t *indices, double *scores)
{
    const sqa_selection *s = &selection->of.selection;
    const sqa_attention *a = &s->attention;
    const uint32_t block = at.query / a->blocks.query_size, keys = sqa_attention_key_blocks(a);
    const uint32_t list_head = at.head / (a->out_heads / a->blocks.heads);
    const uint64_t list =
        ((uint64_t)at.batch * a->blocks.heads + list_head) * sqa_attention_query_blocks(a) + block;
    sqa_reference_block_scores(s, inputs, at.batch, list_head, block, scores, scores + keys);
    const uint32_t count = sqa_reference_select(s, block, scores, indices);
    offsets[list] = 0;
    offsets[list + 1] = (int32_t)count;
    return !sqa_reference_is_close(s, block, scores, scores + keys, indices, count);
}

static bool expect_row(const sqa_problem *problem, const sqa_reference_inputs *inputs, uint64_t row,
                       sqa_expected_row *out)
{
    sqa_problem selection, forward;
    if (stages_of(problem, &selection, &forward) != SQA_OK)
        return false;
    const sqa_attention *a = &forward.of.attention;
    const position at = position_of(a, row);
    const size_t keys = sqa_attention_key_blocks(a);
    int32_t *offsets = calloc((size_t)sqa_attention_block_lists(a) + 1, sizeof *offsets);
    int32_t *indices = calloc(keys + 1, sizeof *indices);
    double *scores = calloc(2 * keys + 1, sizeof *scores);
    const bool sure =
        offsets && indices && scores && list_of(&selection, inputs, at, offsets, indices, scores);
    if (sure) {
        sqa_reference_inputs listed = *inputs;
        listed.by_slot[SQA_SLOT_BLOCK_OFFSETS] = offsets;
        listed.by_slot[SQA_SLOT_BLOCK_INDICES] = indices;
        out->at[0] = at.batch * a->o.batch + at.head * a->o.head + at.query * a->o.sequence;
        out->count[0] = a->value_dim;
        out->at[1] = (int64_t)row;
        out->count[1] = a->write_lse ? 1 : 0;
        sqa_reference_forward_row(a, &listed, at.batch, at.head, at.query, out->values[0],
                                  out->values[1]);
    }
    free(offsets);
    free(indices);
    free(scores);
    return sure;
}

static void place_of_row(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])
{
    const position at = position_of(&problem->of.attention, row);
    snprintf(out, SQA_PLACE_TEXT, "batch %u, head %u, query %u", at.batch, at.head, at.query);
}

static const sqa_row_group groups[] = {
    {.slots = {SQA_SLOT_O, SQA_SLOT_LSE},
     .slot_count = 2,
     .samples = 24, /* each costs the reference a list, too */
     .count = count_rows,
     .expect = expect_row,
     .place = place_of_row},
    {.slot_count = 0},
};

/* The lists lie in scratch between the stages. */
static sqa_status recipe(const sqa_problem *problem, sqa_recipe *out)
{
    sqa_stage *selection = sqa_recipe_add_stage(out), *forward = sqa_recipe_add_stage(out);
    sqa_status status = stages_of(problem, &selection->problem, &forward->problem);
    if (status != SQA_OK)
        return status;
    sqa_stage_link_callers(selection, SQA_ATTENTION_SLOTS);
    sqa_stage_link_callers(forward, SQA_ATTENTION_SLOTS);
    for (uint32_t slot = SQA_SLOT_BLOCK_OFFSETS; slot <= SQA_SLOT_BLOCK_INDICES; slot++) {
        sqa_tensor_shape shape;
        sqa_attention_tensor(&forward->problem, slot, &shape);
        selection->links[slot] = forward->links[slot] = sqa_recipe_add_scratch(out, &shape);
    }
    return SQA_OK;
}

const sqa_operation_entry sqa_operation_selected_forward = {
    .id = SQA_OPERATION_SELECTED_FORWARD,
    .name = "selected_forward",
    .summary = "attention to the blocks that block selection chooses, as one plan",
    .fields = fields,
    .needs = sqa_selection_needs,
    .descriptor_bytes = sizeof(sqa_selection_desc),
    .start = start,
    .settle = settle,
    .describe = describe,
    .class_parts = sqa_attention_class_parts,
    .tensors = SQA_ATTENTION_TENSORS,
    .slots = slots,
    .slot_count = SQA_ATTENTION_SLOTS,
    .tensor = sqa_attention_tensor,
    .is_touched = sqa_attention_is_touched,
    .is_nothing = sqa_attention_is_nothing,
    .flop = flop,
    .groups = groups,
    .tolerances = sqa_forward_tolerances,
    .tolerance_count = SQA_FORWARD_TOLERANCES,
    .recipe = recipe,
};
