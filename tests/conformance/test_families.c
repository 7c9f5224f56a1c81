/* Every kernel family against the oracle: the grids and the properties of its operation with
 * its default configuration, a sample with random ones. What compilers make of a kernel is seen
 * in the sample of the first grid and the properties of few programs, with the default
 * configuration; but for the full size, the rest is compiled without optimisation. SQA_TEST_SIZE is
 * tiny (sanitizers), quick (the default) or full; SQA_TEST_QUICK says what quick is for a family
 * whose operation others show to be right as well. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/suite.h"
#include "kernels/registry.h"
#include "opencl_fixture.h"
#include "operations/operations.h"
#include "operations/tuner_operations.h"
#include "run_suite.h"

/* How much of it: the grids, and how many random configurations on how much of the first
 * grid and of the others. */
typedef struct test_size {
    const char *name;
    sqa_grid_size grid, random_first, random_others;
    size_t configs;
} test_size;

enum { MAX_CONFIGS = 12, MAX_FAMILIES = 64, CASE_NAME = 64 };

static const test_size sizes[] = {
    {"tiny", SQA_GRID_TINY, SQA_GRID_TINY, SQA_GRID_TINY, 1},
    {"quick", SQA_GRID_QUICK, SQA_GRID_SAMPLE, SQA_GRID_SAMPLE, 2},
    {"full", SQA_GRID_FULL, SQA_GRID_SAMPLE, SQA_GRID_QUICK, MAX_CONFIGS},
};

static const test_size *chosen_size(void)
{
    const char *name = getenv("SQA_TEST_SIZE");
    if (!name || !strcmp(name, "quick"))
        name = getenv("SQA_TEST_QUICK");
    for (size_t i = 0; name && i < sizeof sizes / sizeof *sizes; i++)
        if (!strcmp(name, sizes[i].name))
            return &sizes[i];
    return &sizes[1];
}

static void print_failure(void *user, const sqa_outcome *outcome)
{
    const sqa_suite *suite = user;
    if (outcome->verdict == SQA_VERDICT_FAILED)
        printf("FAILED %s (%s): %s\n    %s\n", suite->family->name,
               suite->config ? suite->config : "default", outcome->message, outcome->subject);
}

static bool is_tiny(void)
{
    return chosen_size()->grid == SQA_GRID_TINY;
}

static void optimise(bool wanted)
{
    if (wanted || chosen_size()->grid == SQA_GRID_FULL)
        unsetenv("SQA_CL_TEST_UNOPTIMISED");
    else
        setenv("SQA_CL_TEST_UNOPTIMISED", "1", 1);
}

static sqa_suite suite_of(size_t family, const char *config)
{
    return (sqa_suite){.context = test_context,
                       .queue = test_queue,
                       .device = &test_device,
                       .operation = sqa_family_at(family)->operation,
                       .family = sqa_family_at(family),
                       .config = config,
                       .seed = 7,
                       .all_rows = is_tiny(),
                       .report = print_failure};
}

static const sqa_tuner_operation *operation_of(const sqa_suite *suite)
{
    return sqa_tuner_operation_find(suite->family->operation);
}

static size_t case_count(const sqa_case_grid *grid, sqa_grid_size size)
{
    sqa_case_list list = {NULL, 0};
    ck_assert_int_eq(grid->list(size, SQA_DTYPE_F32, &list), SQA_OK);
    const size_t count = list.count;
    sqa_case_list_free(&list);
    return count;
}

static void print_counts(const sqa_suite *suite, const char *what, const sqa_suite_counts *counts)
{
    printf("%-6s %-8s %-10s %zu passed, %zu not supported\n", suite->family->name,
           suite->config ? "random" : "default", what, counts->passed, counts->unsupported);
    fflush(stdout);
}

/* Every case is checked, or not for this family; what else a grid asks comes on top. Returns
 * how many checks passed. */
static size_t check_grid(const sqa_suite *suite, const sqa_case_grid *grid, sqa_grid_size size)
{
    sqa_suite_counts counts = {0};
    ck_assert_int_eq(sqa_suite_grid(suite, grid, size, &counts), SQA_OK);
    ck_assert_msg(counts.failed == 0, "%s, %s: %zu of %zu failed", suite->family->name, grid->name,
                  counts.failed, counts.failed + counts.passed);
    const size_t cases = case_count(grid, size), supported = cases - counts.unsupported;
    ck_assert_uint_eq(counts.passed, grid->also ? 2 * supported : supported);
    print_counts(suite, grid->name, &counts);
    return counts.passed;
}

/* Compiling is what takes the time: but for the full size, cases share programs, and only those of
 * the first grid's sample are optimised. */
START_TEST(default_config_passes_the_grids)
{
    static sqa_shared_programs shared;
    const sqa_grid_size size = chosen_size()->grid;
    sqa_suite suite = suite_of((size_t)_i, NULL);
    memset(&shared, 0, sizeof shared);
    suite.shared = size == SQA_GRID_FULL ? NULL : &shared;
    suite.user = &suite;
    const sqa_case_grid *grids = operation_of(&suite)->grids;
    size_t passed = 0;
    if (size == SQA_GRID_QUICK) {
        optimise(true);
        check_grid(&suite, grids, SQA_GRID_SAMPLE);
    }
    optimise(false);
    for (const sqa_case_grid *grid = grids; grid->name; grid++) {
        passed += check_grid(&suite, grid, size);
        ck_assert_uint_gt(passed, 0); /* others may be of what the family has no kernels for */
    }
}
END_TEST

/* `all` or only those that need no program beyond the sample's: compiling is what takes the
 * time. */
static void check_properties(const sqa_suite *suite, bool all)
{
    const sqa_tuner_operation *operation = operation_of(suite);
    sqa_suite_counts counts = {0};
    size_t asked = 0;
    for (size_t i = 0; i < operation->property_count; i++)
        if (all || operation->properties[i].few_programs) {
            optimise(all && operation->properties[i].few_programs && !is_tiny());
            sqa_suite_property(suite, &operation->properties[i], is_tiny(), &counts);
            asked++;
        }
    ck_assert_msg(counts.failed == 0, "%s: %zu properties broken", suite->family->name,
                  counts.failed);
    ck_assert_uint_eq(counts.passed + counts.unsupported, asked);
    print_counts(suite, "properties", &counts);
}

START_TEST(default_config_keeps_the_properties)
{
    sqa_suite suite = suite_of((size_t)_i, NULL);
    suite.user = &suite;
    check_properties(&suite, true);
}
END_TEST

static void check_config(size_t family, const char *config)
{
    sqa_suite suite = suite_of(family, config);
    const sqa_case_grid *grids = operation_of(&suite)->grids;
    size_t passed = 0;
    suite.user = &suite;
    for (const sqa_case_grid *grid = grids; grid->name; grid++)
        passed +=
            check_grid(&suite, grid,
                       grid == grids ? chosen_size()->random_first : chosen_size()->random_others);
    ck_assert_msg(passed > 0, "%s (%s): nothing it supports", suite.family->name, config);
    check_properties(&suite, chosen_size()->grid == SQA_GRID_FULL);
}

START_TEST(random_configs_pass_the_sample)
{
    char configs[MAX_CONFIGS][SQA_CONFIG_TEXT];
    size_t count = 0;
    sqa_suite suite = suite_of((size_t)_i, NULL);
    ck_assert_int_eq(
        sqa_suite_random_configs(&suite, is_tiny(), chosen_size()->configs, configs, &count),
        SQA_OK);
    optimise(false);
    /* A family without parameters has its default only. */
    for (size_t i = 0; i < count && suite.family->parameter_count > 0; i++)
        check_config((size_t)_i, configs[i]);
}
END_TEST

static const sqa_kernel_family *last_family_of(sqa_operation operation)
{
    const sqa_kernel_family *last = NULL;
    for (size_t i = 0; i < sqa_family_count(); i++)
        if (sqa_family_at(i)->operation == operation)
            last = sqa_family_at(i);
    return last;
}

static void expect_supported(const sqa_kernel_family *family, const sqa_problem *problem)
{
    char shape[SQA_SHAPE_TEXT];
    sqa_config config;
    const char *why = "";
    memset(&config, 0, sizeof config);
    family->default_config(problem, &test_device, &config);
    sqa_problem_format(problem, shape, sizeof shape);
    ck_assert_msg(sqa_family_accepts(family, &config, problem, &test_device, &why), "%s: %s", shape,
                  why);
}

/* A search must always end: the last family of each operation takes anything. A recipe's
 * stages have families instead. */
START_TEST(the_last_family_supports_everything)
{
    const sqa_operation_entry *entry = sqa_operation_at((size_t)_i);
    const sqa_kernel_family *last = last_family_of(entry->id);
    ck_assert((last != NULL) == (entry->recipe == NULL));
    if (!last)
        return;
    const sqa_tuner_operation *operation = sqa_tuner_operation_find(entry->id);
    for (const sqa_case_grid *grid = operation->grids; grid->name; grid++)
        for (sqa_dtype dtype = SQA_DTYPE_F32; dtype <= SQA_DTYPE_BF16; dtype++) {
            sqa_case_list list = {NULL, 0};
            ck_assert_int_eq(grid->list(SQA_GRID_FULL, dtype, &list), SQA_OK);
            for (size_t i = 0; i < list.count; i++)
                expect_supported(last, &list.cases[i]);
            sqa_case_list_free(&list);
        }
}
END_TEST

/* The first family of a name has it, the same family of other operations theirs before it.
 * Check keeps the pointer. */
static const char *name_of_case(size_t family)
{
    static char names[MAX_FAMILIES][CASE_NAME];
    const sqa_kernel_family *own = sqa_family_at(family);
    bool taken = false;
    assert(family < MAX_FAMILIES);
    for (size_t i = 0; i < family; i++)
        taken = taken || !strcmp(sqa_family_at(i)->name, own->name);
    snprintf(names[family], CASE_NAME, "%s%s%s", taken ? sqa_operation_name(own->operation) : "",
             taken ? "_" : "", own->name);
    return names[family];
}

/* A case per family, so that CK_RUN_CASE can have one run alone. */
static TCase *case_of(int family)
{
    TCase *one = tcase_create(name_of_case((size_t)family));
    tcase_add_unchecked_fixture(one, open_device, close_device);
    tcase_add_loop_test(one, default_config_passes_the_grids, family, family + 1);
    tcase_add_loop_test(one, default_config_keeps_the_properties, family, family + 1);
    tcase_add_loop_test(one, random_configs_pass_the_sample, family, family + 1);
    return one;
}

int main(void)
{
    const char *only = getenv("CK_RUN_CASE");
    bool known = !only || !strcmp(only, "registry");
    Suite *suite = suite_create("kernel families");
    TCase *registry = tcase_create("registry");
    tcase_add_unchecked_fixture(registry, open_device, close_device);
    tcase_add_loop_test(registry, the_last_family_supports_everything, 0,
                        (int)sqa_operation_count());
    suite_add_tcase(suite, registry);
    for (int i = 0; i < (int)sqa_family_count(); i++) {
        suite_add_tcase(suite, case_of(i));
        known = known || !strcmp(only, name_of_case((size_t)i));
    }
    if (!known)
        fprintf(stderr, "CK_RUN_CASE: '%s' is no kernel family\n", only);
    const int status = sqa_run_suite(suite);
    return known ? status : EXIT_FAILURE;
}
