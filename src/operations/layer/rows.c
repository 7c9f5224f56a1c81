/* The rows that a layer is judged by. A row is a stretch of one of
 * a matrix, or what attention writes of a query. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "operations/attention/reference.h"
#include "operations/backward/slots.h"
#include "operations/layer/linear_rows.h"
#include "operations/layer/reference.h"
#include "operations/matrix_rows.h"
#include "operations/tensors.h"

/* The matrices of a group, one behind the other. */
typedef struct matrices {
    uint32_t slots[SQA_MAX_JUDGED];
    uint32_t count;
} matrices;

static const matrices projected = {{SQA_SLOT_Q, SQA_SLOT_K, SQA_SLOT_V, SQA_LAYER_QKV}, 4};
static const matrices apart = {{SQA_LAYER_Q_PROJECTED, SQA_LAYER_K_PROJECTED, SQA_LAYER_G}, 3};
static const matrices of_forget = {{SQA_LAYER_DECAY_PROJECTED, SQA_LAYER_BETA_PROJECTED}, 2};
static const matrices of_inputs = {{SQA_LAYER_DX, SQA_LAYER_DCONTEXT}, 2};
static const matrices of_weights = {{SQA_LAYER_DWQ, SQA_LAYER_DWK, SQA_LAYER_DWV, SQA_LAYER_DWQKV},
                                    4};
static const matrices of_output = {{SQA_LAYER_DWO, SQA_LAYER_DBO}, 2};
static const matrices of_biases = {{SQA_LAYER_DBQ, SQA_LAYER_DBK, SQA_LAYER_DBV, SQA_LAYER_DBQKV},
                                   4};
static const matrices of_gate = {{SQA_LAYER_DWG, SQA_LAYER_DBG}, 2};
static const matrices of_forget_weights = {
    {SQA_LAYER_DWDECAY, SQA_LAYER_DBDECAY, SQA_LAYER_DWBETA, SQA_LAYER_DBBETA}, 4};
static const matrices of_norms = {{SQA_LAYER_DQ_NORM, SQA_LAYER_DK_NORM}, 2};

typedef struct stretch {
    uint32_t number, slot; /* of the matrix, among those of the group */
    uint32_t columns;
    sqa_stretch of;
} stretch;

/* Tensors of attention as matrices of all heads. */
static uint64_t size_of(const sqa_problem *problem, uint32_t slot, stretch *out)
{
    const sqa_layer_pass *layer = &problem->of.layer;
    sqa_projection projections[SQA_MAX_PROJECTIONS];
    sqa_tensor_shape shape;
    if (sqa_layer_is_cache(layer, slot) || !sqa_tensor_shape_of(problem, slot, &shape))
        return 0;
    const uint32_t count = sqa_layer_projections(layer, projections);
    uint32_t rows = shape.length;
    out->columns = shape.dim;
    if (slot == SQA_SLOT_Q || slot == SQA_SLOT_K) {
        rows = slot == SQA_SLOT_Q ? sqa_layer_q_rows(layer) : sqa_layer_kv_rows(layer);
        out->columns = slot == SQA_SLOT_Q ? sqa_layer_q_columns(layer) : sqa_layer_k_columns(layer);
    }
    for (uint32_t i = 0; i < count; i++)
        if (projections[i].output == slot) {
            rows = projections[i].rows;
            out->columns = projections[i].columns;
        }
    return sqa_stretch_count(rows, out->columns);
}

static uint64_t count_in(const sqa_problem *problem, const matrices *of)
{
    uint64_t count = 0;
    stretch unused;
    for (uint32_t i = 0; i < of->count; i++)
        count += size_of(problem, of->slots[i], &unused);
    return count;
}

static stretch stretch_of(const sqa_problem *problem, const matrices *of, uint64_t index)
{
    stretch out = {0};
    for (; out.number < of->count; out.number++) {
        const uint64_t size = size_of(problem, of->slots[out.number], &out);
        if (index < size)
            break;
        index -= size;
    }
    out.slot = of->slots[out.number];
    out.of = sqa_stretch_at(out.columns, index);
    return out;
}

static void set_places(const stretch *at, const matrices *of, sqa_expected_row *out)
{
    memset(out->count, 0, sizeof out->count);
    memset(out->at, 0, of->count * sizeof *out->at);
    out->at[at->number] = (int64_t)at->of.row * at->columns + at->of.first;
    out->count[at->number] = at->of.count;
}

static void place_in(const sqa_problem *problem, const matrices *of, uint64_t index,
                     char out[SQA_PLACE_TEXT])
{
    const stretch at = stretch_of(problem, of, index);
    sqa_stretch_place(&at.of, 0, out);
}

#define COUNT_AND_PLACE(of)                                                                        \
    static uint64_t count_##of(const sqa_problem *problem)                                         \
    {                                                                                              \
        return count_in(problem, &of);                                                             \
    }                                                                                              \
    static void place_##of(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])     \
    {                                                                                              \
        place_in(problem, &of, row, out);                                                          \
    }
COUNT_AND_PLACE(apart)
COUNT_AND_PLACE(of_forget)
COUNT_AND_PLACE(of_forget_weights)
COUNT_AND_PLACE(of_inputs)
COUNT_AND_PLACE(of_weights)
COUNT_AND_PLACE(of_output)
COUNT_AND_PLACE(of_biases)
COUNT_AND_PLACE(of_gate)
COUNT_AND_PLACE(of_norms)

/* What the reference has in a slot of what is kept. */
static const float *kept_matrix(const sqa_layer_reference *reference, uint32_t slot)
{
    const bool key = slot == SQA_SLOT_K;
    if ((slot == SQA_SLOT_Q || key) && reference->layer->qk_norm)
        return reference->attended[key];
    for (uint32_t i = 0; i < reference->count; i++)
        if (reference->projections[i].output == slot)
            return reference->outputs[i];
    return NULL;
}

static void expect_made(const sqa_problem *problem, const sqa_layer_reference *reference,
                        const matrices *of, uint64_t row, sqa_expected_row *out)
{
    const stretch at = stretch_of(problem, of, row);
    set_places(&at, of, out);
    for (uint32_t j = 0; j < at.of.count; j++)
        out->values[at.number][j] = (double)kept_matrix(reference, at.slot)[out->at[at.number] + j];
}

static bool expect_apart(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                         uint64_t row, sqa_expected_row *out)
{
    expect_made(problem, inputs->prepared, &apart, row, out);
    return true;
}

static bool expect_of_forget(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                             uint64_t row, sqa_expected_row *out)
{
    expect_made(problem, inputs->prepared, &of_forget, row, out);
    return true;
}

/* Of caches, a token of a head. */
typedef struct cached {
    uint32_t page, head, within;
} cached;

static cached cached_of(const sqa_attention *a, uint64_t row)
{
    const uint64_t matrix = row / a->paged.page_size;
    return (cached){(uint32_t)(matrix / a->kv_heads), (uint32_t)(matrix % a->kv_heads),
                    (uint32_t)(row % a->paged.page_size)};
}

/* What is kept, or with a cache its tokens. */
static uint64_t count_projected(const sqa_problem *problem)
{
    const sqa_attention *a = &problem->of.attention;
    return sqa_layer_has_cache(&problem->of.layer)
               ? (uint64_t)a->paged.pages * a->kv_heads * a->paged.page_size
               : count_in(problem, &projected);
}

static void place_projected(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])
{
    const cached at = cached_of(&problem->of.attention, row);
    if (sqa_layer_has_cache(&problem->of.layer))
        snprintf(out, SQA_PLACE_TEXT, "page %u, head %u, token %u", at.page, at.head, at.within);
    else
        place_in(problem, &projected, row, out);
}

static void *prepare_forward(const sqa_problem *problem, const sqa_reference_inputs *inputs)
{
    sqa_layer_reference *reference = calloc(1, sizeof *reference);
    if (!reference || sqa_layer_reference_forward(reference, &problem->of.layer, inputs))
        return reference;
    sqa_layer_reference_free(reference);
    free(reference);
    return NULL;
}

static void release_forward(void *prepared)
{
    sqa_layer_reference_free(prepared);
    free(prepared);
}

static void expect_cached(const sqa_attention *a, const sqa_layer_reference *reference,
                          uint64_t row, sqa_expected_row *out)
{
    const cached at = cached_of(a, row);
    memset(out->count, 0, sizeof out->count);
    memset(out->at, 0, sizeof out->at);
    for (uint32_t i = 0; i < 2; i++) {
        const uint32_t number = SQA_SLOT_K - SQA_SLOT_Q + i; /* among the slots of the group */
        const sqa_strides *strides = i ? &a->v : &a->k;
        out->at[number] =
            at.page * strides->batch + at.head * strides->head + at.within * strides->sequence;
        out->count[number] = i ? a->value_dim : a->head_dim;
        for (uint32_t d = 0; d < out->count[number]; d++)
            out->values[number][d] = (double)reference->cache[i][out->at[number] + d];
    }
}

static bool expect_projected(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                             uint64_t row, sqa_expected_row *out)
{
    if (sqa_layer_has_cache(&problem->of.layer))
        expect_cached(&problem->of.attention, inputs->prepared, row, out);
    else
        expect_made(problem, inputs->prepared, &projected, row, out);
    return true;
}

/* A row of attention, or with one head for all a row of Y. */
typedef struct position {
    uint32_t batch, head, query;
} position;

static position position_of(const sqa_attention *a, uint32_t heads, uint64_t row)
{
    const uint64_t matrix = row / a->q_length;
    return (position){(uint32_t)(matrix / heads), (uint32_t)(matrix % heads),
                      (uint32_t)(row % a->q_length)};
}

static uint64_t count_attended(const sqa_problem *problem)
{
    const sqa_attention *a = &problem->of.attention;
    return problem->of.layer.keep ? (uint64_t)a->batch * a->out_heads * a->q_length : 0;
}

static bool expect_attended(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                            uint64_t row, sqa_expected_row *out)
{
    const sqa_attention *a = &problem->of.attention;
    const position at = position_of(a, a->out_heads, row);
    const sqa_sequence s = sqa_reference_sequence(a, inputs, at.batch);
    const bool ragged = a->mask & SQA_MASK_RAGGED;
    const int64_t rows = ragged ? a->q_total : a->q_length;
    sqa_layer_reference reference;
    if (at.query >= s.q_length)
        return false;
    out->at[0] = at.batch * a->o.batch + at.head * a->o.head +
                 ((int64_t)s.q_begin + at.query) * a->o.sequence;
    out->count[0] = a->value_dim;
    out->at[1] =
        ((ragged ? 0 : (int64_t)at.batch) * a->out_heads + at.head) * rows + s.q_begin + at.query;
    out->count[1] = problem->of.layer.is_linear ? 0 : 1;
    const bool there = sqa_layer_reference_forward(&reference, &problem->of.layer, inputs);
    if (there)
        sqa_layer_reference_o(&reference, at.batch, at.head, at.query, out->values[0],
                              out->values[1]);
    sqa_layer_reference_free(&reference);
    return there;
}

static void place_attended(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])
{
    const sqa_attention *a = &problem->of.attention;
    const position at = position_of(a, a->out_heads, row);
    snprintf(out, SQA_PLACE_TEXT, "batch %u, head %u, query %u", at.batch, at.head, at.query);
}

static uint64_t count_y(const sqa_problem *problem)
{
    const sqa_attention *a = &problem->of.attention;
    return sqa_stretch_count((uint64_t)a->batch * a->q_length, problem->of.layer.d_model);
}

static bool expect_y(const sqa_problem *problem, const sqa_reference_inputs *inputs, uint64_t row,
                     sqa_expected_row *out)
{
    const sqa_layer_pass *layer = &problem->of.layer;
    const sqa_attention *a = &layer->attention;
    const sqa_stretch part = sqa_stretch_at(layer->d_model, row);
    const position at = position_of(a, 1, part.row);
    const sqa_sequence s = sqa_reference_sequence(a, inputs, at.batch);
    const int64_t before = a->mask & SQA_MASK_RAGGED ? s.q_begin : (int64_t)at.batch * a->q_length;
    sqa_layer_reference reference;
    if (at.query >= s.q_length)
        return false;
    out->at[0] = (before + at.query) * layer->d_model + part.first;
    out->count[0] = part.count;
    const bool there = sqa_layer_reference_forward(&reference, layer, inputs);
    if (there)
        sqa_layer_reference_y(&reference, inputs, at.batch, at.query, part.first, part.count,
                              out->values[0]);
    sqa_layer_reference_free(&reference);
    return there;
}

static void place_y(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])
{
    const position at =
        position_of(&problem->of.attention, 1, sqa_stretch_at(problem->of.layer.d_model, row).row);
    snprintf(out, SQA_PLACE_TEXT, "batch %u, row %u", at.batch, at.query);
}

/* What an updated gradient held before. */
static void add_before(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                       uint32_t slot, int64_t at, uint32_t count, double *out)
{
    const float *before = inputs->by_slot[slot];
    for (uint32_t j = 0; sqa_tensor_is_updated(problem, slot) && j < count; j++)
        out[j] += (double)before[at + j];
}

static bool expect_gradient(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                            const matrices *of, uint64_t row, sqa_expected_row *out)
{
    const stretch at = stretch_of(problem, of, row);
    sqa_layer_reference reference;
    const bool there =
        sqa_layer_reference_backward(&reference, &problem->of.layer, inputs, of != &of_output);
    double *values = out->values[at.number];
    set_places(&at, of, out);
    if (there) {
        sqa_layer_reference_gradient(&reference, inputs, at.slot, (uint32_t)at.of.row, at.of.first,
                                     at.of.count, values);
        add_before(problem, inputs, at.slot, out->at[at.number], at.of.count, values);
    }
    sqa_layer_reference_free(&reference);
    return there;
}

#define EXPECT_GRADIENT(of)                                                                        \
    static bool expect_##of(const sqa_problem *problem, const sqa_reference_inputs *inputs,        \
                            uint64_t row, sqa_expected_row *out)                                   \
    {                                                                                              \
        return expect_gradient(problem, inputs, &of, row, out);                                    \
    }
EXPECT_GRADIENT(of_inputs)
EXPECT_GRADIENT(of_weights)
EXPECT_GRADIENT(of_output)
EXPECT_GRADIENT(of_biases)
EXPECT_GRADIENT(of_gate)
EXPECT_GRADIENT(of_forget_weights)
EXPECT_GRADIENT(of_norms)

/* Gradients of scores are those of the attention within, of which group `number` has the rows. */
static bool scores_of(const sqa_problem *problem, sqa_problem *out)
{
    const sqa_layer_pass *layer = &problem->of.layer;
    const uint32_t gradients = sqa_layer_score_gradients(layer);
    return gradients &&
           sqa_layer_attention_backward(layer, gradients, layer->accumulate, out) == SQA_OK;
}

static uint64_t count_scores(const sqa_problem *problem, uint32_t number)
{
    sqa_problem scores;
    return scores_of(problem, &scores) ? sqa_backward_score_groups[number].count(&scores) : 0;
}

static bool expect_scores(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                          uint32_t number, uint64_t row, sqa_expected_row *out)
{
    sqa_problem scores;
    sqa_layer_reference reference;
    if (!scores_of(problem, &scores))
        return false;
    const bool there = sqa_layer_reference_backward(&reference, &problem->of.layer, inputs, false);
    sqa_reference_inputs *own = &reference.attention;
    own->by_slot[SQA_SLOT_DBIAS] = inputs->by_slot[SQA_LAYER_DBIAS];
    own->by_slot[SQA_SLOT_DSINKS] = inputs->by_slot[SQA_LAYER_DSINKS];
    own->by_slot[SQA_SLOT_DSLOPES] = inputs->by_slot[SQA_LAYER_DSLOPES];
    const bool expected = there && sqa_backward_score_groups[number].expect(&scores, own, row, out);
    sqa_layer_reference_free(&reference);
    return expected;
}

static void place_scores(const sqa_problem *problem, uint32_t number, uint64_t row,
                         char out[SQA_PLACE_TEXT])
{
    sqa_problem scores;
    out[0] = '\0';
    if (scores_of(problem, &scores))
        sqa_backward_score_groups[number].place(&scores, row, out);
}

#define OF_SCORES(name, number)                                                                    \
    static uint64_t count_##name(const sqa_problem *problem)                                       \
    {                                                                                              \
        return count_scores(problem, number);                                                      \
    }                                                                                              \
    static bool expect_##name(const sqa_problem *problem, const sqa_reference_inputs *inputs,      \
                              uint64_t row, sqa_expected_row *out)                                 \
    {                                                                                              \
        return expect_scores(problem, inputs, number, row, out);                                   \
    }                                                                                              \
    static void place_##name(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])   \
    {                                                                                              \
        place_scores(problem, number, row, out);                                                   \
    }
OF_SCORES(bias_rows, 0)
OF_SCORES(head_rows, 1)

#define GROUP(name, rows)                                                                          \
    .samples = rows, .count = count_##name, .expect = expect_##name, .place = place_##name

const sqa_row_group sqa_layer_groups[] = {
    {.slots = {SQA_LAYER_Y}, .slot_count = 1, GROUP(y, 16)},
    {.slots = {SQA_SLOT_Q, SQA_SLOT_K, SQA_SLOT_V, SQA_LAYER_QKV},
     .slot_count = 4,
     .prepare = prepare_forward,
     .release = release_forward,
     GROUP(projected, 64)},
    {.slots = {SQA_LAYER_Q_PROJECTED, SQA_LAYER_K_PROJECTED, SQA_LAYER_G},
     .slot_count = 3,
     .prepare = prepare_forward,
     .release = release_forward,
     GROUP(apart, 12)},
    {.slots = {SQA_LAYER_DECAY_PROJECTED, SQA_LAYER_BETA_PROJECTED},
     .slot_count = 2,
     .prepare = prepare_forward,
     .release = release_forward,
     GROUP(of_forget, 8)},
    {.slots = {SQA_SLOT_O, SQA_SLOT_LSE}, .slot_count = 2, GROUP(attended, 12)},
    SQA_LAYER_STATE_GROUP,
    {.slot_count = 0},
};

const sqa_row_group sqa_layer_backward_groups[] = {
    {.slots = {SQA_LAYER_DX, SQA_LAYER_DCONTEXT}, .slot_count = 2, GROUP(of_inputs, 6)},
    {.slots = {SQA_LAYER_DWQ, SQA_LAYER_DWK, SQA_LAYER_DWV, SQA_LAYER_DWQKV},
     .slot_count = 4,
     GROUP(of_weights, 12)},
    {.slots = {SQA_LAYER_DWO, SQA_LAYER_DBO}, .slot_count = 2, GROUP(of_output, 12)},
    {.slots = {SQA_LAYER_DBQ, SQA_LAYER_DBK, SQA_LAYER_DBV, SQA_LAYER_DBQKV},
     .slot_count = 4,
     GROUP(of_biases, 3)},
    {.slots = {SQA_LAYER_DWG, SQA_LAYER_DBG}, .slot_count = 2, GROUP(of_gate, 6)},
    {.slots = {SQA_LAYER_DWDECAY, SQA_LAYER_DBDECAY, SQA_LAYER_DWBETA, SQA_LAYER_DBBETA},
     .slot_count = 4,
     GROUP(of_forget_weights, 8)},
    {.slots = {SQA_LAYER_DQ_NORM, SQA_LAYER_DK_NORM}, .slot_count = 2, GROUP(of_norms, 4)},
    {.slots = {SQA_LAYER_DBIAS}, .slot_count = 1, GROUP(bias_rows, 8)},
    {.slots = {SQA_LAYER_DSINKS, SQA_LAYER_DSLOPES}, .slot_count = 2, GROUP(head_rows, 4)},
    SQA_LAYER_LINEAR_GRADIENT_GROUPS,
    {.slot_count = 0},
};
