/* The gradients of an activation (include/sqa_cl/activation.h). */
#include <string.h>

#include "operations/activation/fields.h"
#include "operations/activation/reference.h"
#include "operations/activation/slots.h"
#include "operations/dropout.h"
#include "operations/entries.h"
#include "operations/tolerances.h"

static const sqa_shape_field *const fields[] = {sqa_activation_fields,
                                                sqa_activation_backward_fields, NULL};

sqa_status sqa_problem_from_activation_backward(sqa_problem *out, const sqa_activation_desc *desc,
                                                const sqa_activation_backward_options *backward)
{
    const sqa_activation_backward_options all = SQA_ACTIVATION_BACKWARD_OPTIONS_INIT;
    sqa_problem problem;
    memset(&problem, 0, sizeof problem);
    problem.operation = SQA_OPERATION_ACTIVATION_BACKWARD;
    sqa_status status =
        sqa_activating_from_desc(&problem.of.activating, desc, backward ? backward : &all);
    if (status == SQA_OK)
        memcpy(out, &problem, sizeof problem);
    return status;
}

static sqa_status settle(const void *descriptor, sqa_problem *out)
{
    const sqa_activating_desc *desc = descriptor;
    return sqa_problem_from_activation_backward(out, &desc->of, &desc->backward);
}

#define SLOT(tensor, how)                                                                          \
    .name = #tensor, .use = how, .member = offsetof(sqa_activation_backward_tensors, tensor),      \
    .low = -3.0f, .high = 3.0f

static const sqa_tensor_slot slots[SQA_ACTIVATION_BACKWARD_SLOTS] = {
    [SQA_SLOT_ACTIVATION_A] = {SLOT(a, SQA_SLOT_INPUT)},
    [SQA_SLOT_ACTIVATION_B] = {SLOT(b, SQA_SLOT_INPUT)},
    [SQA_SLOT_ACTIVATION_DY] = {SLOT(dy, SQA_SLOT_INPUT)},
    [SQA_SLOT_ACTIVATION_DA] = {SLOT(da, SQA_SLOT_OUTPUT)},
    [SQA_SLOT_ACTIVATION_DB] = {SLOT(db, SQA_SLOT_OUTPUT)},
    [SQA_SLOT_ACTIVATION_BACKWARD_SEED] = {SLOT(dropout_seed, SQA_SLOT_INPUT),
                                           .fill = sqa_fill_seed},
};

static bool tensor(const sqa_problem *problem, uint32_t slot, sqa_tensor_shape *out)
{
    const sqa_activating *of = &problem->of.activating;
    const struct {
        const sqa_matrix_strides *strides;
        bool there;
    } of_slot[SQA_ACTIVATION_BACKWARD_SLOTS] = {
        [SQA_SLOT_ACTIVATION_A] = {&of->a, true},    [SQA_SLOT_ACTIVATION_B] = {&of->b, of->gated},
        [SQA_SLOT_ACTIVATION_DY] = {&of->y, true},   [SQA_SLOT_ACTIVATION_DA] = {&of->a, of->da},
        [SQA_SLOT_ACTIVATION_DB] = {&of->b, of->db},
    };
    if (slot == SQA_SLOT_ACTIVATION_BACKWARD_SEED)
        return sqa_activating_seed(of, out);
    *out = sqa_activating_matrix(of, of_slot[slot].strides);
    if (slot == SQA_SLOT_ACTIVATION_DY && of->wide)
        out->element = SQA_ELEMENT_F32;
    return of_slot[slot].there;
}

/* dB has no use for B, nor has dA for A where there is no activation. */
static bool is_touched(const sqa_problem *problem, uint32_t slot)
{
    const sqa_activating *of = &problem->of.activating;
    if (slot == SQA_SLOT_ACTIVATION_A)
        return of->db || of->activation != SQA_ACTIVATION_NONE;
    return slot != SQA_SLOT_ACTIVATION_B || of->da;
}

static bool is_updated(const sqa_problem *problem, uint32_t slot)
{
    const bool written = slot == SQA_SLOT_ACTIVATION_DA || slot == SQA_SLOT_ACTIVATION_DB;
    return written && problem->of.activating.accumulate;
}

static double flop(const sqa_problem *problem)
{
    const sqa_activating *of = &problem->of.activating;
    return (of->da * (2.0 + of->gated) + 2.0 * of->db + (of->dropout > 0.0f)) * of->batch *
           of->length * of->dim;
}

static double held(const sqa_reference_inputs *inputs, uint32_t slot, int64_t at)
{
    return (double)((const float *)inputs->by_slot[slot])[at];
}

static bool expect_row(const sqa_problem *problem, const sqa_reference_inputs *inputs, uint64_t row,
                       sqa_expected_row *out)
{
    const sqa_activating *of = &problem->of.activating;
    const sqa_stretch at = sqa_stretch_at(of->dim, row);
    const int64_t a = sqa_stretch_begin(&at, of->length, &of->a),
                  b = sqa_stretch_begin(&at, of->length, &of->b);
    const int64_t y = sqa_stretch_begin(&at, of->length, &of->y);
    out->at[0] = a;
    out->at[1] = b;
    out->count[0] = of->da ? at.count : 0;
    out->count[1] = of->db ? at.count : 0;
    for (uint32_t j = 0; j < at.count; j++) {
        const double x = held(inputs, SQA_SLOT_ACTIVATION_A, a + j);
        const double dy =
            held(inputs, SQA_SLOT_ACTIVATION_DY, y + j) *
            sqa_activating_kept(of, inputs->by_slot[SQA_SLOT_ACTIVATION_BACKWARD_SEED], &at, j);
        const double gate = of->gated ? held(inputs, SQA_SLOT_ACTIVATION_B, b + j) : 1.0;
        out->values[0][j] = sqa_reference_activation_slope(of->activation, x) * gate * dy;
        out->values[1][j] = sqa_reference_activation(of->activation, x) * dy;
        if (of->accumulate && of->da)
            out->values[0][j] += held(inputs, SQA_SLOT_ACTIVATION_DA, a + j);
        if (of->accumulate && of->db)
            out->values[1][j] += held(inputs, SQA_SLOT_ACTIVATION_DB, b + j);
    }
    return true;
}

static const sqa_row_group groups[] = {
    {.slots = {SQA_SLOT_ACTIVATION_DA, SQA_SLOT_ACTIVATION_DB},
     .slot_count = 2,
     .samples = 64,
     .count = sqa_activating_count_rows,
     .expect = expect_row,
     .place = sqa_activating_place_of_row},
    {.slot_count = 0},
};

/* As those of a product (matmul.c), but for sums, of which there are none. */
static const sqa_tolerance tolerances[] = {
    SQA_OUTPUT_TOLERANCES(SQA_SLOT_ACTIVATION_DA, 1e-6, 2e-6, SQA_SLOT_ACTIVATION_DA),
    SQA_OUTPUT_TOLERANCES(SQA_SLOT_ACTIVATION_DB, 1e-6, 2e-6, SQA_SLOT_ACTIVATION_DB),
};

const sqa_operation_entry sqa_operation_activation_backward = {
    .id = SQA_OPERATION_ACTIVATION_BACKWARD,
    .name = "activation_backward",
    .summary = "gradients of an activation, and of its gate",
    .fields = fields,
    .needs = sqa_activation_needs,
    .descriptor_bytes = sizeof(sqa_activating_desc),
    .start = sqa_activating_start,
    .settle = settle,
    .describe = sqa_activating_describe,
    .class_parts = sqa_activating_class_parts,
    .tensors = {SQA_ACTIVATION_BACKWARD_TENSORS_VERSION,
                offsetof(sqa_activation_backward_tensors, workspace)},
    .slots = slots,
    .slot_count = SQA_ACTIVATION_BACKWARD_SLOTS,
    .tensor = tensor,
    .is_touched = is_touched,
    .is_updated = is_updated,
    .is_nothing = sqa_activating_is_nothing,
    .flop = flop,
    .relative = sqa_activating_relative,
    .groups = groups,
    .tolerances = tolerances,
    .tolerance_count = sizeof tolerances / sizeof *tolerances,
};
