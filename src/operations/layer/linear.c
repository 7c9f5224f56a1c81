/* Linear attention within a layer: its problem, its tensors by the layer's slots, its stages, and
 * what the reference says of what only it has. */
#include "operations/layer/linear.h"

#include <string.h>

#include "operations/entries.h"
#include "operations/recipe.h"
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
    if (!layer->is_linear)
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

void sqa_layer_add_linear(sqa_recipe *recipe, const sqa_layer_pass *layer,
                          const sqa_link attended[3], sqa_link o)
{
    sqa_stage *stage = add_stage(recipe, layer, SQA_OPERATION_LINEAR_FORWARD);
    for (uint32_t i = 0; i < 3; i++)
        stage->links[SQA_SLOT_Q + i] = attended[i];
    stage->links[SQA_SLOT_O] = o;
}

void sqa_layer_add_linear_backward(sqa_recipe *recipe, const sqa_layer_pass *layer,
                                   const sqa_link read[3], sqa_link dout,
                                   const sqa_link attended[3])
{
    sqa_stage *stage = add_stage(recipe, layer, SQA_OPERATION_LINEAR_BACKWARD);
    for (uint32_t i = 0; i < 3; i++) {
        stage->links[SQA_SLOT_Q + i] = read[i];
        stage->links[SQA_SLOT_LINEAR_DQ + i] = attended[i];
    }
    stage->links[SQA_SLOT_LINEAR_DOUT] = dout;
    for (uint32_t slot = SQA_LAYER_DDECAY; slot <= SQA_LAYER_DSUMS_IN; slot++) {
        sqa_tensor_shape shape;
        if (!sqa_layer_has_gradient(layer, slot) && sqa_layer_linear_tensor(layer, slot, &shape))
            stage->links[sqa_layer_linear_slot(slot)] = sqa_recipe_add_scratch(recipe, &shape);
    }
}
