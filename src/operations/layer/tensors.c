/* Which tensors a layer has, and of what shape. */
#include "operations/tensors.h"
#include "operations/layer/linear.h"
#include "operations/operations.h"

uint32_t sqa_layer_projections(const sqa_layer_pass *layer, sqa_projection out[SQA_MAX_PROJECTIONS])
{
    const bool cross = layer->context_dim > 0;
    const uint32_t from = cross ? SQA_LAYER_CONTEXT : SQA_LAYER_X;
    const uint32_t gradient = cross ? SQA_LAYER_DCONTEXT : SQA_LAYER_DX;
    const uint32_t width = cross ? layer->context_dim : layer->d_model;
    const uint32_t q_rows = sqa_layer_q_rows(layer), kv_rows = sqa_layer_kv_rows(layer);
    const uint32_t q = sqa_layer_q_columns(layer), k = sqa_layer_k_columns(layer);
    const uint32_t v = sqa_layer_v_columns(layer);
    if (layer->fused_qkv) {
        out[0] = (sqa_projection){SQA_LAYER_X,    SQA_LAYER_WQKV,  SQA_LAYER_BQKV,  SQA_LAYER_QKV,
                                  SQA_LAYER_DX,   SQA_LAYER_DWQKV, SQA_LAYER_DBQKV, q_rows,
                                  layer->d_model, q + k + v};
    } else {
        const uint32_t to_q = layer->qk_norm ? SQA_LAYER_Q_PROJECTED : SQA_SLOT_Q;
        const uint32_t to_k = layer->qk_norm ? SQA_LAYER_K_PROJECTED : SQA_SLOT_K;
        out[0] = (sqa_projection){
            SQA_LAYER_X,   SQA_LAYER_WQ,  SQA_LAYER_BQ, to_q,           SQA_LAYER_DX,
            SQA_LAYER_DWQ, SQA_LAYER_DBQ, q_rows,       layer->d_model, q};
        out[1] = (sqa_projection){from,          SQA_LAYER_WK,  SQA_LAYER_BK, to_k,  gradient,
                                  SQA_LAYER_DWK, SQA_LAYER_DBK, kv_rows,      width, k};
        out[2] = (sqa_projection){from,          SQA_LAYER_WV,  SQA_LAYER_BV, SQA_SLOT_V, gradient,
                                  SQA_LAYER_DWV, SQA_LAYER_DBV, kv_rows,      width,      v};
    }
    const uint32_t before = sqa_layer_projection_of(layer, SQA_LAYER_G);
    if (layer->gate)
        out[before] = (sqa_projection){
            SQA_LAYER_X,   SQA_LAYER_WG,  SQA_LAYER_BG, SQA_LAYER_G,    SQA_LAYER_DX,
            SQA_LAYER_DWG, SQA_LAYER_DBG, q_rows,       layer->d_model, sqa_layer_o_columns(layer)};
    uint32_t count = before + layer->gate;
    if (layer->project_decay)
        out[count++] = (sqa_projection){SQA_LAYER_X,       SQA_LAYER_WDECAY,
                                        SQA_LAYER_BDECAY,  SQA_LAYER_DECAY_PROJECTED,
                                        SQA_LAYER_DX,      SQA_LAYER_DWDECAY,
                                        SQA_LAYER_DBDECAY, q_rows,
                                        layer->d_model,    sqa_layer_decay_columns(layer)};
    if (layer->project_beta)
        out[count++] = (sqa_projection){
            SQA_LAYER_X,    SQA_LAYER_WBETA,          SQA_LAYER_BBETA,  SQA_LAYER_BETA_PROJECTED,
            SQA_LAYER_DX,   SQA_LAYER_DWBETA,         SQA_LAYER_DBBETA, q_rows,
            layer->d_model, layer->attention.kv_heads};
    return count;
}

uint32_t sqa_layer_projection_of(const sqa_layer_pass *layer, uint32_t slot)
{
    const uint32_t others = layer->fused_qkv ? 1 : 3;
    if (slot == SQA_LAYER_G)
        return others;
    if (slot == SQA_LAYER_DECAY_PROJECTED)
        return others + layer->gate;
    if (slot == SQA_LAYER_BETA_PROJECTED)
        return others + layer->gate + layer->project_decay;
    return layer->fused_qkv ? 0 : slot - SQA_SLOT_Q;
}

uint64_t sqa_layer_column_of(const sqa_layer_pass *layer, uint32_t slot)
{
    if (!layer->fused_qkv || (slot != SQA_SLOT_K && slot != SQA_SLOT_V))
        return 0;
    return sqa_layer_q_columns(layer) + (slot == SQA_SLOT_V ? sqa_layer_k_columns(layer) : 0);
}

sqa_tensor_shape sqa_layer_matrix(const sqa_layer_pass *layer, uint32_t rows, uint32_t columns)
{
    return (sqa_tensor_shape){(sqa_element)layer->attention.dtype,
                              {(int64_t)rows * columns, 0, columns},
                              1,
                              1,
                              rows,
                              columns};
}

/* Of a projection: its input, weight, bias, output or a gradient of them. */
static bool projection_tensor(const sqa_layer_pass *layer, const sqa_projection *p, uint32_t slot,
                              sqa_tensor_shape *out)
{
    if (slot == p->input || slot == p->input_gradient)
        *out = sqa_layer_matrix(layer, p->rows, p->width);
    else if (slot == p->weight || slot == p->weight_gradient)
        *out = sqa_layer_matrix(layer, p->width, p->columns);
    else if (slot == p->bias || slot == p->bias_gradient)
        *out = sqa_layer_matrix(layer, 1, p->columns);
    else if (slot == p->output)
        *out = sqa_layer_matrix(layer, p->rows, p->columns);
    else
        return false;
    return layer->biases || (slot != p->bias && slot != p->bias_gradient);
}

static bool output_tensor(const sqa_layer_pass *layer, uint32_t slot, sqa_tensor_shape *out)
{
    const uint32_t rows = sqa_layer_q_rows(layer), columns = sqa_layer_o_columns(layer);
    switch (slot) {
    case SQA_LAYER_WO:
    case SQA_LAYER_DWO: *out = sqa_layer_matrix(layer, columns, layer->d_model); return true;
    case SQA_LAYER_BO:
    case SQA_LAYER_DBO: *out = sqa_layer_matrix(layer, 1, layer->d_model); return layer->biases;
    case SQA_LAYER_Y:
    case SQA_LAYER_DY: *out = sqa_layer_matrix(layer, rows, layer->d_model); return true;
    case SQA_LAYER_Q_NORM:
    case SQA_LAYER_K_NORM:
    case SQA_LAYER_DQ_NORM:
    case SQA_LAYER_DK_NORM:
        *out = sqa_layer_matrix(layer, 1, layer->attention.head_dim);
        return layer->qk_norm;
    case SQA_LAYER_POSITIONS: {
        const sqa_layer_rows of = sqa_layer_rows_of(layer, false);
        *out = (sqa_tensor_shape){SQA_ELEMENT_INT, {of.length, 0, 0}, of.batch, 1, 1, of.length};
        return layer->positions;
    }
    default: return false;
    }
}

/* Without queries, what a backward pass adds up is still written. */
static bool score_gradient(const sqa_problem *problem, uint32_t slot, sqa_tensor_shape *out)
{
    const sqa_layer_pass *layer = &problem->of.layer;
    const uint32_t of = slot == SQA_LAYER_DBIAS    ? SQA_SLOT_BIAS
                        : slot == SQA_LAYER_DSINKS ? SQA_SLOT_SINKS
                                                   : SQA_SLOT_SLOPES;
    sqa_problem pass;
    if (!sqa_attention_tensor(problem, of, out))
        return false;
    if (slot == SQA_LAYER_DBIAS &&
        sqa_layer_attention_backward(layer, SQA_GRADIENT_BIAS, 0, &pass) == SQA_OK)
        out->strides = pass.of.backward.dbias;
    return true;
}

static bool is_kept(uint32_t slot)
{
    return slot <= SQA_SLOT_LSE || slot == SQA_LAYER_QKV ||
           (slot >= SQA_LAYER_Q_PROJECTED && slot <= SQA_LAYER_BETA_PROJECTED);
}

bool sqa_layer_tensor(const sqa_problem *problem, uint32_t slot, sqa_tensor_shape *out)
{
    const sqa_layer_pass *layer = &problem->of.layer;
    sqa_projection projections[SQA_MAX_PROJECTIONS];
    if (slot >= SQA_LAYER_DX && !sqa_layer_has_gradient(layer, slot))
        return false;
    if (slot >= SQA_LAYER_DBIAS && slot <= SQA_LAYER_DSLOPES)
        return score_gradient(problem, slot, out);
    if (sqa_layer_is_cache(layer, slot))
        return sqa_attention_tensor(problem, slot, out);
    if (sqa_layer_linear_slot(slot) < SQA_LINEAR_BACKWARD_SLOTS)
        return sqa_layer_linear_tensor(layer, slot, out);
    if (slot == SQA_SLOT_CU_SEQLENS_KV && layer->linear.causal)
        return false;
    if (is_kept(slot) && !layer->keep)
        return false;
    if (slot <= SQA_SLOT_V && layer->fused_qkv && (slot == SQA_SLOT_V || !layer->qk_norm))
        return false;
    if (slot < SQA_ATTENTION_SLOTS)
        return sqa_attention_tensor(problem, slot, out);
    const uint32_t count = sqa_layer_projections(layer, projections);
    for (uint32_t i = 0; i < count; i++)
        if (projection_tensor(layer, &projections[i], slot, out))
            return true;
    return output_tensor(layer, slot, out);
}

/* What attention is about as attention says; of a backward pass all that there is. */
bool sqa_layer_is_touched(const sqa_problem *problem, uint32_t slot)
{
    if (sqa_layer_is_cache(&problem->of.layer, slot))
        return sqa_attention_is_touched(problem, slot);
    if (problem->of.layer.is_linear || sqa_tensor_is_output(problem, slot) ||
        slot <= SQA_SLOT_LSE || slot >= SQA_ATTENTION_SLOTS)
        return true;
    return sqa_attention_is_touched(problem, slot);
}

bool sqa_layer_is_updated(const sqa_problem *problem, uint32_t slot)
{
    const sqa_layer_pass *layer = &problem->of.layer;
    if (slot == SQA_LAYER_STATE || slot == SQA_LAYER_SUMS)
        return layer->linear.state == SQA_STATE_IN_PLACE;
    return sqa_layer_is_cache(layer, slot) ||
           (layer->accumulate && slot > SQA_LAYER_DCONTEXT &&
            (slot < SQA_LAYER_DDECAY || slot > SQA_LAYER_DSUMS_IN));
}

/* A cache is there even where nothing is appended to it. */
bool sqa_layer_is_nothing(const sqa_problem *problem)
{
    return sqa_layer_has_cache(&problem->of.layer) ? sqa_attention_is_nothing(problem)
                                                   : sqa_writes_nothing(problem);
}
