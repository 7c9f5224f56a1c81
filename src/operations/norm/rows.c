/* What normalisations are told apart by, and the rows that they are judged by. */
#include "operations/matrix_rows.h"
#include "operations/norm/fields.h"
#include "operations/norm/norm.h"
#include "operations/problem_class.h"
#include "operations/tolerances.h"
#include "problem/names.h"

static uint32_t dtype_of(const sqa_problem *problem)
{
    return (uint32_t)problem->of.norm.dtype;
}

static uint32_t kind_of(const sqa_problem *problem)
{
    return (uint32_t)problem->of.norm.kind;
}

static uint32_t gradients_of(const sqa_problem *problem)
{
    return problem->of.norm.gradients;
}

static uint32_t dim_of(const sqa_problem *problem)
{
    return sqa_bucket(problem->of.norm.dim);
}

static uint32_t rows_of(const sqa_problem *problem)
{
    return sqa_bucket(sqa_normalisation_rows(&problem->of.norm));
}

static const char *const kind_words[] = {"rms", "layer", NULL};
static const char *const gradient_words[] = {"x", "weight", "bias", NULL};

#define COMMON_PARTS                                                                               \
    {"dtype", SQA_CLASS_WORD, 0, 0, sqa_dtype_words, dtype_of},                                    \
        {"kind", SQA_CLASS_WORD, 0, 0, kind_words, kind_of},                                       \
        {"d", SQA_CLASS_BUCKET, 0, 63, NULL, dim_of},                                              \
    {                                                                                              \
        "rows", SQA_CLASS_BUCKET, 0, 63, NULL, rows_of                                             \
    }

const sqa_class_part sqa_norm_class_parts[] = {COMMON_PARTS, {0}};
const sqa_class_part sqa_norm_backward_class_parts[] = {
    COMMON_PARTS, {"grads", SQA_CLASS_BITS, 0, 0, gradient_words, gradients_of}, {0}};

static uint64_t count_rows(const sqa_problem *problem)
{
    const sqa_normalisation *n = &problem->of.norm;
    return sqa_stretch_count(sqa_normalisation_rows(n), n->dim);
}

static bool expect_y(const sqa_problem *problem, const sqa_reference_inputs *inputs, uint64_t row,
                     sqa_expected_row *out)
{
    const sqa_normalisation *n = &problem->of.norm;
    const sqa_stretch s = sqa_stretch_at(n->dim, row);
    out->at[0] = sqa_norm_row_at(n, &n->y, s.row) + s.first;
    out->count[0] = s.count;
    sqa_reference_norm_row(n, inputs, s.row, s.first, s.count, out->values[0]);
    return true;
}

/* Adds what an updated tensor held before. */
static void add_before(const sqa_normalisation *n, uint32_t gradient, const void *tensor,
                       int64_t at, uint32_t count, double *values)
{
    const float *before = tensor;
    for (uint32_t j = 0; n->accumulate & gradient && j < count; j++)
        values[j] += (double)before[at + j];
}

static uint64_t count_dx(const sqa_problem *problem)
{
    return problem->of.norm.gradients & SQA_NORM_GRADIENT_X ? count_rows(problem) : 0;
}

static bool expect_dx(const sqa_problem *problem, const sqa_reference_inputs *inputs, uint64_t row,
                      sqa_expected_row *out)
{
    const sqa_normalisation *n = &problem->of.norm;
    const sqa_stretch s = sqa_stretch_at(n->dim, row);
    out->at[0] = sqa_norm_row_at(n, &n->dx, s.row) + s.first;
    out->count[0] = s.count;
    sqa_reference_norm_dx(n, inputs, s.row, s.first, s.count, out->values[0]);
    add_before(n, SQA_NORM_GRADIENT_X, inputs->by_slot[SQA_SLOT_NORM_DX], out->at[0], s.count,
               out->values[0]);
    return true;
}

static uint64_t count_sums(const sqa_problem *problem)
{
    const sqa_normalisation *n = &problem->of.norm;
    const bool any = n->gradients & (SQA_NORM_GRADIENT_WEIGHT | SQA_NORM_GRADIENT_BIAS);
    return any ? sqa_stretch_count(1, n->dim) : 0;
}

static bool expect_sums(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                        uint64_t row, sqa_expected_row *out)
{
    const sqa_normalisation *n = &problem->of.norm;
    const sqa_stretch s = sqa_stretch_at(n->dim, row);
    const bool wants[] = {n->gradients & SQA_NORM_GRADIENT_WEIGHT,
                          n->gradients & SQA_NORM_GRADIENT_BIAS};
    sqa_reference_norm_sums(n, inputs, s.first, s.count, out->values[0], out->values[1]);
    for (int i = 0; i < 2; i++) {
        out->at[i] = s.first;
        out->count[i] = wants[i] ? s.count : 0;
    }
    add_before(n, SQA_NORM_GRADIENT_WEIGHT, inputs->by_slot[SQA_SLOT_NORM_DWEIGHT], s.first,
               s.count, out->values[0]);
    add_before(n, SQA_NORM_GRADIENT_BIAS, inputs->by_slot[SQA_SLOT_NORM_DBIAS], s.first, s.count,
               out->values[1]);
    return true;
}

static void place_of_row(const sqa_problem *problem, uint64_t index, char out[SQA_PLACE_TEXT])
{
    const sqa_stretch s = sqa_stretch_at(problem->of.norm.dim, index);
    sqa_stretch_place(&s, 0, out);
}

const sqa_row_group sqa_norm_groups[] = {
    {.slots = {SQA_SLOT_NORM_Y},
     .slot_count = 1,
     .samples = 64,
     .count = count_rows,
     .expect = expect_y,
     .place = place_of_row},
    {.slot_count = 0},
};

const sqa_row_group sqa_norm_backward_groups[] = {
    {.slots = {SQA_SLOT_NORM_DX},
     .slot_count = 1,
     .samples = 64,
     .count = count_dx,
     .expect = expect_dx,
     .place = place_of_row},
    {.slots = {SQA_SLOT_NORM_DWEIGHT, SQA_SLOT_NORM_DBIAS},
     .slot_count = 2,
     .samples = 2,
     .count = count_sums,
     .expect = expect_sums,
     .place = place_of_row},
    {.slot_count = 0},
};

const sqa_tolerance sqa_norm_tolerances[SQA_NORM_TOLERANCES] = {
    SQA_OUTPUT_TOLERANCES(SQA_SLOT_NORM_Y, 5e-6, 1e-5, SQA_SLOT_NORM_Y),
    SQA_OUTPUT_TOLERANCES(SQA_SLOT_NORM_DX, 5e-6, 1e-5, SQA_SLOT_NORM_DX),
    SQA_OUTPUT_TOLERANCES(SQA_SLOT_NORM_DWEIGHT, 5e-6, 1e-5, SQA_SLOT_NORM_DWEIGHT),
    SQA_OUTPUT_TOLERANCES(SQA_SLOT_NORM_DBIAS, 5e-6, 1e-5, SQA_SLOT_NORM_DBIAS)};
