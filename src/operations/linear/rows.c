/* What the reference says of linear attention's outputs, row by row. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* The recurrence as far as it was gone through, for some sequence and key/value head. Rows that are
 * asked for in order need only the tokens between them, which makes all of a head linear. */
typedef struct walk {
    uint32_t batch, head, tokens; /* keys in the state */
    double spent;                 /* on rows by weights, since the state moved */
    double values[SQA_MAX_HEAD_DIM + 1];
    double state[];
} walk;

/* What is prepared is only read; the walk goes on. */
typedef struct prepared {
    walk *walk;
} prepared;

static void *prepare(const sqa_problem *problem, const sqa_reference_inputs *inputs)
{
    const sqa_attention *a = &problem->of.attention;
    const size_t count = (size_t)a->head_dim * (a->value_dim + 1u);
    prepared *out = malloc(sizeof *out + sizeof(walk) + count * sizeof(double));
    (void)inputs;
    if (!out)
        return NULL;
    out->walk = (walk *)(out + 1);
    out->walk->batch = UINT32_MAX; /* of no sequence */
    return out;
}

static void begin(walk *w, const sqa_linear_place *at)
{
    const sqa_attention *a = &at->linear->attention;
    w->batch = at->batch;
    w->head = at->head;
    w->tokens = 0;
    w->spent = 0.0;
    for (uint32_t d = 0; d < a->head_dim; d++)
        for (uint32_t j = 0; j <= a->value_dim; j++)
            w->state[d * (a->value_dim + 1) + j] = sqa_linear_initial(at, d, j);
}

/* To the state after so many keys. */
static const double *walk_to(walk *w, const sqa_linear_place *at, uint32_t tokens)
{
    if (w->batch != at->batch || w->head != at->head || w->tokens > tokens)
        begin(w, at);
    for (; w->tokens < tokens; w->tokens++)
        sqa_linear_step(at, w->tokens, w->state, w->state, w->values);
    w->spent = 0.0;
    return w->state;
}

/* Whether weights are cheaper than walking there: of few rows they are, of all rows not. So that
 * neither costs more than twice the other, the walk begins when as much was spent on weights. */
static bool by_weights(walk *w, const sqa_linear_place *at, uint32_t seen)
{
    const sqa_attention *a = &at->linear->attention;
    if (w->batch != at->batch || w->head != at->head || w->tokens > seen)
        begin(w, at);
    w->spent += (double)seen * (a->head_dim + a->value_dim);
    return !at->linear->delta &&
           w->spent < (double)(seen - w->tokens) * a->head_dim * (a->value_dim + 1u);
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
    walk *w = ((const prepared *)inputs->prepared)->walk;
    const uint32_t seen = sqa_linear_seen(&at, p.row);
    if (by_weights(w, &at, seen))
        sqa_linear_row_weighted(&at, p.head, p.row, out->values[0]);
    else
        sqa_linear_row_of_state(&at, p.head, p.row, walk_to(w, &at, seen), out->values[0]);
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
    out->at[0] = (int64_t)row * a->value_dim;
    out->count[0] = a->value_dim;
    out->at[1] = (int64_t)row;
    out->count[1] = linear->normalise;
    if (!linear->delta) {
        sqa_linear_state_row(&at, at.kv_length, p.row, out->values[0], out->values[1]);
        return true;
    }
    walk *w = ((const prepared *)inputs->prepared)->walk;
    const double *state = walk_to(w, &at, at.kv_length) + (size_t)p.row * (a->value_dim + 1u);
    memcpy(out->values[0], state, a->value_dim * sizeof *state);
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
     .prepare = prepare,
     .count = count_rows,
     .expect = expect_row,
     .place = place_of_row},
    {.slots = {SQA_SLOT_STATE, SQA_SLOT_SUMS},
     .slot_count = 2,
     .samples = 16,
     .prepare = prepare,
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
