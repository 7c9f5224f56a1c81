/* Every kernel family of forward attention against the oracle: the grid, the patterns
 * and the properties with its default configuration, a sample with random ones.
 * SQA_TEST_SIZE is tiny (sanitizers), quick (the default) or full. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/suite.h"
#include "kernels/registry.h"
#include "opencl_fixture.h"
#include "run_suite.h"

/* How much of it: the grid, and how many random configurations. */
typedef struct test_size {
    const char *name;
    sqa_grid_size grid, random_grid, random_patterns;
    bool small_properties;
    size_t configs;
    uint32_t sampled_rows;
} test_size;

enum { MAX_CONFIGS = 12 };

static const test_size sizes[] = {
    {"tiny", SQA_GRID_TINY, SQA_GRID_TINY, SQA_GRID_TINY, true, 1, 0},
    {"quick", SQA_GRID_QUICK, SQA_GRID_SAMPLE, SQA_GRID_SAMPLE, false, 2, 96},
    {"full", SQA_GRID_FULL, SQA_GRID_SAMPLE, SQA_GRID_QUICK, false, MAX_CONFIGS, 96},
};

static const test_size *chosen_size(void)
{
    const char *name = getenv("SQA_TEST_SIZE");
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

static sqa_suite suite_of(size_t family, const char *config)
{
    return (sqa_suite){.context = test_context,
                       .queue = test_queue,
                       .device = &test_device,
                       .family = sqa_family_at(family),
                       .config = config,
                       .seed = 7,
                       .sampled_rows = chosen_size()->sampled_rows,
                       .report = print_failure};
}

START_TEST(default_config_passes_the_grid)
{
    sqa_suite suite = suite_of((size_t)_i, NULL);
    sqa_suite_counts counts = {0};
    suite.user = &suite;
    sqa_suite_grid(&suite, chosen_size()->grid, &counts);
    ck_assert_msg(counts.failed == 0, "%s: %zu of %zu failed", suite.family->name, counts.failed,
                  counts.failed + counts.passed);
    ck_assert_uint_eq(counts.passed + counts.unsupported, sqa_grid_count(chosen_size()->grid));
    printf("%-6s %zu passed, %zu not supported, worst rms %.1e\n", suite.family->name,
           counts.passed, counts.unsupported, counts.worst_rms);
}
END_TEST

START_TEST(default_config_passes_the_patterns)
{
    sqa_suite suite = suite_of((size_t)_i, NULL);
    sqa_suite_counts counts = {0};
    suite.user = &suite;
    ck_assert_int_eq(sqa_suite_patterns(&suite, chosen_size()->grid, &counts), SQA_OK);
    ck_assert_msg(counts.failed == 0, "%s: %zu of %zu failed", suite.family->name, counts.failed,
                  counts.failed + counts.passed);
    ck_assert_uint_gt(counts.passed, 0);
}
END_TEST

START_TEST(default_config_keeps_the_properties)
{
    sqa_suite suite = suite_of((size_t)_i, NULL);
    sqa_suite_counts counts = {0};
    suite.user = &suite;
    sqa_suite_properties(&suite, chosen_size()->small_properties, &counts);
    ck_assert_msg(counts.failed == 0, "%s: %zu properties broken", suite.family->name,
                  counts.failed);
    ck_assert_uint_eq(counts.passed + counts.unsupported, sqa_property_count);
}
END_TEST

/* But for the full size, only properties that need no program beyond the sample's:
 * compiling is what takes the time. */
static void check_properties(const sqa_suite *suite, sqa_suite_counts *counts)
{
    const bool all = chosen_size()->grid == SQA_GRID_FULL;
    for (size_t i = 0; i < sqa_property_count; i++)
        if (all || sqa_properties[i].causal != SQA_CAUSAL_NONE)
            sqa_suite_property(suite, &sqa_properties[i], chosen_size()->small_properties, counts);
}

static void check_config(size_t family, const char *config)
{
    sqa_suite suite = suite_of(family, config);
    sqa_suite_counts counts = {0};
    suite.user = &suite;
    sqa_suite_grid(&suite, chosen_size()->random_grid, &counts);
    check_properties(&suite, &counts);
    ck_assert_int_eq(sqa_suite_patterns(&suite, chosen_size()->random_patterns, &counts), SQA_OK);
    ck_assert_msg(counts.failed == 0, "%s (%s): %zu failed", suite.family->name, config,
                  counts.failed);
    ck_assert_msg(counts.passed > 0, "%s (%s): nothing it supports", suite.family->name, config);
}

START_TEST(random_configs_pass_the_sample)
{
    char configs[MAX_CONFIGS][SQA_CONFIG_TEXT];
    size_t count = 0;
    sqa_suite suite = suite_of((size_t)_i, NULL);
    ck_assert_int_eq(sqa_suite_random_configs(&suite, chosen_size()->small_properties,
                                              chosen_size()->configs, configs, &count),
                     SQA_OK);
    /* A family without parameters has its default only. */
    for (size_t i = 0; i < count && suite.family->parameter_count > 0; i++)
        check_config((size_t)_i, configs[i]);
}
END_TEST

/* A search must always end: the last family of each operation takes anything. */
START_TEST(naive_supports_everything)
{
    const sqa_kernel_family *naive = sqa_family_find(SQA_OPERATION_FORWARD, "naive");
    ck_assert_ptr_nonnull(naive);
    for (size_t i = 0; i < sqa_grid_count(SQA_GRID_FULL); i++) {
        sqa_grid_case test = sqa_grid_case_at(SQA_GRID_FULL, i);
        sqa_problem problem;
        sqa_config config;
        const char *why = "";
        memset(&config, 0, sizeof config);
        ck_assert_int_eq(sqa_problem_from_desc(&problem, &test.desc), SQA_OK);
        naive->default_config(&problem, &test_device, &config);
        ck_assert_msg(sqa_family_accepts(naive, &config, &problem, &test_device, &why),
                      "case %zu: %s", i, why);
    }
}
END_TEST

/* A case per family, so that CK_RUN_CASE can have one run alone. */
static TCase *case_of(int family)
{
    TCase *one = tcase_create(sqa_family_at((size_t)family)->name);
    tcase_add_unchecked_fixture(one, open_device, close_device);
    tcase_add_loop_test(one, default_config_passes_the_grid, family, family + 1);
    tcase_add_loop_test(one, default_config_passes_the_patterns, family, family + 1);
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
    tcase_add_test(registry, naive_supports_everything);
    suite_add_tcase(suite, registry);
    for (int i = 0; i < (int)sqa_family_count(); i++) {
        if (sqa_family_at((size_t)i)->operation != SQA_OPERATION_FORWARD)
            continue;
        suite_add_tcase(suite, case_of(i));
        known = known || !strcmp(only, sqa_family_at((size_t)i)->name);
    }
    if (!known)
        fprintf(stderr, "CK_RUN_CASE: '%s' is no kernel family\n", only);
    const int status = sqa_run_suite(suite);
    return known ? status : EXIT_FAILURE;
}
