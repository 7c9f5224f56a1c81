/* The grid itself: it must cover what it says, and hold valid problems only. */
#include <stdbool.h>
#include <string.h>

#include "operations/forward/forward.h"
#include "operations/forward/grid.h"
#include "operations/forward/pattern_grid.h"
#include "operations/operations.h"
#include "operations/shape.h"
#include "operations/tuner_operations.h"
#include "run_suite.h"

static const sqa_grid_size covering[] = {SQA_GRID_QUICK, SQA_GRID_FULL};

/* Whether a case of the grid has the property. */
typedef bool (*case_test)(const sqa_grid_case *test, const void *wanted);

static bool some_case(sqa_grid_size size, case_test test, const void *wanted)
{
    for (size_t i = 0; i < sqa_grid_count(size); i++) {
        sqa_grid_case one = sqa_grid_case_at(size, i);
        if (test(&one, wanted))
            return true;
    }
    return false;
}

static bool has_head_dim(const sqa_grid_case *test, const void *wanted)
{
    return test->desc.head_dim == *(const uint32_t *)wanted;
}

static bool has_q_length(const sqa_grid_case *test, const void *wanted)
{
    return test->desc.q_length == *(const uint32_t *)wanted;
}

static bool has_kv_length(const sqa_grid_case *test, const void *wanted)
{
    return test->desc.kv_length == *(const uint32_t *)wanted;
}

static bool has_heads(const sqa_grid_case *test, const void *wanted)
{
    const sqa_grid_heads *heads = wanted;
    return test->desc.q_heads == heads->q && test->desc.kv_heads == heads->kv;
}

static bool has_layout(const sqa_grid_case *test, const void *wanted)
{
    return test->layout == *(const sqa_layout *)wanted;
}

/* Mask, order of the lengths and LSE together: 3 x 3 x 2 combinations. */
typedef struct combination {
    sqa_causal causal;
    int order; /* sign of q_length - kv_length */
    uint32_t lse;
} combination;

static bool has_combination(const sqa_grid_case *test, const void *wanted)
{
    const combination *c = wanted;
    int order =
        (test->desc.q_length > test->desc.kv_length) - (test->desc.q_length < test->desc.kv_length);
    return test->desc.causal == c->causal && order == c->order && test->desc.write_lse == c->lse;
}

START_TEST(covers_every_value)
{
    sqa_grid_size size = covering[_i];
    for (size_t i = 0; i < SQA_GRID_DIMS; i++)
        ck_assert_msg(some_case(size, has_head_dim, &sqa_grid_dims[i]), "no D = %u",
                      sqa_grid_dims[i]);
    for (size_t i = 0; i < SQA_GRID_LENGTHS; i++) {
        ck_assert_msg(some_case(size, has_q_length, &sqa_grid_lengths[i]), "no Nq = %u",
                      sqa_grid_lengths[i]);
        ck_assert_msg(some_case(size, has_kv_length, &sqa_grid_lengths[i]), "no Nk = %u",
                      sqa_grid_lengths[i]);
    }
    for (size_t i = 0; i < SQA_GRID_HEADS; i++)
        ck_assert_msg(some_case(size, has_heads, &sqa_grid_heads_pairs[i]), "no heads %u:%u",
                      sqa_grid_heads_pairs[i].q, sqa_grid_heads_pairs[i].kv);
    for (sqa_layout layout = 0; layout < SQA_LAYOUT_COUNT; layout++)
        ck_assert_msg(some_case(size, has_layout, &layout), "no layout %s",
                      sqa_layout_name(layout));
}
END_TEST

START_TEST(covers_masks_with_lengths)
{
    for (int causal = 0; causal < 3; causal++)
        for (int order = -1; order <= 1; order++)
            for (uint32_t lse = 0; lse < 2; lse++) {
                combination wanted = {(sqa_causal)causal, order, lse};
                ck_assert_msg(some_case(covering[_i], has_combination, &wanted),
                              "no causal %d, order %d, lse %u", causal, order, lse);
            }
}
END_TEST

static bool has_other_value_dim(const sqa_grid_case *test, const void *wanted)
{
    (void)wanted;
    return test->desc.value_dim != test->desc.head_dim;
}

static bool has_scale(const sqa_grid_case *test, const void *wanted)
{
    (void)wanted;
    return test->desc.scale != 0.0f;
}

START_TEST(covers_the_rest)
{
    ck_assert(some_case(SQA_GRID_QUICK, has_other_value_dim, NULL));
    ck_assert(some_case(SQA_GRID_FULL, has_other_value_dim, NULL));
    ck_assert(some_case(SQA_GRID_QUICK, has_scale, NULL));
    ck_assert_uint_gt(sqa_grid_count(SQA_GRID_SAMPLE), 5);
    ck_assert_uint_lt(sqa_grid_count(SQA_GRID_SAMPLE), 20);
    ck_assert_uint_gt(sqa_grid_count(SQA_GRID_TINY), 3);
}
END_TEST

START_TEST(every_case_is_valid)
{
    sqa_grid_size size = (sqa_grid_size)_i;
    for (size_t i = 0; i < sqa_grid_count(size); i++) {
        sqa_grid_case test = sqa_grid_case_at(size, i);
        sqa_problem problem;
        ck_assert_msg(sqa_problem_from_desc(&problem, &test.desc) == SQA_OK, "case %zu: %s", i,
                      sqa_last_error());
    }
}
END_TEST

/* A failing case is reported as --shape, strides included: it must lead back to it. */
static void expect_typed(const sqa_problem *problem)
{
    sqa_problem again;
    char text[SQA_SHAPE_TEXT];
    sqa_problem_format(problem, text, sizeof text);
    ck_assert_msg(sqa_problem_parse(text, &again) == SQA_OK, "'%s': %s", text, sqa_last_error());
    ck_assert_msg(!memcmp(problem, &again, sizeof again), "'%s' is another problem", text);
}

/* And so must the packed shape with --layout. */
static void expect_laid_out(const sqa_grid_case *test)
{
    sqa_attention_desc packed = test->desc;
    sqa_problem problem, again;
    memset(&packed.q, 0, 4 * sizeof packed.q);
    ck_assert_int_eq(sqa_problem_from_desc(&problem, &test->desc), SQA_OK);
    expect_typed(&problem);
    ck_assert_int_eq(sqa_problem_from_desc(&again, &packed), SQA_OK);
    expect_typed(&again);
    if (test->layout != SQA_LAYOUT_BHSD)
        ck_assert_int_eq(sqa_tuner_forward.lay_out(sqa_layout_name(test->layout), &again), SQA_OK);
    ck_assert(!memcmp(&problem, &again, sizeof problem));
}

START_TEST(every_case_can_be_typed)
{
    sqa_grid_size size = (sqa_grid_size)_i;
    for (size_t i = 0; i < sqa_grid_count(size); i++) {
        const sqa_grid_case test = sqa_grid_case_at(size, i);
        expect_laid_out(&test);
    }
}
END_TEST

START_TEST(every_pattern_can_be_typed)
{
    sqa_pattern_grid grid;
    ck_assert_int_eq(sqa_pattern_grid_create(&grid, (sqa_grid_size)_i), SQA_OK);
    for (size_t i = 0; i < grid.count; i++)
        expect_laid_out(&grid.cases[i].test);
    sqa_pattern_grid_free(&grid);
}
END_TEST

/* Each value of each axis together with each of every other, but where they exclude
 * each other. */
static size_t pairs_that_never_meet(const sqa_pattern_grid *grid)
{
    size_t missing = 0;
    for (size_t a = 0; a < SQA_PATTERN_AXES; a++)
        for (size_t b = 0; b < a; b++)
            for (size_t i = 0; i < sqa_pattern_value_count(a); i++)
                for (size_t j = 0; j < sqa_pattern_value_count(b); j++) {
                    bool met = !sqa_pattern_can_meet(a, i, b, j);
                    for (size_t n = 0; n < grid->count; n++)
                        met = met || (grid->cases[n].value[a] == i && grid->cases[n].value[b] == j);
                    missing += !met;
                }
    return missing;
}

START_TEST(patterns_meet_in_pairs)
{
    sqa_pattern_grid grid;
    ck_assert_int_eq(sqa_pattern_grid_create(&grid, (sqa_grid_size)_i), SQA_OK);
    ck_assert_uint_eq(pairs_that_never_meet(&grid), 0);
    ck_assert_uint_lt(grid.count, 250);
    sqa_pattern_grid_free(&grid);
}
END_TEST

/* A program costs more than some cases. */
START_TEST(patterns_share_programs)
{
    sqa_pattern_grid grid;
    size_t programs = 0;
    ck_assert_int_eq(sqa_pattern_grid_create(&grid, SQA_GRID_QUICK), SQA_OK);
    for (size_t i = 0; i < grid.count; i++) {
        size_t first = 0;
        while (grid.cases[first].program != grid.cases[i].program)
            first++;
        programs += first == i;
    }
    ck_assert_uint_ge(programs, 12);
    ck_assert_uint_le(3 * programs, grid.count);
    sqa_pattern_grid_free(&grid);
}
END_TEST

START_TEST(every_pattern_is_valid)
{
    sqa_pattern_grid grid;
    ck_assert_int_eq(sqa_pattern_grid_create(&grid, (sqa_grid_size)_i), SQA_OK);
    for (size_t i = 0; i < grid.count; i++) {
        sqa_problem problem;
        ck_assert_msg(sqa_problem_from_desc(&problem, &grid.cases[i].test.desc) == SQA_OK,
                      "pattern %zu: %s", i, sqa_last_error());
        /* A problem leads back to a descriptor of it. */
        sqa_attention_desc desc;
        sqa_problem again;
        sqa_problem_to_desc(&problem, &desc);
        ck_assert_int_eq(sqa_problem_from_desc(&again, &desc), SQA_OK);
        ck_assert_msg(!memcmp(&problem, &again, sizeof problem), "pattern %zu", i);
    }
    sqa_pattern_grid_free(&grid);
}
END_TEST

/* Whether it has tensors that are stored so. */
static bool stores(const sqa_operation_entry *entry, const sqa_problem *problem,
                   sqa_element element)
{
    sqa_tensor_shape shape;
    bool any = false;
    for (uint32_t slot = 0; slot < entry->slot_count; slot++)
        any = any || (entry->tensor(problem, slot, &shape) && shape.element == element);
    return any;
}

/* Of the operation's own grids. */
static void check_case_lists(const sqa_tuner_operation *operation, sqa_grid_size size)
{
    for (const sqa_case_grid *grid = operation->grids; grid->name; grid++)
        for (sqa_dtype dtype = SQA_DTYPE_F32; dtype <= SQA_DTYPE_BF16; dtype++) {
            sqa_case_list list = {NULL, 0};
            ck_assert_msg(grid->list(size, dtype, &list) == SQA_OK, "%s: %s", grid->name,
                          sqa_last_error());
            ck_assert_uint_gt(list.count, 0);
            for (size_t i = 0; i < list.count; i++) {
                ck_assert_int_eq(list.cases[i].operation, operation->entry->id);
                ck_assert(stores(operation->entry, &list.cases[i], (sqa_element)dtype));
                expect_typed(&list.cases[i]);
            }
            sqa_case_list_free(&list);
        }
}

/* Every operation that has kernels has cases; a recipe's are those of its stages. */
START_TEST(every_operation_has_cases)
{
    for (size_t i = 0; i < sqa_operation_count(); i++) {
        const sqa_operation_entry *entry = sqa_operation_at(i);
        const sqa_tuner_operation *operation = sqa_tuner_operation_find(entry->id);
        ck_assert_msg(operation || entry->recipe, "%s has no cases", entry->name);
        if (operation)
            check_case_lists(operation, (sqa_grid_size)_i);
    }
}
END_TEST

START_TEST(layouts_have_names)
{
    for (sqa_layout layout = 0; layout < SQA_LAYOUT_COUNT; layout++) {
        sqa_layout again = SQA_LAYOUT_COUNT;
        ck_assert(sqa_layout_from_name(sqa_layout_name(layout), &again));
        ck_assert_int_eq(again, layout);
    }
    sqa_layout unchanged = SQA_LAYOUT_QKV;
    ck_assert(!sqa_layout_from_name("diagonal", &unchanged));
    ck_assert_int_eq(unchanged, SQA_LAYOUT_QKV);
    ck_assert_ptr_null(sqa_layout_name(SQA_LAYOUT_COUNT));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("grid");
    TCase *grid = tcase_create("grid");
    tcase_add_loop_test(grid, covers_every_value, 0, 2);
    tcase_add_loop_test(grid, covers_masks_with_lengths, 0, 2);
    tcase_add_test(grid, covers_the_rest);
    tcase_add_loop_test(grid, every_case_is_valid, SQA_GRID_TINY, SQA_GRID_FULL + 1);
    tcase_add_loop_test(grid, every_case_can_be_typed, SQA_GRID_TINY, SQA_GRID_FULL + 1);
    tcase_add_loop_test(grid, patterns_meet_in_pairs, SQA_GRID_QUICK, SQA_GRID_FULL + 1);
    tcase_add_test(grid, patterns_share_programs);
    tcase_add_loop_test(grid, every_pattern_can_be_typed, SQA_GRID_TINY, SQA_GRID_FULL + 1);
    tcase_add_loop_test(grid, every_pattern_is_valid, SQA_GRID_TINY, SQA_GRID_FULL + 1);
    tcase_add_loop_test(grid, every_operation_has_cases, SQA_GRID_TINY, SQA_GRID_FULL + 1);
    tcase_add_test(grid, layouts_have_names);
    suite_add_tcase(suite, grid);
    return sqa_run_suite(suite);
}
