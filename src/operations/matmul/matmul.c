/* The matrix product (include/sqa_cl/matmul.h). */
#include "operations/matmul/fields.h"

#include <string.h>

#include "operations/entries.h"
#include "operations/matmul/slots.h"
#include "operations/matrix_rows.h"
#include "operations/problem_class.h"
#include "operations/tolerances.h"
#include "problem/names.h"
#include "sqa_cl/matmul.h"

static const sqa_shape_field *const fields[] = {sqa_matmul_fields, NULL};

sqa_status sqa_problem_from_matmul(sqa_problem *out, const sqa_matmul_desc *desc)
{
    sqa_problem problem;
    memset(&problem, 0, sizeof problem);
    problem.operation = SQA_OPERATION_MATMUL;
    sqa_status status = sqa_product_from_desc(&problem.of.product, desc);
    if (status == SQA_OK)
        memcpy(out, &problem, sizeof problem);
    return status;
}

static void start(void *descriptor)
{
    *(sqa_matmul_desc *)descriptor = (sqa_matmul_desc)SQA_MATMUL_DESC_INIT;
}

static sqa_status settle(const void *descriptor, sqa_problem *out)
{
    return sqa_problem_from_matmul(out, descriptor);
}

static void describe(const sqa_problem *problem, void *descriptor)
{
    sqa_product_to_desc(&problem->of.product, descriptor);
}

static uint32_t dtype_of(const sqa_problem *problem)
{
    return (uint32_t)problem->of.product.dtype;
}

static uint32_t transposes_of(const sqa_problem *problem)
{
    return problem->of.product.transpose_a | problem->of.product.transpose_b << 1;
}

/* Bits in the order of epilogue_words. A bias costs nothing that could be tuned. */
static uint32_t epilogue_of(const sqa_problem *problem)
{
    const sqa_product *p = &problem->of.product;
    const bool adds = p->add_residual || p->beta != 0.0f;
    return (p->activation != SQA_ACTIVATION_NONE ? 1u : 0u) | (p->gated ? 2u : 0u) |
           (adds ? 4u : 0u);
}

static uint32_t m_bucket_of(const sqa_problem *problem)
{
    return sqa_bucket(problem->of.product.m);
}

static uint32_t n_bucket_of(const sqa_problem *problem)
{
    return sqa_bucket(problem->of.product.n);
}

static uint32_t k_bucket_of(const sqa_problem *problem)
{
    return sqa_bucket(problem->of.product.k);
}

static uint32_t batch_bucket_of(const sqa_problem *problem)
{
    return sqa_bucket(problem->of.product.batch);
}

static const char *const transpose_words[] = {"a", "b", NULL};
static const char *const epilogue_words[] = {"activation", "gate", "matrix", NULL};

static const sqa_class_part class_parts[] = {
    {"dtype", SQA_CLASS_WORD, 0, 0, sqa_dtype_words, dtype_of},
    {"transposed", SQA_CLASS_BITS, 0, 0, transpose_words, transposes_of},
    {"epilogue", SQA_CLASS_BITS, 0, 0, epilogue_words, epilogue_of},
    {"m", SQA_CLASS_FEW, 0, 63, NULL, m_bucket_of},
    {"n", SQA_CLASS_BUCKET, 0, 63, NULL, n_bucket_of},
    {"k", SQA_CLASS_BUCKET, 0, 63, NULL, k_bucket_of},
    {"batch", SQA_CLASS_BUCKET, 0, 63, NULL, batch_bucket_of},
    {0},
};

#define SLOT(tensor, how)                                                                          \
    .name = #tensor, .use = how, .member = offsetof(sqa_matmul_tensors, tensor)
#define UNIT .low = -1.0f, .high = 1.0f

static const sqa_tensor_slot slots[SQA_MATMUL_SLOTS] = {
    [SQA_SLOT_MATRIX_A] = {SLOT(a, SQA_SLOT_INPUT), UNIT},
    [SQA_SLOT_MATRIX_B] = {SLOT(b, SQA_SLOT_INPUT), UNIT},
    [SQA_SLOT_MATRIX_B2] = {SLOT(b2, SQA_SLOT_INPUT), UNIT},
    [SQA_SLOT_COLUMN_BIAS] = {SLOT(bias, SQA_SLOT_INPUT), UNIT},
    [SQA_SLOT_COLUMN_BIAS2] = {SLOT(bias2, SQA_SLOT_INPUT), UNIT},
    [SQA_SLOT_RESIDUAL] = {SLOT(residual, SQA_SLOT_INPUT), UNIT},
    [SQA_SLOT_MATRIX_C] = {SLOT(c, SQA_SLOT_OUTPUT), UNIT},
};

static sqa_tensor_shape matrix(const sqa_product *p, const sqa_matrix_strides *strides,
                               uint32_t rows, uint32_t columns)
{
    return (sqa_tensor_shape){
        (sqa_element)p->dtype, {strides->batch, 0, strides->row}, p->batch, 1, rows, columns};
}

static sqa_tensor_shape vector(const sqa_product *p)
{
    return (sqa_tensor_shape){(sqa_element)p->dtype, {p->n, p->n, p->n}, 1, 1, 1, p->n};
}

static bool tensor(const sqa_problem *problem, uint32_t slot, sqa_tensor_shape *out)
{
    const sqa_product *p = &problem->of.product;
    switch (slot) {
    case SQA_SLOT_MATRIX_A:
        *out = matrix(p, &p->a, sqa_product_a_rows(p), sqa_product_a_columns(p));
        return true;
    case SQA_SLOT_MATRIX_B:
    case SQA_SLOT_MATRIX_B2:
        *out = matrix(p, &p->b, sqa_product_b_rows(p), sqa_product_b_columns(p));
        return slot == SQA_SLOT_MATRIX_B || p->gated;
    case SQA_SLOT_COLUMN_BIAS: *out = vector(p); return p->bias;
    case SQA_SLOT_COLUMN_BIAS2: *out = vector(p); return p->bias && p->gated;
    case SQA_SLOT_RESIDUAL: *out = matrix(p, &p->residual, p->m, p->n); return p->add_residual;
    case SQA_SLOT_MATRIX_C: *out = matrix(p, &p->c, p->m, p->n); return true;
    default: return false;
    }
}

static bool is_touched(const sqa_problem *problem, uint32_t slot)
{
    const bool factor =
        slot == SQA_SLOT_MATRIX_A || slot == SQA_SLOT_MATRIX_B || slot == SQA_SLOT_MATRIX_B2;
    return !factor || problem->of.product.k > 0;
}

static bool is_updated(const sqa_problem *problem, uint32_t slot)
{
    return slot == SQA_SLOT_MATRIX_C && problem->of.product.beta != 0.0f;
}

static bool is_nothing(const sqa_problem *problem)
{
    const sqa_product *p = &problem->of.product;
    return p->batch == 0 || p->m == 0 || p->n == 0;
}

static double flop(const sqa_problem *problem)
{
    const sqa_product *p = &problem->of.product;
    return (p->gated ? 4.0 : 2.0) * p->batch * p->m * p->n * p->k;
}

/* At most so long, or just so long. */
static const struct {
    uint32_t m, n, k;
    bool at_most;
} lengths[SQA_RELATIVE_COUNT] = {
    [SQA_RELATIVE_SMALL] = {200, 200, 600, true},
    [SQA_RELATIVE_TAILS] = {131, 93, 293, false},
    [SQA_RELATIVE_SHORT] = {67, 5, 35, false},
};

static uint32_t length_of(uint32_t own, uint32_t asked, bool at_most)
{
    return at_most && own < asked ? own : asked;
}

static void relative(const sqa_problem *problem, sqa_relative which, sqa_problem *out)
{
    sqa_product *p = &out->of.product;
    const bool at_most = lengths[which].at_most;
    *out = *problem;
    p->batch = 1;
    p->m = length_of(p->m, lengths[which].m, at_most);
    p->n = length_of(p->n, lengths[which].n, at_most);
    p->k = length_of(p->k, lengths[which].k, at_most);
    p->alpha = 1.0f;
    p->beta = p->beta != 0.0f ? 0.5f : 0.0f;
    sqa_product_pack(p);
}

static uint64_t count_rows(const sqa_problem *problem)
{
    const sqa_product *p = &problem->of.product;
    return sqa_stretch_count((uint64_t)p->batch * p->m, p->n);
}

static bool expect_row(const sqa_problem *problem, const sqa_reference_inputs *inputs, uint64_t row,
                       sqa_expected_row *out)
{
    const sqa_product *p = &problem->of.product;
    const sqa_stretch at = sqa_stretch_at(p->n, row);
    out->at[0] = sqa_stretch_begin(&at, p->m, &p->c);
    out->count[0] = at.count;
    sqa_reference_matmul_row(p, inputs, (uint32_t)(at.row / p->m), (uint32_t)(at.row % p->m),
                             at.first, at.count, out->values[0]);
    return true;
}

static void place_of_row(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])
{
    const sqa_product *p = &problem->of.product;
    const sqa_stretch at = sqa_stretch_at(p->n, row);
    sqa_stretch_place(&at, p->m, out);
}

static const sqa_row_group groups[] = {
    {.slots = {SQA_SLOT_MATRIX_C},
     .slot_count = 1,
     .samples = 64,
     .count = count_rows,
     .expect = expect_row,
     .place = place_of_row},
    {.slot_count = 0},
};

static const sqa_tolerance tolerances[] = {
    SQA_OUTPUT_TOLERANCES(SQA_SLOT_MATRIX_C, 1e-5, 1e-5, SQA_SLOT_MATRIX_C),
};

const sqa_operation_entry sqa_operation_matmul = {
    .id = SQA_OPERATION_MATMUL,
    .name = "matmul",
    .summary = "matrix product with bias, activation, gate and residual",
    .fields = fields,
    .needs = sqa_matmul_needs,
    .descriptor_bytes = sizeof(sqa_matmul_desc),
    .start = start,
    .settle = settle,
    .describe = describe,
    .class_parts = class_parts,
    .tensors = {SQA_MATMUL_TENSORS_VERSION, offsetof(sqa_matmul_tensors, workspace)},
    .slots = slots,
    .slot_count = SQA_MATMUL_SLOTS,
    .tensor = tensor,
    .is_touched = is_touched,
    .is_updated = is_updated,
    .is_nothing = is_nothing,
    .flop = flop,
    .relative = relative,
    .groups = groups,
    .tolerances = tolerances,
    .tolerance_count = sizeof tolerances / sizeof *tolerances,
};
