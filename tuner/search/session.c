/* See session.h: opens what a run needs, divides the budget, goes through the
 * problems. What is done with one of them is in tune_problem.c. */
#include "search/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "operations/problem_class.h"
#include "operations/shape.h"
#include "operations/tensors.h"
#include "search/tune_problem.h"
#include "trial/measure.h"

/* Of a problem's time, for the search; the finals take the rest. */
#define SEARCH_SHARE 0.85

/* And the pre-built programs of $SQA_CL_PREBUILT, as the workers have them. */
static sqa_status open_device(sqa_tuning_session *session)
{
    cl_device_id id;
    char folder[4096];
    sqa_status status = sqa_device_at(session->options->platform, session->options->device, &id);
    if (status == SQA_OK)
        status = sqa_device_query(&session->device, id);
    sqa_prebuilt_folder_path(NULL, folder, sizeof folder);
    return status == SQA_OK ? sqa_prebuilt_open(&session->prebuilt, folder, &session->options->log)
                            : status;
}

/* The ceiling only adds a fraction to the report: without it tuning goes on. */
static sqa_status measure_ceiling(sqa_tuning_session *session)
{
    if (sqa_runner_ceiling(session->runner, &session->ceiling) != SQA_OK) {
        sqa_log_write(&session->options->log, SQA_LOG_WARNING, "%s", sqa_last_error());
        session->ceiling.fma_gflops = session->ceiling.copy_gbs = (double)NAN;
    }
    return SQA_OK;
}

static sqa_status open_session(sqa_tuning_session *session)
{
    const sqa_tuning_options *options = session->options;
    const sqa_runner_options runner = {.platform = options->platform,
                                       .device = options->device,
                                       .timeout_s = options->timeout_s,
                                       .memory_mib = options->memory_mib};
    sqa_status status = open_device(session);
    if (status == SQA_OK)
        status = sqa_store_open(&session->store, options->database);
    if (status == SQA_OK)
        status = sqa_store_environment(session->store, &session->device, &session->environment);
    if (status == SQA_OK)
        status = sqa_runner_create(&session->runner, &runner);
    if (status == SQA_OK)
        status = measure_ceiling(session);
    return status;
}

static void close_session(sqa_tuning_session *session)
{
    sqa_runner_destroy(session->runner);
    if (session->store)
        sqa_store_close(session->store);
    sqa_tuning_table_free(&session->known);
    sqa_prebuilt_close(session->prebuilt);
}

/* Read anew for each problem: what just won is a good start for the next. */
static sqa_status read_known(sqa_tuning_session *session)
{
    sqa_tuning_table_free(&session->known);
    session->known = (sqa_tuning_table)SQA_TUNING_TABLE_INIT;
    const sqa_tuning_sources sources = {.user_database = session->options->database};
    return sqa_tuning_table_load(&session->known, &sources, &session->device,
                                 &session->options->log);
}

/* The first problem of its kind gets a search; those after it start from what that
 * one found, and have mostly to confirm it. */
#define FIRST_OF_KIND 4.0

static double weight_of(const sqa_problem *problems, size_t index)
{
    const sqa_problem_class own = sqa_problem_class_of(&problems[index]);
    for (size_t i = 0; i < index; i++) {
        const sqa_problem_class other = sqa_problem_class_of(&problems[i]);
        if (sqa_problem_class_distance(&own, &other) >= 0)
            return 1.0;
    }
    return FIRST_OF_KIND;
}

/* The part of what is left that problem `index` gets. */
static double part_of(const sqa_tuning_options *options, size_t index)
{
    double own = weight_of(options->problems, index), sum = own;
    for (size_t i = index + 1; i < options->problem_count; i++)
        sum += weight_of(options->problems, i);
    return own / sum;
}

static sqa_tuning_share share_of(const sqa_tuning_budget *budget, double begin, uint32_t used,
                                 double part)
{
    sqa_tuning_share share = {(double)INFINITY, (double)INFINITY, UINT32_MAX};
    if (budget->seconds > 0) {
        double now = sqa_clock_seconds();
        share.seconds = SEARCH_SHARE * part * fmax(begin + budget->seconds - now, 0.0);
        share.deadline = now + share.seconds;
    }
    if (budget->trials) {
        uint32_t left = used < budget->trials ? budget->trials - used : 0;
        share.trials = (uint32_t)ceil(part * left);
    }
    return share;
}

static void begin_outcome(sqa_tuning_outcome *outcome, const sqa_problem *problem)
{
    memset(outcome, 0, sizeof *outcome);
    outcome->problem = *problem;
    outcome->best_ms = outcome->spread_ms = (double)NAN;
    outcome->max_error = outcome->default_ms = (double)NAN;
    sqa_problem_format(problem, outcome->shape, sizeof outcome->shape);
}

static sqa_status go_through(sqa_tuning_session *session, sqa_tuning_report *report)
{
    const sqa_tuning_options *options = session->options;
    double begin = sqa_clock_seconds();
    uint32_t used = 0;
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < options->problem_count && status == SQA_OK && !*options->stop; i++) {
        sqa_tuning_outcome *outcome = &report->outcomes[report->count++];
        begin_outcome(outcome, &options->problems[i]);
        sqa_tuning_share share = share_of(&options->budget, begin, used, part_of(options, i));
        sqa_tuning_progress progress = {.problem = i,
                                        .problem_count = options->problem_count,
                                        .shape = outcome->shape,
                                        .best_ms = (double)NAN,
                                        .best_gflops = (double)NAN,
                                        .seconds_left = (double)NAN};
        status = read_known(session);
        if (status == SQA_OK)
            status = sqa_tune_problem(session, &share, &progress, outcome);
        used += progress.trials;
    }
    report->stopped = *options->stop != 0;
    return status;
}

/* Everything that can be refused before the first trial is. */
static sqa_status check_problems(const sqa_tuning_options *options)
{
    for (size_t i = 0; i < options->problem_count; i++) {
        const sqa_problem *problem = &options->problems[i];
        char shape[SQA_SHAPE_TEXT];
        if (sqa_problem_flop(problem) > 0.0)
            continue;
        sqa_problem_format(problem, shape, sizeof shape);
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "%s: nothing to tune; batch and lengths must be at least 1", shape);
    }
    return SQA_OK;
}

sqa_status sqa_tuning_run(const sqa_tuning_options *options, sqa_tuning_report *report)
{
    sqa_tuning_session session = {.options = options, .known = SQA_TUNING_TABLE_INIT};
    memset(report, 0, sizeof *report);
    report->ceiling.fma_gflops = report->ceiling.copy_gbs = (double)NAN;
    sqa_status status = check_problems(options);
    if (status != SQA_OK)
        return status;
    report->outcomes = calloc(options->problem_count, sizeof *report->outcomes);
    if (!report->outcomes)
        return sqa_fail_memory("the tuning report");
    status = open_session(&session);
    report->device = session.device;
    report->ceiling = session.ceiling;
    if (status == SQA_OK)
        status = go_through(&session, report);
    close_session(&session);
    return status;
}

static sqa_status look_ahead(const sqa_tuning_session *session, size_t index,
                             sqa_tuning_preview *out)
{
    const sqa_tuning_options *options = session->options;
    const sqa_problem *problem = &options->problems[index];
    sqa_config_space spaces[SQA_MOST_FAMILIES];
    memset(out, 0, sizeof *out);
    sqa_problem_format(problem, out->shape, sizeof out->shape);
    sqa_status status = sqa_spaces_create(spaces, &out->space_count, problem, session);
    for (size_t i = 0; i < out->space_count; i++) {
        out->spaces[i].family = spaces[i].family->name;
        out->spaces[i].configurations = spaces[i].count;
        sqa_config_space_free(&spaces[i]);
    }
    double sum = 0;
    for (size_t i = 0; i < options->problem_count; i++)
        sum += weight_of(options->problems, i);
    double part = weight_of(options->problems, index) / sum;
    out->seconds = options->budget.seconds > 0 ? part * options->budget.seconds : (double)NAN;
    out->trials = options->budget.trials ? ceil(part * options->budget.trials) : (double)NAN;
    return status;
}

sqa_status sqa_tuning_look_ahead(const sqa_tuning_options *options, sqa_device *device,
                                 sqa_tuning_preview *previews)
{
    sqa_tuning_session session = {.options = options, .known = SQA_TUNING_TABLE_INIT};
    sqa_status status = check_problems(options);
    if (status == SQA_OK)
        status = open_device(&session);
    for (size_t i = 0; i < options->problem_count && status == SQA_OK; i++)
        status = look_ahead(&session, i, &previews[i]);
    *device = session.device;
    sqa_prebuilt_close(session.prebuilt);
    return status;
}

void sqa_tuning_report_free(sqa_tuning_report *report)
{
    free(report->outcomes);
    report->outcomes = NULL;
    report->count = 0;
}
