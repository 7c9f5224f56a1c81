/* Forward attention: O and, if asked for, LSE from Q, K, V. */
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "operations/attention/fields.h"
#include "operations/attention/reference.h"
#include "operations/attention/slots.h"
#include "operations/attention/work.h"
#include "operations/entries.h"
#include "operations/tolerances.h"

static const sqa_shape_field *const fields[] = {
    sqa_size_fields,         sqa_value_fields,
    sqa_storage_fields,      sqa_cache_fields,
    sqa_products_fields,     sqa_position_fields,
    sqa_pattern_fields,      sqa_list_fields,
    sqa_ragged_fields,       sqa_paged_fields,
    sqa_output_fields,       sqa_layout_fields,
    sqa_value_layout_fields, NULL,
};

sqa_status sqa_problem_from_desc(sqa_problem *out, const sqa_attention_desc *desc)
{
    sqa_problem problem;
    if (desc && desc->operation != SQA_OPERATION_FORWARD)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.operation: %d is not forward attention; other operations are planned "
                        "by functions of their own, such as sqa_select_plan_create()",
                        (int)desc->operation);
    memset(&problem, 0, sizeof problem);
    problem.operation = SQA_OPERATION_FORWARD;
    sqa_status status = sqa_attention_from_desc(&problem.of.attention, desc);
    if (status == SQA_OK)
        memcpy(out, &problem, sizeof problem);
    return status;
}

static void start(void *descriptor)
{
    *(sqa_attention_desc *)descriptor = (sqa_attention_desc)SQA_ATTENTION_DESC_INIT;
}

static sqa_status settle(const void *descriptor, sqa_problem *out)
{
    return sqa_problem_from_desc(out, descriptor);
}

void sqa_problem_to_desc(const sqa_problem *problem, sqa_attention_desc *out)
{
    sqa_attention_to_desc(&problem->of.attention, out);
}

static void describe(const sqa_problem *problem, void *descriptor)
{
    sqa_attention_to_desc(&problem->of.attention, descriptor);
}

static const sqa_tensor_slot slots[SQA_ATTENTION_SLOTS] = {
    SQA_ROW_SLOTS,
    [SQA_SLOT_GLOBALS] = {SQA_ATTENTION_SLOT(globals, SQA_SLOT_INPUT), .fill = sqa_fill_globals},
    [SQA_SLOT_BLOCK_OFFSETS] = {SQA_ATTENTION_SLOT(block_offsets, SQA_SLOT_INPUT),
                                .fill = sqa_fill_block_offsets},
    [SQA_SLOT_BLOCK_INDICES] = {SQA_ATTENTION_SLOT(block_indices, SQA_SLOT_INPUT),
                                .fill = sqa_fill_block_indices},
    [SQA_SLOT_CU_SEQLENS_Q] = {SQA_ATTENTION_SLOT(cu_seqlens_q, SQA_SLOT_INPUT),
                               .fill = sqa_fill_q_starts},
    [SQA_SLOT_CU_SEQLENS_KV] = {SQA_ATTENTION_SLOT(cu_seqlens_kv, SQA_SLOT_INPUT),
                                .fill = sqa_fill_kv_starts},
    [SQA_SLOT_BLOCK_TABLE] = {SQA_ATTENTION_SLOT(block_table, SQA_SLOT_INPUT),
                              .fill = sqa_fill_block_table},
    [SQA_SLOT_KV_LENGTHS] = {SQA_ATTENTION_SLOT(kv_lengths, SQA_SLOT_INPUT),
                             .fill = sqa_fill_kv_lengths},
};

/* Of K and V, what is near enough to be seen; of pages, with sequences as long as they may be. */
static double moved(const sqa_problem *problem, uint32_t slot)
{
    const sqa_attention *a = &problem->of.attention;
    const double keys = a->mask & SQA_MASK_RAGGED ? a->kv_length : sqa_attention_read_keys(a);
    const double rows = keys * a->batch * a->kv_heads;
    if (keys == a->kv_length && !(a->mask & SQA_MASK_PAGED))
        return -1.0;
    return slot == SQA_SLOT_K   ? rows * a->head_dim
           : slot == SQA_SLOT_V ? rows * a->value_dim
                                : -1.0;
}

static double flop(const sqa_problem *problem)
{
    return sqa_attention_flop(&problem->of.attention);
}

static void relative(const sqa_problem *problem, sqa_relative which, sqa_problem *out)
{
    *out = *problem;
    sqa_attention_relative(&problem->of.attention, which, &out->of.attention);
}

/* Rows are those of all batch entries and output heads, as many as the longest sequence has. */
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

static bool expect_row(const sqa_problem *problem, const sqa_reference_inputs *inputs, uint64_t row,
                       sqa_expected_row *out)
{
    const sqa_attention *a = &problem->of.attention;
    const position at = position_of(a, row);
    const sqa_sequence sequence = sqa_reference_sequence(a, inputs, at.batch);
    if (at.query >= sequence.q_length)
        return false;
    const bool ragged = a->mask & SQA_MASK_RAGGED;
    const int64_t entry = ragged ? 0 : at.batch, query = (int64_t)sequence.q_begin + at.query;
    const int64_t queries = ragged ? a->q_total : a->q_length;
    out->at[0] = entry * a->o.batch + at.head * a->o.head + query * a->o.sequence;
    out->count[0] = a->value_dim;
    out->at[1] = (entry * a->out_heads + at.head) * queries + query;
    out->count[1] = a->write_lse ? 1 : 0;
    sqa_reference_forward_row(a, inputs, at.batch, at.head, at.query, out->values[0],
                              out->values[1]);
    return true;
}

static void place_of_row(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])
{
    const position at = position_of(&problem->of.attention, row);
    snprintf(out, SQA_PLACE_TEXT, "batch %u, head %u, query %u", at.batch, at.head, at.query);
}

static const sqa_row_group groups[] = {
    {.slots = {SQA_SLOT_O, SQA_SLOT_LSE},
     .slot_count = 2,
     .samples = 64,
     .count = count_rows,
     .expect = expect_row,
     .place = place_of_row},
    {.slot_count = 0},
};

static bool may_be_tf32(const sqa_problem *problem)
{
    return problem->operation == SQA_OPERATION_FORWARD &&
           problem->of.attention.products == SQA_PRODUCTS_TF32;
}

/* Those of tf32 are promised where sqa_products is declared. */
const sqa_tolerance sqa_forward_tolerances[SQA_FORWARD_TOLERANCES] = {
    {SQA_SLOT_O, SQA_ELEMENT_F32, .rms = 1e-3, .max = 2e-3, .max_of = SQA_SLOT_V,
     .when = may_be_tf32},
    {SQA_SLOT_LSE, SQA_ELEMENT_F32, .absolute = 1e-3, .relative = 1e-3, .when = may_be_tf32},
    SQA_OUTPUT_TOLERANCES(SQA_SLOT_O, 2e-6, 1e-5, SQA_SLOT_V),
    {SQA_SLOT_LSE, SQA_ELEMENT_F32, .absolute = 1e-6, .relative = 1e-5},
};

const sqa_operation_entry sqa_operation_forward = {
    .id = SQA_OPERATION_FORWARD,
    .name = "forward",
    .summary = "attention: O and, if asked for, LSE from Q, K, V",
    .fields = fields,
    .needs = sqa_attention_needs,
    .descriptor_bytes = sizeof(sqa_attention_desc),
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
    .moved = moved,
    .relative = relative,
    .groups = groups,
    .tolerances = sqa_forward_tolerances,
    .tolerance_count = SQA_FORWARD_TOLERANCES,
};
