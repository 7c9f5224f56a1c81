/* The stages of a layer, forward and backward: matrix products around attention. */
#include "operations/recipe.h"
#include "operations/activation/fields.h"
#include "operations/activation/slots.h"
#include "operations/backward/fields.h"
#include "operations/backward/slots.h"
#include "operations/layer/linear.h"
#include "operations/layer/stages.h"
#include "operations/matmul/fields.h"
#include "operations/matmul/slots.h"

#define CORE (SQA_GRADIENT_Q | SQA_GRADIENT_K | SQA_GRADIENT_V)

static sqa_link callers(uint32_t slot)
{
    return (sqa_link){(int16_t)slot, 0};
}

static sqa_link add_matrix(sqa_recipe *recipe, const sqa_layer_pass *layer, uint32_t rows,
                           uint32_t columns)
{
    const sqa_tensor_shape shape = sqa_layer_matrix(layer, rows, columns);
    return sqa_recipe_add_scratch(recipe, &shape);
}

/* A matrix that is kept, or else scratch. */
static sqa_link place_of(sqa_recipe *recipe, const sqa_layer_pass *layer, uint32_t slot,
                         uint32_t rows, uint32_t columns)
{
    return layer->keep ? callers(slot) : add_matrix(recipe, layer, rows, columns);
}

static sqa_matmul_desc product_of(const sqa_layer_pass *layer, uint32_t m, uint32_t n, uint32_t k)
{
    sqa_matmul_desc desc = SQA_MATMUL_DESC_INIT;
    desc.dtype = layer->attention.dtype;
    desc.m = m;
    desc.n = n;
    desc.k = k;
    return desc;
}

/* C = op(A) op(B), with a bias where desc.bias says so. */
static sqa_status add_product(sqa_recipe *recipe, const sqa_matmul_desc *desc, sqa_link a,
                              sqa_link b, uint32_t bias, sqa_link c)
{
    sqa_stage *stage = sqa_recipe_add_stage(recipe);
    stage->links[SQA_SLOT_MATRIX_A] = a;
    stage->links[SQA_SLOT_MATRIX_B] = b;
    stage->links[SQA_SLOT_MATRIX_C] = c;
    if (desc->bias)
        stage->links[SQA_SLOT_COLUMN_BIAS] = callers(bias);
    return sqa_problem_from_matmul(&stage->problem, desc);
}

/* Q, K or V (its slot) within the projections' outputs. */
static sqa_link projected(const sqa_layer_pass *layer, const sqa_link *outputs, uint32_t slot)
{
    sqa_link link = outputs[sqa_layer_projection_of(layer, slot)];
    link.offset += sqa_layer_column_of(layer, slot);
    return link;
}

/* Links a stage's Q, K and V, or their gradients. */
static void link_attended(sqa_stage *stage, uint32_t first_slot, const sqa_link attended[3])
{
    for (uint32_t i = 0; i < 3; i++)
        stage->links[first_slot + i] = attended[i];
}

/* What decay and beta follow from, among what belongs to projections. */
static void find_projected(const sqa_layer_pass *layer, const sqa_link *outputs, sqa_link out[2])
{
    for (uint32_t i = 0; i < 2; i++)
        if (i ? layer->project_beta : layer->project_decay)
            out[i] = outputs[sqa_layer_projection_of(layer, SQA_LAYER_DECAY_PROJECTED + i)];
}

static sqa_status add_attention(sqa_recipe *recipe, const sqa_layer_pass *layer,
                                const sqa_link *outputs, const sqa_link attended[3], sqa_link o)
{
    sqa_link q_k_v[3] = {attended[0], attended[1], attended[2]};
    sqa_attention_desc desc;
    if (layer->is_linear) {
        sqa_link of_gates[2];
        find_projected(layer, outputs, of_gates);
        return sqa_layer_add_linear(recipe, layer, attended, of_gates, o);
    }
    sqa_attention_to_desc(&layer->attention, &desc);
    sqa_status status = sqa_layer_gather(recipe, layer, SQA_SLOT_K, &q_k_v[1], &desc.k);
    if (status == SQA_OK)
        status = sqa_layer_gather(recipe, layer, SQA_SLOT_V, &q_k_v[2], &desc.v);
    sqa_stage *stage = sqa_recipe_add_stage(recipe);
    sqa_stage_link_callers(stage, SQA_ATTENTION_SLOTS);
    link_attended(stage, SQA_SLOT_Q, q_k_v);
    stage->links[SQA_SLOT_O] = o;
    return status == SQA_OK ? sqa_problem_from_desc(&stage->problem, &desc) : status;
}

/* O times the sigmoid of G, into A. */
static sqa_status add_gate(sqa_recipe *recipe, const sqa_layer_pass *layer, sqa_link g, sqa_link o,
                           sqa_link a)
{
    const sqa_activation_desc desc = sqa_layer_gate_desc(layer);
    sqa_stage *stage = sqa_recipe_add_stage(recipe);
    stage->links[SQA_SLOT_ACTIVATION_A] = g;
    stage->links[SQA_SLOT_ACTIVATION_B] = o;
    stage->links[SQA_SLOT_ACTIVATION_Y] = a;
    return sqa_problem_from_activation(&stage->problem, &desc);
}

static sqa_status add_projections(sqa_recipe *recipe, const sqa_layer_pass *layer,
                                  sqa_link outputs[SQA_MAX_PROJECTIONS])
{
    sqa_projection projections[SQA_MAX_PROJECTIONS];
    const uint32_t count = sqa_layer_projections(layer, projections);
    sqa_status status = SQA_OK;
    for (uint32_t i = 0; i < count && status == SQA_OK; i++) {
        const sqa_projection *p = &projections[i];
        sqa_matmul_desc desc = product_of(layer, p->rows, p->columns, p->width);
        desc.bias = layer->biases;
        outputs[i] = place_of(recipe, layer, p->output, p->rows, p->columns);
        status =
            add_product(recipe, &desc, callers(p->input), callers(p->weight), p->bias, outputs[i]);
    }
    return status;
}

/* What attention reads: what is projected, normalised and turned. */
static sqa_status add_attended(sqa_recipe *recipe, const sqa_layer_pass *layer,
                               const sqa_link *outputs, sqa_link attended[3])
{
    sqa_status status = SQA_OK;
    for (uint32_t i = 0; i < 3; i++)
        attended[i] = projected(layer, outputs, SQA_SLOT_Q + i);
    for (uint32_t i = 0; i < 2 && layer->qk_norm && status == SQA_OK; i++) {
        const uint32_t rows = i ? sqa_layer_kv_rows(layer) : sqa_layer_q_rows(layer);
        const sqa_link x = attended[i];
        attended[i] = place_of(recipe, layer, SQA_SLOT_Q + i, rows,
                               i ? sqa_layer_k_columns(layer) : sqa_layer_q_columns(layer));
        status = sqa_layer_add_norm(recipe, layer, i, x, attended[i]);
    }
    const bool appended = sqa_layer_has_cache(layer) && !layer->positions;
    const uint32_t turned = !layer->rope ? layer->hadamard : appended ? 1 : 2;
    for (uint32_t i = 0; i < turned && status == SQA_OK; i++)
        status = sqa_layer_add_rope(recipe, layer, i, false, attended[i]);
    if (!sqa_layer_has_cache(layer) || status != SQA_OK)
        return status;
    status = sqa_layer_add_append(recipe, layer, attended[1], attended[2]);
    attended[1] = callers(SQA_SLOT_K);
    attended[2] = callers(SQA_SLOT_V);
    return status;
}

sqa_status sqa_layer_forward_recipe(const sqa_problem *problem, sqa_recipe *out)
{
    const sqa_layer_pass *layer = &problem->of.layer;
    const uint32_t rows = sqa_layer_q_rows(layer), columns = sqa_layer_o_columns(layer);
    sqa_link outputs[SQA_MAX_PROJECTIONS], attended[3];
    sqa_status status = add_projections(out, layer, outputs);
    if (status == SQA_OK)
        status = add_attended(out, layer, outputs, attended);
    const sqa_link o = place_of(out, layer, SQA_SLOT_O, rows, columns);
    const sqa_link a = layer->gate ? add_matrix(out, layer, rows, columns) : o;
    if (status == SQA_OK)
        status = add_attention(out, layer, outputs, attended, o);
    if (status == SQA_OK && layer->gate)
        status = add_gate(out, layer, outputs[sqa_layer_projection_of(layer, SQA_LAYER_G)], o, a);
    sqa_matmul_desc desc = product_of(layer, rows, layer->d_model, columns);
    desc.bias = layer->biases;
    return status == SQA_OK ? add_product(out, &desc, a, callers(SQA_LAYER_WO), SQA_LAYER_BO,
                                          callers(SQA_LAYER_Y))
                            : status;
}

uint32_t sqa_layer_score_gradients(const sqa_layer_pass *layer)
{
    return (layer->gradients & SQA_LAYER_GRADIENT_BIAS ? (uint32_t)SQA_GRADIENT_BIAS : 0u) |
           (layer->gradients & SQA_LAYER_GRADIENT_SINKS ? (uint32_t)SQA_GRADIENT_SINKS : 0u) |
           (layer->gradients & SQA_LAYER_GRADIENT_SLOPES ? (uint32_t)SQA_GRADIENT_SLOPES : 0u);
}

/* What a backward pass reads for every tile of keys, and how it lies. */
typedef struct often_read {
    sqa_link q, dout;
    sqa_strides q_strides, dout_strides;
} often_read;

static sqa_status attention_backward(const sqa_layer_pass *layer, uint32_t gradients,
                                     uint32_t accumulate, const often_read *read, sqa_problem *out)
{
    sqa_attention_desc desc;
    sqa_backward_options options = SQA_BACKWARD_OPTIONS_INIT;
    sqa_attention_to_desc(&layer->attention, &desc);
    desc.q = read->q_strides;
    options.dout = read->dout_strides;
    options.gradients = gradients;
    options.accumulate = accumulate;
    /* Without being told, those of one matrix would be packed where strides overlap. */
    options.dq = layer->attention.q;
    options.dk = layer->attention.k;
    options.dv = layer->attention.v;
    return sqa_problem_from_backward(out, &desc, &options);
}

sqa_status sqa_layer_attention_backward(const sqa_layer_pass *layer, uint32_t gradients,
                                        uint32_t accumulate, sqa_problem *out)
{
    const often_read as_kept = {.q_strides = layer->attention.q,
                                .dout_strides = layer->attention.o};
    return attention_backward(layer, gradients, accumulate, &as_kept, out);
}

/* dA = the sum of the rows of dC: a product with a row of ones. */
static sqa_status add_bias_gradient(sqa_recipe *recipe, const sqa_layer_pass *layer, uint32_t rows,
                                    uint32_t columns, sqa_link dc, uint32_t slot)
{
    sqa_matmul_desc desc = product_of(layer, 1, columns, rows);
    const sqa_link one = {SQA_LINK_ONE, 0};
    desc.transpose_a = 1;
    desc.a = (sqa_matrix_strides){1, 0};
    desc.beta = layer->accumulate ? 1.0f : 0.0f;
    return sqa_layer_has_gradient(layer, slot)
               ? add_product(recipe, &desc, one, dc, 0, callers(slot))
               : SQA_OK;
}

/* dB = A^T dC, where C (rows, columns) was A (rows, width) times B. */
static sqa_status add_weight_gradient(sqa_recipe *recipe, const sqa_layer_pass *layer,
                                      uint32_t rows, uint32_t width, uint32_t columns, sqa_link a,
                                      sqa_link dc, uint32_t slot)
{
    sqa_matmul_desc desc = product_of(layer, width, columns, rows);
    desc.transpose_a = 1;
    desc.beta = layer->accumulate ? 1.0f : 0.0f;
    return sqa_layer_has_gradient(layer, slot) ? add_product(recipe, &desc, a, dc, 0, callers(slot))
                                               : SQA_OK;
}

/* Whether anything follows from the gradient of what the projection gives. */
static bool is_needed(const sqa_layer_pass *layer, const sqa_projection *p)
{
    return sqa_layer_has_gradient(layer, p->input_gradient) ||
           sqa_layer_has_gradient(layer, p->weight_gradient) ||
           sqa_layer_has_gradient(layer, p->bias_gradient);
}

/* Those of attention's gradients that it is made of. */
static uint32_t core_of(const sqa_projection *p)
{
    switch (p->output) {
    case SQA_LAYER_QKV: return CORE;
    case SQA_SLOT_Q:
    case SQA_LAYER_Q_PROJECTED: return SQA_GRADIENT_Q;
    case SQA_SLOT_K:
    case SQA_LAYER_K_PROJECTED: return SQA_GRADIENT_K;
    case SQA_SLOT_V: return SQA_GRADIENT_V;
    case SQA_LAYER_DECAY_PROJECTED:
    case SQA_LAYER_BETA_PROJECTED: return CORE;
    default: return 0;
    }
}

uint32_t sqa_layer_core_gradients(const sqa_layer_pass *layer)
{
    sqa_projection projections[SQA_MAX_PROJECTIONS];
    const uint32_t count = sqa_layer_projections(layer, projections);
    uint32_t gradients = (sqa_layer_has_gradient(layer, SQA_LAYER_DQ_NORM) ? SQA_GRADIENT_Q : 0u) |
                         (sqa_layer_has_gradient(layer, SQA_LAYER_DK_NORM) ? SQA_GRADIENT_K : 0u);
    for (uint32_t i = 0; i < count; i++)
        gradients |= is_needed(layer, &projections[i]) ? core_of(&projections[i]) : 0;
    for (uint32_t slot = SQA_LAYER_DDECAY; slot <= SQA_LAYER_DSUMS_IN; slot++)
        gradients |= sqa_layer_has_gradient(layer, slot) ? CORE : 0;
    return layer->is_linear && gradients ? CORE : gradients; /* which has them all at once */
}

/* What attention read, as it was kept. */
static sqa_link kept(const sqa_layer_pass *layer, uint32_t slot)
{
    const bool apart = !layer->fused_qkv || (layer->qk_norm && slot != SQA_SLOT_V);
    sqa_link link = callers(apart ? slot : SQA_LAYER_QKV);
    link.offset = apart ? 0 : sqa_layer_column_of(layer, slot);
    return link;
}

static sqa_status add_attention_backward(sqa_recipe *recipe, const sqa_layer_pass *layer,
                                         uint32_t gradients, uint32_t accumulate,
                                         const often_read *read, const sqa_link attended[3])
{
    sqa_stage *stage = sqa_recipe_add_stage(recipe);
    sqa_stage_link_callers(stage, SQA_ATTENTION_SLOTS);
    stage->links[SQA_SLOT_Q] = read->q;
    stage->links[SQA_SLOT_K] = kept(layer, SQA_SLOT_K);
    stage->links[SQA_SLOT_V] = kept(layer, SQA_SLOT_V);
    link_attended(stage, SQA_SLOT_DQ, attended);
    stage->links[SQA_SLOT_DOUT] = read->dout;
    stage->links[SQA_SLOT_DBIAS] = callers(SQA_LAYER_DBIAS);
    stage->links[SQA_SLOT_DSINKS] = callers(SQA_LAYER_DSINKS);
    stage->links[SQA_SLOT_DSLOPES] = callers(SQA_LAYER_DSLOPES);
    return attention_backward(layer, gradients, accumulate, read, &stage->problem);
}

/* dQ, dK and dV, which are scratch and never added to; gradients of scores may be. */
static sqa_status add_gradients_of_attention(sqa_recipe *recipe, const sqa_layer_pass *layer,
                                             uint32_t core, sqa_link dout, const sqa_link *outputs,
                                             const sqa_link attended[3])
{
    const uint32_t scores = sqa_layer_score_gradients(layer);
    const sqa_link q = kept(layer, SQA_SLOT_Q);
    often_read read = {q, dout, layer->attention.q, layer->attention.o};
    sqa_status status = SQA_OK;
    if (layer->is_linear && core) {
        const sqa_link q_k_v[3] = {q, kept(layer, SQA_SLOT_K), kept(layer, SQA_SLOT_V)};
        sqa_link of_gates[2];
        find_projected(layer, outputs, of_gates);
        return sqa_layer_add_linear_backward(recipe, layer, q_k_v, dout, attended, of_gates);
    }
    if (core || scores)
        status = sqa_layer_gather(recipe, layer, SQA_SLOT_Q, &read.q, &read.q_strides);
    if (status == SQA_OK && (core || scores))
        status = sqa_layer_gather(recipe, layer, SQA_SLOT_DOUT, &read.dout, &read.dout_strides);
    if (status == SQA_OK && !layer->accumulate && core)
        return add_attention_backward(recipe, layer, core | scores, 0, &read, attended);
    if (status == SQA_OK && core)
        status = add_attention_backward(recipe, layer, core, 0, &read, attended);
    if (status == SQA_OK && scores)
        status = add_attention_backward(recipe, layer, scores, layer->accumulate, &read, attended);
    return status;
}

/* dA = dC B^T, added to that of the projection before where it is of the same input. */
static sqa_status add_input_gradient(sqa_recipe *recipe, const sqa_layer_pass *layer,
                                     const sqa_projection *p, sqa_link dc, bool first)
{
    sqa_matmul_desc desc = product_of(layer, p->rows, p->width, p->columns);
    desc.transpose_b = 1;
    desc.beta = first ? 0.0f : 1.0f;
    return sqa_layer_has_gradient(layer, p->input_gradient)
               ? add_product(recipe, &desc, dc, callers(p->weight), 0, callers(p->input_gradient))
               : SQA_OK;
}

static sqa_status add_projection_gradients(sqa_recipe *recipe, const sqa_layer_pass *layer,
                                           const sqa_projection *p, sqa_link dc, bool first)
{
    sqa_status status = add_weight_gradient(recipe, layer, p->rows, p->width, p->columns,
                                            callers(p->input), dc, p->weight_gradient);
    if (status == SQA_OK)
        status = add_bias_gradient(recipe, layer, p->rows, p->columns, dc, p->bias_gradient);
    return status == SQA_OK ? add_input_gradient(recipe, layer, p, dc, first) : status;
}

/* Of Wo and bo, which need no gradient of attention; with a gate, of what it let through. */
static sqa_status add_output_gradients(sqa_recipe *recipe, const sqa_layer_pass *layer)
{
    const uint32_t rows = sqa_layer_q_rows(layer), columns = sqa_layer_o_columns(layer);
    const sqa_link dy = callers(SQA_LAYER_DY), o = callers(SQA_SLOT_O);
    const bool gated = layer->gate && sqa_layer_has_gradient(layer, SQA_LAYER_DWO);
    const sqa_link a = gated ? add_matrix(recipe, layer, rows, columns) : o;
    sqa_status status = gated ? add_gate(recipe, layer, callers(SQA_LAYER_G), o, a) : SQA_OK;
    if (status == SQA_OK)
        status =
            add_weight_gradient(recipe, layer, rows, columns, layer->d_model, a, dy, SQA_LAYER_DWO);
    return status == SQA_OK
               ? add_bias_gradient(recipe, layer, rows, layer->d_model, dy, SQA_LAYER_DBO)
               : status;
}

/* From dA to dO, where somebody needs that, and to dG, likewise (SQA_LINK_NONE: nobody). */
static sqa_status add_gate_gradients(sqa_recipe *recipe, const sqa_layer_pass *layer, sqa_link da,
                                     sqa_link dout, sqa_link dg)
{
    const sqa_activation_desc desc = sqa_layer_gate_desc(layer);
    sqa_activation_backward_options options = SQA_ACTIVATION_BACKWARD_OPTIONS_INIT;
    sqa_stage *stage = sqa_recipe_add_stage(recipe);
    options.da = dg.from != SQA_LINK_NONE;
    options.db = dout.from != SQA_LINK_NONE;
    stage->links[SQA_SLOT_ACTIVATION_A] = callers(SQA_LAYER_G);
    stage->links[SQA_SLOT_ACTIVATION_B] = callers(SQA_SLOT_O);
    stage->links[SQA_SLOT_ACTIVATION_DY] = da;
    stage->links[SQA_SLOT_ACTIVATION_DA] = dg;
    stage->links[SQA_SLOT_ACTIVATION_DB] = dout;
    return sqa_problem_from_activation_backward(&stage->problem, &desc, &options);
}

/* From the gradients of what attention reads to those of what the projections give. */
static sqa_status add_turned_back(sqa_recipe *recipe, const sqa_layer_pass *layer, uint32_t core,
                                  const sqa_link attended[3], const sqa_link *outputs)
{
    sqa_status status = SQA_OK;
    for (uint32_t i = 0; i < 2 && status == SQA_OK; i++) {
        if (!(core & (uint32_t)SQA_GRADIENT_Q << i))
            continue;
        if (layer->rope)
            status = sqa_layer_add_rope(recipe, layer, i, true, attended[i]);
        if (status == SQA_OK && layer->qk_norm)
            status = sqa_layer_add_norm_backward(recipe, layer, i, attended[i],
                                                 projected(layer, outputs, SQA_SLOT_Q + i));
    }
    return status;
}

/* Where the gradients of what attention reads go: with qk_norm, dQ and dK not where those of the
 * projections do. */
static void place_attended(sqa_recipe *recipe, const sqa_layer_pass *layer, uint32_t core,
                           const sqa_link *outputs, sqa_link attended[3])
{
    for (uint32_t i = 0; i < 3; i++)
        attended[i] = projected(layer, outputs, SQA_SLOT_Q + i);
    if (layer->qk_norm && core & SQA_GRADIENT_Q)
        attended[0] =
            add_matrix(recipe, layer, sqa_layer_q_rows(layer), sqa_layer_q_columns(layer));
    if (layer->qk_norm && core & SQA_GRADIENT_K)
        attended[1] =
            add_matrix(recipe, layer, sqa_layer_kv_rows(layer), sqa_layer_k_columns(layer));
}

/* Whether an earlier projection is of the same input. */
static bool is_first_of_input(const sqa_projection *projections, uint32_t number)
{
    for (uint32_t i = 0; i < number; i++)
        if (projections[i].input == projections[number].input)
            return false;
    return true;
}

/* What becomes of dA = dY Wo^T, which without a gate is dO. */
static sqa_status add_input_gradients(sqa_recipe *recipe, const sqa_layer_pass *layer)
{
    const uint32_t rows = sqa_layer_q_rows(layer), columns = sqa_layer_o_columns(layer);
    const sqa_link none = {SQA_LINK_NONE, 0};
    sqa_projection projections[SQA_MAX_PROJECTIONS];
    sqa_link outputs[SQA_MAX_PROJECTIONS] = {none, none, none, none, none, none}, attended[3];
    const uint32_t count = sqa_layer_projections(layer, projections);
    const uint32_t core = sqa_layer_core_gradients(layer);
    const bool inner = core || sqa_layer_score_gradients(layer);
    for (uint32_t i = 0; i < count; i++)
        if (is_needed(layer, &projections[i]) ||
            (layer->is_linear && core & core_of(&projections[i])))
            outputs[i] = add_matrix(recipe, layer, projections[i].rows, projections[i].columns);
    const sqa_link dg = layer->gate ? outputs[sqa_layer_projection_of(layer, SQA_LAYER_G)] : none;
    if (!inner && dg.from == SQA_LINK_NONE)
        return SQA_OK;
    const sqa_link da = add_matrix(recipe, layer, rows, columns);
    const sqa_link dout = !layer->gate ? da
                          : inner      ? add_matrix(recipe, layer, rows, columns)
                                       : none;
    sqa_matmul_desc desc = product_of(layer, rows, columns, layer->d_model);
    desc.transpose_b = 1;
    sqa_status status =
        add_product(recipe, &desc, callers(SQA_LAYER_DY), callers(SQA_LAYER_WO), 0, da);
    if (status == SQA_OK && layer->gate)
        status = add_gate_gradients(recipe, layer, da, dout, dg);
    place_attended(recipe, layer, core, outputs, attended);
    if (status == SQA_OK)
        status = add_gradients_of_attention(recipe, layer, core, dout, outputs, attended);
    if (status == SQA_OK)
        status = add_turned_back(recipe, layer, core, attended, outputs);
    for (uint32_t i = 0; i < count && status == SQA_OK; i++)
        status = add_projection_gradients(recipe, layer, &projections[i], outputs[i],
                                          is_first_of_input(projections, i));
    return status;
}

sqa_status sqa_layer_backward_recipe(const sqa_problem *problem, sqa_recipe *out)
{
    sqa_status status = add_output_gradients(out, &problem->of.layer);
    return status == SQA_OK ? add_input_gradients(out, &problem->of.layer) : status;
}
