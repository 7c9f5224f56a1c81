/* Linear attention within a layer: its problem, its tensors by the layer's slots, its stages, and
 * what the reference says of what only it has. */
#include "operations/layer/linear.h"

#include <string.h>

#include "operations/activation/fields.h"
#include "operations/activation/slots.h"
#include "operations/entries.h"
#include "operations/recipe.h"
#include "operations/rope/fields.h"
#include "operations/rope/slots.h"
#include "operations/tensors.h"

void sqa_layer_linear_problem(const sqa_layer_pass *layer, sqa_operation operation,
                              sqa_problem *out)
{
    memset(out, 0, sizeof *out);
    out->operation = operation;
    memcpy(&out->of.linear, &layer->linear, sizeof layer->linear);
}

/* Stretches of slots that both have in one order. */
static const struct {
    uint32_t first, count, inner;
} stretches[] = {
    {SQA_LAYER_DECAY, 6, SQA_SLOT_DECAY},
    {SQA_LAYER_DSTATE, 2, SQA_SLOT_LINEAR_DSTATE},
    {SQA_LAYER_DDECAY, 4, SQA_SLOT_DDECAY},
};
enum { STRETCHES = sizeof stretches / sizeof *stretches };

uint32_t sqa_layer_linear_slot(uint32_t slot)
{
    for (int i = 0; i < STRETCHES; i++)
        if (slot >= stretches[i].first && slot < stretches[i].first + stretches[i].count)
            return stretches[i].inner + slot - stretches[i].first;
    return SQA_LINEAR_BACKWARD_SLOTS;
}

bool sqa_layer_linear_tensor(const sqa_layer_pass *layer, uint32_t slot, sqa_tensor_shape *out)
{
    const uint32_t inner = sqa_layer_linear_slot(slot);
    sqa_problem problem;
    const bool decays = slot == SQA_LAYER_DECAY || slot == SQA_LAYER_DDECAY;
    const bool betas = slot == SQA_LAYER_BETA || slot == SQA_LAYER_DBETA;
    if (!layer->is_linear || (decays && layer->project_decay) || (betas && layer->project_beta))
        return false;
    sqa_layer_linear_problem(layer,
                             inner < SQA_LINEAR_SLOTS ? SQA_OPERATION_LINEAR_FORWARD
                                                      : SQA_OPERATION_LINEAR_BACKWARD,
                             &problem);
    return sqa_tensor_shape_of(&problem, inner, out);
}

float sqa_layer_map_beta(const sqa_problem *problem, float number)
{
    const sqa_layer_pass *layer = &problem->of.layer;
    const uint32_t width = layer->context_dim ? layer->context_dim : layer->d_model;
    const float wide = width > 128 ? (float)width / 128.0f : 1.0f;
    return number / ((float)layer->attention.head_dim * wide);
}

/* Its stage, linked to all that the caller gives it. */
static sqa_stage *add_stage(sqa_recipe *recipe, const sqa_layer_pass *layer,
                            sqa_operation operation)
{
    sqa_stage *stage = sqa_recipe_add_stage(recipe);
    sqa_layer_linear_problem(layer, operation, &stage->problem);
    stage->links[SQA_SLOT_CU_SEQLENS_Q] = (sqa_link){SQA_SLOT_CU_SEQLENS_Q, 0};
    stage->links[SQA_SLOT_CU_SEQLENS_KV] = (sqa_link){SQA_SLOT_CU_SEQLENS_KV, 0};
    for (uint32_t slot = SQA_LAYER_DECAY; slot < SQA_LAYER_SLOTS; slot++) {
        const uint32_t inner = sqa_layer_linear_slot(slot);
        if (inner < SQA_LINEAR_BACKWARD_SLOTS)
            stage->links[inner] = (sqa_link){(int16_t)slot, 0};
    }
    return stage;
}

sqa_activation_desc sqa_layer_projected_desc(const sqa_layer_pass *layer, uint32_t number)
{
    sqa_activation_desc desc = SQA_ACTIVATION_DESC_INIT;
    desc.dtype = layer->attention.dtype;
    desc.length = sqa_layer_q_rows(layer);
    desc.dim = number ? layer->attention.kv_heads : sqa_layer_decay_columns(layer);
    desc.activation = number ? SQA_ACTIVATION_SIGMOID : SQA_ACTIVATION_LOG_SIGMOID;
    desc.wide = 1;
    return desc;
}

static bool is_projected(const sqa_layer_pass *layer, uint32_t number)
{
    return number ? layer->project_beta : layer->project_decay;
}

/* A matrix of f32 that lies as what is projected does. */
static sqa_link add_wide(sqa_recipe *recipe, const sqa_layer_pass *layer, uint32_t number)
{
    const sqa_activation_desc desc = sqa_layer_projected_desc(layer, number);
    sqa_tensor_shape shape = sqa_layer_matrix(layer, desc.length, desc.dim);
    shape.element = SQA_ELEMENT_F32;
    return sqa_recipe_add_scratch(recipe, &shape);
}

/* Decay and beta from what is projected. */
static sqa_status add_activated(sqa_recipe *recipe, const sqa_layer_pass *layer,
                                const sqa_link projected[2], sqa_link out[2])
{
    sqa_status status = SQA_OK;
    for (uint32_t i = 0; i < 2 && status == SQA_OK; i++) {
        if (!is_projected(layer, i))
            continue;
        const sqa_activation_desc desc = sqa_layer_projected_desc(layer, i);
        out[i] = add_wide(recipe, layer, i);
        sqa_stage *stage = sqa_recipe_add_stage(recipe);
        stage->links[SQA_SLOT_ACTIVATION_A] = projected[i];
        stage->links[SQA_SLOT_ACTIVATION_Y] = out[i];
        status = sqa_problem_from_activation(&stage->problem, &desc);
    }
    return status;
}

static void link_activated(const sqa_layer_pass *layer, const sqa_link activated[2],
                           sqa_stage *stage)
{
    for (uint32_t i = 0; i < 2; i++)
        if (is_projected(layer, i))
            stage->links[SQA_SLOT_DECAY + i] = activated[i];
}

sqa_status sqa_layer_add_linear(sqa_recipe *recipe, const sqa_layer_pass *layer,
                                const sqa_link attended[3], const sqa_link projected[2], sqa_link o)
{
    sqa_link activated[2];
    sqa_status status = add_activated(recipe, layer, projected, activated);
    sqa_stage *stage = add_stage(recipe, layer, SQA_OPERATION_LINEAR_FORWARD);
    for (uint32_t i = 0; i < 3; i++)
        stage->links[SQA_SLOT_Q + i] = attended[i];
    stage->links[SQA_SLOT_O] = o;
    link_activated(layer, activated, stage);
    return status;
}

/* A gradient of linear attention, head by head, token by token as what is projected lies. */
static sqa_status add_turned(sqa_recipe *recipe, const sqa_layer_pass *layer, uint32_t number,
                             sqa_link from, sqa_link to)
{
    const sqa_layer_rows rows = sqa_layer_rows_of(layer, true);
    sqa_rope_desc desc = SQA_ROPE_DESC_INIT;
    desc.dtype = SQA_DTYPE_F32;
    desc.batch = rows.batch;
    desc.heads = layer->attention.kv_heads;
    desc.length = rows.length;
    desc.dim = number ? 1 : sqa_linear_decay_dim(&layer->linear);
    desc.rotary = 0;
    desc.x = sqa_strides_bhsd(desc.heads, desc.length, desc.dim);
    desc.y = sqa_strides_bshd(desc.heads, desc.length, desc.dim);
    sqa_stage *stage = sqa_recipe_add_stage(recipe);
    stage->links[SQA_SLOT_ROPE_X] = from;
    stage->links[SQA_SLOT_ROPE_Y] = to;
    return sqa_problem_from_rope(&stage->problem, &desc);
}

/* From the gradient of decay (0) or beta (1) to that of what it follows from. */
static sqa_status add_projected_gradient(sqa_recipe *recipe, const sqa_layer_pass *layer,
                                         uint32_t number, sqa_link gradient, sqa_link out)
{
    const sqa_activation_desc desc = sqa_layer_projected_desc(layer, number);
    const sqa_link turned = add_wide(recipe, layer, number);
    sqa_status status = add_turned(recipe, layer, number, gradient, turned);
    sqa_stage *stage = sqa_recipe_add_stage(recipe);
    stage->links[SQA_SLOT_ACTIVATION_A] =
        (sqa_link){(int16_t)(number ? SQA_LAYER_BETA_PROJECTED : SQA_LAYER_DECAY_PROJECTED), 0};
    stage->links[SQA_SLOT_ACTIVATION_DY] = turned;
    stage->links[SQA_SLOT_ACTIVATION_DA] = out;
    return status == SQA_OK ? sqa_problem_from_activation_backward(&stage->problem, &desc, NULL)
                            : status;
}

/* Room for gradients that nobody outside is given. */
static void link_unasked(sqa_recipe *recipe, const sqa_layer_pass *layer, sqa_stage *stage)
{
    sqa_tensor_shape shape;
    for (uint32_t slot = SQA_LAYER_DDECAY; slot <= SQA_LAYER_DSUMS_IN; slot++) {
        const uint32_t inner = sqa_layer_linear_slot(slot);
        if (!sqa_layer_has_gradient(layer, slot) &&
            sqa_tensor_shape_of(&stage->problem, inner, &shape))
            stage->links[inner] = sqa_recipe_add_scratch(recipe, &shape);
    }
}

sqa_status sqa_layer_add_linear_backward(sqa_recipe *recipe, const sqa_layer_pass *layer,
                                         const sqa_link read[3], sqa_link dout,
                                         const sqa_link attended[3], const sqa_link projected[2])
{
    const sqa_link kept[2] = {{SQA_LAYER_DECAY_PROJECTED, 0}, {SQA_LAYER_BETA_PROJECTED, 0}};
    sqa_link activated[2];
    sqa_status status = add_activated(recipe, layer, kept, activated);
    sqa_stage *stage = add_stage(recipe, layer, SQA_OPERATION_LINEAR_BACKWARD);
    for (uint32_t i = 0; i < 3; i++) {
        stage->links[SQA_SLOT_Q + i] = read[i];
        stage->links[SQA_SLOT_LINEAR_DQ + i] = attended[i];
    }
    stage->links[SQA_SLOT_LINEAR_DOUT] = dout;
    link_activated(layer, activated, stage);
    link_unasked(recipe, layer, stage);
    for (uint32_t i = 0; i < 2 && status == SQA_OK; i++)
        if (is_projected(layer, i))
            status = add_projected_gradient(recipe, layer, i, stage->links[SQA_SLOT_DDECAY + i],
                                            projected[i]);
    return status;
}
