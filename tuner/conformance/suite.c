/* Running cases and properties for one family. Which there are and what they check is in
 * operations/; nothing is printed here. */
#include "conformance/suite.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "kernels/config_space.h"
#include "operations/tuner_operations.h"
#include "problem/names.h"

/* Whether the suite's configuration is for this problem at all. */
static bool accepts(const sqa_suite *suite, const sqa_problem *problem, const char **why)
{
    sqa_config config;
    if (!suite->family)
        return true;
    if (!suite->family->supports(problem, suite->device, why))
        return false;
    memset(&config, 0, sizeof config);
    suite->family->default_config(problem, suite->device, &config);
    if (suite->config && sqa_config_parse(suite->family, suite->config, &config) != SQA_OK)
        return true; /* let the check fail and say so */
    return sqa_family_accepts(suite->family, &config, problem, suite->device, why);
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

static bool is_stopped(const sqa_suite *suite)
{
    return suite->stop && *suite->stop;
}

/* A check ended: with a status, and with a message when a promise was broken. */
static void judge(const sqa_suite *suite, sqa_status status, const char *subject,
                  const char *message, sqa_suite_counts *counts)
{
    char text[640];
    if (status != SQA_OK && is_stopped(suite))
        return; /* what stops this also ends the compilers and linkers it waits for */
    if (status != SQA_OK)
        snprintf(text, sizeof text, "%s: %.500s", sqa_status_name(status), sqa_last_error());
    else
        snprintf(text, sizeof text, "%s", message);
    finish(suite, text[0] ? SQA_VERDICT_FAILED : SQA_VERDICT_PASSED, subject, text, counts);
}

static void subject_of_case(const sqa_suite *suite, const sqa_problem *problem,
                            char subject[SQA_SUITE_SUBJECT])
{
    char shape[SQA_SHAPE_TEXT];
    sqa_problem_format(problem, shape, sizeof shape);
    const bool shared = suite->shared && suite->config && suite->config[0];
    snprintf(subject, SQA_SUITE_SUBJECT, "--shape %s --seed %llu%s%s", shape,
             (unsigned long long)suite->seed, shared ? " --set " : "", shared ? suite->config : "");
}

static void keep_worst(sqa_suite_counts *counts, const sqa_judgement *judgement)
{
    for (int slot = 0; slot < SQA_MAX_TENSORS; slot++) {
        const sqa_output_error *error = &judgement->of[slot];
        sqa_output_error *worst = &counts->worst[slot];
        if (!error->judged)
            continue;
        *worst =
            (sqa_output_error){true, fmax(worst->rms, error->rms), fmax(worst->max, error->max),
                               fmax(worst->absolute, error->absolute)};
    }
}

static sqa_plan_options options_of(const sqa_suite *suite)
{
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    options.family = suite->family ? suite->family->name : NULL;
    options.config = suite->config;
    return options;
}

void sqa_suite_case(const sqa_suite *suite, const sqa_problem *problem, sqa_suite_counts *counts)
{
    char subject[SQA_SUITE_SUBJECT];
    const char *why = "";
    sqa_judgement judgement = {.message = ""};
    const sqa_plan_options options = options_of(suite);
    subject_of_case(suite, problem, subject);
    if (!accepts(suite, problem, &why)) {
        finish(suite, SQA_VERDICT_UNSUPPORTED, subject, why, counts);
        return;
    }
    sqa_status status = sqa_check(suite->context, suite->queue, problem, &options, suite->seed,
                                  suite->all_rows, &judgement);
    if (status == SQA_OK && judgement.passed)
        keep_worst(counts, &judgement);
    judge(suite, status, subject, judgement.message, counts);
}

void sqa_suite_property(const sqa_suite *suite, const sqa_property *property, bool small,
                        sqa_suite_counts *counts)
{
    char subject[SQA_SUITE_SUBJECT], finding[SQA_FINDING_TEXT] = "";
    const char *why = "";
    sqa_problem problem = property->problem(property, small, suite->dtype);
    const sqa_plan_options options = options_of(suite);
    /* A family may be for small problems only. */
    if (!small && !accepts(suite, &problem, &why)) {
        small = true;
        problem = property->problem(property, small, suite->dtype);
    }
    snprintf(subject, sizeof subject, "--property %s%s --dtype %s --seed %llu", property->name,
             small ? " --tiny" : "", sqa_dtype_name(suite->dtype), (unsigned long long)suite->seed);
    if (!accepts(suite, &problem, &why)) {
        finish(suite, SQA_VERDICT_UNSUPPORTED, subject, why, counts);
        return;
    }
    const sqa_property_run run = {suite->context, suite->queue, &options, suite->seed, small};
    sqa_status status = property->check(&run, &problem, finding);
    /* A property goes on to other heads and lengths, which a family or a given configuration
     * may not be for. */
    if (status == SQA_UNSUPPORTED || (suite->config && status == SQA_INVALID_ARGUMENT)) {
        finish(suite, SQA_VERDICT_UNSUPPORTED, subject, sqa_last_error(), counts);
        return;
    }
    judge(suite, status, subject, finding, counts);
}

/* What else the grid's cases have to keep; that they agree with the reference went before. */
static void check_also(const sqa_suite *suite, const sqa_case_grid *grid,
                       const sqa_problem *problem, sqa_suite_counts *counts)
{
    char subject[SQA_SUITE_SUBJECT], finding[SQA_FINDING_TEXT] = "";
    const char *why = "";
    const sqa_plan_options options = options_of(suite);
    if (!accepts(suite, problem, &why))
        return;
    subject_of_case(suite, problem, subject);
    const sqa_property_run run = {suite->context, suite->queue, &options, suite->seed, false};
    const sqa_status status = grid->also(&run, problem, finding);
    judge(suite, status, subject, finding, counts);
}

/* Sets the configuration of a case that may be of another's program. */
static void share_program(sqa_suite *suite, const sqa_problem *problem)
{
    const char *why = "";
    if (suite->shared && suite->family && !suite->config &&
        suite->family->supports(problem, suite->device, &why))
        suite->config = sqa_shared_config(suite->shared, suite->family, suite->device, problem);
}

sqa_status sqa_suite_grid(const sqa_suite *suite, const sqa_case_grid *grid, sqa_grid_size size,
                          sqa_suite_counts *counts)
{
    sqa_case_list list = {NULL, 0};
    sqa_status status = grid->list(size, suite->dtype, &list);
    for (size_t i = 0; i < list.count && status == SQA_OK && !is_stopped(suite); i++) {
        /* Seeds differ, and with them how the tensors start in their buffers. */
        sqa_suite numbered = *suite;
        numbered.seed += i;
        share_program(&numbered, &list.cases[i]);
        sqa_suite_case(&numbered, &list.cases[i], counts);
        if (grid->also)
            check_also(&numbered, grid, &list.cases[i], counts);
    }
    sqa_case_list_free(&list);
    return status;
}

sqa_status sqa_suite_grid_count(const sqa_suite *suite, const sqa_case_grid *grid,
                                sqa_grid_size size, size_t *count)
{
    sqa_case_list list = {NULL, 0};
    const char *why = "";
    sqa_status status = grid->list(size, suite->dtype, &list);
    *count = list.count;
    for (size_t i = 0; i < list.count && grid->also; i++)
        *count += accepts(suite, &list.cases[i], &why);
    sqa_case_list_free(&list);
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

/* The configurations that the family has for everyday problems or, where it is not for such, for
 * the first of the grid's that it has any for. */
static sqa_status space_of_family(const sqa_suite *suite, bool small, sqa_config_space *out)
{
    assert(suite->family->operation == suite->operation);
    const sqa_tuner_operation *operation = sqa_tuner_operation_find(suite->operation);
    const sqa_problem everyday = operation->everyday(small, suite->dtype);
    sqa_case_list list = {NULL, 0};
    sqa_status status = sqa_config_space_create(out, suite->family, &everyday, suite->device);
    if (status != SQA_OK || out->count > 0)
        return status;
    status = operation->grids->list(small ? SQA_GRID_TINY : SQA_GRID_QUICK, suite->dtype, &list);
    for (size_t i = 0; i < list.count && status == SQA_OK && out->count == 0; i++) {
        sqa_config_space_free(out);
        status = sqa_config_space_create(out, suite->family, &list.cases[i], suite->device);
    }
    sqa_case_list_free(&list);
    return status;
}

sqa_status sqa_suite_random_configs(const sqa_suite *suite, bool small, size_t capacity,
                                    char (*texts)[SQA_CONFIG_TEXT], size_t *count)
{
    sqa_config_space space;
    *count = 0;
    sqa_status status = space_of_family(suite, small, &space);
    if (status != SQA_OK)
        return status;
    *count = capacity < space.count ? capacity : space.count;
    pick_random(&space, *count, suite->seed);
    for (size_t i = 0; i < *count; i++)
        sqa_config_format(suite->family, &space.configs[i], texts[i]);
    sqa_config_space_free(&space);
    return SQA_OK;
}
