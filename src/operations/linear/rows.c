/* What the reference says of linear attention's outputs, row by row. */
#include <stdio.h>

#include "operations/linear/reference.h"
#include "operations/linear/slots.h"
#include "operations/tolerances.h"

/* Rows of O: those of all batch entries and output heads, as many as the longest sequence has. */
static uint64_t count_rows(const sqa_problem *problem)
{
    const sqa_attention *a = &problem->of.attention;
    return (uint64_t)a->batch * a->out_heads * a->q_length;
}

typedef struct position {
    uint32_t batch, head, row;
} position;

static position position_of(uint64_t index, uint32_t heads, uint32_t rows)
{
    const uint64_t head = index / rows;
    return (position){(uint32_t)(head / heads), (uint32_t)(head % heads), (uint32_t)(index % rows)};
}

static bool expect_row(const sqa_problem *problem, const sqa_reference_inputs *inputs, uint64_t row,
                       sqa_expected_row *out)
{
    const sqa_linear *linear = &problem->of.linear;
    const sqa_attention *a = &linear->attention;
    const position p = position_of(row, a->out_heads, a->q_length);
    const sqa_linear_place at =
        sqa_linear_place_of(linear, inputs, p.batch, p.head / sqa_attention_group(a));
    const int64_t entry = a->mask & SQA_MASK_RAGGED ? 0 : p.batch;
    if (p.row >= at.q_length)
        return false;
    out->at[0] =
        entry * a->o.batch + p.head * a->o.head + ((int64_t)at.q_begin + p.row) * a->o.sequence;
    out->count[0] = a->value_dim;
    (linear->delta ? sqa_linear_row_recurrent : sqa_linear_row_weighted)(&at, p.head, p.row,
                                                                         out->values[0]);
    return true;
}

static void place_of_row(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])
{
    const sqa_attention *a = &problem->of.attention;
    const position p = position_of(row, a->out_heads, a->q_length);
    snprintf(out, SQA_PLACE_TEXT, "batch %u, head %u, query %u", p.batch, p.head, p.row);
}

static uint64_t count_state_rows(const sqa_problem *problem)
{
    const sqa_attention *a = &problem->of.attention;
    return sqa_linear_ends(&problem->of.linear) ? (uint64_t)a->batch * a->kv_heads * a->head_dim
                                                : 0;
}

static bool expect_state(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                         uint64_t row, sqa_expected_row *out)
{
    const sqa_linear *linear = &problem->of.linear;
    const sqa_attention *a = &linear->attention;
    const position p = position_of(row, a->kv_heads, a->head_dim);
    const sqa_linear_place at = sqa_linear_place_of(linear, inputs, p.batch, p.head);
    double column[SQA_MAX_HEAD_DIM];
    out->at[0] = (int64_t)row * a->value_dim;
    out->count[0] = a->value_dim;
    out->at[1] = (int64_t)row;
    out->count[1] = linear->normalise;
    if (!linear->delta) {
        sqa_linear_state_row(&at, at.kv_length, p.row, out->values[0], out->values[1]);
        return true;
    }
    for (uint32_t j = 0; j < a->value_dim; j++) {
        sqa_linear_state_column(&at, at.kv_length, j, column);
        out->values[0][j] = column[p.row];
    }
    return true;
}

static void place_of_state(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])
{
    const sqa_attention *a = &problem->of.attention;
    const position p = position_of(row, a->kv_heads, a->head_dim);
    snprintf(out, SQA_PLACE_TEXT, "batch %u, head %u, row %u", p.batch, p.head, p.row);
}

const sqa_row_group sqa_linear_groups[] = {
    {.slots = {SQA_SLOT_O},
     .slot_count = 1,
     .samples = 64,
     .count = count_rows,
     .expect = expect_row,
     .place = place_of_row},
    {.slots = {SQA_SLOT_STATE, SQA_SLOT_SUMS},
     .slot_count = 2,
     .samples = 16,
     .count = count_state_rows,
     .expect = expect_state,
     .place = place_of_state},
    {.slot_count = 0},
};

const sqa_tolerance sqa_linear_tolerances[SQA_LINEAR_TOLERANCES] = {
    SQA_OUTPUT_TOLERANCES(SQA_SLOT_O, 2e-6, 1e-5, SQA_SLOT_O),
    {SQA_SLOT_STATE, SQA_ELEMENT_F32, .rms = 2e-6, .max = 1e-5, .max_of = SQA_SLOT_STATE},
    {SQA_SLOT_SUMS, SQA_ELEMENT_F32, .rms = 2e-6, .max = 1e-5, .max_of = SQA_SLOT_SUMS},
};
