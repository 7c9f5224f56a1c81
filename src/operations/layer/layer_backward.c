/* The gradients of the attention layer (include/sqa_cl/layer.h): a recipe, too. */
#include "operations/attention/fields.h"
#include "operations/backward/slots.h"
#include "operations/entries.h"
#include "operations/layer/fields.h"
#include "operations/layer/linear.h"
#include "operations/rope/fields.h"
#include "operations/tensors.h"

static const sqa_shape_field *const fields[] = {
    sqa_size_fields,           sqa_value_fields,
    sqa_storage_fields,        sqa_position_fields,
    sqa_pattern_fields,        sqa_list_fields,
    sqa_ragged_fields,         sqa_layer_size_fields,
    sqa_layer_position_fields, sqa_layer_kind_fields,
    sqa_linear_rule_fields,    sqa_linear_stride_fields,
    sqa_layer_gradient_fields, NULL,
};

#define SLOT(tensor, how)                                                                          \
    .name = #tensor, .use = how, .member = offsetof(sqa_layer_backward_tensors, tensor)
#define INPUT(tensor) SLOT(tensor, SQA_SLOT_INPUT)
#define OUTPUT(tensor) SLOT(tensor, SQA_SLOT_OUTPUT)

/* What is kept is of no forward pass, but as large as of one: the gradients are a function of it
 * whatever it is. */
static const sqa_tensor_slot slots[SQA_LAYER_SLOTS] = {
    [SQA_SLOT_Q] = {INPUT(q), SQA_UNIT_INPUT},
    [SQA_SLOT_K] = {INPUT(k), SQA_UNIT_INPUT},
    [SQA_SLOT_V] = {INPUT(v), SQA_UNIT_INPUT},
    [SQA_SLOT_O] = {INPUT(o), SQA_UNIT_INPUT},
    [SQA_SLOT_LSE] = {INPUT(lse), .fill = sqa_fill_lse},
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
    [SQA_LAYER_QKV] = {INPUT(qkv), SQA_UNIT_INPUT},
    [SQA_LAYER_X] = {INPUT(x), SQA_UNIT_INPUT},
    [SQA_LAYER_CONTEXT] = {INPUT(context), SQA_UNIT_INPUT},
    [SQA_LAYER_WQ] = {INPUT(wq), .low = -0.25f, .high = 0.25f},
    [SQA_LAYER_WK] = {INPUT(wk), .low = -0.25f, .high = 0.25f},
    [SQA_LAYER_WV] = {INPUT(wv), .low = -0.25f, .high = 0.25f},
    [SQA_LAYER_WQKV] = {INPUT(wqkv), .low = -0.25f, .high = 0.25f},
    [SQA_LAYER_WO] = {INPUT(wo), .low = -0.25f, .high = 0.25f},
    [SQA_LAYER_WG] = {INPUT(wg), .low = -0.25f, .high = 0.25f},
    [SQA_LAYER_Q_NORM] = {INPUT(q_norm), .low = 0.5f, .high = 1.5f},
    [SQA_LAYER_K_NORM] = {INPUT(k_norm), .low = 0.5f, .high = 1.5f},
    [SQA_LAYER_WDECAY] = {INPUT(wdecay), .low = -0.25f, .high = 0.25f},
    [SQA_LAYER_WBETA] = {INPUT(wbeta), .low = -0.25f, .high = 0.25f},
    [SQA_LAYER_POSITIONS] = {INPUT(positions), .fill = sqa_fill_rope_positions},
    [SQA_LAYER_Q_PROJECTED] = {INPUT(q_projected), SQA_UNIT_INPUT},
    [SQA_LAYER_K_PROJECTED] = {INPUT(k_projected), SQA_UNIT_INPUT},
    [SQA_LAYER_G] = {INPUT(g), SQA_UNIT_INPUT},
    [SQA_LAYER_DECAY_PROJECTED] = {INPUT(decay_projected), .low = -2.0f, .high = 4.0f},
    [SQA_LAYER_BETA_PROJECTED] = {INPUT(beta_projected), .low = -6.0f, .high = -2.0f},
    [SQA_LAYER_DECAY] = {INPUT(decay), .low = 0.0f, .high = 1.0f, .map = sqa_map_decay},
    [SQA_LAYER_BETA] = {INPUT(beta), .low = 0.0f, .high = 1.0f, .map = sqa_layer_map_beta},
    [SQA_LAYER_STATE_IN] = {INPUT(state_in), SQA_UNIT_INPUT},
    [SQA_LAYER_SUMS_IN] = {INPUT(sums_in), .low = 0.0f, .high = 1.0f},
    [SQA_LAYER_DY] = {INPUT(dy), SQA_UNIT_INPUT},
    [SQA_LAYER_DSTATE] = {INPUT(dstate), SQA_UNIT_INPUT},
    [SQA_LAYER_DSUMS] = {INPUT(dsums), SQA_UNIT_INPUT},
    [SQA_LAYER_DX] = {OUTPUT(dx)},
    [SQA_LAYER_DCONTEXT] = {OUTPUT(dcontext)},
    [SQA_LAYER_DWQ] = {OUTPUT(dwq), SQA_UNIT_INPUT},
    [SQA_LAYER_DWK] = {OUTPUT(dwk), SQA_UNIT_INPUT},
    [SQA_LAYER_DWV] = {OUTPUT(dwv), SQA_UNIT_INPUT},
    [SQA_LAYER_DWQKV] = {OUTPUT(dwqkv), SQA_UNIT_INPUT},
    [SQA_LAYER_DWO] = {OUTPUT(dwo), SQA_UNIT_INPUT},
    [SQA_LAYER_DBQ] = {OUTPUT(dbq), SQA_UNIT_INPUT},
    [SQA_LAYER_DBK] = {OUTPUT(dbk), SQA_UNIT_INPUT},
    [SQA_LAYER_DBV] = {OUTPUT(dbv), SQA_UNIT_INPUT},
    [SQA_LAYER_DBQKV] = {OUTPUT(dbqkv), SQA_UNIT_INPUT},
    [SQA_LAYER_DBO] = {OUTPUT(dbo), SQA_UNIT_INPUT},
    [SQA_LAYER_DBIAS] = {OUTPUT(dbias), SQA_UNIT_INPUT},
    [SQA_LAYER_DSINKS] = {OUTPUT(dsinks), SQA_UNIT_INPUT},
    [SQA_LAYER_DSLOPES] = {OUTPUT(dslopes), SQA_UNIT_INPUT},
    [SQA_LAYER_DWG] = {OUTPUT(dwg), SQA_UNIT_INPUT},
    [SQA_LAYER_DBG] = {OUTPUT(dbg), SQA_UNIT_INPUT},
    [SQA_LAYER_DQ_NORM] = {OUTPUT(dq_norm), SQA_UNIT_INPUT},
    [SQA_LAYER_DK_NORM] = {OUTPUT(dk_norm), SQA_UNIT_INPUT},
    [SQA_LAYER_DDECAY] = {OUTPUT(ddecay)},
    [SQA_LAYER_DBETA] = {OUTPUT(dbeta)},
    [SQA_LAYER_DSTATE_IN] = {OUTPUT(dstate_in)},
    [SQA_LAYER_DSUMS_IN] = {OUTPUT(dsums_in)},
    [SQA_LAYER_DWDECAY] = {OUTPUT(dwdecay), SQA_UNIT_INPUT},
    [SQA_LAYER_DBDECAY] = {OUTPUT(dbdecay), SQA_UNIT_INPUT},
    [SQA_LAYER_DWBETA] = {OUTPUT(dwbeta), SQA_UNIT_INPUT},
    [SQA_LAYER_DBBETA] = {OUTPUT(dbbeta), SQA_UNIT_INPUT},
};

/* Sums of rows are nothing beside products. */
static double product(const sqa_layer_pass *layer, uint32_t slot, double rows, double width,
                      double columns)
{
    return sqa_layer_has_gradient(layer, slot) ? 2.0 * rows * width * columns : 0.0;
}

static double projections_flop(const sqa_layer_pass *layer)
{
    sqa_projection projections[SQA_MAX_PROJECTIONS];
    const uint32_t count = sqa_layer_projections(layer, projections);
    double sum = 0.0;
    for (uint32_t i = 0; i < count; i++) {
        const sqa_projection *p = &projections[i];
        sum += product(layer, p->weight_gradient, p->rows, p->width, p->columns) +
               product(layer, p->input_gradient, p->rows, p->width, p->columns);
    }
    return sum;
}

static double flop(const sqa_problem *problem)
{
    const sqa_layer_pass *layer = &problem->of.layer;
    const double output = 2.0 * sqa_layer_q_rows(layer) * sqa_layer_o_columns(layer);
    const uint32_t core = sqa_layer_core_gradients(layer),
                   scores = sqa_layer_score_gradients(layer);
    sqa_problem attention;
    sqa_status status = SQA_OK;
    double sum = projections_flop(layer);
    if (sqa_layer_has_gradient(layer, SQA_LAYER_DWO))
        sum += output * layer->d_model;
    if (layer->is_linear)
        sqa_layer_linear_problem(layer, SQA_OPERATION_LINEAR_BACKWARD, &attention);
    else
        status = sqa_layer_attention_backward(layer, core | scores, 0, &attention);
    if ((core || scores) && status == SQA_OK)
        sum += output * layer->d_model + sqa_problem_flop(&attention);
    return sum;
}

const sqa_operation_entry sqa_operation_layer_backward = {
    .id = SQA_OPERATION_LAYER_BACKWARD,
    .name = "layer_backward",
    .summary = "gradients of the attention layer",
    .fields = fields,
    .needs = sqa_layer_needs,
    .descriptor_bytes = sizeof(sqa_layer_shape),
    .start = sqa_layer_start,
    .settle = sqa_layer_backward_settle,
    .describe = sqa_layer_describe,
    .class_parts = sqa_attention_class_parts,
    .tensors = {SQA_LAYER_BACKWARD_TENSORS_VERSION,
                offsetof(sqa_layer_backward_tensors, workspace)},
    .slots = slots,
    .slot_count = SQA_LAYER_SLOTS,
    .tensor = sqa_layer_tensor,
    .is_touched = sqa_layer_is_touched,
    .is_updated = sqa_layer_is_updated,
    .is_nothing = sqa_writes_nothing,
    .flop = flop,
    .groups = sqa_layer_backward_groups,
    .tolerances = sqa_layer_backward_tolerances,
    .tolerance_count = SQA_LAYER_BACKWARD_TOLERANCES,
    .recipe = sqa_layer_backward_recipe,
};
