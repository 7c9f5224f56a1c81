/* The rows that gradients are judged by. A row is found by counting through all dimensions,
 * the last of them fastest. */
#include <math.h>
#include <stdio.h>

#include "operations/backward/reference.h"
#include "operations/tolerances.h"

/* Adds what an updated tensor held before; `at`: the first of `count` elements. */
static void add_before(const sqa_backward_pass *pass, const sqa_reference_inputs *inputs,
                       uint32_t slot, int64_t at, uint32_t count, double *values)
{
    const float *before = inputs->by_slot[slot];
    for (uint32_t d = 0; pass->accumulate && d < count; d++)
        values[d] += (double)before[at + d];
}

typedef struct position {
    uint32_t batch, head, row;
} position;

static position position_of(uint64_t index, uint32_t heads, uint32_t rows)
{
    const uint64_t matrix = index / rows;
    return (position){(uint32_t)(matrix / heads), (uint32_t)(matrix % heads),
                      (uint32_t)(index % rows)};
}

static int64_t element_at(const sqa_strides *strides, const position *at, uint32_t begin)
{
    return at->batch * strides->batch + at->head * strides->head +
           ((int64_t)begin + at->row) * strides->sequence;
}

static uint64_t count_q_rows(const sqa_problem *problem)
{
    const sqa_backward_pass *pass = &problem->of.backward;
    const sqa_attention *a = &pass->attention;
    return pass->gradients & SQA_GRADIENT_Q ? (uint64_t)a->batch * a->q_heads * a->q_length : 0;
}

static bool expect_q_row(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                         uint64_t index, sqa_expected_row *out)
{
    const sqa_backward_pass *pass = &problem->of.backward;
    const sqa_attention *a = &pass->attention;
    const position at = position_of(index, a->q_heads, a->q_length);
    const sqa_sequence sequence = sqa_reference_sequence(a, inputs, at.batch);
    if (at.row >= sequence.q_length)
        return false;
    out->at[0] = element_at(&pass->dq, &at, sequence.q_begin);
    out->count[0] = a->head_dim;
    sqa_reference_dq_row(pass, inputs, at.batch, at.head, at.row, out->values[0]);
    add_before(pass, inputs, SQA_SLOT_DQ, out->at[0], out->count[0], out->values[0]);
    return true;
}

static void place_of_q_row(const sqa_problem *problem, uint64_t index, char out[SQA_PLACE_TEXT])
{
    const sqa_attention *a = &problem->of.attention;
    const position at = position_of(index, a->q_heads, a->q_length);
    snprintf(out, SQA_PLACE_TEXT, "batch %u, query head %u, query %u", at.batch, at.head, at.row);
}

#define Q_ROWS                                                                                     \
    {                                                                                              \
        .slots = {SQA_SLOT_DQ}, .slot_count = 1, .samples = 32, .count = count_q_rows,             \
        .expect = expect_q_row, .place = place_of_q_row                                            \
    }

static uint64_t count_kv_rows(const sqa_problem *problem)
{
    const sqa_backward_pass *pass = &problem->of.backward;
    const sqa_attention *a = &pass->attention;
    return pass->gradients & (SQA_GRADIENT_K | SQA_GRADIENT_V)
               ? (uint64_t)a->batch * a->kv_heads * a->kv_length
               : 0;
}

static bool expect_kv_row(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                          uint64_t index, sqa_expected_row *out)
{
    const sqa_backward_pass *pass = &problem->of.backward;
    const sqa_attention *a = &pass->attention;
    const position at = position_of(index, a->kv_heads, a->kv_length);
    const sqa_sequence sequence = sqa_reference_sequence(a, inputs, at.batch);
    if (at.row >= sequence.kv_length)
        return false;
    out->at[0] = element_at(&pass->dk, &at, sequence.kv_begin);
    out->count[0] = pass->gradients & SQA_GRADIENT_K ? a->head_dim : 0;
    out->at[1] = element_at(&pass->dv, &at, sequence.kv_begin);
    out->count[1] = pass->gradients & SQA_GRADIENT_V ? a->value_dim : 0;
    sqa_reference_dkv_row(pass, inputs, at.batch, at.head, at.row, out->values[0], out->values[1]);
    add_before(pass, inputs, SQA_SLOT_DK, out->at[0], out->count[0], out->values[0]);
    add_before(pass, inputs, SQA_SLOT_DV, out->at[1], out->count[1], out->values[1]);
    return true;
}

static void place_of_kv_row(const sqa_problem *problem, uint64_t index, char out[SQA_PLACE_TEXT])
{
    const sqa_attention *a = &problem->of.attention;
    const position at = position_of(index, a->kv_heads, a->kv_length);
    snprintf(out, SQA_PLACE_TEXT, "batch %u, key/value head %u, key %u", at.batch, at.head, at.row);
}

#define KV_ROWS                                                                                    \
    {                                                                                              \
        .slots = {SQA_SLOT_DK, SQA_SLOT_DV}, .slot_count = 2, .samples = 32,                       \
        .count = count_kv_rows, .expect = expect_kv_row, .place = place_of_kv_row                  \
    }

/* Keys of a row of dBias that are judged together. */
enum { PART = 64 };

static uint32_t parts_of(const sqa_attention *a)
{
    return (a->kv_length + PART - 1) / PART;
}

/* Dimensions as the bias has them: those that it repeats have one place. */
static sqa_attention stored_bias(const sqa_attention *a)
{
    sqa_attention stored = *a;
    stored.batch = a->bias.batch || !a->batch ? a->batch : 1;
    stored.out_heads = a->bias.head ? a->out_heads : 1;
    stored.q_length = a->bias.sequence || !a->q_length ? a->q_length : 1;
    return stored;
}

static uint64_t count_bias_rows(const sqa_problem *problem)
{
    const sqa_attention stored = stored_bias(&problem->of.attention);
    return problem->of.backward.gradients & SQA_GRADIENT_BIAS
               ? (uint64_t)stored.batch * stored.out_heads * stored.q_length * parts_of(&stored)
               : 0;
}

static position bias_position(const sqa_attention *a, uint64_t index)
{
    const sqa_attention stored = stored_bias(a);
    return position_of(index / parts_of(a), stored.out_heads, stored.q_length);
}

static bool expect_bias_row(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                            uint64_t index, sqa_expected_row *out)
{
    const sqa_backward_pass *pass = &problem->of.backward;
    const sqa_attention *a = &pass->attention;
    const position at = bias_position(a, index);
    const uint32_t first = (uint32_t)(index % parts_of(a)) * PART;
    out->at[0] = element_at(&pass->dbias, &at, 0) + first;
    out->count[0] = a->kv_length - first < PART ? a->kv_length - first : PART;
    sqa_reference_dbias_row(pass, inputs, at.batch, at.head, at.row, first, out->count[0],
                            out->values[0]);
    add_before(pass, inputs, SQA_SLOT_DBIAS, out->at[0], out->count[0], out->values[0]);
    return true;
}

static void place_of_bias_row(const sqa_problem *problem, uint64_t index, char out[SQA_PLACE_TEXT])
{
    const sqa_attention *a = &problem->of.attention;
    const position at = bias_position(a, index);
    snprintf(out, SQA_PLACE_TEXT, "batch %u, head %u, query %u, keys from %u", at.batch, at.head,
             at.row, (uint32_t)(index % parts_of(a)) * PART);
}

#define BIAS_ROWS                                                                                  \
    {                                                                                              \
        .slots = {SQA_SLOT_DBIAS}, .slot_count = 1, .samples = 16, .count = count_bias_rows,       \
        .expect = expect_bias_row, .place = place_of_bias_row                                      \
    }

static uint64_t count_heads(const sqa_problem *problem)
{
    const sqa_backward_pass *pass = &problem->of.backward;
    return pass->gradients & (SQA_GRADIENT_SINKS | SQA_GRADIENT_SLOPES) ? pass->attention.out_heads
                                                                        : 0;
}

static bool expect_head(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                        uint64_t head, sqa_expected_row *out)
{
    const sqa_backward_pass *pass = &problem->of.backward;
    out->at[0] = out->at[1] = (int64_t)head;
    out->count[0] = pass->gradients & SQA_GRADIENT_SINKS ? 1 : 0;
    out->count[1] = pass->gradients & SQA_GRADIENT_SLOPES ? 1 : 0;
    if (out->count[0])
        out->values[0][0] = sqa_reference_dsink(pass, inputs, (uint32_t)head);
    if (out->count[1])
        out->values[1][0] = sqa_reference_dslope(pass, inputs, (uint32_t)head);
    add_before(pass, inputs, SQA_SLOT_DSINKS, out->at[0], out->count[0], out->values[0]);
    add_before(pass, inputs, SQA_SLOT_DSLOPES, out->at[1], out->count[1], out->values[1]);
    return true;
}

static void place_of_head(const sqa_problem *problem, uint64_t head, char out[SQA_PLACE_TEXT])
{
    (void)problem;
    snprintf(out, SQA_PLACE_TEXT, "head %u", (unsigned)head);
}

#define HEAD_ROWS                                                                                  \
    {                                                                                              \
        .slots = {SQA_SLOT_DSINKS, SQA_SLOT_DSLOPES}, .slot_count = 2, .samples = 4,               \
        .count = count_heads, .expect = expect_head, .place = place_of_head                        \
    }

const sqa_row_group sqa_backward_groups[] = {
    Q_ROWS, KV_ROWS, BIAS_ROWS, HEAD_ROWS, {.slot_count = 0}};
const sqa_row_group sqa_backward_core_groups[] = {Q_ROWS, KV_ROWS, {.slot_count = 0}};
const sqa_row_group sqa_backward_score_groups[] = {BIAS_ROWS, HEAD_ROWS, {.slot_count = 0}};

const sqa_tolerance sqa_backward_tolerances[SQA_BACKWARD_TOLERANCES] = {
    SQA_GRADIENT_TOLERANCES(SQA_SLOT_DQ),
    SQA_GRADIENT_TOLERANCES(SQA_SLOT_DK),
    SQA_GRADIENT_TOLERANCES(SQA_SLOT_DV),
    SQA_GRADIENT_TOLERANCES(SQA_SLOT_DBIAS),
    {SQA_SLOT_DSINKS, SQA_ELEMENT_F32, .rms = 1e-5, .max = 1e-4, .max_of = SQA_SLOT_DSINKS},
    {SQA_SLOT_DSLOPES, SQA_ELEMENT_F32, .rms = 1e-5, .max = 1e-4, .max_of = SQA_SLOT_DSLOPES},
};
