/* Normalisation of rows, and its gradients (include/sqa_cl/norm.h). */
#include "operations/norm/norm.h"

#include <string.h>

#include "operations/entries.h"
#include "operations/norm/fields.h"

sqa_status sqa_problem_from_norm(sqa_problem *out, const sqa_norm_desc *desc)
{
    sqa_problem problem;
    memset(&problem, 0, sizeof problem);
    problem.operation = SQA_OPERATION_NORM;
    sqa_status status = sqa_normalisation_from_desc(&problem.of.norm, desc);
    if (status == SQA_OK)
        memcpy(out, &problem, sizeof problem);
    return status;
}

sqa_status sqa_problem_from_norm_backward(sqa_problem *out, const sqa_norm_backward_desc *desc)
{
    sqa_problem problem;
    memset(&problem, 0, sizeof problem);
    problem.operation = SQA_OPERATION_NORM_BACKWARD;
    sqa_status status = sqa_normalisation_from_backward(&problem.of.norm, desc);
    if (status == SQA_OK)
        memcpy(out, &problem, sizeof problem);
    return status;
}

/* In a shape, what is there is said. */
static void start(void *descriptor)
{
    sqa_norm_backward_desc *desc = descriptor;
    *desc = (sqa_norm_backward_desc)SQA_NORM_BACKWARD_DESC_INIT;
    desc->norm.weight = 0;
}

static sqa_status settle(const void *descriptor, sqa_problem *out)
{
    return sqa_problem_from_norm(out, &((const sqa_norm_backward_desc *)descriptor)->norm);
}

static sqa_status settle_backward(const void *descriptor, sqa_problem *out)
{
    return sqa_problem_from_norm_backward(out, descriptor);
}

static void describe(const sqa_problem *problem, void *descriptor)
{
    sqa_normalisation_to_desc(&problem->of.norm, descriptor);
}

static bool tensor(const sqa_problem *problem, uint32_t slot, sqa_tensor_shape *out)
{
    const sqa_normalisation *n = &problem->of.norm;
    const bool backward = problem->operation == SQA_OPERATION_NORM_BACKWARD;
    const sqa_element element = (sqa_element)n->dtype;
    *out = (sqa_tensor_shape){element, n->x, n->batch, n->heads, n->length, n->dim};
    const sqa_tensor_shape vector = {element, {n->dim, n->dim, n->dim}, 1, 1, 1, n->dim};
    switch (slot) {
    case SQA_SLOT_NORM_X: return true;
    case SQA_SLOT_NORM_Y: out->strides = n->y; return !backward;
    case SQA_SLOT_NORM_DY: out->strides = n->dy; return backward;
    case SQA_SLOT_NORM_DX: out->strides = n->dx; return n->gradients & SQA_NORM_GRADIENT_X;
    default: *out = vector;
    }
    switch (slot) {
    case SQA_SLOT_NORM_WEIGHT: return n->weight;
    case SQA_SLOT_NORM_BIAS: return n->bias && !backward;
    case SQA_SLOT_NORM_DWEIGHT: return n->gradients & SQA_NORM_GRADIENT_WEIGHT;
    case SQA_SLOT_NORM_DBIAS: return n->gradients & SQA_NORM_GRADIENT_BIAS;
    default: return false;
    }
}

/* The weight is a factor of dX alone; dBias is of dY alone. */
static bool is_touched(const sqa_problem *problem, uint32_t slot)
{
    const sqa_normalisation *n = &problem->of.norm;
    if (problem->operation != SQA_OPERATION_NORM_BACKWARD)
        return true;
    if (slot == SQA_SLOT_NORM_WEIGHT)
        return n->gradients & SQA_NORM_GRADIENT_X;
    return slot != SQA_SLOT_NORM_X || n->gradients != SQA_NORM_GRADIENT_BIAS;
}

static bool is_updated(const sqa_problem *problem, uint32_t slot)
{
    const uint32_t adds = problem->of.norm.accumulate;
    return (slot == SQA_SLOT_NORM_DX && adds & SQA_NORM_GRADIENT_X) ||
           (slot == SQA_SLOT_NORM_DWEIGHT && adds & SQA_NORM_GRADIENT_WEIGHT) ||
           (slot == SQA_SLOT_NORM_DBIAS && adds & SQA_NORM_GRADIENT_BIAS);
}

/* Sums over no rows are 0, which has to be written. */
static bool is_nothing(const sqa_problem *problem)
{
    const sqa_normalisation *n = &problem->of.norm;
    const uint32_t sums = SQA_NORM_GRADIENT_WEIGHT | SQA_NORM_GRADIENT_BIAS;
    return sqa_normalisation_rows(n) == 0 && !(n->gradients & sums & ~n->accumulate);
}

/* Of an element: the statistics, and what is done with them. */
static double flop(const sqa_problem *problem)
{
    const sqa_normalisation *n = &problem->of.norm;
    return (n->kind == SQA_NORM_LAYER ? 6.0 : 4.0) * (double)sqa_normalisation_rows(n) * n->dim;
}

static double flop_backward(const sqa_problem *problem)
{
    return 3.0 * flop(problem);
}

static const struct {
    uint32_t heads, length;
} most[SQA_RELATIVE_COUNT] = {
    [SQA_RELATIVE_SMALL] = {4, 200},
    [SQA_RELATIVE_TAILS] = {3, 131},
    [SQA_RELATIVE_SHORT] = {2, 3},
};

static void relative(const sqa_problem *problem, sqa_relative which, sqa_problem *out)
{
    sqa_normalisation *n = &out->of.norm;
    const bool at_most = which == SQA_RELATIVE_SMALL;
    *out = *problem;
    n->batch = 1;
    n->heads = at_most && n->heads < most[which].heads ? n->heads : most[which].heads;
    n->length = at_most && n->length < most[which].length ? n->length : most[which].length;
    const sqa_strides packed = sqa_strides_bhsd(n->heads, n->length, n->dim);
    n->x = packed;
    if (problem->operation == SQA_OPERATION_NORM)
        n->y = packed;
    else
        n->dy = packed;
    if (n->gradients & SQA_NORM_GRADIENT_X)
        n->dx = packed;
}

static const sqa_shape_field *const fields[] = {sqa_norm_fields, sqa_norm_output_fields, NULL};
static const sqa_shape_field *const backward_fields[] = {sqa_norm_fields, sqa_norm_gradient_fields,
                                                         NULL};

#define UNIT .low = -1.0f, .high = 1.0f
#define SLOT(type, tensor, how) .name = #tensor, .use = how, .member = offsetof(type, tensor), UNIT
#define FORWARD(tensor, how) SLOT(sqa_norm_tensors, tensor, how)
#define BACKWARD(tensor, how) SLOT(sqa_norm_backward_tensors, tensor, how)

static const sqa_tensor_slot slots[SQA_NORM_SLOTS] = {
    [SQA_SLOT_NORM_X] = {FORWARD(x, SQA_SLOT_INPUT)},
    [SQA_SLOT_NORM_WEIGHT] = {FORWARD(weight, SQA_SLOT_INPUT)},
    [SQA_SLOT_NORM_BIAS] = {FORWARD(bias, SQA_SLOT_INPUT)},
    [SQA_SLOT_NORM_Y] = {FORWARD(y, SQA_SLOT_OUTPUT), .in_place = SQA_SLOT_NORM_X + 1},
};

static const sqa_tensor_slot backward_slots[SQA_NORM_SLOTS] = {
    [SQA_SLOT_NORM_X] = {BACKWARD(x, SQA_SLOT_INPUT)},
    [SQA_SLOT_NORM_WEIGHT] = {BACKWARD(weight, SQA_SLOT_INPUT)},
    [SQA_SLOT_NORM_DY] = {BACKWARD(dy, SQA_SLOT_INPUT)},
    [SQA_SLOT_NORM_DX] = {BACKWARD(dx, SQA_SLOT_OUTPUT)},
    [SQA_SLOT_NORM_DWEIGHT] = {BACKWARD(dweight, SQA_SLOT_OUTPUT)},
    [SQA_SLOT_NORM_DBIAS] = {BACKWARD(dbias, SQA_SLOT_OUTPUT)},
};

const sqa_operation_entry sqa_operation_norm = {
    .id = SQA_OPERATION_NORM,
    .name = "norm",
    .summary = "RMSNorm and LayerNorm of rows",
    .fields = fields,
    .needs = sqa_norm_needs,
    .descriptor_bytes = sizeof(sqa_norm_backward_desc),
    .start = start,
    .settle = settle,
    .describe = describe,
    .class_parts = sqa_norm_class_parts,
    .tensors = {SQA_NORM_TENSORS_VERSION, offsetof(sqa_norm_tensors, workspace)},
    .slots = slots,
    .slot_count = SQA_NORM_SLOTS,
    .tensor = tensor,
    .is_touched = is_touched,
    .is_nothing = is_nothing,
    .flop = flop,
    .relative = relative,
    .groups = sqa_norm_groups,
    .tolerances = sqa_norm_tolerances,
    .tolerance_count = SQA_NORM_TOLERANCES,
};

const sqa_operation_entry sqa_operation_norm_backward = {
    .id = SQA_OPERATION_NORM_BACKWARD,
    .name = "norm_backward",
    .summary = "gradients of norm",
    .fields = backward_fields,
    .needs = sqa_norm_needs,
    .descriptor_bytes = sizeof(sqa_norm_backward_desc),
    .start = start,
    .settle = settle_backward,
    .describe = describe,
    .class_parts = sqa_norm_backward_class_parts,
    .tensors = {SQA_NORM_BACKWARD_TENSORS_VERSION, offsetof(sqa_norm_backward_tensors, workspace)},
    .slots = backward_slots,
    .slot_count = SQA_NORM_SLOTS,
    .tensor = tensor,
    .is_touched = is_touched,
    .is_updated = is_updated,
    .is_nothing = is_nothing,
    .flop = flop_backward,
    .relative = relative,
    .groups = sqa_norm_backward_groups,
    .tolerances = sqa_norm_tolerances,
    .tolerance_count = SQA_NORM_TOLERANCES,
};
