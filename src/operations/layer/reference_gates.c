/* See reference.h. Decay and beta that follow from X, and back. */
#include <math.h>
#include <stdlib.h>

#include "operations/layer/reference.h"
#include "operations/linear/gradients.h"
#include "problem/storage.h"

static bool is_projected(const sqa_layer_pass *layer, uint32_t number)
{
    return number ? layer->project_beta : layer->project_decay;
}

static uint32_t columns_of(const sqa_layer_pass *layer, uint32_t number)
{
    return number ? layer->attention.kv_heads : sqa_layer_decay_columns(layer);
}

static double log_sigmoid(double x)
{
    return (x < 0.0 ? x : 0.0) - log1p(exp(-fabs(x)));
}

static double slope_of(uint32_t number, double x)
{
    const double s = 1.0 / (1.0 + exp(-x));
    return number ? s * (1.0 - s) : 1.0 / (1.0 + exp(x));
}

bool sqa_layer_reference_set_gates(sqa_layer_reference *out, const void *const projected[2])
{
    const sqa_layer_pass *layer = out->layer;
    for (uint32_t i = 0; i < 2; i++) {
        const float *from = projected[i];
        const size_t count = (size_t)sqa_layer_q_rows(layer) * columns_of(layer, i);
        if (!is_projected(layer, i))
            continue;
        out->gates[i] = calloc(count + 1, sizeof(float));
        if (!out->gates[i])
            return false;
        for (size_t j = 0; j < count; j++)
            out->gates[i][j] =
                (float)(i ? exp(log_sigmoid((double)from[j])) : log_sigmoid((double)from[j]));
        out->attention.by_slot[SQA_SLOT_DECAY + i] = out->gates[i];
    }
    return true;
}

/* Of a key/value head's token: of a decay per token, its channels together. */
static double gradient_of(const sqa_layer_reference *reference, uint32_t number, size_t row,
                          uint32_t channel)
{
    const sqa_linear_gradients *of = reference->attention.prepared;
    const uint32_t channels = reference->layer->attention.head_dim;
    const bool one = reference->layer->linear.decay == SQA_DECAY_CHANNEL;
    double sum = 0.0;
    if (number)
        return of->dbeta[row];
    for (uint32_t d = one ? channel : 0; d < (one ? channel + 1 : channels); d++)
        sum += of->ddecay[row * channels + d];
    return sum;
}

static void set_head(sqa_layer_reference *out, uint32_t number, const float *projected,
                     const sqa_linear_place *at)
{
    const sqa_layer_pass *layer = out->layer;
    const sqa_attention *a = &layer->attention;
    const uint32_t columns = columns_of(layer, number), each = columns / a->kv_heads;
    float *to = out->outputs[sqa_layer_projection_of(layer, SQA_LAYER_DECAY_PROJECTED + number)];
    const size_t entry =
        a->mask & SQA_MASK_RAGGED ? at->kv_begin : (size_t)at->batch * a->kv_length;
    for (uint32_t t = 0; t < at->kv_length; t++)
        for (uint32_t d = 0; d < each; d++) {
            const size_t i = (entry + t) * columns + at->head * each + d;
            const size_t row = ((size_t)at->batch * a->kv_heads + at->head) * a->kv_length + t;
            to[i] = sqa_storage_round(a->dtype, (float)(gradient_of(out, number, row, d) *
                                                        slope_of(number, (double)projected[i])));
        }
}

void sqa_layer_reference_gate_gradients(sqa_layer_reference *out, const void *const projected[2])
{
    const sqa_attention *a = &out->layer->attention;
    for (uint32_t i = 0; i < 2; i++)
        for (uint32_t b = 0; is_projected(out->layer, i) && b < a->batch; b++)
            for (uint32_t h = 0; h < a->kv_heads; h++) {
                const sqa_linear_place at =
                    sqa_linear_place_of(&out->layer->linear, &out->attention, b, h);
                set_head(out, i, projected[i], &at);
            }
}
