/* See recipe.h. */
#include "operations/recipe.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "operations/operations.h"

sqa_stage *sqa_recipe_add_stage(sqa_recipe *recipe)
{
    assert(recipe->stage_count < SQA_MAX_STAGES);
    sqa_stage *stage = &recipe->stages[recipe->stage_count++];
    memset(&stage->problem, 0, sizeof stage->problem);
    for (uint32_t slot = 0; slot < SQA_MAX_TENSORS; slot++)
        stage->links[slot] = (sqa_link){SQA_LINK_NONE, 0};
    return stage;
}

sqa_link sqa_recipe_add_scratch(sqa_recipe *recipe, const sqa_tensor_shape *shape)
{
    assert(recipe->scratch_count < SQA_MAX_SCRATCH);
    recipe->scratch[recipe->scratch_count] = *shape;
    return (sqa_link){(int16_t)SQA_LINK_SCRATCH((int)recipe->scratch_count++), 0};
}

void sqa_stage_link_callers(sqa_stage *stage, uint32_t count)
{
    for (uint32_t slot = 0; slot < count; slot++)
        stage->links[slot] = (sqa_link){(int16_t)slot, 0};
}

/* A link of a stage within a recipe whose own tensors are `outer`'s, and whose scratch is
 * numbered from `first_scratch`. */
static sqa_link outer_link(const sqa_link *link, const sqa_link *outer, uint32_t first_scratch)
{
    if (sqa_link_is_scratch(link))
        return (sqa_link){(int16_t)(link->from - (int)first_scratch), link->offset};
    if (link->from < 0 || outer[link->from].from == SQA_LINK_NONE)
        return (sqa_link){link->from < 0 ? link->from : SQA_LINK_NONE, 0};
    return (sqa_link){outer[link->from].from, outer[link->from].offset + link->offset};
}

static sqa_status append(const sqa_problem *problem, const sqa_link *links, sqa_recipe *out);

static sqa_status append_stages(const sqa_recipe *inner, const sqa_link *outer, sqa_recipe *out)
{
    const uint32_t first_scratch = out->scratch_count;
    sqa_status status = SQA_OK;
    for (uint32_t i = 0; i < inner->scratch_count; i++)
        sqa_recipe_add_scratch(out, &inner->scratch[i]);
    for (uint32_t i = 0; i < inner->stage_count && status == SQA_OK; i++) {
        sqa_link links[SQA_MAX_TENSORS];
        for (uint32_t slot = 0; slot < SQA_MAX_TENSORS; slot++)
            links[slot] = outer_link(&inner->stages[i].links[slot], outer, first_scratch);
        status = append(&inner->stages[i].problem, links, out);
    }
    return status;
}

static sqa_status append(const sqa_problem *problem, const sqa_link *links, sqa_recipe *out)
{
    const sqa_operation_entry *entry = sqa_operation_of(problem);
    if (!entry->recipe) {
        sqa_stage *stage = sqa_recipe_add_stage(out);
        stage->problem = *problem;
        memcpy(stage->links, links, sizeof stage->links);
        return SQA_OK;
    }
    sqa_recipe *inner = calloc(1, sizeof *inner);
    if (!inner)
        return sqa_fail_memory("a recipe");
    sqa_status status = entry->recipe(problem, inner);
    if (status == SQA_OK)
        status = append_stages(inner, links, out);
    free(inner);
    return status;
}

sqa_status sqa_recipe_of(const sqa_problem *problem, sqa_recipe **out)
{
    sqa_link callers[SQA_MAX_TENSORS];
    sqa_recipe *recipe = calloc(1, sizeof *recipe);
    if (!recipe)
        return sqa_fail_memory("a recipe");
    for (uint32_t slot = 0; slot < SQA_MAX_TENSORS; slot++)
        callers[slot] = (sqa_link){(int16_t)slot, 0};
    sqa_status status = append(problem, callers, recipe);
    if (status == SQA_OK)
        *out = recipe;
    else
        free(recipe);
    return status;
}

void sqa_recipe_free(sqa_recipe *recipe)
{
    free(recipe);
}
