/* The stages of a layer, forward and backward: matrix products around attention. */
#include "operations/recipe.h"
#include "operations/backward/fields.h"
#include "operations/backward/slots.h"
#include "operations/layer/slots.h"
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

/* Q, K and V within the projections' outputs. */
static void link_projected(const sqa_layer_pass *layer, const sqa_link *outputs, sqa_stage *stage,
                           uint32_t first_slot)
{
    for (uint32_t i = 0; i < 3; i++) {
        stage->links[first_slot + i] = outputs[layer->fused_qkv ? 0 : i];
        stage->links[first_slot + i].offset = sqa_layer_column_of(layer, SQA_SLOT_Q + i);
    }
}

static sqa_status add_attention(sqa_recipe *recipe, const sqa_layer_pass *layer,
                                const sqa_link *outputs, sqa_link o)
{
    sqa_stage *stage = sqa_recipe_add_stage(recipe);
    sqa_attention_desc desc;
    sqa_stage_link_callers(stage, SQA_ATTENTION_SLOTS);
    link_projected(layer, outputs, stage, SQA_SLOT_Q);
    stage->links[SQA_SLOT_O] = o;
    sqa_attention_to_desc(&layer->attention, &desc);
    return sqa_problem_from_desc(&stage->problem, &desc);
}

sqa_status sqa_layer_forward_recipe(const sqa_problem *problem, sqa_recipe *out)
{
    const sqa_layer_pass *layer = &problem->of.layer;
    const uint32_t rows = sqa_layer_q_rows(layer), columns = sqa_layer_o_columns(layer);
    sqa_projection projections[SQA_MAX_PROJECTIONS];
    sqa_link outputs[SQA_MAX_PROJECTIONS];
    const uint32_t count = sqa_layer_projections(layer, projections);
    sqa_status status = SQA_OK;
    for (uint32_t i = 0; i < count && status == SQA_OK; i++) {
        const sqa_projection *p = &projections[i];
        sqa_matmul_desc desc = product_of(layer, p->rows, p->columns, p->width);
        desc.bias = layer->biases;
        outputs[i] = place_of(out, layer, p->output, p->rows, p->columns);
        status =
            add_product(out, &desc, callers(p->input), callers(p->weight), p->bias, outputs[i]);
    }
    const sqa_link o = place_of(out, layer, SQA_SLOT_O, rows, columns);
    if (status == SQA_OK)
        status = add_attention(out, layer, outputs, o);
    sqa_matmul_desc desc = product_of(layer, rows, layer->d_model, columns);
    desc.bias = layer->biases;
    return status == SQA_OK ? add_product(out, &desc, o, callers(SQA_LAYER_WO), SQA_LAYER_BO,
                                          callers(SQA_LAYER_Y))
                            : status;
}

uint32_t sqa_layer_score_gradients(const sqa_layer_pass *layer)
{
    return (layer->gradients & SQA_LAYER_GRADIENT_BIAS ? (uint32_t)SQA_GRADIENT_BIAS : 0u) |
           (layer->gradients & SQA_LAYER_GRADIENT_SINKS ? (uint32_t)SQA_GRADIENT_SINKS : 0u) |
           (layer->gradients & SQA_LAYER_GRADIENT_SLOPES ? (uint32_t)SQA_GRADIENT_SLOPES : 0u);
}

sqa_status sqa_layer_attention_backward(const sqa_layer_pass *layer, uint32_t gradients,
                                        uint32_t accumulate, sqa_problem *out)
{
    sqa_attention_desc desc;
    sqa_backward_options options = SQA_BACKWARD_OPTIONS_INIT;
    sqa_attention_to_desc(&layer->attention, &desc);
    options.gradients = gradients;
    options.accumulate = accumulate;
    /* Without being told, those of one matrix would be packed where strides overlap. */
    options.dq = layer->attention.q;
    options.dk = layer->attention.k;
    options.dv = layer->attention.v;
    return sqa_problem_from_backward(out, &desc, &options);
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

/* What of attention's gradients the projection's own follow from. */
static uint32_t needed_gradients(const sqa_layer_pass *layer, const sqa_projection *p)
{
    const bool needed = sqa_layer_has_gradient(layer, p->input_gradient) ||
                        sqa_layer_has_gradient(layer, p->weight_gradient) ||
                        sqa_layer_has_gradient(layer, p->bias_gradient);
    if (!needed)
        return 0;
    return p->output == SQA_LAYER_QKV ? CORE : (uint32_t)SQA_GRADIENT_Q << (p->output - SQA_SLOT_Q);
}

uint32_t sqa_layer_core_gradients(const sqa_layer_pass *layer)
{
    sqa_projection projections[SQA_MAX_PROJECTIONS];
    const uint32_t count = sqa_layer_projections(layer, projections);
    uint32_t gradients = 0;
    for (uint32_t i = 0; i < count; i++)
        gradients |= needed_gradients(layer, &projections[i]);
    return gradients;
}

static sqa_status add_attention_backward(sqa_recipe *recipe, const sqa_layer_pass *layer,
                                         uint32_t gradients, uint32_t accumulate, sqa_link dout,
                                         const sqa_link *outputs)
{
    static const uint32_t kept[SQA_MAX_PROJECTIONS] = {SQA_SLOT_Q, SQA_SLOT_K, SQA_SLOT_V};
    sqa_link inputs[SQA_MAX_PROJECTIONS];
    for (uint32_t i = 0; i < SQA_MAX_PROJECTIONS; i++)
        inputs[i] = callers(layer->fused_qkv ? SQA_LAYER_QKV : kept[i]);
    sqa_stage *stage = sqa_recipe_add_stage(recipe);
    sqa_stage_link_callers(stage, SQA_ATTENTION_SLOTS);
    link_projected(layer, inputs, stage, SQA_SLOT_Q);
    link_projected(layer, outputs, stage, SQA_SLOT_DQ);
    stage->links[SQA_SLOT_DOUT] = dout;
    stage->links[SQA_SLOT_DBIAS] = callers(SQA_LAYER_DBIAS);
    stage->links[SQA_SLOT_DSINKS] = callers(SQA_LAYER_DSINKS);
    stage->links[SQA_SLOT_DSLOPES] = callers(SQA_LAYER_DSLOPES);
    return sqa_layer_attention_backward(layer, gradients, accumulate, &stage->problem);
}

/* dQ, dK and dV, which are scratch and never added to; gradients of scores may be. */
static sqa_status add_gradients_of_attention(sqa_recipe *recipe, const sqa_layer_pass *layer,
                                             uint32_t core, sqa_link dout, const sqa_link *outputs)
{
    const uint32_t scores = sqa_layer_score_gradients(layer);
    if (!layer->accumulate && core)
        return add_attention_backward(recipe, layer, core | scores, 0, dout, outputs);
    sqa_status status = SQA_OK;
    if (core)
        status = add_attention_backward(recipe, layer, core, 0, dout, outputs);
    if (status == SQA_OK && scores)
        status = add_attention_backward(recipe, layer, scores, layer->accumulate, dout, outputs);
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

/* Of Wo and bo, which need no gradient of attention. */
static sqa_status add_output_gradients(sqa_recipe *recipe, const sqa_layer_pass *layer)
{
    const uint32_t rows = sqa_layer_q_rows(layer), columns = sqa_layer_o_columns(layer);
    const sqa_link dy = callers(SQA_LAYER_DY);
    sqa_status status = add_weight_gradient(recipe, layer, rows, columns, layer->d_model,
                                            callers(SQA_SLOT_O), dy, SQA_LAYER_DWO);
    return status == SQA_OK
               ? add_bias_gradient(recipe, layer, rows, layer->d_model, dy, SQA_LAYER_DBO)
               : status;
}

/* What becomes of dO. */
static sqa_status add_input_gradients(sqa_recipe *recipe, const sqa_layer_pass *layer)
{
    const uint32_t rows = sqa_layer_q_rows(layer), columns = sqa_layer_o_columns(layer);
    sqa_projection projections[SQA_MAX_PROJECTIONS];
    sqa_link outputs[SQA_MAX_PROJECTIONS] = {
        {SQA_LINK_NONE, 0}, {SQA_LINK_NONE, 0}, {SQA_LINK_NONE, 0}};
    const uint32_t count = sqa_layer_projections(layer, projections);
    const uint32_t core = sqa_layer_core_gradients(layer);
    if (!core && !sqa_layer_score_gradients(layer))
        return SQA_OK;
    for (uint32_t i = 0; i < count; i++)
        if (needed_gradients(layer, &projections[i]))
            outputs[i] = add_matrix(recipe, layer, projections[i].rows, projections[i].columns);
    const sqa_link dout = add_matrix(recipe, layer, rows, columns);
    sqa_matmul_desc desc = product_of(layer, rows, columns, layer->d_model);
    desc.transpose_b = 1;
    sqa_status status =
        add_product(recipe, &desc, callers(SQA_LAYER_DY), callers(SQA_LAYER_WO), 0, dout);
    if (status == SQA_OK)
        status = add_gradients_of_attention(recipe, layer, core, dout, outputs);
    for (uint32_t i = 0; i < count && status == SQA_OK; i++) {
        const sqa_projection *p = &projections[i];
        const bool first = i == 0 || projections[i - 1].input != p->input;
        status = add_projection_gradients(recipe, layer, p, outputs[i], first);
    }
    return status;
}

sqa_status sqa_layer_backward_recipe(const sqa_problem *problem, sqa_recipe *out)
{
    sqa_status status = add_output_gradients(out, &problem->of.layer);
    return status == SQA_OK ? add_input_gradients(out, &problem->of.layer) : status;
}
