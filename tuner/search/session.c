/* See session.h: opens what a run needs, lets all problems be searched together (contest.h),
 * and holds the finals of one after the other. */
#include "search/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "device/hardware_names.h"
#include "operations/shape.h"
#include "operations/tensors.h"
#include "search/contest.h"
#include "search/probe.h"
#include "search/tune_problem.h"
#include "trial/measure.h"

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
sqa_status sqa_tuning_ceiling(sqa_tuning_session *session, double seconds_ago)
{
    const double now = sqa_clock_seconds();
    sqa_ceiling found;
    if (now - session->ceiling_s < seconds_ago || session->has_no_ceiling)
        return SQA_OK;
    session->ceiling_s = now;
    if (sqa_runner_ceiling(sqa_crew_runner(session->crew, NULL), &session->ceiling, &found) !=
        SQA_OK) {
        session->has_no_ceiling = true;
        sqa_log_write(&session->options->log, SQA_LOG_WARNING, "%s", sqa_last_error());
        return SQA_OK;
    }
    for (int kind = 0; kind < SQA_CEILING_KINDS; kind++) {
        session->ceiling.rate[kind] = fmax(session->ceiling.rate[kind], found.rate[kind]);
        session->ceiling.number[kind] = found.number[kind];
    }
    return SQA_OK;
}

/* Where a test has given a family a bad default, what ships with the library would make up
 * for it. */
static bool has_bad_default(void)
{
#ifdef SQA_CL_TEST_SWITCHES
    return getenv("SQA_CL_TEST_DEFAULT") != NULL;
#else
    return false;
#endif
}

/* What the databases know of the device: starts, and what is in use. */
static sqa_status read_known(sqa_tuning_session *session)
{
    const sqa_tuning_sources sources = {.user_database = session->options->database,
                                        .skip_seed = has_bad_default()};
    return sqa_tuning_table_load(&session->known, &sources, &session->device,
                                 &session->options->log);
}

static sqa_crew_options crew_options_of(const sqa_tuning_options *options, const sqa_device *device)
{
    return (sqa_crew_options){.runner = {.platform = options->platform,
                                         .device = options->device,
                                         .timeout_s = options->timeout_s,
                                         .memory_mib = options->memory_mib},
                              .builds_while_measuring = device->strings.type != SQA_DEVICE_CPU,
                              .keeps_programs =
                                  !sqa_runtime_keeps_programs(device->identity.runtime)};
}

static void tell_probe(void *user, const sqa_kernel_family *family, const sqa_trial_result *result)
{
    const sqa_log *log = user;
    if (result->status == SQA_TRIAL_OK)
        sqa_log_write(log, SQA_LOG_INFO, "%s: its probe found it right", family->name);
    else
        sqa_log_write(log, SQA_LOG_WARNING, "%s is left aside: its probe: %s, %s", family->name,
                      sqa_trial_status_name(result->status), result->message);
}

/* Once per environment, before anything asks what would be used here. */
static sqa_status probe(sqa_tuning_session *session)
{
    const sqa_tuning_options *options = session->options;
    const sqa_probing probing = {.store = session->store,
                                 .environment = session->environment,
                                 .device = &session->device,
                                 .runner = sqa_crew_runner(session->crew, NULL),
                                 .tell = tell_probe,
                                 .user = (void *)&options->log};
    return sqa_probe_families(&probing, options->problems, options->problem_count,
                              options->retry_failed ? SQA_PROBE_FAILED_AGAIN
                                                    : SQA_PROBE_NONE_AGAIN);
}

static sqa_status open_session(sqa_tuning_session *session)
{
    const sqa_tuning_options *options = session->options;
    sqa_status status = open_device(session);
    const sqa_crew_options crew = crew_options_of(options, &session->device);
    if (status == SQA_OK)
        status = sqa_crew_create(&session->crew, &crew);
    if (status == SQA_OK)
        status = sqa_store_open(&session->store, options->database);
    if (status == SQA_OK)
        status = sqa_store_environment(session->store, &session->device, &session->environment);
    if (status == SQA_OK)
        status = probe(session);
    if (status == SQA_OK)
        status = read_known(session);
    if (status == SQA_OK)
        status = sqa_tuning_ceiling(session, 0.0);
    return status;
}

static void close_session(sqa_tuning_session *session)
{
    sqa_crew_destroy(session->crew);
    if (session->store)
        sqa_store_close(session->store);
    sqa_tuning_table_free(&session->known);
    sqa_prebuilt_close(session->prebuilt);
}

static void begin_outcome(sqa_tuning_outcome *outcome, const sqa_problem *problem)
{
    memset(outcome, 0, sizeof *outcome);
    outcome->problem = *problem;
    outcome->best_ms = outcome->spread_ms = (double)NAN;
    outcome->max_error = outcome->default_ms = (double)NAN;
    sqa_problem_format(problem, outcome->shape, sizeof outcome->shape);
}

/* A run on its way: what its parts say of how it goes. */
typedef struct run {
    sqa_tuning_session session;
    sqa_problem_search *searches;
    size_t opened;
    double begin_s;
    sqa_contest_figures figures;
    sqa_tuning_report *report;
} run;

static void tell(const run *self, sqa_tuning_progress *now, double search_end_s)
{
    const sqa_tuning_options *options = self->session.options;
    const double left = search_end_s - sqa_clock_seconds();
    now->problem_count = options->problem_count;
    now->programs = self->figures.programs;
    now->trials = self->figures.trials;
    for (size_t i = 0; i < self->report->count; i++)
        now->known += self->report->outcomes[i].known;
    double done = 0.0;
    if (isfinite(left))
        done = 1.0 - left / (search_end_s - self->begin_s);
    else if (options->budget.trials)
        done = (double)now->trials / options->budget.trials;
    now->done = fmin(fmax(done, 0.0), 1.0);
    now->seconds_left = isfinite(left) ? fmax(left, 0.0) : (double)NAN;
    if (options->progress)
        options->progress(options->progress_user, now);
}

static void tell_search(void *user, double search_end_s)
{
    sqa_tuning_progress now = {.best_ms = (double)NAN, .best_gflops = (double)NAN};
    tell(user, &now, search_end_s);
}

/* That the finals of a problem begin. */
static void tell_finals(const run *self, size_t index)
{
    const sqa_problem_search *search = &self->searches[index];
    const sqa_tuning_outcome *outcome = search->outcome;
    const double best_ms = search->search.best_cost;
    sqa_tuning_progress now = {.finals = true,
                               .problem = index,
                               .shape = outcome->shape,
                               .best_ms = best_ms,
                               .best_gflops = outcome->flops / (best_ms * 1e6)};
    const double seconds = self->session.options->budget.seconds;
    tell(self, &now, seconds > 0 ? self->begin_s + seconds : (double)INFINITY);
}

static sqa_status open_searches(run *self)
{
    const sqa_tuning_options *options = self->session.options;
    const size_t ahead = SQA_CREW_AHEAD * sqa_crew_size(self->session.crew);
    const size_t each = (ahead + options->problem_count - 1) / options->problem_count;
    sqa_status status = SQA_OK;
    self->searches = calloc(options->problem_count, sizeof *self->searches);
    if (!self->searches)
        return sqa_fail_memory("the search");
    for (size_t i = 0; i < options->problem_count && status == SQA_OK; i++) {
        sqa_tuning_outcome *outcome = &self->report->outcomes[self->report->count++];
        begin_outcome(outcome, &options->problems[i]);
        self->opened++;
        status = sqa_problem_search_open(&self->searches[i], &self->session, outcome,
                                         each < SQA_MOST_WALKERS ? each : SQA_MOST_WALKERS);
    }
    return status;
}

static sqa_status search(run *self)
{
    const sqa_contest_options options = {self->begin_s, tell_search, self};
    return sqa_contest_run(&self->session, self->searches, self->opened, &options, &self->figures);
}

/* Why there are no finals. */
static void describe_untuned(const sqa_problem_search *search, bool no_time)
{
    sqa_tuning_outcome *outcome = search->outcome;
    const sqa_search *of = &search->search;
    const char *why = no_time                    ? "no time was left for its finals"
                      : !of->tried               ? "no trial was made"
                      : !isfinite(of->best_cost) ? "no configuration worked"
                      : of->tried == 1           ? "nothing but the default was tried"
                                                 : "nothing but the default worked";
    outcome->fallback = search->fallback.text;
    if (!outcome->message[0])
        snprintf(outcome->message, sizeof outcome->message, "%s", why);
}

static sqa_status hold_finals_of(run *self, size_t index, sqa_finals_plan plan)
{
    sqa_problem_search *search = &self->searches[index];
    sqa_contender contenders[SQA_MAX_FINALISTS];
    const uint32_t count = sqa_problem_search_finalists(search, plan.top, contenders);
    tell_finals(self, index);
    sqa_crew_limit(self->session.crew, (double)INFINITY);
    return sqa_tuning_finals(&self->session, &search->outcome->problem, contenders, count,
                             plan.rounds, search->outcome);
}

static sqa_status hold_finals(run *self)
{
    const sqa_tuning_options *options = self->session.options;
    sqa_status status = SQA_OK;
    sqa_finals_need *needs = calloc(self->opened, sizeof *needs);
    if (!needs)
        return sqa_fail_memory("the finals");
    for (size_t i = 0; i < self->opened; i++)
        needs[i] = sqa_contest_need(&self->searches[i], &self->figures);
    /* The worker that was stopped with the search has to have its ceiling again. */
    status = sqa_tuning_ceiling(&self->session, 0.0);
    for (size_t i = 0; i < self->opened && status == SQA_OK; i++) {
        const double left = options->budget.seconds > 0
                                ? self->begin_s + options->budget.seconds - sqa_clock_seconds()
                                : (double)INFINITY;
        const sqa_finals_plan plan =
            *options->stop ? (sqa_finals_plan){SQA_FINALS_FEWEST_ROUNDS, 1}
                           : sqa_budget_finals(left, &needs[i], (uint32_t)(self->opened - i));
        if (!needs[i].found || !plan.rounds)
            describe_untuned(&self->searches[i], needs[i].found > 0);
        else
            status = hold_finals_of(self, i, plan);
    }
    free(needs);
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
    run self = {.session = {.options = options,
                            .known = SQA_TUNING_TABLE_INIT,
                            .ceiling = sqa_ceiling_unknown()},
                .begin_s = sqa_clock_seconds(),
                .report = report};
    memset(report, 0, sizeof *report);
    report->ceiling = sqa_ceiling_unknown();
    sqa_status status = check_problems(options);
    if (status != SQA_OK)
        return status;
    report->outcomes = calloc(options->problem_count, sizeof *report->outcomes);
    if (!report->outcomes)
        return sqa_fail_memory("the tuning report");
    status = open_session(&self.session);
    report->device = self.session.device;
    if (status == SQA_OK)
        status = open_searches(&self);
    if (status == SQA_OK)
        status = search(&self);
    if (status == SQA_OK)
        status = hold_finals(&self);
    report->ceiling = self.session.ceiling;
    report->stopped = *options->stop;
    for (size_t i = 0; i < self.opened; i++)
        sqa_problem_search_close(&self.searches[i]);
    free(self.searches);
    close_session(&self.session);
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
    const double part = 1.0 / (double)options->problem_count;
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

double sqa_tuning_build_seconds(const sqa_tuning_options *options, const sqa_device *device)
{
    const sqa_tuning_session session = {.options = options, .device = *device};
    const sqa_contender fallback = sqa_fallback_of(&session, &options->problems[0]);
    const sqa_crew_options crew_options = crew_options_of(options, device);
    sqa_job job = {.problem = options->problems[0], .candidate = fallback.text}, *built = NULL;
    sqa_crew *crew = NULL;
    double seconds = (double)NAN;
    if (!fallback.family || !device->limits.has_compiler ||
        sqa_crew_create(&crew, &crew_options) != SQA_OK)
        return seconds;
    sqa_crew_submit(crew, &job);
    if (sqa_crew_next(crew, (double)INFINITY, &built) == SQA_OK && built &&
        built->built.status == SQA_TRIAL_OK)
        seconds = job.seconds / sqa_crew_size(crew);
    sqa_crew_destroy(crew);
    return seconds;
}

void sqa_tuning_report_free(sqa_tuning_report *report)
{
    free(report->outcomes);
    report->outcomes = NULL;
    report->count = 0;
}
