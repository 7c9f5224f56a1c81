#include "operations/layer/reference_heads.h"

#include <math.h>

#include "operations/rope/fields.h"
#include "problem/storage.h"

static float stored(const sqa_layer_pass *layer, double value)
{
    return sqa_storage_round(layer->attention.dtype, (float)value);
}

static float *head_at(const sqa_reference_heads *of, uint32_t row, uint32_t head)
{
    return of->first + row * of->stride + (uint64_t)head * of->dim;
}

static double scale_of(const sqa_layer_pass *layer, const float *x, uint32_t dim)
{
    double square = 0.0;
    for (uint32_t d = 0; d < dim; d++)
        square += (double)x[d] * (double)x[d] / dim;
    return 1.0 / sqrt(square + (double)layer->qk_norm_eps);
}

void sqa_reference_heads_normalise(const sqa_layer_pass *layer, const sqa_reference_heads *x,
                                   const float *weight, const sqa_reference_heads *y)
{
    for (uint32_t row = 0; row < x->rows; row++)
        for (uint32_t head = 0; head < x->heads; head++) {
            const float *from = head_at(x, row, head);
            const double scale = scale_of(layer, from, x->dim);
            float *to = head_at(y, row, head);
            for (uint32_t d = 0; d < x->dim; d++)
                to[d] = stored(layer, (double)from[d] * scale * (double)weight[d]);
        }
}

void sqa_reference_heads_normalise_back(const sqa_layer_pass *layer, const sqa_reference_heads *x,
                                        const float *weight, const sqa_reference_heads *dy,
                                        const sqa_reference_heads *dx, double *dweight)
{
    for (uint32_t row = 0; row < x->rows; row++)
        for (uint32_t head = 0; head < x->heads; head++) {
            const float *from = head_at(x, row, head), *gradient = head_at(dy, row, head);
            const double scale = scale_of(layer, from, x->dim);
            double product = 0.0;
            for (uint32_t d = 0; d < x->dim; d++)
                product += (double)gradient[d] * (double)weight[d] * (double)from[d] / x->dim;
            for (uint32_t d = 0; dweight && d < x->dim; d++)
                dweight[d] += (double)gradient[d] * (double)from[d] * scale;
            for (uint32_t d = 0; dx && d < x->dim; d++)
                head_at(dx, row, head)[d] =
                    stored(layer, scale * ((double)gradient[d] * (double)weight[d] -
                                           product * scale * scale * (double)from[d]));
        }
}

static void turn(const sqa_layer_pass *layer, double position, float *x)
{
    const uint32_t pairs = layer->rope_dim / 2;
    for (uint32_t i = 0; i < pairs; i++) {
        const double angle = position * pow((double)layer->rope_base, -2.0 * i / layer->rope_dim);
        float *first = x + (layer->rope == SQA_LAYER_ROPE_HALF ? i : 2 * i);
        float *second = x + (layer->rope == SQA_LAYER_ROPE_HALF ? i + pairs : 2 * i + 1);
        const double a = (double)*first, b = (double)*second;
        *first = stored(layer, a * cos(angle) - b * sin(angle));
        *second = stored(layer, a * sin(angle) + b * cos(angle));
    }
}

void sqa_reference_heads_turn(const sqa_layer_pass *layer, const int32_t *positions, bool back,
                              const sqa_reference_heads *x)
{
    for (uint32_t row = 0; row < x->rows; row++) {
        const double position = positions
                                    ? (double)positions[row]
                                    : (double)layer->rope_offset + row % layer->attention.q_length;
        for (uint32_t head = 0; head < x->heads; head++)
            turn(layer, back ? -position : position, head_at(x, row, head));
    }
}

void sqa_reference_heads_spread(const sqa_layer_pass *layer, const sqa_reference_heads *x)
{
    double values[SQA_MAX_HEAD_DIM];
    for (uint32_t row = 0; row < x->rows; row++)
        for (uint32_t head = 0; head < x->heads; head++) {
            float *at = head_at(x, row, head);
            for (uint32_t d = 0; d < x->dim; d++)
                values[d] = (double)at[d];
            sqa_reference_hadamard(x->dim, values);
            for (uint32_t d = 0; d < x->dim; d++)
                at[d] = stored(layer, values[d]);
        }
}
