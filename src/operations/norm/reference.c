/* Normalisation and its gradients by plain sums. */
#include <math.h>
#include <string.h>

#include "operations/norm/fields.h"
#include "operations/norm/slots.h"

int64_t sqa_norm_row_at(const sqa_normalisation *n, const sqa_strides *strides, uint64_t row)
{
    const uint64_t matrix = row / n->length;
    return (int64_t)(matrix / n->heads) * strides->batch +
           (int64_t)(matrix % n->heads) * strides->head +
           (int64_t)(row % n->length) * strides->sequence;
}

typedef struct statistics {
    double mean, scale;
} statistics;

static statistics statistics_of(const sqa_normalisation *n, const float *x)
{
    double mean = 0.0, square = 0.0;
    for (uint32_t j = 0; n->kind == SQA_NORM_LAYER && j < n->dim; j++)
        mean += (double)x[j] / n->dim;
    for (uint32_t j = 0; j < n->dim; j++)
        square += ((double)x[j] - mean) * ((double)x[j] - mean) / n->dim;
    return (statistics){mean, 1.0 / sqrt(square + (double)n->eps)};
}

static const float *x_row(const sqa_normalisation *n, const sqa_reference_inputs *inputs,
                          uint64_t row)
{
    return (const float *)inputs->by_slot[SQA_SLOT_NORM_X] + sqa_norm_row_at(n, &n->x, row);
}

static const float *dy_row(const sqa_normalisation *n, const sqa_reference_inputs *inputs,
                           uint64_t row)
{
    return (const float *)inputs->by_slot[SQA_SLOT_NORM_DY] + sqa_norm_row_at(n, &n->dy, row);
}

static double weight_of(const sqa_normalisation *n, const sqa_reference_inputs *inputs, uint32_t j)
{
    const float *weight = inputs->by_slot[SQA_SLOT_NORM_WEIGHT];
    return n->weight ? (double)weight[j] : 1.0;
}

void sqa_reference_norm_row(const sqa_normalisation *n, const sqa_reference_inputs *inputs,
                            uint64_t row, uint32_t first, uint32_t count, double *out)
{
    const float *x = x_row(n, inputs, row), *bias = inputs->by_slot[SQA_SLOT_NORM_BIAS];
    const statistics s = statistics_of(n, x);
    for (uint32_t j = first; j < first + count; j++)
        out[j - first] = ((double)x[j] - s.mean) * s.scale * weight_of(n, inputs, j) +
                         (n->bias ? (double)bias[j] : 0.0);
}

/* The derivative of sum(dY * Y) by each element: of its own share of Y, of the mean, and of the
 * scale, which all elements of the row have in common. */
void sqa_reference_norm_dx(const sqa_normalisation *n, const sqa_reference_inputs *inputs,
                           uint64_t row, uint32_t first, uint32_t count, double *out)
{
    const float *x = x_row(n, inputs, row), *dy = dy_row(n, inputs, row);
    const statistics s = statistics_of(n, x);
    double sum = 0.0, product = 0.0;
    for (uint32_t j = 0; j < n->dim; j++) {
        const double g = (double)dy[j] * weight_of(n, inputs, j);
        sum += g;
        product += g * ((double)x[j] - s.mean);
    }
    for (uint32_t j = first; j < first + count; j++) {
        const double by_mean = n->kind == SQA_NORM_LAYER ? sum / n->dim : 0.0;
        const double by_scale = product / n->dim * s.scale * s.scale * ((double)x[j] - s.mean);
        out[j - first] = s.scale * ((double)dy[j] * weight_of(n, inputs, j) - by_mean - by_scale);
    }
}

void sqa_reference_norm_sums(const sqa_normalisation *n, const sqa_reference_inputs *inputs,
                             uint32_t first, uint32_t count, double *dweight, double *dbias)
{
    memset(dweight, 0, count * sizeof *dweight);
    memset(dbias, 0, count * sizeof *dbias);
    for (uint64_t row = 0; row < sqa_normalisation_rows(n); row++) {
        const float *x = x_row(n, inputs, row), *dy = dy_row(n, inputs, row);
        const statistics s = statistics_of(n, x);
        for (uint32_t j = 0; j < count; j++) {
            dweight[j] += (double)dy[first + j] * ((double)x[first + j] - s.mean) * s.scale;
            dbias[j] += (double)dy[first + j];
        }
    }
}
