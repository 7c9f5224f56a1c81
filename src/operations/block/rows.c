/* The rows of a block that are judged, and what is promised of them. Those of its layer are the
 * layer's own, of the input that the layer gets here. */
#include <stdio.h>
#include <string.h>

#include "operations/attention/reference.h"
#include "operations/block/reference.h"
#include "operations/matrix_rows.h"
#include "operations/tensors.h"
#include "operations/tolerances.h"

static void *prepare(const sqa_problem *problem, const sqa_reference_inputs *inputs)
{
    return sqa_block_reference_create(problem, inputs);
}

static void release(void *prepared)
{
    sqa_block_reference_free(prepared);
}

/* Forward: stretches of the rows of every sequence, which may be shorter in a ragged batch. */
static uint64_t count_rows(const sqa_problem *problem, uint32_t columns)
{
    const sqa_attention *a = &problem->of.attention;
    return sqa_stretch_count((uint64_t)a->batch * a->q_length, columns);
}

static void place_row(const sqa_problem *problem, uint32_t columns, uint64_t row,
                      char out[SQA_PLACE_TEXT])
{
    const uint64_t number = sqa_stretch_at(columns, row).row;
    const uint32_t length = problem->of.attention.q_length;
    snprintf(out, SQA_PLACE_TEXT, "batch %u, row %u", (uint32_t)(number / length),
             (uint32_t)(number % length));
}

/* Of both slots of the group, which are alike. */
static bool expect_row(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                       uint32_t columns, uint64_t index, bool inner, sqa_expected_row *out)
{
    const sqa_attention *a = &problem->of.attention;
    const sqa_stretch part = sqa_stretch_at(columns, index);
    const uint32_t batch = (uint32_t)(part.row / a->q_length);
    const uint32_t query = (uint32_t)(part.row % a->q_length);
    const sqa_sequence s = sqa_reference_sequence(a, inputs, batch);
    const uint32_t before = a->mask & SQA_MASK_RAGGED ? s.q_begin : batch * a->q_length;
    const bool second = inner ? problem->of.block.gated
                              : sqa_block_is_serial(&problem->of.block) && problem->of.layer.keep;
    sqa_block_row row;
    if (query >= s.q_length)
        return false;
    const bool there =
        sqa_block_reference_row(inputs->prepared, batch, query, before + query, &row);
    for (uint32_t i = 0; there && i < (second ? 2u : 1u); i++) {
        const double *values = inner ? (i ? row.gate : row.up) : (i ? row.middle : row.y);
        out->at[i] = (int64_t)(before + query) * columns + part.first;
        out->count[i] = part.count;
        memcpy(out->values[i], values + part.first, part.count * sizeof *values);
    }
    sqa_block_row_free(&row);
    return there;
}

#define FORWARD(name, columns, inner, present)                                                     \
    static uint64_t count_##name(const sqa_problem *problem)                                       \
    {                                                                                              \
        return present ? count_rows(problem, columns) : 0;                                         \
    }                                                                                              \
    static bool expect_##name(const sqa_problem *problem, const sqa_reference_inputs *inputs,      \
                              uint64_t row, sqa_expected_row *out)                                 \
    {                                                                                              \
        return expect_row(problem, inputs, columns, row, inner, out);                              \
    }                                                                                              \
    static void place_##name(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])   \
    {                                                                                              \
        place_row(problem, columns, row, out);                                                     \
    }
FORWARD(outputs, problem->of.layer.d_model, false, true)
FORWARD(kept, problem->of.block.mlp_dim, true, problem->of.layer.keep)

/* Backward: stretches of gradients, of which those of a group are alike. */
typedef struct gradients {
    uint32_t slots[SQA_MAX_JUDGED];
    uint32_t count;
} gradients;

static uint64_t count_gradients(const sqa_problem *problem, const gradients *of)
{
    sqa_tensor_shape shape;
    for (uint32_t i = 0; i < of->count; i++)
        if (sqa_tensor_shape_of(problem, of->slots[i], &shape))
            return sqa_stretch_count(shape.length, shape.dim);
    return 0;
}

static bool expect_gradients(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                             const gradients *of, uint64_t index, sqa_expected_row *out)
{
    for (uint32_t i = 0; i < of->count; i++) {
        sqa_tensor_shape shape;
        if (!sqa_tensor_shape_of(problem, of->slots[i], &shape))
            continue;
        const sqa_stretch part = sqa_stretch_at(shape.dim, index);
        const float *before = inputs->by_slot[of->slots[i]];
        out->at[i] = (int64_t)part.row * shape.dim + part.first;
        out->count[i] = part.count;
        sqa_block_reference_gradient(inputs->prepared, of->slots[i], (uint32_t)part.row, part.first,
                                     part.count, out->values[i]);
        for (uint32_t j = 0; sqa_tensor_is_updated(problem, of->slots[i]) && j < part.count; j++)
            out->values[i][j] += (double)before[out->at[i] + j];
    }
    return true;
}

static void place_gradients(const sqa_problem *problem, const gradients *of, uint64_t index,
                            char out[SQA_PLACE_TEXT])
{
    sqa_tensor_shape shape;
    uint32_t i = 0;
    while (i + 1 < of->count && !sqa_tensor_shape_of(problem, of->slots[i], &shape))
        i++;
    if (sqa_tensor_shape_of(problem, of->slots[i], &shape)) {
        const sqa_stretch part = sqa_stretch_at(shape.dim, index);
        sqa_stretch_place(&part, 0, out);
    }
}

#define BACKWARD(name, ...)                                                                        \
    static const gradients of_##name = {__VA_ARGS__};                                              \
    static uint64_t count_##name(const sqa_problem *problem)                                       \
    {                                                                                              \
        return count_gradients(problem, &of_##name);                                               \
    }                                                                                              \
    static bool expect_##name(const sqa_problem *problem, const sqa_reference_inputs *inputs,      \
                              uint64_t row, sqa_expected_row *out)                                 \
    {                                                                                              \
        return expect_gradients(problem, inputs, &of_##name, row, out);                            \
    }                                                                                              \
    static void place_##name(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])   \
    {                                                                                              \
        place_gradients(problem, &of_##name, row, out);                                            \
    }
#define OF_X SQA_LAYER_DX, SQA_LAYER_DCONTEXT
#define OF_NORMS SQA_BLOCK_DNORM1, SQA_BLOCK_DNORM1_BIAS, SQA_BLOCK_DNORM2, SQA_BLOCK_DNORM2_BIAS
#define OF_INNER SQA_BLOCK_DWUP, SQA_BLOCK_DWGATE
#define OF_INNER_BIASES SQA_BLOCK_DBUP, SQA_BLOCK_DBGATE
BACKWARD(x, {OF_X}, 2)
BACKWARD(norms, {OF_NORMS}, 4)
BACKWARD(inner, {OF_INNER}, 2)
BACKWARD(inner_biases, {OF_INNER_BIASES}, 2)
BACKWARD(wdown, {SQA_BLOCK_DWDOWN}, 1)
BACKWARD(bdown, {SQA_BLOCK_DBDOWN}, 1)

/* The layer's group that judges the slot. */
static const sqa_row_group *layer_group(const sqa_row_group *groups, uint32_t slot)
{
    while (groups->slots[0] != slot)
        groups++;
    return groups;
}

#define OF_LAYER(name, groups, slot)                                                               \
    static uint64_t count_##name(const sqa_problem *problem)                                       \
    {                                                                                              \
        sqa_problem layer;                                                                         \
        sqa_block_layer(problem, &layer);                                                          \
        return layer_group(groups, slot)->count(&layer);                                           \
    }                                                                                              \
    static bool expect_##name(const sqa_problem *problem, const sqa_reference_inputs *inputs,      \
                              uint64_t row, sqa_expected_row *out)                                 \
    {                                                                                              \
        const sqa_block_reference *reference = inputs->prepared;                                   \
        (void)problem;                                                                             \
        return layer_group(groups, slot)                                                           \
            ->expect(&reference->layer_problem, &reference->layer_inputs, row, out);               \
    }                                                                                              \
    static void place_##name(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])   \
    {                                                                                              \
        sqa_problem layer;                                                                         \
        sqa_block_layer(problem, &layer);                                                          \
        layer_group(groups, slot)->place(&layer, row, out);                                        \
    }
OF_LAYER(projected, sqa_layer_groups, SQA_SLOT_Q)
OF_LAYER(apart, sqa_layer_groups, SQA_LAYER_Q_PROJECTED)
OF_LAYER(attended, sqa_layer_groups, SQA_SLOT_O)
OF_LAYER(weights, sqa_layer_backward_groups, SQA_LAYER_DWQ)
OF_LAYER(output, sqa_layer_backward_groups, SQA_LAYER_DWO)
OF_LAYER(biases, sqa_layer_backward_groups, SQA_LAYER_DBQ)
OF_LAYER(out_gate, sqa_layer_backward_groups, SQA_LAYER_DWG)
OF_LAYER(qk_norms, sqa_layer_backward_groups, SQA_LAYER_DQ_NORM)
OF_LAYER(bias_rows, sqa_layer_backward_groups, SQA_LAYER_DBIAS)
OF_LAYER(head_rows, sqa_layer_backward_groups, SQA_LAYER_DSINKS)
OF_LAYER(states, sqa_layer_groups, SQA_LAYER_STATE)
OF_LAYER(of_forget, sqa_layer_groups, SQA_LAYER_DECAY_PROJECTED)
OF_LAYER(of_forget_weights, sqa_layer_backward_groups, SQA_LAYER_DWDECAY)
OF_LAYER(decays, sqa_layer_backward_groups, SQA_LAYER_DDECAY)
OF_LAYER(betas, sqa_layer_backward_groups, SQA_LAYER_DBETA)
OF_LAYER(first_states, sqa_layer_backward_groups, SQA_LAYER_DSTATE_IN)

#define GROUP(name, rows)                                                                          \
    .samples = rows, .count = count_##name, .prepare = prepare, .release = release,                \
    .expect = expect_##name, .place = place_##name

const sqa_row_group sqa_block_groups[] = {
    {.slots = {SQA_LAYER_Y, SQA_BLOCK_MIDDLE}, .slot_count = 2, GROUP(outputs, 16)},
    {.slots = {SQA_BLOCK_UP, SQA_BLOCK_GATE}, .slot_count = 2, GROUP(kept, 12)},
    {.slots = {SQA_SLOT_Q, SQA_SLOT_K, SQA_SLOT_V, SQA_LAYER_QKV},
     .slot_count = 4,
     GROUP(projected, 12)},
    {.slots = {SQA_LAYER_Q_PROJECTED, SQA_LAYER_K_PROJECTED, SQA_LAYER_G},
     .slot_count = 3,
     GROUP(apart, 12)},
    {.slots = {SQA_LAYER_DECAY_PROJECTED, SQA_LAYER_BETA_PROJECTED},
     .slot_count = 2,
     GROUP(of_forget, 8)},
    {.slots = {SQA_SLOT_O, SQA_SLOT_LSE}, .slot_count = 2, GROUP(attended, 12)},
    {.slots = {SQA_LAYER_STATE, SQA_LAYER_SUMS}, .slot_count = 2, GROUP(states, 8)},
    {.slot_count = 0},
};

const sqa_row_group sqa_block_backward_groups[] = {
    {.slots = {OF_X}, .slot_count = 2, GROUP(x, 12)},
    {.slots = {OF_NORMS}, .slot_count = 4, GROUP(norms, 2)},
    {.slots = {OF_INNER}, .slot_count = 2, GROUP(inner, 12)},
    {.slots = {OF_INNER_BIASES}, .slot_count = 2, GROUP(inner_biases, 2)},
    {.slots = {SQA_BLOCK_DWDOWN}, .slot_count = 1, GROUP(wdown, 12)},
    {.slots = {SQA_BLOCK_DBDOWN}, .slot_count = 1, GROUP(bdown, 2)},
    {.slots = {SQA_LAYER_DWQ, SQA_LAYER_DWK, SQA_LAYER_DWV, SQA_LAYER_DWQKV},
     .slot_count = 4,
     GROUP(weights, 12)},
    {.slots = {SQA_LAYER_DWO, SQA_LAYER_DBO}, .slot_count = 2, GROUP(output, 12)},
    {.slots = {SQA_LAYER_DBQ, SQA_LAYER_DBK, SQA_LAYER_DBV, SQA_LAYER_DBQKV},
     .slot_count = 4,
     GROUP(biases, 3)},
    {.slots = {SQA_LAYER_DWG, SQA_LAYER_DBG}, .slot_count = 2, GROUP(out_gate, 6)},
    {.slots = {SQA_LAYER_DWDECAY, SQA_LAYER_DBDECAY, SQA_LAYER_DWBETA, SQA_LAYER_DBBETA},
     .slot_count = 4,
     GROUP(of_forget_weights, 8)},
    {.slots = {SQA_LAYER_DQ_NORM, SQA_LAYER_DK_NORM}, .slot_count = 2, GROUP(qk_norms, 4)},
    {.slots = {SQA_LAYER_DBIAS}, .slot_count = 1, GROUP(bias_rows, 8)},
    {.slots = {SQA_LAYER_DSINKS, SQA_LAYER_DSLOPES}, .slot_count = 2, GROUP(head_rows, 4)},
    {.slots = {SQA_LAYER_DDECAY}, .slot_count = 1, GROUP(decays, 8)},
    {.slots = {SQA_LAYER_DBETA}, .slot_count = 1, GROUP(betas, 8)},
    {.slots = {SQA_LAYER_DSTATE_IN, SQA_LAYER_DSUMS_IN}, .slot_count = 2, GROUP(first_states, 8)},
    {.slot_count = 0},
};

/* As of the layer, whose own are its own. */
const sqa_tolerance sqa_block_tolerances[SQA_BLOCK_TOLERANCES] = {
    SQA_OUTPUT_TOLERANCES(SQA_LAYER_Y, 1e-5, 2e-5, SQA_LAYER_Y),
    SQA_OUTPUT_TOLERANCES(SQA_BLOCK_MIDDLE, 1e-5, 2e-5, SQA_BLOCK_MIDDLE),
    SQA_OUTPUT_TOLERANCES(SQA_BLOCK_UP, 1e-5, 2e-5, SQA_BLOCK_UP),
    SQA_OUTPUT_TOLERANCES(SQA_BLOCK_GATE, 1e-5, 2e-5, SQA_BLOCK_GATE),
};

const sqa_tolerance sqa_block_backward_tolerances[SQA_BLOCK_BACKWARD_TOLERANCES] = {
    SQA_GRADIENT_TOLERANCES(SQA_LAYER_DX),          SQA_GRADIENT_TOLERANCES(SQA_BLOCK_DNORM1),
    SQA_GRADIENT_TOLERANCES(SQA_BLOCK_DNORM1_BIAS), SQA_GRADIENT_TOLERANCES(SQA_BLOCK_DNORM2),
    SQA_GRADIENT_TOLERANCES(SQA_BLOCK_DNORM2_BIAS), SQA_GRADIENT_TOLERANCES(SQA_BLOCK_DWUP),
    SQA_GRADIENT_TOLERANCES(SQA_BLOCK_DWGATE),      SQA_GRADIENT_TOLERANCES(SQA_BLOCK_DWDOWN),
    SQA_GRADIENT_TOLERANCES(SQA_BLOCK_DBUP),        SQA_GRADIENT_TOLERANCES(SQA_BLOCK_DBGATE),
    SQA_GRADIENT_TOLERANCES(SQA_BLOCK_DBDOWN),
};
