/* What an activation and its gradients have in common as entries. */
#include <string.h>

#include "operations/activation/fields.h"
#include "operations/dropout.h"
#include "operations/problem_class.h"
#include "problem/names.h"

void sqa_activating_start(void *descriptor)
{
    *(sqa_activating_desc *)descriptor =
        (sqa_activating_desc){SQA_ACTIVATION_DESC_INIT, SQA_ACTIVATION_BACKWARD_OPTIONS_INIT};
}

void sqa_activating_describe(const sqa_problem *problem, void *descriptor)
{
    sqa_activating_desc *desc = descriptor;
    sqa_activating_to_desc(&problem->of.activating, &desc->of, &desc->backward);
}

bool sqa_activating_is_nothing(const sqa_problem *problem)
{
    const sqa_activating *of = &problem->of.activating;
    return of->batch == 0 || of->length == 0 || of->dim == 0;
}

/* At most so long, or just so long. */
static const struct {
    uint32_t length, dim;
    bool at_most;
} lengths[SQA_RELATIVE_COUNT] = {
    [SQA_RELATIVE_SMALL] = {33, 2100, true},
    [SQA_RELATIVE_TAILS] = {5, 347, false},
    [SQA_RELATIVE_SHORT] = {9, 3, false},
};

static uint32_t length_of(uint32_t own, uint32_t asked, bool at_most)
{
    return at_most && own < asked ? own : asked;
}

void sqa_activating_relative(const sqa_problem *problem, sqa_relative which, sqa_problem *out)
{
    sqa_activating *of = &out->of.activating;
    const bool at_most = lengths[which].at_most;
    *out = *problem;
    of->batch = 1;
    of->length = length_of(of->length, lengths[which].length, at_most);
    of->dim = length_of(of->dim, lengths[which].dim, at_most);
    sqa_activating_pack(of);
}

uint64_t sqa_activating_count_rows(const sqa_problem *problem)
{
    const sqa_activating *of = &problem->of.activating;
    return sqa_stretch_count((uint64_t)of->batch * of->length, of->dim);
}

void sqa_activating_place_of_row(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])
{
    const sqa_activating *of = &problem->of.activating;
    const sqa_stretch at = sqa_stretch_at(of->dim, row);
    sqa_stretch_place(&at, of->length, out);
}

sqa_tensor_shape sqa_activating_matrix(const sqa_activating *of, const sqa_matrix_strides *strides)
{
    return (sqa_tensor_shape){(sqa_element)of->dtype,
                              {strides->batch, 0, strides->row},
                              of->batch,
                              1,
                              of->length,
                              of->dim};
}

bool sqa_activating_seed(const sqa_activating *of, sqa_tensor_shape *out)
{
    *out = (sqa_tensor_shape){SQA_ELEMENT_INT, {2, 2, 2}, 1, 1, 1, 2};
    return of->dropout > 0.0f;
}

double sqa_activating_kept(const sqa_activating *of, const void *seed, const sqa_stretch *at,
                           uint32_t j)
{
    return sqa_reference_kept(of->dropout, seed, (uint32_t)(at->row / of->length), 0,
                              (uint32_t)(at->row % of->length), at->first + j);
}

static uint32_t dtype_of(const sqa_problem *problem)
{
    return (uint32_t)problem->of.activating.dtype;
}

/* Bits in the order of tensor_words. */
static uint32_t tensors_of(const sqa_problem *problem)
{
    const sqa_activating *of = &problem->of.activating;
    return (of->gated ? 1u : 0u) | (of->add_residual || of->accumulate ? 2u : 0u) |
           (of->dropout > 0.0f ? 4u : 0u);
}

static uint32_t computes(const sqa_problem *problem)
{
    const sqa_activation activation = problem->of.activating.activation;
    return activation != SQA_ACTIVATION_NONE && activation != SQA_ACTIVATION_RELU;
}

static uint32_t row_bucket_of(const sqa_problem *problem)
{
    const sqa_activating *of = &problem->of.activating;
    return sqa_bucket(of->batch) + sqa_bucket(of->length);
}

static uint32_t dim_bucket_of(const sqa_problem *problem)
{
    return sqa_bucket(problem->of.activating.dim);
}

static const char *const tensor_words[] = {"gate", "added", "dropout", NULL};
static const char *const kind_words[] = {"simple", "exponential", NULL};

const sqa_class_part sqa_activating_class_parts[] = {
    {"dtype", SQA_CLASS_WORD, 0, 0, sqa_dtype_words, dtype_of},
    {"kind", SQA_CLASS_WORD, 0, 0, kind_words, computes},
    {"tensors", SQA_CLASS_BITS, 0, 0, tensor_words, tensors_of},
    {"rows", SQA_CLASS_BUCKET, 0, 63, NULL, row_bucket_of},
    {"d", SQA_CLASS_BUCKET, 0, 63, NULL, dim_bucket_of},
    {0},
};
