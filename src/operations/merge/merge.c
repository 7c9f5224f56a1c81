/* Merging two parts of attention (include/sqa_cl/merge.h). */
#include "operations/merge/merging.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "operations/attention/fields.h"
#include "operations/entries.h"
#include "operations/field_values.h"
#include "operations/problem_class.h"
#include "operations/tolerances.h"
#include "problem/names.h"

sqa_status sqa_problem_from_merge(sqa_problem *out, const sqa_merge_desc *desc)
{
    sqa_problem problem;
    memset(&problem, 0, sizeof problem);
    problem.operation = SQA_OPERATION_MERGE;
    sqa_status status = sqa_merging_from_desc(&problem.of.merging, desc);
    if (status == SQA_OK)
        memcpy(out, &problem, sizeof problem);
    return status;
}

static void start(void *descriptor)
{
    *(sqa_merge_desc *)descriptor = (sqa_merge_desc)SQA_MERGE_DESC_INIT;
}

static sqa_status settle(const void *descriptor, sqa_problem *out)
{
    return sqa_problem_from_merge(out, descriptor);
}

static void describe(const sqa_problem *problem, void *descriptor)
{
    sqa_merging_to_desc(&problem->of.merging, descriptor);
}

#define STRIDES_OF(key, member)                                                                    \
    SQA_VIEW_KEY(key, sqa_merge_desc, member, desc->heads, desc->length, desc->dim)
STRIDES_OF(oa, a)
STRIDES_OF(ob, b)
STRIDES_OF(o, o)

#define STRIDES_FIELD(key, member, of)                                                             \
    {                                                                                              \
#key, #member "_strides", "strides of " of ", BATCH:HEAD:SEQUENCE in elements",            \
            SQA_FIELD_OWN, .read = read_##key, .write = write_##key                                \
    }
#define AT(member) offsetof(sqa_merge_desc, member)

static const sqa_shape_field own_fields[] = {
    {"b", "batch", "batch (1)", SQA_FIELD_COUNT, .offset = AT(batch), .most = 1u << 30},
    {"heads", "heads", "output heads (1)", SQA_FIELD_COUNT, .offset = AT(heads), .least = 1,
     .most = 65535},
    {"n", "length", "queries", SQA_FIELD_COUNT, .offset = AT(length), .most = 1u << 30},
    {"d", "dim", "value head dimension (64)", SQA_FIELD_COUNT, .offset = AT(dim), .least = 1,
     .most = SQA_MAX_HEAD_DIM},
    {"dtype", "dtype", "storage: f32 (default), f16 or bf16", SQA_FIELD_WORD, .offset = AT(dtype),
     .words = sqa_dtype_words},
    STRIDES_FIELD(oa, a, "the first part's O"),
    STRIDES_FIELD(ob, b, "the second part's O"),
    STRIDES_FIELD(o, o, "O"),
    {0},
};

static const sqa_shape_field *const fields[] = {own_fields, NULL};

static const sqa_shape_field_need needs[] = {
    {"n", "n is missing; expected a number from 0 to 1073741824"},
    {0},
};

static uint32_t dtype_of(const sqa_problem *problem)
{
    return (uint32_t)problem->of.merging.dtype;
}

static uint32_t dim_of(const sqa_problem *problem)
{
    return problem->of.merging.dim;
}

static uint64_t count_rows(const sqa_problem *problem)
{
    const sqa_merging *m = &problem->of.merging;
    return (uint64_t)m->batch * m->heads * m->length;
}

static uint32_t row_bucket_of(const sqa_problem *problem)
{
    return sqa_bucket(count_rows(problem));
}

static const sqa_class_part class_parts[] = {
    {"dtype", SQA_CLASS_WORD, 0, 0, sqa_dtype_words, dtype_of},
    {"d", SQA_CLASS_COUNT, 1, SQA_MAX_HEAD_DIM, NULL, dim_of},
    {"rows", SQA_CLASS_BUCKET, 0, 63, NULL, row_bucket_of},
    {0},
};

/* One part in eight has seen no key, whatever its O holds. */
static void fill_lse(const sqa_problem *problem, uint64_t count, bool shuffled, sqa_random *random,
                     void *out)
{
    (void)problem, (void)shuffled;
    float *lse = out;
    for (uint64_t row = 0; row < count; row++) {
        const double value = (double)sqa_random_below(random, 16000) / 1000.0 - 8.0;
        lse[row] = sqa_random_below(random, 8) == 0 ? -INFINITY : (float)value;
    }
}

#define SLOT(tensor, how) .name = #tensor, .use = how, .member = offsetof(sqa_merge_tensors, tensor)
#define UNIT .low = -1.0f, .high = 1.0f

static const sqa_tensor_slot slots[SQA_MERGE_SLOTS] = {
    [SQA_SLOT_PART_A] = {SLOT(a, SQA_SLOT_INPUT), UNIT},
    [SQA_SLOT_PART_A_LSE] = {SLOT(a_lse, SQA_SLOT_INPUT), .fill = fill_lse},
    [SQA_SLOT_PART_B] = {SLOT(b, SQA_SLOT_INPUT), UNIT},
    [SQA_SLOT_PART_B_LSE] = {SLOT(b_lse, SQA_SLOT_INPUT), .fill = fill_lse},
    [SQA_SLOT_MERGED] = {SLOT(o, SQA_SLOT_OUTPUT)},
    [SQA_SLOT_MERGED_LSE] = {SLOT(lse, SQA_SLOT_OUTPUT)},
};

static bool tensor(const sqa_problem *problem, uint32_t slot, sqa_tensor_shape *out)
{
    const sqa_merging *m = &problem->of.merging;
    const sqa_strides *const strides[SQA_MERGE_SLOTS] = {
        [SQA_SLOT_PART_A] = &m->a, [SQA_SLOT_PART_B] = &m->b, [SQA_SLOT_MERGED] = &m->o};
    if (slot >= SQA_MERGE_SLOTS)
        return false;
    *out = strides[slot]
               ? (sqa_tensor_shape){(sqa_element)m->dtype,
                                    *strides[slot],
                                    m->batch,
                                    m->heads,
                                    m->length,
                                    m->dim}
               : (sqa_tensor_shape){SQA_ELEMENT_F32, sqa_strides_bhsd(m->heads, m->length, 1),
                                    m->batch,        m->heads,
                                    m->length,       1};
    return true;
}

static bool is_touched(const sqa_problem *problem, uint32_t slot)
{
    (void)problem, (void)slot;
    return true;
}

static bool is_nothing(const sqa_problem *problem)
{
    return count_rows(problem) == 0;
}

static double flop(const sqa_problem *problem)
{
    return 3.0 * (double)count_rows(problem) * problem->of.merging.dim;
}

static void relative(const sqa_problem *problem, sqa_relative which, sqa_problem *out)
{
    static const uint32_t lengths[SQA_RELATIVE_COUNT] = {
        [SQA_RELATIVE_SMALL] = 200, [SQA_RELATIVE_TAILS] = 131, [SQA_RELATIVE_SHORT] = 3};
    sqa_merging *m = &out->of.merging;
    *out = *problem;
    m->batch = 1;
    m->heads = m->heads < 3 ? m->heads : 3;
    m->length =
        which == SQA_RELATIVE_SMALL && m->length < lengths[which] ? m->length : lengths[which];
    sqa_merging_pack(m);
}

typedef struct position {
    uint32_t batch, head, query;
} position;

static position position_of(const sqa_merging *m, uint64_t row)
{
    const uint64_t matrix = row / m->length;
    return (position){(uint32_t)(matrix / m->heads), (uint32_t)(matrix % m->heads),
                      (uint32_t)(row % m->length)};
}

static int64_t place_in(const sqa_strides *strides, const position *at)
{
    return at->batch * strides->batch + at->head * strides->head + at->query * strides->sequence;
}

static bool expect_row(const sqa_problem *problem, const sqa_reference_inputs *inputs, uint64_t row,
                       sqa_expected_row *out)
{
    const sqa_merging *m = &problem->of.merging;
    const void *const *of = inputs->by_slot;
    const position at = position_of(m, row);
    const float *a = (const float *)of[SQA_SLOT_PART_A] + place_in(&m->a, &at);
    const float *b = (const float *)of[SQA_SLOT_PART_B] + place_in(&m->b, &at);
    const double of_a = (double)((const float *)of[SQA_SLOT_PART_A_LSE])[row];
    const double of_b = (double)((const float *)of[SQA_SLOT_PART_B_LSE])[row];
    const double most = fmax(of_a, of_b);
    const bool none = most == -INFINITY;
    const double lse = none ? -INFINITY : most + log(exp(of_a - most) + exp(of_b - most));
    out->at[0] = place_in(&m->o, &at);
    out->count[0] = m->dim;
    for (uint32_t d = 0; d < m->dim; d++)
        out->values[0][d] =
            none ? 0.0 : exp(of_a - lse) * (double)a[d] + exp(of_b - lse) * (double)b[d];
    out->at[1] = (int64_t)row;
    out->count[1] = 1;
    out->values[1][0] = lse;
    return true;
}

static void place_of_row(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])
{
    const position at = position_of(&problem->of.merging, row);
    snprintf(out, SQA_PLACE_TEXT, "batch %u, head %u, query %u", at.batch, at.head, at.query);
}

static const sqa_row_group groups[] = {
    {.slots = {SQA_SLOT_MERGED, SQA_SLOT_MERGED_LSE},
     .slot_count = 2,
     .samples = 256,
     .count = count_rows,
     .expect = expect_row,
     .place = place_of_row},
    {.slot_count = 0},
};

/* As of forward attention. */
static const sqa_tolerance tolerances[] = {
    SQA_OUTPUT_TOLERANCES(SQA_SLOT_MERGED, 2e-6, 1e-5, SQA_SLOT_PART_A),
    {SQA_SLOT_MERGED_LSE, SQA_ELEMENT_F32, .absolute = 1e-6, .relative = 1e-5},
};

const sqa_operation_entry sqa_operation_merge = {
    .id = SQA_OPERATION_MERGE,
    .name = "merge",
    .summary = "two parts of attention, O and LSE of each, into one",
    .fields = fields,
    .needs = needs,
    .descriptor_bytes = sizeof(sqa_merge_desc),
    .start = start,
    .settle = settle,
    .describe = describe,
    .class_parts = class_parts,
    .tensors = {SQA_MERGE_TENSORS_VERSION, offsetof(sqa_merge_tensors, workspace)},
    .slots = slots,
    .slot_count = SQA_MERGE_SLOTS,
    .tensor = tensor,
    .is_touched = is_touched,
    .is_nothing = is_nothing,
    .flop = flop,
    .relative = relative,
    .groups = groups,
    .tolerances = tolerances,
    .tolerance_count = sizeof tolerances / sizeof *tolerances,
};
