/* Rotary position embedding (include/sqa_cl/rope.h). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "operations/entries.h"
#include "operations/problem_class.h"
#include "operations/rope/fields.h"
#include "operations/rope/slots.h"
#include "operations/tolerances.h"
#include "problem/names.h"

static const sqa_shape_field *const fields[] = {sqa_rope_fields, NULL};

sqa_status sqa_problem_from_rope(sqa_problem *out, const sqa_rope_desc *desc)
{
    sqa_problem problem;
    memset(&problem, 0, sizeof problem);
    problem.operation = SQA_OPERATION_ROPE;
    sqa_status status = sqa_rotation_from_desc(&problem.of.rotation, desc);
    if (status == SQA_OK)
        memcpy(out, &problem, sizeof problem);
    return status;
}

static void start(void *descriptor)
{
    *(sqa_rope_desc *)descriptor = (sqa_rope_desc)SQA_ROPE_DESC_INIT;
}

static sqa_status settle(const void *descriptor, sqa_problem *out)
{
    return sqa_problem_from_rope(out, descriptor);
}

static void describe(const sqa_problem *problem, void *descriptor)
{
    sqa_rotation_to_desc(&problem->of.rotation, descriptor);
}

static uint32_t dtype_of(const sqa_problem *problem)
{
    return (uint32_t)problem->of.rotation.dtype;
}

static uint32_t pairs_of(const sqa_problem *problem)
{
    return (uint32_t)problem->of.rotation.pairs + (problem->of.rotation.hadamard ? 2u : 0u);
}

static uint32_t dim_of(const sqa_problem *problem)
{
    return problem->of.rotation.dim;
}

static uint32_t rotary_of(const sqa_problem *problem)
{
    return problem->of.rotation.rotary;
}

static uint32_t heads_of(const sqa_problem *problem)
{
    return sqa_bucket(problem->of.rotation.heads);
}

static uint32_t rows_of(const sqa_problem *problem)
{
    return sqa_bucket((uint64_t)problem->of.rotation.batch * problem->of.rotation.length);
}

static const char *const pairs_words[] = {"interleaved", "half", "interleaved+hadamard",
                                          "half+hadamard", NULL};

static const sqa_class_part class_parts[] = {
    {"dtype", SQA_CLASS_WORD, 0, 0, sqa_dtype_words, dtype_of},
    {"pairs", SQA_CLASS_WORD, 0, 0, pairs_words, pairs_of},
    {"d", SQA_CLASS_COUNT, 1, SQA_MAX_HEAD_DIM, NULL, dim_of},
    {"rotary", SQA_CLASS_COUNT, 0, SQA_MAX_HEAD_DIM, NULL, rotary_of},
    {"heads", SQA_CLASS_BUCKET, 0, 63, NULL, heads_of},
    {"rows", SQA_CLASS_BUCKET, 0, 63, NULL, rows_of},
    {0},
};

void sqa_fill_rope_positions(const sqa_problem *problem, uint64_t count, bool shuffled,
                             sqa_random *random, void *out)
{
    (void)problem, (void)shuffled;
    for (uint64_t i = 0; i < count; i++)
        ((int32_t *)out)[i] =
            (int32_t)(sqa_random_next(random) >> (32 + i % 24)) - (i % 7 == 0 ? 1000 : 0);
}

/* Some of any length, the last one of all rows that are left. */
static void fill_starts(const sqa_problem *problem, uint64_t count, bool shuffled,
                        sqa_random *random, void *out)
{
    const uint32_t rows = problem->of.rotation.length;
    int32_t *starts = out;
    (void)shuffled;
    starts[0] = 0;
    for (uint64_t i = 1; i < count; i++)
        starts[i] = i + 1 == count
                        ? (int32_t)rows
                        : starts[i - 1] +
                              (int32_t)sqa_random_below(random, rows - (uint32_t)starts[i - 1] + 1);
}

#define SLOT(tensor, how) .name = #tensor, .use = how, .member = offsetof(sqa_rope_tensors, tensor)

static const sqa_tensor_slot slots[SQA_ROPE_SLOTS] = {
    [SQA_SLOT_ROPE_X] = {SLOT(x, SQA_SLOT_INPUT), .low = -1.0f, .high = 1.0f},
    [SQA_SLOT_POSITIONS] = {SLOT(positions, SQA_SLOT_INPUT), .fill = sqa_fill_rope_positions},
    [SQA_SLOT_ROPE_Y] = {SLOT(y, SQA_SLOT_OUTPUT), .in_place = SQA_SLOT_ROPE_X + 1},
    [SQA_SLOT_ROPE_STARTS] = {SLOT(cu_seqlens, SQA_SLOT_INPUT), .fill = fill_starts},
};

static sqa_tensor_shape integers(uint32_t count)
{
    return (sqa_tensor_shape){SQA_ELEMENT_INT, {count, count, count}, 1, 1, 1, count};
}

static bool tensor(const sqa_problem *problem, uint32_t slot, sqa_tensor_shape *out)
{
    const sqa_rotation *r = &problem->of.rotation;
    *out = (sqa_tensor_shape){(sqa_element)r->dtype, r->x, r->batch, r->heads, r->length, r->dim};
    if (slot == SQA_SLOT_ROPE_Y)
        out->strides = r->y;
    if (slot == SQA_SLOT_POSITIONS)
        *out = (sqa_tensor_shape){SQA_ELEMENT_INT, {r->position_batch, 0, 0}, r->batch, 1, 1,
                                  r->length};
    if (slot == SQA_SLOT_POSITIONS && r->positions == 2)
        *out = integers(r->sequences ? r->sequences : r->batch);
    if (slot == SQA_SLOT_ROPE_STARTS)
        *out = integers(r->sequences + 1);
    return slot == SQA_SLOT_POSITIONS     ? r->positions > 0
           : slot == SQA_SLOT_ROPE_STARTS ? r->sequences > 0
                                          : true;
}

static bool is_touched(const sqa_problem *problem, uint32_t slot)
{
    (void)problem, (void)slot;
    return true;
}

static bool is_nothing(const sqa_problem *problem)
{
    return problem->of.rotation.batch == 0 || problem->of.rotation.length == 0;
}

/* Four products and two sums a pair, and a sum for each doubling of a Hadamard matrix; an element
 * that is copied counts as one. */
static double flop(const sqa_problem *problem)
{
    const sqa_rotation *r = &problem->of.rotation;
    const double sums = r->hadamard ? log2(sqa_hadamard_block(r->dim)) : 0.0;
    return (r->dim * (1.0 + sums) + 2.0 * r->rotary) * r->batch * r->heads * r->length;
}

static const struct {
    uint32_t heads, length;
} most[SQA_RELATIVE_COUNT] = {
    [SQA_RELATIVE_SMALL] = {4, 200},
    [SQA_RELATIVE_TAILS] = {3, 131},
    [SQA_RELATIVE_SHORT] = {5, 3},
};

static void relative(const sqa_problem *problem, sqa_relative which, sqa_problem *out)
{
    sqa_rotation *r = &out->of.rotation;
    const bool at_most = which == SQA_RELATIVE_SMALL;
    *out = *problem;
    r->batch = 1;
    r->heads = at_most && r->heads < most[which].heads ? r->heads : most[which].heads;
    r->length = at_most && r->length < most[which].length ? r->length : most[which].length;
    r->x = r->y = sqa_strides_bhsd(r->heads, r->length, r->dim);
    r->position_batch = 0;
}

typedef struct position {
    uint32_t batch, head, row;
} position;

static position position_of(const sqa_rotation *r, uint64_t index)
{
    const uint64_t matrix = index / r->length;
    return (position){(uint32_t)(matrix / r->heads), (uint32_t)(matrix % r->heads),
                      (uint32_t)(index % r->length)};
}

static uint64_t count_rows(const sqa_problem *problem)
{
    const sqa_rotation *r = &problem->of.rotation;
    return (uint64_t)r->batch * r->heads * r->length;
}

static bool expect_row(const sqa_problem *problem, const sqa_reference_inputs *inputs, uint64_t row,
                       sqa_expected_row *out)
{
    const sqa_rotation *r = &problem->of.rotation;
    const position at = position_of(r, row);
    out->at[0] = at.batch * r->y.batch + at.head * r->y.head + at.row * r->y.sequence;
    out->count[0] = r->dim;
    sqa_reference_rope_row(r, inputs, at.batch, at.head, at.row, out->values[0]);
    return true;
}

static void place_of_row(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])
{
    const position at = position_of(&problem->of.rotation, row);
    snprintf(out, SQA_PLACE_TEXT, "batch %u, head %u, row %u", at.batch, at.head, at.row);
}

static const sqa_row_group groups[] = {
    {.slots = {SQA_SLOT_ROPE_Y},
     .slot_count = 1,
     .samples = 256,
     .count = count_rows,
     .expect = expect_row,
     .place = place_of_row},
    {.slot_count = 0},
};

static const sqa_tolerance tolerances[] = {
    SQA_OUTPUT_TOLERANCES(SQA_SLOT_ROPE_Y, 1e-6, 2e-6, SQA_SLOT_ROPE_Y),
};

const sqa_operation_entry sqa_operation_rope = {
    .id = SQA_OPERATION_ROPE,
    .name = "rope",
    .summary = "rotary position embedding, and back",
    .fields = fields,
    .needs = sqa_rope_needs,
    .descriptor_bytes = sizeof(sqa_rope_desc),
    .start = start,
    .settle = settle,
    .describe = describe,
    .class_parts = class_parts,
    .tensors = {SQA_ROPE_TENSORS_VERSION, offsetof(sqa_rope_tensors, workspace)},
    .slots = slots,
    .slot_count = SQA_ROPE_SLOTS,
    .tensor = tensor,
    .is_touched = is_touched,
    .is_nothing = is_nothing,
    .flop = flop,
    .relative = relative,
    .groups = groups,
    .tolerances = tolerances,
    .tolerance_count = sizeof tolerances / sizeof *tolerances,
};
