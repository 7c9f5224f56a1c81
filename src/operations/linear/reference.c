#include "operations/linear/reference.h"

#include <math.h>
#include <string.h>

#include "operations/attention/reference.h"

double sqa_linear_feature(const sqa_linear *linear, double x)
{
    switch (linear->feature) {
    case SQA_FEATURE_IDENTITY: break;
    case SQA_FEATURE_ELU1: return x >= 0.0 ? x + 1.0 : exp(x);
    case SQA_FEATURE_RELU: return x > 0.0 ? x : 0.0;
    }
    return x;
}

sqa_linear_place sqa_linear_place_of(const sqa_linear *linear, const sqa_reference_inputs *inputs,
                                     uint32_t batch, uint32_t head)
{
    const sqa_attention *a = &linear->attention;
    sqa_linear_place at = {linear, inputs, batch, head, 0, a->q_length, 0, a->kv_length};
    if (!(a->mask & SQA_MASK_RAGGED))
        return at;
    const int32_t *q = inputs->by_slot[SQA_SLOT_CU_SEQLENS_Q];
    const int32_t *kv = linear->causal ? q : inputs->by_slot[SQA_SLOT_CU_SEQLENS_KV];
    at.q_begin = (uint32_t)q[batch];
    at.q_length = (uint32_t)(q[batch + 1] - q[batch]);
    at.kv_begin = (uint32_t)kv[batch];
    at.kv_length = (uint32_t)(kv[batch + 1] - kv[batch]);
    return at;
}

const float *sqa_linear_vector(const sqa_linear_place *at, uint32_t slot,
                               const sqa_strides *strides, uint32_t head, uint32_t token)
{
    const uint32_t entry = at->linear->attention.mask & SQA_MASK_RAGGED ? 0 : at->batch;
    return sqa_reference_vector(at->inputs, slot, strides, entry, head, token);
}

const float *sqa_linear_key(const sqa_linear_place *at, uint32_t token)
{
    return sqa_linear_vector(at, SQA_SLOT_K, &at->linear->attention.k, at->head,
                             at->kv_begin + token);
}

double sqa_linear_value(const sqa_linear_place *at, uint32_t token, uint32_t column)
{
    const sqa_attention *a = &at->linear->attention;
    return column == a->value_dim ? 1.0
                                  : (double)sqa_linear_vector(at, SQA_SLOT_V, &a->v, at->head,
                                                              at->kv_begin + token)[column];
}

double sqa_linear_log_decay(const sqa_linear_place *at, uint32_t token, uint32_t row)
{
    const sqa_linear *linear = at->linear;
    if (linear->decay == SQA_DECAY_NONE)
        return 0.0;
    if (linear->decay == SQA_DECAY_HEAD)
        return (double)((const float *)at->inputs->by_slot[SQA_SLOT_DECAY])[at->head];
    const float *decay = sqa_linear_vector(at, SQA_SLOT_DECAY, &linear->decay_strides, at->head,
                                           at->kv_begin + token);
    return (double)decay[linear->decay == SQA_DECAY_CHANNEL ? row : 0];
}

double sqa_linear_beta(const sqa_linear_place *at, uint32_t token)
{
    return (double)*sqa_linear_vector(at, SQA_SLOT_BETA, &at->linear->beta_strides, at->head,
                                      at->kv_begin + token);
}

double sqa_linear_initial(const sqa_linear_place *at, uint32_t row, uint32_t column)
{
    const sqa_attention *a = &at->linear->attention;
    const bool sums = column == a->value_dim, here = at->linear->state == SQA_STATE_IN_PLACE;
    if (!sqa_linear_starts(at->linear) || (sums && !at->linear->normalise))
        return 0.0;
    const uint64_t index = ((uint64_t)at->batch * a->kv_heads + at->head) * a->head_dim + row;
    const float *from = at->inputs->by_slot[sums   ? (here ? SQA_SLOT_SUMS : SQA_SLOT_SUMS_IN)
                                            : here ? SQA_SLOT_STATE
                                                   : SQA_SLOT_STATE_IN];
    return (double)(sums ? from[index] : from[index * a->value_dim + column]);
}

void sqa_linear_state_column(const sqa_linear_place *at, uint32_t tokens, uint32_t column,
                             double *state)
{
    const sqa_linear *linear = at->linear;
    const uint32_t rows = linear->attention.head_dim;
    for (uint32_t d = 0; d < rows; d++)
        state[d] = sqa_linear_initial(at, d, column);
    for (uint32_t t = 0; t < tokens; t++) {
        const float *k = sqa_linear_key(at, t);
        double value = sqa_linear_value(at, t, column), known = 0.0;
        for (uint32_t d = 0; d < rows; d++) {
            state[d] *= exp(sqa_linear_log_decay(at, t, d));
            known += state[d] * sqa_linear_feature(linear, (double)k[d]);
        }
        if (linear->delta)
            value = sqa_linear_beta(at, t) * (value - known);
        for (uint32_t d = 0; d < rows; d++)
            state[d] += sqa_linear_feature(linear, (double)k[d]) * value;
    }
}

void sqa_linear_step(const sqa_linear_place *at, uint32_t token, const double *before,
                     double *after, double *values)
{
    const sqa_linear *linear = at->linear;
    const uint32_t rows = linear->attention.head_dim, columns = linear->attention.value_dim + 1;
    const float *k = sqa_linear_key(at, token);
    double known[SQA_MAX_HEAD_DIM + 1] = {0.0};
    for (uint32_t d = 0; d < rows; d++) {
        const double decay = exp(sqa_linear_log_decay(at, token, d));
        const double key = sqa_linear_feature(linear, (double)k[d]);
        for (uint32_t j = 0; j < columns; j++) {
            after[d * columns + j] = before[d * columns + j] * decay;
            known[j] += after[d * columns + j] * key;
        }
    }
    for (uint32_t j = 0; j < columns; j++) {
        values[j] = sqa_linear_value(at, token, j);
        if (linear->delta)
            values[j] = sqa_linear_beta(at, token) * (values[j] - known[j]);
    }
    for (uint32_t d = 0; d < rows; d++) {
        const double key = sqa_linear_feature(linear, (double)k[d]);
        for (uint32_t j = 0; j < columns; j++)
            after[d * columns + j] += key * values[j];
    }
}

void sqa_linear_state_row(const sqa_linear_place *at, uint32_t tokens, uint32_t row, double *state,
                          double *sum)
{
    const uint32_t columns = at->linear->attention.value_dim;
    double decay = 0.0; /* of the tokens behind this one */
    memset(state, 0, columns * sizeof *state);
    *sum = 0.0;
    for (uint32_t t = tokens; t-- > 0; decay += sqa_linear_log_decay(at, t, row)) {
        const double weight =
            exp(decay) * sqa_linear_feature(at->linear, (double)sqa_linear_key(at, t)[row]);
        for (uint32_t j = 0; j < columns; j++)
            state[j] += weight * sqa_linear_value(at, t, j);
        *sum += weight;
    }
    for (uint32_t j = 0; j < columns; j++)
        state[j] += exp(decay) * sqa_linear_initial(at, row, j);
    *sum += exp(decay) * sqa_linear_initial(at, row, columns);
}

const float *sqa_linear_query(const sqa_linear_place *at, uint32_t out_head, uint32_t query)
{
    const sqa_attention *a = &at->linear->attention;
    return sqa_linear_vector(at, SQA_SLOT_Q, &a->q, out_head % a->q_heads, at->q_begin + query);
}

uint32_t sqa_linear_seen(const sqa_linear_place *at, uint32_t query)
{
    return at->linear->causal ? query + 1 : at->kv_length;
}

static void divide(const sqa_linear *linear, double sum, double *o)
{
    const double scale = (double)linear->attention.scale;
    const double by = linear->normalise ? scale * sum + (double)linear->epsilon : 1.0;
    for (uint32_t j = 0; j < linear->attention.value_dim; j++)
        o[j] *= scale / by;
}

void sqa_linear_row_recurrent(const sqa_linear_place *at, uint32_t out_head, uint32_t query,
                              double *o)
{
    const sqa_linear *linear = at->linear;
    const sqa_attention *a = &linear->attention;
    const float *q = sqa_linear_query(at, out_head, query);
    double column[SQA_MAX_HEAD_DIM], sum = 0.0;
    for (uint32_t j = 0; j <= a->value_dim; j++) {
        double product = 0.0;
        if (j == a->value_dim && !linear->normalise)
            break;
        sqa_linear_state_column(at, sqa_linear_seen(at, query), j, column);
        for (uint32_t d = 0; d < a->head_dim; d++)
            product += column[d] * sqa_linear_feature(linear, (double)q[d]);
        *(j < a->value_dim ? &o[j] : &sum) = product;
    }
    divide(linear, sum, o);
}

void sqa_linear_row_of_state(const sqa_linear_place *at, uint32_t out_head, uint32_t query,
                             const double *state, double *o)
{
    const sqa_linear *linear = at->linear;
    const uint32_t columns = linear->attention.value_dim + 1;
    const float *q = sqa_linear_query(at, out_head, query);
    double sum = 0.0;
    memset(o, 0, (columns - 1) * sizeof *o);
    for (uint32_t d = 0; d < linear->attention.head_dim; d++) {
        const double x = sqa_linear_feature(linear, (double)q[d]);
        for (uint32_t j = 0; j + 1 < columns; j++)
            o[j] += state[d * columns + j] * x;
        sum += state[d * columns + columns - 1] * x;
    }
    divide(linear, sum, o);
}

/* What a key weighs for the query, `decay` of the tokens between them by channel. */
static double weight_of(const sqa_linear *linear, const float *q, const float *k,
                        const double *decay)
{
    double weight = 0.0;
    for (uint32_t d = 0; d < linear->attention.head_dim; d++)
        weight += sqa_linear_feature(linear, (double)q[d]) *
                  sqa_linear_feature(linear, (double)k[d]) *
                  (linear->decay == SQA_DECAY_CHANNEL ? exp(decay[d]) : 1.0);
    return linear->decay == SQA_DECAY_CHANNEL ? weight : weight * exp(decay[0]);
}

void sqa_linear_row_weighted(const sqa_linear_place *at, uint32_t out_head, uint32_t query,
                             double *o)
{
    const sqa_linear *linear = at->linear;
    const sqa_attention *a = &linear->attention;
    const uint32_t channels = linear->decay == SQA_DECAY_CHANNEL ? a->head_dim : 1;
    const float *q = sqa_linear_query(at, out_head, query);
    double decay[SQA_MAX_HEAD_DIM] = {0.0}, sum = 0.0;
    memset(o, 0, a->value_dim * sizeof *o);
    for (uint32_t t = sqa_linear_seen(at, query); t-- > 0;) {
        const double weight = weight_of(linear, q, sqa_linear_key(at, t), decay);
        for (uint32_t j = 0; j < a->value_dim; j++)
            o[j] += weight * sqa_linear_value(at, t, j);
        sum += weight;
        for (uint32_t d = 0; d < channels; d++)
            decay[d] += sqa_linear_log_decay(at, t, d);
    }
    for (uint32_t d = 0; d < a->head_dim && sqa_linear_starts(linear); d++) {
        const double weight =
            sqa_linear_feature(linear, (double)q[d]) * exp(decay[channels > 1 ? d : 0]);
        for (uint32_t j = 0; j < a->value_dim; j++)
            o[j] += weight * sqa_linear_initial(at, d, j);
        sum += linear->normalise ? weight * sqa_linear_initial(at, d, a->value_dim) : 0.0;
    }
    divide(linear, sum, o);
}
