/* Sharing no code with any kernel; slow on purpose. */
#include "operations/backward/reference.h"

#include <math.h>

/* Where LSE and delta, which lie alike, have a row. */
static uint64_t row_index(const sqa_attention *a, const sqa_sequence *at, uint32_t batch,
                          uint32_t head, uint32_t query)
{
    const bool ragged = a->mask & SQA_MASK_RAGGED;
    const uint64_t entry = ragged ? 0 : batch, rows = ragged ? a->q_total : a->q_length;
    return (entry * a->out_heads + head) * rows + at->q_begin + query;
}

static double dot(const float *a, const float *b, uint32_t count)
{
    double sum = 0.0;
    for (uint32_t d = 0; d < count; d++)
        sum += (double)a[d] * (double)b[d];
    return sum;
}

/* A query of an output head, and what is known of it. */
typedef struct row {
    const sqa_backward_pass *pass;
    const sqa_reference_inputs *inputs;
    uint32_t batch, head, query;
    sqa_sequence at;
    double lse, delta;
    bool live; /* saw a key, by its LSE */
} row;

static row row_of(const sqa_backward_pass *pass, const sqa_reference_inputs *inputs, uint32_t batch,
                  uint32_t head, uint32_t query)
{
    row r = {pass, inputs, batch, head, query, {0, 0, 0, 0, 0}, 0.0, 0.0, false};
    r.at = sqa_reference_sequence(&pass->attention, inputs, batch);
    if (query >= r.at.q_length)
        return r;
    const uint64_t index = row_index(&pass->attention, &r.at, batch, head, query);
    const float *delta = inputs->by_slot[SQA_SLOT_DELTA];
    r.lse = (double)((const float *)inputs->by_slot[SQA_SLOT_LSE])[index];
    r.live = r.lse != -(double)INFINITY;
    r.delta = delta ? (double)delta[index] : sqa_reference_delta(pass, inputs, batch, head, query);
    return r;
}

double sqa_reference_delta(const sqa_backward_pass *pass, const sqa_reference_inputs *inputs,
                           uint32_t batch, uint32_t head, uint32_t query)
{
    const sqa_attention *a = &pass->attention;
    const sqa_sequence at = sqa_reference_sequence(a, inputs, batch);
    const uint64_t index = row_index(a, &at, batch, head, query);
    const uint32_t position = at.q_begin + query;
    if (((const float *)inputs->by_slot[SQA_SLOT_LSE])[index] == -INFINITY)
        return 0.0;
    return dot(sqa_reference_vector(inputs, SQA_SLOT_O, &a->o, batch, head, position),
               sqa_reference_vector(inputs, SQA_SLOT_DOUT, &pass->dout, batch, head, position),
               a->value_dim);
}

static const float *query_of(const row *r)
{
    const sqa_attention *a = &r->pass->attention;
    return sqa_reference_vector(r->inputs, SQA_SLOT_Q, &a->q, r->batch, r->head % a->q_heads,
                                r->at.q_begin + r->query);
}

static const float *dout_of(const row *r)
{
    return sqa_reference_vector(r->inputs, SQA_SLOT_DOUT, &r->pass->dout, r->batch, r->head,
                                r->at.q_begin + r->query);
}

static const float *key_of(const row *r, uint32_t slot, const sqa_strides *strides, uint32_t key)
{
    const sqa_attention *a = &r->pass->attention;
    return sqa_reference_vector(r->inputs, slot, strides, r->batch,
                                r->head / (a->out_heads / a->kv_heads), r->at.kv_begin + key);
}

/* A pair of a query and a key that it sees. */
typedef struct pair {
    double p;       /* what V is weighed by: with dropout, 0 or more than P */
    double ds;      /* of what the softmax takes */
    double product; /* of the scaled product of Q and K */
} pair;

static bool pair_of(const row *r, uint32_t key, pair *out)
{
    const sqa_attention *a = &r->pass->attention;
    double steepness;
    if (!r->live || !sqa_reference_sees(a, r->inputs, r->batch, r->head, r->query, key))
        return false;
    const double score =
        sqa_reference_score(a, r->inputs, r->batch, r->head, r->query, key, &steepness);
    const double kept = sqa_reference_kept_weight(a, r->inputs, r->batch, r->head, r->query, key);
    const double p = exp(score - r->lse);
    const double dp = dot(dout_of(r), key_of(r, SQA_SLOT_V, &a->v, key), a->value_dim);
    out->p = p * kept;
    out->ds = p * (dp * kept - r->delta);
    out->product = out->ds * steepness;
    return true;
}

static void add(double *sum, double factor, const float *vector, uint32_t count)
{
    for (uint32_t d = 0; d < count; d++)
        sum[d] += factor * (double)vector[d];
}

static void clear(double *sum, uint32_t count)
{
    for (uint32_t d = 0; d < count; d++)
        sum[d] = 0.0;
}

void sqa_reference_dq_row(const sqa_backward_pass *pass, const sqa_reference_inputs *inputs,
                          uint32_t batch, uint32_t q_head, uint32_t query, double *dq)
{
    const sqa_attention *a = &pass->attention;
    pair p;
    clear(dq, a->head_dim);
    for (uint32_t head = q_head; head < a->out_heads; head += a->q_heads) {
        const row r = row_of(pass, inputs, batch, head, query);
        for (uint32_t j = 0; j < r.at.kv_length; j++)
            if (pair_of(&r, j, &p))
                add(dq, (double)a->scale * p.product, key_of(&r, SQA_SLOT_K, &a->k, j),
                    a->head_dim);
    }
}

void sqa_reference_dkv_row(const sqa_backward_pass *pass, const sqa_reference_inputs *inputs,
                           uint32_t batch, uint32_t kv_head, uint32_t key, double *dk, double *dv)
{
    const sqa_attention *a = &pass->attention;
    const uint32_t group = a->out_heads / a->kv_heads;
    const uint32_t queries = sqa_reference_sequence(a, inputs, batch).q_length;
    pair p;
    clear(dk, a->head_dim);
    clear(dv, a->value_dim);
    for (uint32_t head = kv_head * group; head < (kv_head + 1) * group; head++)
        for (uint32_t i = 0; i < queries; i++) {
            const row r = row_of(pass, inputs, batch, head, i);
            if (!pair_of(&r, key, &p))
                continue;
            add(dk, (double)a->scale * p.product, query_of(&r), a->head_dim);
            add(dv, p.p, dout_of(&r), a->value_dim);
        }
}

void sqa_reference_dbias_row(const sqa_backward_pass *pass, const sqa_reference_inputs *inputs,
                             uint32_t batch, uint32_t head, uint32_t query, uint32_t first,
                             uint32_t count, double *dbias)
{
    const sqa_attention *a = &pass->attention;
    const uint32_t batch_end = a->bias.batch ? batch + 1 : a->batch;
    const uint32_t head_end = a->bias.head ? head + 1 : a->out_heads;
    const uint32_t query_end = a->bias.sequence ? query + 1 : a->q_length;
    pair p;
    clear(dbias, count);
    for (uint32_t b = batch; b < batch_end; b++)
        for (uint32_t h = head; h < head_end; h++)
            for (uint32_t i = query; i < query_end; i++) {
                const row r = row_of(pass, inputs, b, h, i);
                for (uint32_t j = 0; j < count; j++)
                    if (pair_of(&r, first + j, &p))
                        dbias[j] += p.ds;
            }
}

double sqa_reference_dsink(const sqa_backward_pass *pass, const sqa_reference_inputs *inputs,
                           uint32_t head)
{
    const sqa_attention *a = &pass->attention;
    const double sink = (double)((const float *)inputs->by_slot[SQA_SLOT_SINKS])[head];
    double sum = 0.0;
    for (uint32_t b = 0; b < a->batch; b++)
        for (uint32_t i = 0; i < a->q_length; i++) {
            const row r = row_of(pass, inputs, b, head, i);
            if (r.live)
                sum -= exp(sink - r.lse) * r.delta;
        }
    return sum;
}

double sqa_reference_dslope(const sqa_backward_pass *pass, const sqa_reference_inputs *inputs,
                            uint32_t head)
{
    const sqa_attention *a = &pass->attention;
    double sum = 0.0;
    pair p;
    for (uint32_t b = 0; b < a->batch; b++)
        for (uint32_t i = 0; i < a->q_length; i++) {
            const row r = row_of(pass, inputs, b, head, i);
            for (uint32_t j = 0; j < r.at.kv_length; j++)
                if (pair_of(&r, j, &p))
                    sum -= p.ds * fabs((double)i + (double)r.at.diagonal - (double)j);
        }
    return sum;
}
