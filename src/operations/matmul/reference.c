/* The matrix product by plain sums. */
#include <string.h>

#include "operations/activation/reference.h"
#include "operations/matmul/fields.h"
#include "operations/matmul/slots.h"

/* Where a row of C is, and which of its columns. */
typedef struct place {
    uint32_t batch, row, first, count;
} place;

static void add_product(const sqa_product *product, const float *a, const float *b, const place *at,
                        double *out)
{
    a += at->batch * product->a.batch;
    b += at->batch * product->b.batch;
    for (uint32_t k = 0; k < product->k; k++) {
        const int64_t x =
            product->transpose_a ? k * product->a.row + at->row : at->row * product->a.row + k;
        for (uint32_t j = 0; j < at->count; j++) {
            const int64_t column = (int64_t)at->first + j;
            const int64_t y =
                product->transpose_b ? column * product->b.row + k : k * product->b.row + column;
            out[j] += (double)product->alpha * (double)a[x] * (double)b[y];
        }
    }
}

static void add_bias(const float *bias, const place *at, double *out)
{
    for (uint32_t j = 0; j < at->count; j++)
        out[j] += (double)bias[at->first + j];
}

/* A row of a matrix like C, times a factor. */
static void add_row(const float *matrix, const sqa_matrix_strides *strides, double factor,
                    const place *at, double *out)
{
    const float *row = matrix + at->batch * strides->batch + at->row * strides->row + at->first;
    for (uint32_t j = 0; j < at->count; j++)
        out[j] += factor * (double)row[j];
}

void sqa_reference_matmul_row(const sqa_product *product, const sqa_reference_inputs *inputs,
                              uint32_t batch, uint32_t row, uint32_t first, uint32_t count,
                              double *out)
{
    const void *const *of = inputs->by_slot;
    const place at = {batch, row, first, count};
    double gate[SQA_MAX_ROW] = {0.0};
    memset(out, 0, count * sizeof *out);
    add_product(product, of[SQA_SLOT_MATRIX_A], of[SQA_SLOT_MATRIX_B], &at, out);
    if (product->beta != 0.0f)
        add_row(of[SQA_SLOT_MATRIX_C], &product->c, (double)product->beta, &at, out);
    if (product->bias)
        add_bias(of[SQA_SLOT_COLUMN_BIAS], &at, out);
    for (uint32_t j = 0; j < count; j++)
        out[j] = sqa_reference_activation(product->activation, out[j]);
    if (product->gated) {
        add_product(product, of[SQA_SLOT_MATRIX_A], of[SQA_SLOT_MATRIX_B2], &at, gate);
        if (product->bias)
            add_bias(of[SQA_SLOT_COLUMN_BIAS2], &at, gate);
        for (uint32_t j = 0; j < count; j++)
            out[j] *= gate[j];
    }
    if (product->add_residual)
        add_row(of[SQA_SLOT_RESIDUAL], &product->residual, 1.0, &at, out);
}
