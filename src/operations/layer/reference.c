/* See reference.h. Sharing no code with any kernel or recipe; slow on purpose. */
#include "operations/layer/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "operations/attention/reference.h"
#include "operations/backward/slots.h"
#include "operations/layer/reference_heads.h"
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
    for (uint32_t slot = SQA_LAYER_DECAY; layer->is_linear && slot < SQA_LAYER_DX; slot++)
        if (sqa_layer_linear_slot(slot) < SQA_LINEAR_BACKWARD_SLOTS)
            out->attention.by_slot[sqa_layer_linear_slot(slot)] = inputs->by_slot[slot];
}

void sqa_layer_reference_free(sqa_layer_reference *reference)
{
    for (uint32_t i = 0; i < SQA_MAX_PROJECTIONS; i++)
        free(reference->outputs[i]);
    for (uint32_t i = 0; i < 2; i++) {
        free(reference->attended[i]);
        free(reference->cache[i]);
        free(reference->gates[i]);
    }
    free(reference->positions);
    free(reference->dout);
    free(reference->gated);
    free((void *)reference->attention.prepared);
}

/* Where Q, K, V (its slot), G or what decay or beta follows from, or its gradient, begins among the
 * projections' outputs. */
static float *in_outputs(const sqa_layer_reference *reference, uint32_t slot)
{
    return reference->outputs[sqa_layer_projection_of(reference->layer, slot)] +
           sqa_layer_column_of(reference->layer, slot);
}

float *sqa_layer_reference_attended(const sqa_layer_reference *reference, uint32_t slot)
{
    const bool apart = reference->layer->qk_norm && slot != SQA_SLOT_V;
    return apart ? reference->attended[slot - SQA_SLOT_Q] : in_outputs(reference, slot);
}

/* The heads of Q or K, or of their gradients, that begin there. */
static sqa_reference_heads heads_of(const sqa_layer_pass *layer, bool keys, bool projected,
                                    const float *first)
{
    const sqa_attention *a = &layer->attention;
    const sqa_strides strides =
        projected ? sqa_layer_projected_strides(layer, keys) : sqa_layer_strides(layer, keys);
    return (sqa_reference_heads){
        (float *)first, keys ? sqa_layer_kv_rows(layer) : sqa_layer_q_rows(layer),
        keys ? a->kv_heads : a->q_heads, a->head_dim, (uint64_t)strides.sequence};
}

static const float *norm_weight(const sqa_reference_inputs *inputs, bool keys)
{
    return inputs->by_slot[keys ? SQA_LAYER_K_NORM : SQA_LAYER_Q_NORM];
}

static const int32_t *positions_of(const sqa_layer_pass *layer, const sqa_reference_inputs *inputs)
{
    return layer->positions ? inputs->by_slot[SQA_LAYER_POSITIONS] : NULL;
}

static bool new_attended(sqa_layer_reference *out)
{
    for (uint32_t i = 0; i < 2 && out->layer->qk_norm; i++) {
        const sqa_reference_heads of = heads_of(out->layer, i, false, NULL);
        out->attended[i] = new_matrix(of.rows, of.heads * of.dim);
        if (!out->attended[i])
            return false;
    }
    return true;
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

/* Rows of a batch entry's sequence, and the position of the first. */
typedef struct new_rows {
    uint32_t first, count;
    int64_t position;
} new_rows;

static new_rows new_rows_of(const sqa_attention *a, const sqa_reference_inputs *inputs,
                            uint32_t batch)
{
    const sqa_sequence s = sqa_reference_sequence(a, inputs, batch);
    const bool ragged = a->mask & SQA_MASK_RAGGED;
    return (new_rows){ragged ? s.q_begin : batch * a->q_length, s.q_length,
                      (int64_t)s.kv_length - s.q_length};
}

static bool set_cached_positions(sqa_layer_reference *out, const sqa_reference_inputs *inputs)
{
    const sqa_attention *a = &out->layer->attention;
    out->positions = calloc((size_t)sqa_layer_q_rows(out->layer) + 1, sizeof *out->positions);
    for (uint32_t batch = 0; out->positions && batch < a->batch; batch++) {
        const new_rows rows = new_rows_of(a, inputs, batch);
        for (uint32_t i = 0; i < rows.count; i++)
            out->positions[rows.first + i] = (int32_t)(rows.position + i);
    }
    return out->positions;
}

/* Of keys or values, one token. */
static void append_token(sqa_layer_reference *out, const sqa_reference_inputs *inputs,
                         uint32_t batch, uint32_t row, uint32_t position, bool values)
{
    const sqa_attention *a = &out->layer->attention;
    const uint32_t size = a->paged.page_size, dim = values ? a->value_dim : a->head_dim;
    const int32_t *table = inputs->by_slot[SQA_SLOT_BLOCK_TABLE];
    const int32_t page = table[batch * sqa_attention_table_row(a) + position / size];
    const sqa_strides *at = values ? &a->v : &a->k;
    const sqa_strides from = sqa_layer_strides(out->layer, values ? 2 : 1);
    const float *new = sqa_layer_reference_attended(out, values ? SQA_SLOT_V : SQA_SLOT_K);
    if (page < 0 || (uint32_t)page >= a->paged.pages)
        return;
    for (uint32_t head = 0; head < a->kv_heads; head++) {
        float *to = out->cache[values] + page * at->batch + head * at->head +
                    position % size * at->sequence;
        memcpy(to, new + row *from.sequence + head *from.head, dim * sizeof *to);
        if (out->layer->hadamard && !values)
            sqa_reference_heads_spread(out->layer, &(sqa_reference_heads){to, 1, 1, dim, dim});
        sqa_storage_round_all(a->kv_dtype, to, dim);
    }
}

/* The caches as they are afterwards: of sequences whose tokens do not fit, as they were. */
static bool append(sqa_layer_reference *out, const sqa_reference_inputs *inputs)
{
    const sqa_attention *a = &out->layer->attention;
    for (uint32_t i = 0; i < 2; i++) {
        const uint64_t extent = sqa_extent(i ? &a->v : &a->k, a->paged.pages, a->kv_heads,
                                           a->paged.page_size, i ? a->value_dim : a->head_dim);
        out->cache[i] = calloc(extent + 1, sizeof(float));
        if (!out->cache[i])
            return false;
        if (extent)
            memcpy(out->cache[i], inputs->by_slot[SQA_SLOT_K + i], extent * sizeof(float));
        out->attention.by_slot[SQA_SLOT_K + i] = out->cache[i];
    }
    for (uint32_t batch = 0; batch < a->batch; batch++) {
        const new_rows rows = new_rows_of(a, inputs, batch);
        if (rows.position < 0 || rows.position + rows.count > a->kv_length)
            continue;
        for (uint32_t i = 0; i < rows.count; i++)
            for (uint32_t values = 0; values < 2; values++)
                append_token(out, inputs, batch, rows.first + i, (uint32_t)(rows.position + i),
                             values);
    }
    return true;
}

bool sqa_layer_reference_forward(sqa_layer_reference *out, const sqa_layer_pass *layer,
                                 const sqa_reference_inputs *inputs)
{
    start(out, layer, inputs);
    for (uint32_t i = 0; i < out->count; i++) {
        out->outputs[i] = project(layer, &out->projections[i], inputs);
        if (!out->outputs[i])
            return false;
    }
    const bool cached = sqa_layer_has_cache(layer);
    if (!new_attended(out) || (cached && !set_cached_positions(out, inputs)))
        return false;
    const int32_t *positions =
        cached && !layer->positions ? out->positions : positions_of(layer, inputs);
    /* Keys that are turned on their way into a cache are rounded there only, queries that go
     * through a Hadamard matrix afterwards. */
    sqa_layer_pass turns[2] = {*layer, *layer};
    if (cached && !layer->positions)
        turns[1].attention.dtype = SQA_DTYPE_F32;
    if (layer->hadamard)
        turns[0].attention.dtype = SQA_DTYPE_F32;
    for (uint32_t i = 0; i < 2; i++) {
        const uint32_t slot = SQA_SLOT_Q + i;
        const sqa_reference_heads x = heads_of(layer, i, true, in_outputs(out, slot));
        const sqa_reference_heads y =
            heads_of(layer, i, false, sqa_layer_reference_attended(out, slot));
        if (layer->qk_norm)
            sqa_reference_heads_normalise(layer, &x, norm_weight(inputs, i), &y);
        if (layer->rope)
            sqa_reference_heads_turn(&turns[i], positions, false, &y);
        if (layer->hadamard && slot == SQA_SLOT_Q)
            sqa_reference_heads_spread(layer, &y);
    }
    for (uint32_t slot = SQA_SLOT_Q; slot <= SQA_SLOT_V; slot++)
        out->attention.by_slot[slot] = sqa_layer_reference_attended(out, slot);
    const void *const of_gates[2] = {
        layer->project_decay ? in_outputs(out, SQA_LAYER_DECAY_PROJECTED) : NULL,
        layer->project_beta ? in_outputs(out, SQA_LAYER_BETA_PROJECTED) : NULL};
    if (!sqa_layer_reference_set_gates(out, of_gates))
        return false;
    return !cached || append(out, inputs);
}

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

/* What of O's element goes on to Wo; `g` NULL: all of it. */
static double let_through(const sqa_layer_pass *layer, const float *g, double o)
{
    return (double)(g ? stored(layer, sigmoid((double)*g) * o) : (float)o);
}

void sqa_layer_reference_o(const sqa_layer_reference *reference, uint32_t batch, uint32_t head,
                           uint32_t query, double *o, double *lse)
{
    const sqa_layer_pass *layer = reference->layer;
    const sqa_attention *a = &layer->attention;
    if (!layer->is_linear) {
        sqa_reference_forward_row(a, &reference->attention, batch, head, query, o, lse);
        return;
    }
    const sqa_linear_place at = sqa_linear_place_of(&layer->linear, &reference->attention, batch,
                                                    head / sqa_attention_group(a));
    sqa_linear_row_recurrent(&at, head, query, o);
    *lse = 0.0;
}

void sqa_layer_reference_y(const sqa_layer_reference *reference, const sqa_reference_inputs *inputs,
                           uint32_t batch, uint32_t query, uint32_t first, uint32_t count,
                           double *out)
{
    const sqa_layer_pass *layer = reference->layer;
    const sqa_attention *a = &layer->attention;
    const sqa_sequence s = sqa_reference_sequence(a, &reference->attention, batch);
    const uint64_t row =
        a->mask & SQA_MASK_RAGGED ? s.q_begin + query : (uint64_t)batch * a->q_length + query;
    const float *g =
        layer->gate ? in_outputs(reference, SQA_LAYER_G) + row * sqa_layer_o_columns(layer) : NULL;
    double o[SQA_MAX_ROW], lse;
    for (uint32_t j = 0; j < count; j++)
        out[j] =
            layer->biases ? at(inputs->by_slot[SQA_LAYER_BO], layer->d_model, 0, first + j) : 0.0;
    for (uint32_t head = 0; head < a->out_heads; head++) {
        sqa_layer_reference_o(reference, batch, head, query, o, &lse);
        for (uint32_t d = 0; d < a->value_dim; d++) {
            const uint32_t column = head * a->value_dim + d;
            const double through =
                let_through(layer, g ? g + column : NULL, (double)stored(layer, o[d]));
            for (uint32_t j = 0; j < count; j++)
                out[j] +=
                    through * at(inputs->by_slot[SQA_LAYER_WO], layer->d_model, column, first + j);
        }
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

/* From dA, which becomes dO; and dG. */
static bool gate_gradients(sqa_layer_reference *out, const sqa_reference_inputs *inputs)
{
    const sqa_layer_pass *layer = out->layer;
    const float *g = inputs->by_slot[SQA_LAYER_G], *o = inputs->by_slot[SQA_SLOT_O];
    const uint64_t count = (uint64_t)sqa_layer_q_rows(layer) * sqa_layer_o_columns(layer);
    float *dg = in_outputs(out, SQA_LAYER_G);
    out->gated = new_matrix(sqa_layer_q_rows(layer), sqa_layer_o_columns(layer));
    for (uint64_t i = 0; out->gated && i < count; i++) {
        const double s = sigmoid((double)g[i]), da = (double)out->dout[i];
        out->gated[i] = (float)let_through(layer, g + i, (double)o[i]);
        dg[i] = stored(layer, da * (double)o[i] * s * (1.0 - s));
        out->dout[i] = stored(layer, da * s);
    }
    return out->gated;
}

/* What was normalised. */
static sqa_reference_heads kept_heads(const sqa_layer_pass *layer,
                                      const sqa_reference_inputs *inputs, bool keys)
{
    const uint32_t slot = SQA_SLOT_Q + keys;
    const uint32_t kept = layer->fused_qkv ? SQA_LAYER_QKV : SQA_LAYER_Q_PROJECTED + keys;
    const float *matrix = inputs->by_slot[kept];
    return heads_of(layer, keys, true, matrix ? matrix + sqa_layer_column_of(layer, slot) : NULL);
}

/* Through the positions and the norm, to the gradients of what the projections give. */
static void turn_back(sqa_layer_reference *out, const sqa_reference_inputs *inputs)
{
    const sqa_layer_pass *layer = out->layer;
    for (uint32_t i = 0; i < 2; i++) {
        const uint32_t slot = SQA_SLOT_Q + i;
        const sqa_reference_heads dy =
            heads_of(layer, i, false, sqa_layer_reference_attended(out, slot));
        const sqa_reference_heads dx = heads_of(layer, i, true, in_outputs(out, slot));
        const sqa_reference_heads x = kept_heads(layer, inputs, i);
        if (layer->rope)
            sqa_reference_heads_turn(layer, positions_of(layer, inputs), true, &dy);
        if (layer->qk_norm)
            sqa_reference_heads_normalise_back(layer, &x, norm_weight(inputs, i), &dy, &dx, NULL);
    }
}

/* Q, K and V as attention had them. */
static void name_kept(sqa_layer_reference *out, const sqa_reference_inputs *inputs)
{
    const sqa_layer_pass *layer = out->layer;
    for (uint32_t slot = SQA_SLOT_Q; slot <= SQA_SLOT_V; slot++) {
        const bool apart = !layer->fused_qkv || (layer->qk_norm && slot != SQA_SLOT_V);
        out->attention.by_slot[slot] = apart ? (const float *)inputs->by_slot[slot]
                                             : (const float *)inputs->by_slot[SQA_LAYER_QKV] +
                                                   sqa_layer_column_of(layer, slot);
    }
}

bool sqa_layer_reference_backward(sqa_layer_reference *out, const sqa_layer_pass *layer,
                                  const sqa_reference_inputs *inputs, bool inner)
{
    start(out, layer, inputs);
    for (uint32_t i = 0; i < out->count; i++) {
        const sqa_projection *p = &out->projections[i];
        out->outputs[i] = new_matrix(p->rows, p->columns);
        if (!out->outputs[i])
            return false;
    }
    name_kept(out, inputs);
    out->dout = output_gradient(layer, inputs);
    if (!out->dout || !new_attended(out) || (layer->gate && !gate_gradients(out, inputs)))
        return false;
    if (!layer->is_linear)
        out->attention.by_slot[SQA_SLOT_DOUT] = out->dout; /* also for gradients of scores */
    const void *const of_gates[2] = {inputs->by_slot[SQA_LAYER_DECAY_PROJECTED],
                                     inputs->by_slot[SQA_LAYER_BETA_PROJECTED]};
    if (inner &&
        (!sqa_layer_reference_set_gates(out, of_gates) || !sqa_layer_reference_set_core(out)))
        return false;
    if (inner) {
        turn_back(out, inputs);
        sqa_layer_reference_gate_gradients(out, of_gates);
    }
    return true;
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

static void norm_gradient(const sqa_layer_reference *reference, const sqa_reference_inputs *inputs,
                          bool keys, uint32_t first, uint32_t count, double *out)
{
    const sqa_layer_pass *layer = reference->layer;
    const sqa_reference_heads x = kept_heads(layer, inputs, keys);
    const sqa_reference_heads dy = heads_of(layer, keys, false, reference->attended[keys]);
    double all[SQA_MAX_HEAD_DIM] = {0.0};
    sqa_reference_heads_normalise_back(layer, &x, norm_weight(inputs, keys), &dy, NULL, all);
    memcpy(out, all + first, count * sizeof *out);
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
        add_outer(layer->gate ? reference->gated : inputs->by_slot[SQA_SLOT_O],
                  sqa_layer_o_columns(layer), dy, layer->d_model, rows, row, first, count, out);
    if (slot == SQA_LAYER_DBO)
        add_outer(NULL, 0, dy, layer->d_model, rows, row, first, count, out);
    if (slot == SQA_LAYER_DQ_NORM || slot == SQA_LAYER_DK_NORM)
        norm_gradient(reference, inputs, slot == SQA_LAYER_DK_NORM, first, count, out);
    for (uint32_t i = 0; i < reference->count; i++)
        add_of_projection(reference, inputs, i, slot, row, first, count, out);
}
