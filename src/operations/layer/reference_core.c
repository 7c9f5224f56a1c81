/* See reference.h. dQ, dK and dV by the oracles of attention. */
#include "operations/layer/reference.h"

#include "operations/attention/reference.h"
#include "operations/backward/reference.h"
#include "operations/linear/gradients.h"
#include "problem/storage.h"

static void store_row(const sqa_layer_pass *layer, const double *from, uint32_t count, float *out)
{
    for (uint32_t d = 0; d < count; d++)
        out[d] = sqa_storage_round(layer->attention.dtype, (float)from[d]);
}

/* The row of a gradient that lies as a tensor of attention does. */
static float *row_at(const sqa_layer_reference *reference, uint32_t slot,
                     const sqa_strides *strides, uint32_t batch, uint32_t head, uint32_t position)
{
    return sqa_layer_reference_attended(reference, slot) + batch * strides->batch +
           head * strides->head + position * strides->sequence;
}

static void set_dq(sqa_layer_reference *reference, const sqa_backward_pass *pass, uint32_t batch)
{
    const sqa_attention *a = &pass->attention;
    const sqa_sequence s = sqa_reference_sequence(a, &reference->attention, batch);
    double dq[SQA_MAX_ROW];
    for (uint32_t head = 0; head < a->q_heads; head++)
        for (uint32_t query = 0; query < s.q_length; query++) {
            sqa_reference_dq_row(pass, &reference->attention, batch, head, query, dq);
            store_row(reference->layer, dq, a->head_dim,
                      row_at(reference, SQA_SLOT_Q, &a->q, batch, head, s.q_begin + query));
        }
}

static void set_dkv(sqa_layer_reference *reference, const sqa_backward_pass *pass, uint32_t batch)
{
    const sqa_attention *a = &pass->attention;
    const sqa_sequence s = sqa_reference_sequence(a, &reference->attention, batch);
    double dk[SQA_MAX_ROW], dv[SQA_MAX_ROW];
    for (uint32_t head = 0; head < a->kv_heads; head++)
        for (uint32_t key = 0; key < s.kv_length; key++) {
            sqa_reference_dkv_row(pass, &reference->attention, batch, head, key, dk, dv);
            store_row(reference->layer, dk, a->head_dim,
                      row_at(reference, SQA_SLOT_K, &a->k, batch, head, s.kv_begin + key));
            store_row(reference->layer, dv, a->value_dim,
                      row_at(reference, SQA_SLOT_V, &a->v, batch, head, s.kv_begin + key));
        }
}

/* Rows of dQ, dK and dV of a sequence, of all of its heads. */
static void set_linear(sqa_layer_reference *reference, uint32_t batch)
{
    const sqa_layer_pass *layer = reference->layer;
    const sqa_attention *a = &layer->attention;
    const sqa_linear_gradients *of = reference->attention.prepared;
    const sqa_linear_place at =
        sqa_linear_place_of(&layer->linear, &reference->attention, batch, 0);
    const bool ragged = a->mask & SQA_MASK_RAGGED;
    const uint32_t entry = ragged ? 0 : batch;
    for (uint32_t head = 0; head < a->q_heads; head++)
        for (uint32_t i = 0; i < at.q_length; i++)
            store_row(
                layer,
                of->dq + (((size_t)batch * a->q_heads + head) * a->q_length + i) * a->head_dim,
                a->head_dim, row_at(reference, SQA_SLOT_Q, &a->q, entry, head, at.q_begin + i));
    for (uint32_t head = 0; head < a->kv_heads; head++)
        for (uint32_t i = 0; i < at.kv_length; i++) {
            const size_t row = ((size_t)batch * a->kv_heads + head) * a->kv_length + i;
            store_row(layer, of->dk + row * a->head_dim, a->head_dim,
                      row_at(reference, SQA_SLOT_K, &a->k, entry, head, at.kv_begin + i));
            store_row(layer, of->dv + row * a->value_dim, a->value_dim,
                      row_at(reference, SQA_SLOT_V, &a->v, entry, head, at.kv_begin + i));
        }
}

bool sqa_layer_reference_set_core(sqa_layer_reference *out)
{
    const sqa_layer_pass *layer = out->layer;
    const sqa_backward_pass pass = {.attention = layer->attention, .dout = layer->attention.o};
    if (layer->is_linear) {
        out->attention.by_slot[SQA_SLOT_LINEAR_DOUT] = out->dout;
        out->attention.prepared = sqa_linear_gradients_of(&layer->linear, &out->attention);
        if (!out->attention.prepared)
            return false;
    }
    for (uint32_t batch = 0; batch < layer->attention.batch; batch++) {
        if (layer->is_linear) {
            set_linear(out, batch);
            continue;
        }
        set_dq(out, &pass, batch);
        set_dkv(out, &pass, batch);
    }
    return true;
}
