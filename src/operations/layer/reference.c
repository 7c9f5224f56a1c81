/* See reference.h. Sharing no code with any kernel or recipe; slow on purpose. */
#include "operations/layer/reference.h"

#include <stdlib.h>
#include <string.h>

#include "operations/attention/reference.h"
#include "operations/backward/reference.h"
#include "problem/storage.h"

/* The value of element (row, column) of a packed matrix. */
static double at(const void *matrix, uint32_t columns, uint32_t row, uint32_t column)
{
    return (double)((const float *)matrix)[(uint64_t)row * columns + column];
}

static float stored(const sqa_layer_pass *layer, double value)
{
    return sqa_storage_round(layer->attention.dtype, (float)value);
}

static float *new_matrix(uint32_t rows, uint32_t columns)
{
    return calloc((size_t)rows * columns + 1, sizeof(float));
}

static void start(sqa_layer_reference *out, const sqa_layer_pass *layer,
                  const sqa_reference_inputs *inputs)
{
    memset(out, 0, sizeof *out);
    out->layer = layer;
    out->count = sqa_layer_projections(layer, out->projections);
    memcpy(out->attention.by_slot, inputs->by_slot, SQA_ATTENTION_SLOTS * sizeof(void *));
}

void sqa_layer_reference_free(sqa_layer_reference *reference)
{
    for (uint32_t i = 0; i < SQA_MAX_PROJECTIONS; i++)
        free(reference->outputs[i]);
    free(reference->dout);
}

/* Q, K and V, or their gradients, which lie as they do. */
static void name_projected(sqa_layer_reference *reference, const void *const *matrices,
                           uint32_t first_slot)
{
    for (uint32_t i = 0; i < 3; i++) {
        const float *matrix = matrices[reference->layer->fused_qkv ? 0 : i];
        reference->attention.by_slot[first_slot + i] =
            matrix + sqa_layer_column_of(reference->layer, SQA_SLOT_Q + i);
    }
}

static float *project(const sqa_layer_pass *layer, const sqa_projection *p,
                      const sqa_reference_inputs *inputs)
{
    const void *const *of = inputs->by_slot;
    float *out = new_matrix(p->rows, p->columns);
    for (uint32_t row = 0; out && row < p->rows; row++)
        for (uint32_t j = 0; j < p->columns; j++) {
            double sum = layer->biases ? at(of[p->bias], p->columns, 0, j) : 0.0;
            for (uint32_t i = 0; i < p->width; i++)
                sum += at(of[p->input], p->width, row, i) * at(of[p->weight], p->columns, i, j);
            out[(uint64_t)row * p->columns + j] = stored(layer, sum);
        }
    return out;
}

bool sqa_layer_reference_forward(sqa_layer_reference *out, const sqa_layer_pass *layer,
                                 const sqa_reference_inputs *inputs)
{
    const void *matrices[SQA_MAX_PROJECTIONS] = {NULL};
    start(out, layer, inputs);
    for (uint32_t i = 0; i < out->count; i++) {
        matrices[i] = out->outputs[i] = project(layer, &out->projections[i], inputs);
        if (!matrices[i])
            return false;
    }
    name_projected(out, matrices, SQA_SLOT_Q);
    return true;
}

void sqa_layer_reference_y(const sqa_layer_reference *reference, const sqa_reference_inputs *inputs,
                           uint32_t batch, uint32_t query, uint32_t first, uint32_t count,
                           double *out)
{
    const sqa_layer_pass *layer = reference->layer;
    const sqa_attention *a = &layer->attention;
    double o[SQA_MAX_ROW], lse;
    for (uint32_t j = 0; j < count; j++)
        out[j] =
            layer->biases ? at(inputs->by_slot[SQA_LAYER_BO], layer->d_model, 0, first + j) : 0.0;
    for (uint32_t head = 0; head < a->out_heads; head++) {
        sqa_reference_forward_row(a, &reference->attention, batch, head, query, o, &lse);
        for (uint32_t d = 0; d < a->value_dim; d++)
            for (uint32_t j = 0; j < count; j++)
                out[j] +=
                    (double)stored(layer, o[d]) * at(inputs->by_slot[SQA_LAYER_WO], layer->d_model,
                                                     head * a->value_dim + d, first + j);
    }
}

static float *output_gradient(const sqa_layer_pass *layer, const sqa_reference_inputs *inputs)
{
    const uint32_t rows = sqa_layer_q_rows(layer), columns = sqa_layer_o_columns(layer);
    float *out = new_matrix(rows, columns);
    for (uint32_t row = 0; out && row < rows; row++)
        for (uint32_t j = 0; j < columns; j++) {
            double sum = 0.0;
            for (uint32_t i = 0; i < layer->d_model; i++)
                sum += at(inputs->by_slot[SQA_LAYER_DY], layer->d_model, row, i) *
                       at(inputs->by_slot[SQA_LAYER_WO], layer->d_model, j, i);
            out[(uint64_t)row * columns + j] = stored(layer, sum);
        }
    return out;
}

static void store_row(const sqa_layer_pass *layer, const double *from, uint32_t count, float *out)
{
    for (uint32_t d = 0; d < count; d++)
        out[d] = stored(layer, from[d]);
}

/* The row of a gradient that lies as a tensor of attention does. */
static float *row_at(const sqa_layer_reference *reference, uint32_t slot,
                     const sqa_strides *strides, uint32_t batch, uint32_t head, uint32_t position)
{
    const uint32_t i = reference->layer->fused_qkv ? 0 : slot - SQA_SLOT_Q;
    return reference->outputs[i] + sqa_layer_column_of(reference->layer, slot) +
           batch * strides->batch + head * strides->head + position * strides->sequence;
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

bool sqa_layer_reference_backward(sqa_layer_reference *out, const sqa_layer_pass *layer,
                                  const sqa_reference_inputs *inputs, bool inner)
{
    const void *kept[SQA_MAX_PROJECTIONS] = {NULL};
    const sqa_backward_pass pass = {.attention = layer->attention, .dout = layer->attention.o};
    start(out, layer, inputs);
    for (uint32_t i = 0; i < out->count; i++) {
        const sqa_projection *p = &out->projections[i];
        kept[i] = inputs->by_slot[p->output];
        out->outputs[i] = new_matrix(p->rows, p->columns);
        if (!out->outputs[i])
            return false;
    }
    name_projected(out, kept, SQA_SLOT_Q);
    out->dout = output_gradient(layer, inputs);
    out->attention.by_slot[SQA_SLOT_DOUT] = out->dout;
    for (uint32_t batch = 0; out->dout && inner && batch < layer->attention.batch; batch++) {
        set_dq(out, &pass, batch);
        set_dkv(out, &pass, batch);
    }
    return out->dout;
}

/* Row `row` of A^T C, both of `rows` rows; A NULL: ones. */
static void add_outer(const void *a, uint32_t a_columns, const void *c, uint32_t c_columns,
                      uint32_t rows, uint32_t row, uint32_t first, uint32_t count, double *out)
{
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t j = 0; j < count; j++)
            out[j] += (a ? at(a, a_columns, r, row) : 1.0) * at(c, c_columns, r, first + j);
}

static void add_of_projection(const sqa_layer_reference *reference,
                              const sqa_reference_inputs *inputs, uint32_t number, uint32_t slot,
                              uint32_t row, uint32_t first, uint32_t count, double *out)
{
    const sqa_projection *p = &reference->projections[number];
    const float *gradient = reference->outputs[number];
    if (slot == p->weight_gradient)
        add_outer(inputs->by_slot[p->input], p->width, gradient, p->columns, p->rows, row, first,
                  count, out);
    if (slot == p->bias_gradient)
        add_outer(NULL, 0, gradient, p->columns, p->rows, row, first, count, out);
    for (uint32_t j = 0; slot == p->input_gradient && j < count; j++)
        for (uint32_t i = 0; i < p->columns; i++)
            out[j] += at(gradient, p->columns, row, i) *
                      at(inputs->by_slot[p->weight], p->columns, first + j, i);
}

void sqa_layer_reference_gradient(const sqa_layer_reference *reference,
                                  const sqa_reference_inputs *inputs, uint32_t slot, uint32_t row,
                                  uint32_t first, uint32_t count, double *out)
{
    const sqa_layer_pass *layer = reference->layer;
    const uint32_t rows = sqa_layer_q_rows(layer);
    const void *dy = inputs->by_slot[SQA_LAYER_DY];
    memset(out, 0, count * sizeof *out);
    if (slot == SQA_LAYER_DWO)
        add_outer(inputs->by_slot[SQA_SLOT_O], sqa_layer_o_columns(layer), dy, layer->d_model, rows,
                  row, first, count, out);
    if (slot == SQA_LAYER_DBO)
        add_outer(NULL, 0, dy, layer->d_model, rows, row, first, count, out);
    for (uint32_t i = 0; i < reference->count; i++)
        add_of_projection(reference, inputs, i, slot, row, first, count, out);
}
