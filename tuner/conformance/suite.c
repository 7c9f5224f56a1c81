/* Running grid and properties for one family. Which cases there are and what they
 * check is in grid.c and properties.c; nothing is printed here. */
#include "conformance/suite.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/config_space.h"
#include "problem/names.h"
#include "problem/problem_class.h"
#include "reference/random.h"
#include "shape/shape.h"

/* Whether the suite's configuration is for this problem at all. */
static bool accepts(const sqa_suite *suite, const sqa_attention_desc *desc, const char **why)
{
    sqa_problem problem;
    sqa_config config;
    if (sqa_problem_from_desc(&problem, desc) != SQA_OK)
        return true; /* let the check fail and say so */
    if (!suite->family->supports(&problem, suite->device, why))
        return false;
    memset(&config, 0, sizeof config);
    suite->family->default_config(&problem, suite->device, &config);
    if (suite->config && sqa_config_parse(suite->family, suite->config, &config) != SQA_OK)
        return true;
    return sqa_family_accepts(suite->family, &config, &problem, suite->device, why);
}

static void finish(const sqa_suite *suite, sqa_verdict verdict, const char *subject,
                   const char *message, sqa_suite_counts *counts)
{
    size_t *const count[] = {&counts->passed, &counts->failed, &counts->unsupported};
    sqa_outcome outcome = {verdict, subject, message};
    ++*count[verdict];
    if (suite->report)
        suite->report(suite->user, &outcome);
}

/* A check ended: with a status, and with a message when a promise was broken. */
static void judge(const sqa_suite *suite, sqa_status status, const char *subject,
                  const char *message, sqa_suite_counts *counts)
{
    char text[640];
    if (status != SQA_OK)
        snprintf(text, sizeof text, "%s: %.500s", sqa_status_name(status), sqa_last_error());
    else
        snprintf(text, sizeof text, "%s", message);
    finish(suite, text[0] ? SQA_VERDICT_FAILED : SQA_VERDICT_PASSED, subject, text, counts);
}

static void subject_of_case(const sqa_suite *suite, const sqa_grid_case *test,
                            char subject[SQA_SUITE_SUBJECT])
{
    char shape[SQA_SHAPE_TEXT];
    sqa_attention_desc desc = test->desc;
    const sqa_strides packed = {0, 0, 0};
    if (test->layout != SQA_LAYOUT_BHSD)
        desc.q = desc.k = desc.v = desc.o = packed;
    sqa_shape_format(&desc, shape, sizeof shape);
    int length = snprintf(subject, SQA_SUITE_SUBJECT, "--shape %s", shape);
    if (test->layout != SQA_LAYOUT_BHSD)
        length += snprintf(subject + length, SQA_SUITE_SUBJECT - (size_t)length, " --layout %s",
                           sqa_layout_name(test->layout));
    snprintf(subject + length, SQA_SUITE_SUBJECT - (size_t)length, " --seed %llu",
             (unsigned long long)suite->seed);
}

void sqa_suite_case(const sqa_suite *suite, const sqa_grid_case *test, sqa_suite_counts *counts)
{
    char subject[SQA_SUITE_SUBJECT];
    const char *why = "";
    sqa_check_result result = {.message = ""};
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    options.family = suite->family->name;
    options.config = suite->config;
    subject_of_case(suite, test, subject);
    if (!accepts(suite, &test->desc, &why)) {
        finish(suite, SQA_VERDICT_UNSUPPORTED, subject, why, counts);
        return;
    }
    sqa_status status = sqa_check_forward(suite->context, suite->queue, &test->desc, &options,
                                          suite->seed, suite->sampled_rows, &result);
    if (status == SQA_OK && result.passed) {
        counts->worst_rms = fmax(counts->worst_rms, result.rms_error);
        counts->worst_max = fmax(counts->worst_max, result.max_error);
        counts->worst_lse = fmax(counts->worst_lse, result.lse_error);
    }
    judge(suite, status, subject, result.message, counts);
}

void sqa_suite_property(const sqa_suite *suite, const sqa_property *property, bool small,
                        sqa_suite_counts *counts)
{
    char subject[SQA_SUITE_SUBJECT], message[SQA_CASE_MESSAGE] = "";
    const char *why = "";
    sqa_attention_desc desc = sqa_property_desc(property, small);
    desc.dtype = suite->dtype;
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    options.family = suite->family->name;
    options.config = suite->config;
    snprintf(subject, sizeof subject, "--property %s%s --dtype %s --seed %llu", property->name,
             small ? " --tiny" : "", sqa_dtype_name(suite->dtype), (unsigned long long)suite->seed);
    if (!accepts(suite, &desc, &why)) {
        finish(suite, SQA_VERDICT_UNSUPPORTED, subject, why, counts);
        return;
    }
    sqa_property_run run = {suite->context, suite->queue, &options, suite->seed, small};
    sqa_status status = property->check(&run, &desc, message);
    /* A property goes on to other heads and lengths, which a given configuration
     * may not be for. */
    if (suite->config && (status == SQA_INVALID_ARGUMENT || status == SQA_UNSUPPORTED)) {
        finish(suite, SQA_VERDICT_UNSUPPORTED, subject, sqa_last_error(), counts);
        return;
    }
    judge(suite, status, subject, message, counts);
}

void sqa_suite_grid(const sqa_suite *suite, sqa_grid_size size, sqa_suite_counts *counts)
{
    for (size_t i = 0; i < sqa_grid_count(size); i++) {
        sqa_grid_case test = sqa_grid_case_at(size, i);
        /* Seeds differ, and with them how the tensors start in their buffers. */
        sqa_suite numbered = *suite;
        numbered.seed += i;
        test.desc.dtype = suite->dtype;
        sqa_suite_case(&numbered, &test, counts);
    }
}

void sqa_suite_properties(const sqa_suite *suite, bool small, sqa_suite_counts *counts)
{
    for (size_t i = 0; i < sqa_property_count; i++)
        sqa_suite_property(suite, &sqa_properties[i], small, counts);
}

/* That the case hides what it should; the grid's check of it went before. */
static void hiding(const sqa_suite *suite, const sqa_grid_case *test, sqa_suite_counts *counts)
{
    char subject[SQA_SUITE_SUBJECT], message[SQA_CASE_MESSAGE] = "";
    const char *why = "";
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    options.family = suite->family->name;
    options.config = suite->config;
    if (!accepts(suite, &test->desc, &why))
        return;
    subject_of_case(suite, test, subject);
    const sqa_property_run run = {suite->context, suite->queue, &options, suite->seed, false};
    const sqa_status status = sqa_pattern_hides(&run, &test->desc, message);
    judge(suite, status, subject, message, counts);
}

sqa_status sqa_suite_patterns(const sqa_suite *suite, sqa_grid_size size, sqa_suite_counts *counts)
{
    sqa_pattern_grid grid;
    sqa_status status = sqa_pattern_grid_create(&grid, size);
    for (size_t i = 0; i < grid.count && status == SQA_OK; i++) {
        sqa_suite numbered = *suite;
        sqa_grid_case *test = &grid.cases[i].test;
        numbered.seed += i;
        test->desc.dtype = suite->dtype;
        sqa_suite_case(&numbered, test, counts);
        hiding(&numbered, test, counts);
    }
    sqa_pattern_grid_free(&grid);
    return status;
}

/* Moves a random choice to the front: the first steps of a shuffle. */
static void pick_random(sqa_config_space *space, size_t wanted, uint64_t seed)
{
    sqa_random random = {seed};
    for (size_t i = 0; i < wanted; i++) {
        size_t other = i + (size_t)sqa_random_below(&random, space->count - i);
        sqa_config config = space->configs[i];
        space->configs[i] = space->configs[other];
        space->configs[other] = config;
    }
}

sqa_status sqa_suite_random_configs(const sqa_suite *suite, bool small, size_t capacity,
                                    char (*texts)[SQA_CONFIG_TEXT], size_t *count)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    sqa_problem problem;
    sqa_config_space space;
    desc.q_length = desc.kv_length = small ? 33 : 129;
    desc.head_dim = small ? 8 : 64;
    desc.write_lse = 1;
    desc.dtype = suite->dtype;
    *count = 0;
    sqa_status status = sqa_problem_from_desc(&problem, &desc);
    if (status == SQA_OK)
        status = sqa_config_space_create(&space, suite->family, &problem, suite->device);
    if (status != SQA_OK)
        return status;
    *count = capacity < space.count ? capacity : space.count;
    pick_random(&space, *count, suite->seed);
    for (size_t i = 0; i < *count; i++)
        sqa_config_format(suite->family, &space.configs[i], texts[i]);
    sqa_config_space_free(&space);
    return SQA_OK;
}
