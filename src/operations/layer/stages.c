/* See stages.h. */
#include "operations/layer/stages.h"

#include "operations/backward/slots.h"
#include "operations/kv_append/slots.h"
#include "operations/layer/slots.h"
#include "operations/norm/fields.h"
#include "operations/norm/slots.h"
#include "operations/rope/fields.h"
#include "operations/rope/slots.h"

static sqa_link callers(uint32_t slot)
{
    return (sqa_link){(int16_t)slot, 0};
}

static sqa_norm_desc norm_of(const sqa_layer_pass *layer, uint32_t number)
{
    const sqa_attention *a = &layer->attention;
    const sqa_layer_rows rows = sqa_layer_rows_of(layer, number);
    sqa_norm_desc desc = SQA_NORM_DESC_INIT;
    desc.dtype = a->dtype;
    desc.batch = rows.batch;
    desc.heads = number ? a->kv_heads : a->q_heads;
    desc.length = rows.length;
    desc.dim = a->head_dim;
    desc.eps = layer->qk_norm_eps;
    desc.x = sqa_layer_projected_strides(layer, number);
    desc.y = sqa_layer_strides(layer, number);
    return desc;
}

sqa_status sqa_layer_add_norm(sqa_recipe *recipe, const sqa_layer_pass *layer, uint32_t number,
                              sqa_link x, sqa_link y)
{
    const sqa_norm_desc desc = norm_of(layer, number);
    sqa_stage *stage = sqa_recipe_add_stage(recipe);
    stage->links[SQA_SLOT_NORM_X] = x;
    stage->links[SQA_SLOT_NORM_WEIGHT] = callers(SQA_LAYER_Q_NORM + number);
    stage->links[SQA_SLOT_NORM_Y] = y;
    return sqa_problem_from_norm(&stage->problem, &desc);
}

sqa_status sqa_layer_add_norm_backward(sqa_recipe *recipe, const sqa_layer_pass *layer,
                                       uint32_t number, sqa_link dy, sqa_link dx)
{
    const bool weight = sqa_layer_has_gradient(layer, SQA_LAYER_DQ_NORM + number);
    sqa_norm_backward_desc desc = SQA_NORM_BACKWARD_DESC_INIT;
    desc.norm = norm_of(layer, number);
    desc.dy = desc.norm.y;
    desc.dx = desc.norm.x;
    desc.gradients = (dx.from != SQA_LINK_NONE ? (uint32_t)SQA_NORM_GRADIENT_X : 0u) |
                     (weight ? (uint32_t)SQA_NORM_GRADIENT_WEIGHT : 0u);
    desc.accumulate = weight && layer->accumulate ? SQA_NORM_GRADIENT_WEIGHT : 0;
    sqa_stage *stage = sqa_recipe_add_stage(recipe);
    stage->links[SQA_SLOT_NORM_X] =
        callers(layer->fused_qkv ? SQA_LAYER_QKV : SQA_LAYER_Q_PROJECTED + number);
    stage->links[SQA_SLOT_NORM_X].offset = sqa_layer_column_of(layer, SQA_SLOT_Q + number);
    stage->links[SQA_SLOT_NORM_WEIGHT] = callers(SQA_LAYER_Q_NORM + number);
    stage->links[SQA_SLOT_NORM_DY] = dy;
    stage->links[SQA_SLOT_NORM_DX] = dx;
    stage->links[SQA_SLOT_NORM_DWEIGHT] = callers(SQA_LAYER_DQ_NORM + number);
    return sqa_problem_from_norm_backward(&stage->problem, &desc);
}

sqa_status sqa_layer_add_rope(sqa_recipe *recipe, const sqa_layer_pass *layer, uint32_t number,
                              bool inverse, sqa_link x)
{
    const sqa_attention *a = &layer->attention;
    const sqa_layer_rows rows = sqa_layer_rows_of(layer, number);
    sqa_rope_desc desc = SQA_ROPE_DESC_INIT;
    desc.dtype = a->dtype;
    desc.batch = rows.batch;
    desc.heads = number ? a->kv_heads : a->q_heads;
    desc.length = rows.length;
    desc.dim = a->head_dim;
    desc.rotary = layer->rope_dim;
    desc.pairs = layer->rope == SQA_LAYER_ROPE_HALF ? SQA_ROPE_HALF : SQA_ROPE_INTERLEAVED;
    desc.base = layer->rope ? layer->rope_base : desc.base;
    desc.offset = layer->rope_offset;
    desc.positions = layer->positions ? 1 : sqa_layer_has_cache(layer) ? 2 : 0;
    desc.position_batch = layer->positions ? rows.length : 0;
    desc.sequences = desc.positions == 2 && a->mask & SQA_MASK_RAGGED ? a->batch : 0;
    desc.inverse = inverse;
    desc.hadamard = layer->hadamard && number == 0;
    desc.x = desc.y = sqa_layer_strides(layer, number);
    sqa_stage *stage = sqa_recipe_add_stage(recipe);
    stage->links[SQA_SLOT_ROPE_X] = x;
    stage->links[SQA_SLOT_ROPE_Y] = x;
    stage->links[SQA_SLOT_POSITIONS] =
        callers(desc.positions == 2 ? SQA_SLOT_KV_LENGTHS : SQA_LAYER_POSITIONS);
    stage->links[SQA_SLOT_ROPE_STARTS] = callers(SQA_SLOT_CU_SEQLENS_Q);
    return sqa_problem_from_rope(&stage->problem, &desc);
}

/* Rows read so often from other pages than their neighbours' cost more than bringing them together:
 * on CPUs, from 256 on; fewer do not pay for a launch. */
enum { LEAST_READERS = 256 };

sqa_status sqa_layer_gather(sqa_recipe *recipe, const sqa_layer_pass *layer, uint32_t slot,
                            sqa_link *at, sqa_strides *strides)
{
    const sqa_attention *a = &layer->attention;
    const bool of_keys = slot == SQA_SLOT_K || slot == SQA_SLOT_V;
    const sqa_layer_rows rows = sqa_layer_rows_of(layer, of_keys);
    sqa_rope_desc desc = SQA_ROPE_DESC_INIT;
    desc.dtype = a->dtype;
    desc.batch = rows.batch;
    desc.heads = of_keys ? a->kv_heads : slot == SQA_SLOT_DOUT ? a->out_heads : a->q_heads;
    desc.length = rows.length;
    desc.dim = slot == SQA_SLOT_V || slot == SQA_SLOT_DOUT ? a->value_dim : a->head_dim;
    desc.rotary = 0;
    desc.x = *strides;
    desc.y = sqa_strides_bhsd(desc.heads, desc.length, desc.dim);
    const sqa_tensor_shape shape = {
        (sqa_element)desc.dtype, desc.y, desc.batch, desc.heads, desc.length, desc.dim};
    const bool from_cache = of_keys && sqa_layer_has_cache(layer);
    if ((of_keys ? a->q_length : a->kv_length) < LEAST_READERS || from_cache ||
        desc.x.sequence == desc.dim)
        return SQA_OK;
    sqa_stage *stage = sqa_recipe_add_stage(recipe);
    stage->links[SQA_SLOT_ROPE_X] = *at;
    stage->links[SQA_SLOT_ROPE_Y] = *at = sqa_recipe_add_scratch(recipe, &shape);
    *strides = desc.y;
    return sqa_problem_from_rope(&stage->problem, &desc);
}

static sqa_kv_append_desc append_of(const sqa_layer_pass *layer)
{
    const sqa_attention *a = &layer->attention;
    sqa_kv_append_desc desc = SQA_KV_APPEND_DESC_INIT;
    desc.dtype = a->dtype;
    desc.kv_dtype = (int32_t)a->kv_dtype;
    desc.batch = a->batch;
    desc.kv_heads = a->kv_heads;
    desc.length = a->q_length;
    desc.head_dim = a->head_dim;
    desc.value_dim = a->value_dim;
    desc.capacity = a->kv_length;
    desc.paged = a->paged;
    desc.at_end = 1;
    desc.ragged = a->mask & SQA_MASK_RAGGED ? 1 : 0;
    desc.total = a->q_total;
    desc.k = sqa_layer_strides(layer, 1);
    desc.v = sqa_layer_strides(layer, 2);
    desc.k_cache = a->k;
    desc.v_cache = a->v;
    if (layer->rope && !layer->positions) {
        desc.rotary = layer->rope_dim;
        desc.pairs = layer->rope == SQA_LAYER_ROPE_HALF ? SQA_ROPE_HALF : SQA_ROPE_INTERLEAVED;
        desc.base = layer->rope_base;
    }
    desc.hadamard = layer->hadamard;
    return desc;
}

sqa_status sqa_layer_add_append(sqa_recipe *recipe, const sqa_layer_pass *layer, sqa_link k,
                                sqa_link v)
{
    const sqa_kv_append_desc desc = append_of(layer);
    sqa_stage *stage = sqa_recipe_add_stage(recipe);
    stage->links[SQA_SLOT_NEW_K] = k;
    stage->links[SQA_SLOT_NEW_V] = v;
    stage->links[SQA_SLOT_TOKEN_POSITIONS] = callers(SQA_SLOT_KV_LENGTHS);
    stage->links[SQA_SLOT_TOKEN_TABLE] = callers(SQA_SLOT_BLOCK_TABLE);
    stage->links[SQA_SLOT_TOKEN_STARTS] = callers(SQA_SLOT_CU_SEQLENS_Q);
    stage->links[SQA_SLOT_K_CACHE] = callers(SQA_SLOT_K);
    stage->links[SQA_SLOT_V_CACHE] = callers(SQA_SLOT_V);
    return sqa_problem_from_kv_append(&stage->problem, &desc);
}

sqa_activation_desc sqa_layer_gate_desc(const sqa_layer_pass *layer)
{
    sqa_activation_desc desc = SQA_ACTIVATION_DESC_INIT;
    desc.dtype = layer->attention.dtype;
    desc.length = sqa_layer_q_rows(layer);
    desc.dim = sqa_layer_o_columns(layer);
    desc.activation = SQA_ACTIVATION_SIGMOID;
    desc.gated = 1;
    return desc;
}
