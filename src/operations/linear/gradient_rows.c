/* What the reference says of gradients of linear attention, row by row. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "operations/linear/gradients.h"
#include "operations/tolerances.h"

static void *prepare(const sqa_problem *problem, const sqa_reference_inputs *inputs)
{
    return sqa_linear_gradients_of(&problem->of.linear, inputs);
}

typedef struct position {
    uint32_t batch, head, row;
    uint64_t index; /* of the row among all */
} position;

static position position_of(uint64_t index, uint32_t heads, uint32_t rows)
{
    const uint64_t head = index / rows;
    return (position){(uint32_t)(head / heads), (uint32_t)(head % heads), (uint32_t)(index % rows),
                      index};
}

static int64_t element_at(const sqa_attention *a, const sqa_strides *strides, const position *p,
                          uint32_t begin)
{
    const int64_t entry = a->mask & SQA_MASK_RAGGED ? 0 : p->batch;
    return entry * strides->batch + p->head * strides->head +
           ((int64_t)begin + p->row) * strides->sequence;
}

static void set(sqa_expected_row *out, int which, int64_t at, uint32_t count, const double *values)
{
    out->at[which] = at;
    out->count[which] = count;
    memcpy(out->values[which], values, count * sizeof *values);
}

static uint64_t count_query(const sqa_problem *problem)
{
    const sqa_attention *a = &problem->of.attention;
    return (uint64_t)a->batch * a->q_heads * a->q_length;
}

static bool expect_query(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                         uint64_t row, sqa_expected_row *out)
{
    const sqa_attention *a = &problem->of.attention;
    const sqa_linear_gradients *gradients = inputs->prepared;
    const position p = position_of(row, a->q_heads, a->q_length);
    const sqa_linear_place at = sqa_linear_place_of(&problem->of.linear, inputs, p.batch, 0);
    const sqa_strides dq = sqa_linear_gradient_strides(problem, SQA_SLOT_Q);
    if (p.row >= at.q_length)
        return false;
    set(out, 0, element_at(a, &dq, &p, at.q_begin), a->head_dim, gradients->dq + row * a->head_dim);
    return true;
}

static void place_of_query(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])
{
    const sqa_attention *a = &problem->of.attention;
    const position p = position_of(row, a->q_heads, a->q_length);
    snprintf(out, SQA_PLACE_TEXT, "batch %u, head %u, query %u", p.batch, p.head, p.row);
}

static uint64_t count_key(const sqa_problem *problem)
{
    const sqa_attention *a = &problem->of.attention;
    return (uint64_t)a->batch * a->kv_heads * a->kv_length;
}

static bool expect_key(const sqa_problem *problem, const sqa_reference_inputs *inputs, uint64_t row,
                       sqa_expected_row *out)
{
    const sqa_linear *l = &problem->of.linear;
    const sqa_attention *a = &l->attention;
    const sqa_linear_gradients *gradients = inputs->prepared;
    const position p = position_of(row, a->kv_heads, a->kv_length);
    const sqa_linear_place at = sqa_linear_place_of(l, inputs, p.batch, p.head);
    const sqa_strides dk = sqa_linear_gradient_strides(problem, SQA_SLOT_K);
    const sqa_strides dv = sqa_linear_gradient_strides(problem, SQA_SLOT_V);
    const sqa_strides dbeta = sqa_strides_bhsd(a->kv_heads, sqa_linear_tokens(l), 1);
    if (p.row >= at.kv_length)
        return false;
    set(out, 0, element_at(a, &dk, &p, at.kv_begin), a->head_dim,
        gradients->dk + row * a->head_dim);
    set(out, 1, element_at(a, &dv, &p, at.kv_begin), a->value_dim,
        gradients->dv + row * a->value_dim);
    if (l->delta)
        set(out, 2, element_at(a, &dbeta, &p, at.kv_begin), 1, gradients->dbeta + row);
    return true;
}

static void place_of_key(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])
{
    const sqa_attention *a = &problem->of.attention;
    const position p = position_of(row, a->kv_heads, a->kv_length);
    snprintf(out, SQA_PLACE_TEXT, "batch %u, head %u, key %u", p.batch, p.head, p.row);
}

static uint64_t count_state(const sqa_problem *problem)
{
    const sqa_attention *a = &problem->of.attention;
    return sqa_linear_starts(&problem->of.linear) ? (uint64_t)a->batch * a->kv_heads * a->head_dim
                                                  : 0;
}

static bool expect_state(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                         uint64_t row, sqa_expected_row *out)
{
    const sqa_linear *l = &problem->of.linear;
    const uint32_t columns = l->attention.value_dim;
    const double *from =
        ((const sqa_linear_gradients *)inputs->prepared)->dstate + row * (columns + 1);
    set(out, 0, (int64_t)row * columns, columns, from);
    if (l->normalise)
        set(out, 1, (int64_t)row, 1, from + columns);
    return true;
}

static void place_of_state(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])
{
    const sqa_attention *a = &problem->of.attention;
    const position p = position_of(row, a->kv_heads, a->head_dim);
    snprintf(out, SQA_PLACE_TEXT, "batch %u, head %u, row %u", p.batch, p.head, p.row);
}

/* A row of decays: a token's, or, of a decay per head, the head's. */
static uint64_t count_decay(const sqa_problem *problem)
{
    const sqa_linear *l = &problem->of.linear;
    return l->decay == SQA_DECAY_NONE   ? 0
           : l->decay == SQA_DECAY_HEAD ? l->attention.kv_heads
                                        : count_key(problem);
}

/* Of all tokens, whose numbers are of either sign. */
static bool expect_head(const sqa_attention *a, const double *channels, uint64_t head,
                        sqa_expected_row *out)
{
    double sum = 0.0, magnitude = 0.0;
    for (uint32_t b = 0; b < a->batch; b++)
        for (uint32_t t = 0; t < a->kv_length; t++) {
            const uint64_t row = ((uint64_t)b * a->kv_heads + head) * a->kv_length + t;
            double of_token = 0.0;
            for (uint32_t d = 0; d < a->head_dim; d++)
                of_token += channels[row * a->head_dim + d];
            sum += of_token;
            magnitude += fabs(of_token);
        }
    set(out, 0, (int64_t)head, 1, &sum);
    out->magnitude[0] = magnitude;
    return true;
}

/* Of a decay per token its channels together. */
static bool expect_decay(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                         uint64_t row, sqa_expected_row *out)
{
    const sqa_linear *l = &problem->of.linear;
    const sqa_attention *a = &l->attention;
    const double *channels = ((const sqa_linear_gradients *)inputs->prepared)->ddecay;
    const uint32_t dim = sqa_linear_decay_dim(l);
    const sqa_strides packed = sqa_strides_bhsd(a->kv_heads, sqa_linear_tokens(l), dim);
    double sum = 0.0;
    if (l->decay == SQA_DECAY_HEAD)
        return expect_head(a, channels, row, out);
    const position p = position_of(row, a->kv_heads, a->kv_length);
    const sqa_linear_place at = sqa_linear_place_of(l, inputs, p.batch, p.head);
    if (p.row >= at.kv_length)
        return false;
    channels += row * a->head_dim;
    for (uint32_t d = 0; d < a->head_dim; d++)
        sum += channels[d];
    set(out, 0, element_at(a, &packed, &p, at.kv_begin), dim, dim > 1 ? channels : &sum);
    return true;
}

static void place_of_decay(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])
{
    if (problem->of.linear.decay == SQA_DECAY_HEAD)
        snprintf(out, SQA_PLACE_TEXT, "head %u", (unsigned)row);
    else
        place_of_key(problem, row, out);
}

#define FUNCTIONS(what)                                                                            \
    .prepare = prepare, .count = count_##what, .expect = expect_##what, .place = place_of_##what

const sqa_row_group sqa_linear_gradient_groups[] = {
    {.slots = {SQA_SLOT_LINEAR_DQ}, .slot_count = 1, .samples = 256, FUNCTIONS(query)},
    {.slots = {SQA_SLOT_LINEAR_DK, SQA_SLOT_LINEAR_DV, SQA_SLOT_DBETA},
     .slot_count = 3,
     .samples = 256,
     FUNCTIONS(key)},
    {.slots = {SQA_SLOT_DSTATE_IN, SQA_SLOT_DSUMS_IN},
     .slot_count = 2,
     .samples = 64,
     FUNCTIONS(state)},
    {.slots = {SQA_SLOT_DDECAY}, .slot_count = 1, .samples = 256, FUNCTIONS(decay)},
    {.slot_count = 0},
};

const sqa_tolerance sqa_linear_gradient_tolerances[SQA_LINEAR_GRADIENT_TOLERANCES] = {
    SQA_GRADIENT_TOLERANCES(SQA_SLOT_LINEAR_DQ),
    SQA_GRADIENT_TOLERANCES(SQA_SLOT_LINEAR_DK),
    SQA_GRADIENT_TOLERANCES(SQA_SLOT_LINEAR_DV),
    {SQA_SLOT_DDECAY, SQA_ELEMENT_F32, .rms = 1e-5, .max = 1e-4, .max_of = SQA_SLOT_DDECAY},
    {SQA_SLOT_DBETA, SQA_ELEMENT_F32, .rms = 1e-5, .max = 1e-4, .max_of = SQA_SLOT_DBETA},
    {SQA_SLOT_DSTATE_IN, SQA_ELEMENT_F32, .rms = 1e-5, .max = 1e-4, .max_of = SQA_SLOT_DSTATE_IN},
    {SQA_SLOT_DSUMS_IN, SQA_ELEMENT_F32, .rms = 1e-5, .max = 1e-4, .max_of = SQA_SLOT_DSUMS_IN},
};
