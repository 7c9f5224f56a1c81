/* An activation, gated or with a residual (include/sqa_cl/activation.h). */
#include <string.h>

#include "operations/activation/fields.h"
#include "operations/activation/reference.h"
#include "operations/activation/slots.h"
#include "operations/dropout.h"
#include "operations/entries.h"
#include "operations/tolerances.h"

static const sqa_shape_field *const fields[] = {sqa_activation_fields, sqa_activation_only_fields,
                                                NULL};

sqa_status sqa_problem_from_activation(sqa_problem *out, const sqa_activation_desc *desc)
{
    sqa_problem problem;
    memset(&problem, 0, sizeof problem);
    problem.operation = SQA_OPERATION_ACTIVATION;
    sqa_status status = sqa_activating_from_desc(&problem.of.activating, desc, NULL);
    if (status == SQA_OK)
        memcpy(out, &problem, sizeof problem);
    return status;
}

static sqa_status settle(const void *descriptor, sqa_problem *out)
{
    return sqa_problem_from_activation(out, &((const sqa_activating_desc *)descriptor)->of);
}

#define SLOT(tensor, how)                                                                          \
    .name = #tensor, .use = how, .member = offsetof(sqa_activation_tensors, tensor), .low = -3.0f, \
    .high = 3.0f

static const sqa_tensor_slot slots[SQA_ACTIVATION_SLOTS] = {
    [SQA_SLOT_ACTIVATION_A] = {SLOT(a, SQA_SLOT_INPUT)},
    [SQA_SLOT_ACTIVATION_B] = {SLOT(b, SQA_SLOT_INPUT)},
    [SQA_SLOT_ACTIVATION_RESIDUAL] = {SLOT(residual, SQA_SLOT_INPUT)},
    [SQA_SLOT_ACTIVATION_Y] = {SLOT(y, SQA_SLOT_OUTPUT), .in_place = SQA_SLOT_ACTIVATION_A + 1},
    [SQA_SLOT_ACTIVATION_SEED] = {SLOT(dropout_seed, SQA_SLOT_INPUT), .fill = sqa_fill_seed},
};

static bool tensor(const sqa_problem *problem, uint32_t slot, sqa_tensor_shape *out)
{
    const sqa_activating *of = &problem->of.activating;
    const struct {
        const sqa_matrix_strides *strides;
        bool there;
    } of_slot[SQA_ACTIVATION_SLOTS] = {
        [SQA_SLOT_ACTIVATION_A] = {&of->a, true},
        [SQA_SLOT_ACTIVATION_B] = {&of->b, of->gated},
        [SQA_SLOT_ACTIVATION_RESIDUAL] = {&of->residual, of->add_residual},
        [SQA_SLOT_ACTIVATION_Y] = {&of->y, true},
    };
    if (slot == SQA_SLOT_ACTIVATION_SEED)
        return sqa_activating_seed(of, out);
    *out = sqa_activating_matrix(of, of_slot[slot].strides);
    if (slot == SQA_SLOT_ACTIVATION_Y && of->wide)
        out->element = SQA_ELEMENT_F32;
    return of_slot[slot].there;
}

static bool is_touched(const sqa_problem *problem, uint32_t slot)
{
    (void)problem, (void)slot;
    return true;
}

/* An activation counts as one operation. */
static double flop(const sqa_problem *problem)
{
    const sqa_activating *of = &problem->of.activating;
    return (1.0 + of->gated + of->add_residual + (of->dropout > 0.0f)) * of->batch * of->length *
           of->dim;
}

static bool expect_row(const sqa_problem *problem, const sqa_reference_inputs *inputs, uint64_t row,
                       sqa_expected_row *out)
{
    const sqa_activating *of = &problem->of.activating;
    const sqa_stretch at = sqa_stretch_at(of->dim, row);
    const float *a = inputs->by_slot[SQA_SLOT_ACTIVATION_A];
    const float *b = inputs->by_slot[SQA_SLOT_ACTIVATION_B];
    const float *residual = inputs->by_slot[SQA_SLOT_ACTIVATION_RESIDUAL];
    out->at[0] = sqa_stretch_begin(&at, of->length, &of->y);
    out->count[0] = at.count;
    for (uint32_t j = 0; j < at.count; j++) {
        double y = sqa_reference_activation(
            of->activation, (double)a[sqa_stretch_begin(&at, of->length, &of->a) + j]);
        if (of->gated)
            y *= (double)b[sqa_stretch_begin(&at, of->length, &of->b) + j];
        y *= sqa_activating_kept(of, inputs->by_slot[SQA_SLOT_ACTIVATION_SEED], &at, j);
        if (of->add_residual)
            y += (double)residual[sqa_stretch_begin(&at, of->length, &of->residual) + j];
        out->values[0][j] = y;
    }
    return true;
}

static const sqa_row_group groups[] = {
    {.slots = {SQA_SLOT_ACTIVATION_Y},
     .slot_count = 1,
     .samples = 64,
     .count = sqa_activating_count_rows,
     .expect = expect_row,
     .place = sqa_activating_place_of_row},
    {.slot_count = 0},
};

/* As those of a product (matmul.c), but for sums, of which there are none. */
static const sqa_tolerance tolerances[] = {
    SQA_OUTPUT_TOLERANCES(SQA_SLOT_ACTIVATION_Y, 1e-6, 2e-6, SQA_SLOT_ACTIVATION_Y),
};

const sqa_operation_entry sqa_operation_activation = {
    .id = SQA_OPERATION_ACTIVATION,
    .name = "activation",
    .summary = "activation, gated or with a residual, element by element",
    .fields = fields,
    .needs = sqa_activation_needs,
    .descriptor_bytes = sizeof(sqa_activating_desc),
    .start = sqa_activating_start,
    .settle = settle,
    .describe = sqa_activating_describe,
    .class_parts = sqa_activating_class_parts,
    .tensors = {SQA_ACTIVATION_TENSORS_VERSION, offsetof(sqa_activation_tensors, workspace)},
    .slots = slots,
    .slot_count = SQA_ACTIVATION_SLOTS,
    .tensor = tensor,
    .is_touched = is_touched,
    .is_nothing = sqa_activating_is_nothing,
    .flop = flop,
    .relative = sqa_activating_relative,
    .groups = groups,
    .tolerances = tolerances,
    .tolerance_count = sizeof tolerances / sizeof *tolerances,
};
