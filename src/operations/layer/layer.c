/* The attention layer (include/sqa_cl/layer.h): a recipe of matrix products and attention. */
#include "operations/attention/fields.h"
#include "operations/attention/work.h"
#include "operations/backward/slots.h"
#include "operations/entries.h"
#include "operations/layer/fields.h"
#include "operations/layer/linear.h"
#include "operations/rope/fields.h"
#include "operations/tensors.h"

static const sqa_shape_field *const fields[] = {
    sqa_size_fields,
    sqa_value_fields,
    sqa_storage_fields,
    sqa_cache_fields,
    sqa_position_fields,
    sqa_pattern_fields,
    sqa_list_fields,
    sqa_ragged_fields,
    sqa_paged_fields,
    sqa_layer_cache_fields,
    sqa_layer_size_fields,
    sqa_layer_position_fields,
    sqa_layer_kind_fields,
    sqa_linear_rule_fields,
    sqa_linear_stride_fields,
    sqa_layer_keep_fields,
    NULL,
};

#define SLOT(tensor, how) .name = #tensor, .use = how, .member = offsetof(sqa_layer_tensors, tensor)
#define INPUT(tensor) SLOT(tensor, SQA_SLOT_INPUT)
#define OUTPUT(tensor) SLOT(tensor, SQA_SLOT_OUTPUT)

/* Weights are small enough for scores that are not all one key's. */
static const sqa_tensor_slot slots[SQA_LAYER_FORWARD_SLOTS] = {
    [SQA_SLOT_Q] = {OUTPUT(q)},
    [SQA_SLOT_K] = {OUTPUT(k), SQA_UNIT_INPUT},
    [SQA_SLOT_V] = {OUTPUT(v), SQA_UNIT_INPUT},
    [SQA_SLOT_O] = {OUTPUT(o)},
    [SQA_SLOT_LSE] = {OUTPUT(lse)},
    [SQA_SLOT_BIAS] = {INPUT(bias), SQA_UNIT_INPUT},
    [SQA_SLOT_MASK] = {INPUT(mask), .fill = sqa_fill_mask},
    [SQA_SLOT_KEY_MASK] = {INPUT(key_mask), .fill = sqa_fill_mask},
    [SQA_SLOT_SINKS] = {INPUT(sinks), .low = -2.0f, .high = 2.0f},
    [SQA_SLOT_SLOPES] = {INPUT(slopes), .low = 0.0f, .high = 0.5f},
    [SQA_SLOT_GLOBALS] = {INPUT(globals), .fill = sqa_fill_globals},
    [SQA_SLOT_BLOCK_OFFSETS] = {INPUT(block_offsets), .fill = sqa_fill_block_offsets},
    [SQA_SLOT_BLOCK_INDICES] = {INPUT(block_indices), .fill = sqa_fill_block_indices},
    [SQA_SLOT_CU_SEQLENS_Q] = {INPUT(cu_seqlens_q), .fill = sqa_fill_q_starts},
    [SQA_SLOT_CU_SEQLENS_KV] = {INPUT(cu_seqlens_kv), .fill = sqa_fill_kv_starts},
    [SQA_SLOT_DROPOUT_SEED] = {INPUT(dropout_seed), .fill = sqa_fill_seed},
    [SQA_SLOT_BLOCK_TABLE] = {INPUT(block_table), .fill = sqa_fill_block_table},
    [SQA_SLOT_KV_LENGTHS] = {INPUT(kv_lengths), .fill = sqa_fill_kv_lengths},
    [SQA_LAYER_QKV] = {OUTPUT(qkv)},
    [SQA_LAYER_X] = {INPUT(x), SQA_UNIT_INPUT},
    [SQA_LAYER_CONTEXT] = {INPUT(context), SQA_UNIT_INPUT},
    [SQA_LAYER_WQ] = {INPUT(wq), .low = -0.25f, .high = 0.25f},
    [SQA_LAYER_WK] = {INPUT(wk), .low = -0.25f, .high = 0.25f},
    [SQA_LAYER_WV] = {INPUT(wv), .low = -0.25f, .high = 0.25f},
    [SQA_LAYER_WQKV] = {INPUT(wqkv), .low = -0.25f, .high = 0.25f},
    [SQA_LAYER_WO] = {INPUT(wo), .low = -0.25f, .high = 0.25f},
    [SQA_LAYER_BQ] = {INPUT(bq), SQA_UNIT_INPUT},
    [SQA_LAYER_BK] = {INPUT(bk), SQA_UNIT_INPUT},
    [SQA_LAYER_BV] = {INPUT(bv), SQA_UNIT_INPUT},
    [SQA_LAYER_BQKV] = {INPUT(bqkv), SQA_UNIT_INPUT},
    [SQA_LAYER_BO] = {INPUT(bo), SQA_UNIT_INPUT},
    [SQA_LAYER_WG] = {INPUT(wg), .low = -0.25f, .high = 0.25f},
    [SQA_LAYER_BG] = {INPUT(bg), SQA_UNIT_INPUT},
    [SQA_LAYER_Q_NORM] = {INPUT(q_norm), .low = 0.5f, .high = 1.5f},
    [SQA_LAYER_K_NORM] = {INPUT(k_norm), .low = 0.5f, .high = 1.5f},
    [SQA_LAYER_WDECAY] = {INPUT(wdecay), .low = -0.25f, .high = 0.25f},
    [SQA_LAYER_BDECAY] = {INPUT(bdecay), .low = 0.0f, .high = 4.0f},
    [SQA_LAYER_WBETA] = {INPUT(wbeta), .low = -0.25f, .high = 0.25f},
    [SQA_LAYER_BBETA] = {INPUT(bbeta), .low = -4.0f, .high = -1.0f},
    [SQA_LAYER_POSITIONS] = {INPUT(positions), .fill = sqa_fill_rope_positions},
    [SQA_LAYER_Q_PROJECTED] = {OUTPUT(q_projected)},
    [SQA_LAYER_K_PROJECTED] = {OUTPUT(k_projected)},
    [SQA_LAYER_G] = {OUTPUT(g)},
    [SQA_LAYER_DECAY_PROJECTED] = {OUTPUT(decay_projected)},
    [SQA_LAYER_BETA_PROJECTED] = {OUTPUT(beta_projected)},
    [SQA_LAYER_DECAY] = {INPUT(decay), .low = 0.0f, .high = 1.0f, .map = sqa_map_decay},
    [SQA_LAYER_BETA] = {INPUT(beta), .low = 0.0f, .high = 1.0f, .map = sqa_layer_map_beta},
    [SQA_LAYER_STATE_IN] = {INPUT(state_in), SQA_UNIT_INPUT},
    [SQA_LAYER_SUMS_IN] = {INPUT(sums_in), .low = 0.0f, .high = 1.0f},
    [SQA_LAYER_STATE] = {OUTPUT(state), SQA_UNIT_INPUT},
    [SQA_LAYER_SUMS] = {OUTPUT(sums), .low = 0.0f, .high = 1.0f},
    [SQA_LAYER_Y] = {OUTPUT(y)},
};

/* Of all projections, the products. */
static double flop(const sqa_problem *problem)
{
    const sqa_layer_pass *layer = &problem->of.layer;
    sqa_projection projections[SQA_MAX_PROJECTIONS];
    const uint32_t count = sqa_layer_projections(layer, projections);
    sqa_problem linear;
    sqa_layer_linear_problem(layer, SQA_OPERATION_LINEAR_FORWARD, &linear);
    double sum =
        (layer->is_linear ? sqa_problem_flop(&linear) : sqa_attention_flop(&layer->attention)) +
        2.0 * sqa_layer_q_rows(layer) * sqa_layer_o_columns(layer) * layer->d_model;
    for (uint32_t i = 0; i < count; i++)
        sum += 2.0 * projections[i].rows * projections[i].width * projections[i].columns;
    return sum;
}

const sqa_operation_entry sqa_operation_layer = {
    .id = SQA_OPERATION_LAYER,
    .name = "layer",
    .summary = "attention layer: projections, attention, output projection",
    .fields = fields,
    .needs = sqa_layer_needs,
    .descriptor_bytes = sizeof(sqa_layer_shape),
    .start = sqa_layer_start,
    .settle = sqa_layer_settle,
    .describe = sqa_layer_describe,
    .class_parts = sqa_attention_class_parts,
    .tensors = {SQA_LAYER_TENSORS_VERSION, offsetof(sqa_layer_tensors, workspace)},
    .slots = slots,
    .slot_count = SQA_LAYER_FORWARD_SLOTS,
    .tensor = sqa_layer_tensor,
    .is_touched = sqa_layer_is_touched,
    .is_updated = sqa_layer_is_updated,
    .is_nothing = sqa_layer_is_nothing,
    .flop = flop,
    .groups = sqa_layer_groups,
    .tolerances = sqa_layer_tolerances,
    .tolerance_count = SQA_LAYER_TOLERANCES,
    .recipe = sqa_layer_forward_recipe,
};
