/* Recipes: put together by the operations that are made of others, taken apart into leaves for
 * everybody else. */
#ifndef SQA_OPERATIONS_RECIPE_H
#define SQA_OPERATIONS_RECIPE_H

#include "operations/operation.h"

/* The stages of a problem that are leaves, in their order, those of recipes within a recipe
 * too; of a leaf, itself. For sqa_recipe_free(), which takes NULL.
 * Errors: SQA_OUT_OF_MEMORY; those of the recipe. */
sqa_status sqa_recipe_of(const sqa_problem *problem, sqa_recipe **out);
void sqa_recipe_free(sqa_recipe *recipe);

/* For recipes: the next stage, which is linked to nothing yet; its problem is zero. */
sqa_stage *sqa_recipe_add_stage(sqa_recipe *recipe);

/* The same of the tensor with this shape, to be linked to: SQA_LINK_SCRATCH(its number). */
sqa_link sqa_recipe_add_scratch(sqa_recipe *recipe, const sqa_tensor_shape *shape);

/* Links the first `count` slots of a stage to those of the caller with the same number. */
void sqa_stage_link_callers(sqa_stage *stage, uint32_t count);

static inline bool sqa_link_is_scratch(const sqa_link *link)
{
    return link->from < 0 && link->from >= SQA_LINK_SCRATCH(SQA_MAX_SCRATCH - 1);
}

#endif
