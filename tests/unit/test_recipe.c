/* Recipes taken apart into leaves, and where their scratch lies. */
#include "operations/recipe.h"

#include <stdlib.h>

#include "operations/attention/slots.h"
#include "operations/backward/slots.h"
#include "operations/shape.h"
#include "operations/tensors.h"
#include "run_suite.h"
#include "runtime/workspace.h"

static sqa_recipe *recipe_of(const char *text)
{
    sqa_problem problem;
    sqa_recipe *recipe = NULL;
    ck_assert_msg(sqa_problem_parse(text, &problem) == SQA_OK, "%s", sqa_last_error());
    ck_assert_msg(sqa_recipe_of(&problem, &recipe) == SQA_OK, "%s", sqa_last_error());
    return recipe;
}

START_TEST(leaves_are_stages_of_their_own)
{
    sqa_recipe *recipe = recipe_of("hq=4,hkv=2,n=30,d=8");
    ck_assert_uint_eq(recipe->stage_count, 1);
    ck_assert_uint_eq(recipe->scratch_count, 0);
    for (int slot = 0; slot < SQA_MAX_TENSORS; slot++) {
        ck_assert_int_eq(recipe->stages[0].links[slot].from, slot);
        ck_assert_uint_eq(recipe->stages[0].links[slot].offset, 0);
    }
    sqa_recipe_free(recipe);
    sqa_recipe_free(NULL);
}
END_TEST

START_TEST(stages_share_their_scratch)
{
    sqa_recipe *recipe = recipe_of("op=backward,hq=4,hkv=2,n=30,d=8,sinks,grads=q+k+v+sinks");
    ck_assert_uint_eq(recipe->stage_count, 3);
    ck_assert_uint_eq(recipe->scratch_count, 1);
    for (int i = 0; i < 3; i++) {
        const sqa_link *links = recipe->stages[i].links;
        ck_assert(sqa_link_is_scratch(&links[SQA_SLOT_DELTA]));
        ck_assert_int_eq(links[SQA_SLOT_Q].from, SQA_SLOT_Q);
        ck_assert_int_eq(links[SQA_BACKWARD_SLOTS].from, SQA_LINK_NONE);
    }
    sqa_recipe_free(recipe);
}
END_TEST

static sqa_link add_scratch(sqa_recipe *recipe, sqa_element element, uint32_t count)
{
    const sqa_tensor_shape shape = {element, {count, count, count}, 1, 1, 1, count};
    return sqa_recipe_add_scratch(recipe, &shape);
}

/* A chain: each stage reads what the one before it has written. */
START_TEST(scratch_that_is_done_with_is_used_again)
{
    enum { STAGES = 6 };
    sqa_recipe *recipe = calloc(1, sizeof *recipe);
    size_t at[SQA_MAX_SCRATCH];
    ck_assert_ptr_nonnull(recipe);
    sqa_recipe_add_stage(recipe);
    for (int i = 1; i < STAGES; i++) {
        const sqa_link link = add_scratch(recipe, SQA_ELEMENT_F32, 64);
        recipe->stages[i - 1].links[1] = link;
        sqa_recipe_add_stage(recipe)->links[0] = link;
    }
    ck_assert_uint_eq(sqa_workspace_lay_out(recipe, 10, at), 256 + 2 * 256);
    for (int i = 1; i < STAGES - 1; i++)
        ck_assert_uint_ne(at[i], at[i - 1]);
    /* One that all of it is for shares with none. */
    const sqa_link whole = add_scratch(recipe, SQA_ELEMENT_F16, 100);
    recipe->stages[0].links[5] = recipe->stages[STAGES - 1].links[5] = whole;
    ck_assert_uint_eq(sqa_workspace_lay_out(recipe, 0, at), 2 * 256 + 200);
    ck_assert_uint_eq(at[STAGES - 1], 2 * 256 / 2);
    free(recipe);
}
END_TEST

START_TEST(without_scratch_there_is_what_the_leaves_need)
{
    sqa_recipe *recipe = recipe_of("hq=4,hkv=2,n=30,d=8");
    size_t at[SQA_MAX_SCRATCH];
    ck_assert_uint_eq(sqa_workspace_lay_out(recipe, 10, at), 10);
    ck_assert_uint_eq(sqa_workspace_lay_out(recipe, 0, at), 0);
    sqa_recipe_free(recipe);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("recipe");
    TCase *recipe = tcase_create("recipe");
    tcase_add_test(recipe, leaves_are_stages_of_their_own);
    tcase_add_test(recipe, stages_share_their_scratch);
    tcase_add_test(recipe, scratch_that_is_done_with_is_used_again);
    tcase_add_test(recipe, without_scratch_there_is_what_the_leaves_need);
    suite_add_tcase(suite, recipe);
    return sqa_run_suite(suite);
}
