/* See tune_problem.h. The finals are in finals.c, finalists in finalists.c. */
#include "search/tune_problem.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/registry.h"
#include "operations/tensors.h"
#include "search/moves.h"
#include "trial/measure.h"
#include "tuning/lookup.h"

/* Of one candidate, while the machine is slow. */
#define ATTEMPTS 2

#define MOST_ROWS 12

/* A family this much slower than the best is left alone: a GPU's tiles on a CPU, say. */
#define HOPELESS 3.0

/* Weight of the latest trial in what a trial takes. */
#define LATEST 0.3

/* What ended its process is not tried again with the same driver unless asked for:
 * some kernels take the machine with them. Noise says nothing and is. */
static bool holds(const sqa_problem_search *self, sqa_trial_status status)
{
    bool ended = status == SQA_TRIAL_CRASHED || status == SQA_TRIAL_TIMEOUT;
    return ended ? !self->session->options->retry_failed : status != SQA_TRIAL_TOO_NOISY;
}

sqa_contender sqa_problem_search_at(const sqa_problem_search *self, sqa_point point)
{
    const sqa_config_space *space = &self->spaces[point.family];
    return sqa_contender_of(space->family, &space->configs[point.config]);
}

bool sqa_problem_search_find(const sqa_problem_search *self, const sqa_contender *contender,
                             sqa_point *point)
{
    for (size_t i = 0; i < self->space_count; i++)
        if (self->spaces[i].family == contender->family) {
            const size_t config = sqa_config_space_find(&self->spaces[i], &contender->config);
            *point = (sqa_point){i, config};
            return config != SIZE_MAX;
        }
    return false;
}

static double cost_of(const sqa_trial_result *result)
{
    return result->status == SQA_TRIAL_OK ? result->median_ms : (double)INFINITY;
}

/* The fallback is the yardstick: results of an earlier run are on the scale of what
 * it took then. */
static void meet_known(sqa_problem_search *self, const sqa_contender *contender,
                       const sqa_trial_result *result)
{
    if (isnan(self->yardstick_ms) && sqa_contender_equal(contender, &self->fallback))
        self->yardstick_ms = result->median_ms;
}

sqa_status sqa_problem_search_recall(sqa_problem_search *self, sqa_point point, bool *known)
{
    const sqa_contender contender = sqa_problem_search_at(self, point);
    sqa_trial_record key =
        sqa_trial_record_of(self->session, &self->outcome->problem, &contender, NULL, NULL);
    sqa_trial_result result;
    *known = false;
    sqa_status status = sqa_store_find_trial(self->session->store, &key, &result, known);
    *known = status == SQA_OK && *known && holds(self, result.status);
    if (!*known)
        return status;
    self->outcome->known++;
    meet_known(self, &contender, &result);
    sqa_search_learn(&self->search, point, cost_of(&result));
    sqa_pruner_add(&self->pruner, point);
    return SQA_OK;
}

/* Puts a result on the scale of the whole search: the time the candidate would take
 * at the pace that the yardstick had when it was first met. The machine's own pace
 * may have changed since. */
static void rescale(sqa_problem_search *self, sqa_trial_result *result)
{
    if (!isfinite(result->relative) || !isfinite(result->median_ms))
        return;
    if (isnan(self->yardstick_ms))
        self->yardstick_ms = result->yardstick_ms;
    result->median_ms = result->relative * self->yardstick_ms;
    result->spread_ms = result->relative_spread * self->yardstick_ms;
    result->yardstick_ms = self->yardstick_ms;
}

/* Lets the search know a result. */
static void learn(sqa_problem_search *self, sqa_point point, const sqa_trial_result *result)
{
    const double best = self->search.best_cost;
    sqa_search_learn(&self->search, point, cost_of(result));
    sqa_pruner_add(&self->pruner, point);
    self->idle = self->search.best_cost < best ? 0 : self->idle + 1;
    self->outcome->trials[result->status]++;
}

/* Records a result, and lets the search know. */
static sqa_status conclude(sqa_problem_search *self, sqa_point point,
                           const sqa_trial_result *result)
{
    const sqa_contender contender = sqa_problem_search_at(self, point);
    learn(self, point, result);
    return sqa_record_trial(self->session, &self->outcome->problem, &contender, result, NULL, NULL);
}

sqa_status sqa_problem_search_fail(sqa_problem_search *self, sqa_point point,
                                   const sqa_trial_result *result, bool cut)
{
    if (!cut)
        return conclude(self, point, result);
    learn(self, point, result);
    return SQA_OK;
}

/* A rate above the ceiling means that the ceiling was sampled in a bad moment, or the trial
 * in a strange one. */
static bool is_above_ceiling(const sqa_problem_search *self, const sqa_trial_result *result)
{
    return self->outcome->flops / (result->median_ms * 1e6) >
           self->session->ceiling.rate[SQA_CEILING_FMA]; /* false for NaN */
}

static sqa_status measure(sqa_problem_search *self, const sqa_contender *contender,
                          sqa_runner *runner, sqa_trial_result *result)
{
    const bool known = isfinite(self->search.best_cost);
    const double best_ms = known ? self->search.best_cost : (double)NAN;
    const sqa_pace pace = {best_ms, best_ms / self->yardstick_ms};
    sqa_status status = sqa_steady_trial(runner, &self->outcome->problem, &contender->text, &pace,
                                         &self->steadiness, result);
    if (status == SQA_OK)
        rescale(self, result);
    return status;
}

sqa_status sqa_problem_search_try(sqa_problem_search *self, sqa_point point, sqa_runner *runner,
                                  bool cut)
{
    const sqa_contender contender = sqa_problem_search_at(self, point);
    const double begin = sqa_clock_seconds();
    sqa_trial_result result;
    self->latest = SQA_TRIAL_TIMEOUT;
    sqa_status status = measure(self, &contender, runner, &result);
    if (status == SQA_OK && is_above_ceiling(self, &result))
        status = sqa_tuning_ceiling(self->session, 0.0);
    if (status == SQA_OK && is_above_ceiling(self, &result))
        status = measure(self, &contender, runner, &result);
    if (status != SQA_OK || (cut && result.status == SQA_TRIAL_TIMEOUT))
        return status;
    self->latest = result.status;
    const double took = sqa_clock_seconds() - begin;
    self->trial_s += (self->trial_s > 0.0 ? LATEST : 1.0) * (took - self->trial_s);
    if (result.status == SQA_TRIAL_OK)
        self->session->slowest_s = fmax(self->session->slowest_s, took);
    return conclude(self, point, &result);
}

bool sqa_problem_search_must_try(const sqa_problem_search *self, sqa_point point)
{
    if (self->session->options->strategy == &sqa_strategy_exhaustive)
        return true;
    for (size_t i = 0; i < self->search.start_count; i++)
        if (self->search.starts[i].family == point.family &&
            self->search.starts[i].config == point.config)
            return true;
    return false;
}

void sqa_problem_search_prune(sqa_problem_search *self, sqa_point point)
{
    self->outcome->pruned++;
    sqa_search_learn(&self->search, point, (double)INFINITY);
}

double sqa_problem_search_lag(const sqa_problem_search *self, sqa_point point)
{
    double cost;
    bool known = sqa_search_knows(&self->search, point, &cost);
    return known ? cost / self->search.best_cost : (double)NAN;
}

bool sqa_problem_search_is_fallback(const sqa_problem_search *self, sqa_point point)
{
    const sqa_contender contender = sqa_problem_search_at(self, point);
    return sqa_contender_equal(&contender, &self->fallback);
}

/* Whether some of it was tried, and nothing came near the best. */
static bool is_hopeless(const sqa_search *search, size_t family)
{
    bool tried = false, close = false;
    for (size_t i = 0; i < search->tried; i++) {
        double cost;
        if (search->learnt[i].family != family)
            continue;
        sqa_search_knows(search, search->learnt[i], &cost);
        tried = true;
        close = close || cost < HOPELESS * search->best_cost;
    }
    return tried && !close;
}

void sqa_problem_search_drop_hopeless(sqa_problem_search *self)
{
    sqa_search *search = &self->search;
    if (!isfinite(search->best_cost) ||
        self->session->options->strategy == &sqa_strategy_exhaustive)
        return;
    for (size_t family = 0; family < self->space_count; family++)
        if (!search->closed[family] && is_hopeless(search, family))
            sqa_search_close_family(search, family);
}

static void add_start(sqa_problem_search *self, const sqa_contender *contender)
{
    sqa_point point;
    if (sqa_problem_search_find(self, contender, &point))
        sqa_search_add_start(&self->search, point);
}

/* What won for this class or the nearest ones. The incumbent is what is used for this class
 * today; there is none when it never met candidates that its family has by now: it is then
 * one of many. */
static void add_known_starts(sqa_problem_search *self)
{
    const sqa_tuning_session *session = self->session;
    const sqa_problem *problem = &self->outcome->problem;
    sqa_candidate rows[MOST_ROWS];
    sqa_problem_class problem_class = sqa_problem_class_of(problem);
    size_t count =
        sqa_lookup(&session->known, &session->device, &problem_class, INT_MAX, rows, MOST_ROWS);
    for (size_t i = 0; i < count; i++) {
        sqa_contender contender;
        if (!sqa_contender_of_row(session, problem, rows[i].row, &contender))
            continue;
        add_start(self, &contender);
        if (!self->has_incumbent && rows[i].rung == SQA_RUNG_EXACT &&
            sqa_candidates_are_current(contender.family, rows[i].row->candidates)) {
            self->incumbent = contender;
            self->has_incumbent = true;
        }
    }
}

/* The fallback first, so that it is always known; then what is likely to be good;
 * then the other families' defaults. */
static void add_starts(sqa_problem_search *self)
{
    const sqa_problem *problem = &self->outcome->problem;
    self->fallback = sqa_fallback_of(self->session, problem);
    add_start(self, &self->fallback);
    add_known_starts(self);
    for (size_t i = 0; i < self->space_count; i++) {
        sqa_config config;
        if (self->spaces[i].family == self->fallback.family)
            continue;
        memset(&config, 0, sizeof config);
        self->spaces[i].family->default_config(problem, &self->session->device, &config);
        sqa_contender contender = sqa_contender_of(self->spaces[i].family, &config);
        add_start(self, &contender);
    }
}

/* Why there is nothing to try. */
static void describe_empty(const sqa_problem_search *self)
{
    const sqa_tuning_session *session = self->session;
    sqa_tuning_outcome *outcome = self->outcome;
    const char *asked = session->options->family;
    if (session->device.limits.has_compiler) {
        snprintf(outcome->message, sizeof outcome->message,
                 "no configuration of %s can run this problem on this device",
                 asked ? asked : "any family");
        return;
    }
    sqa_contender wanted = sqa_fallback_of(session, &outcome->problem);
    if (asked) {
        wanted.family = sqa_family_find(outcome->problem.operation, asked);
        wanted.family->default_config(&outcome->problem, &session->device, &wanted.config);
    }
    const char *folder = sqa_prebuilt_folder(session->prebuilt);
    char key[SQA_HASH_TEXT];
    if (sqa_program_key(key, wanted.family, &wanted.config, &outcome->problem, &session->device))
        snprintf(key, sizeof key, "that");
    snprintf(outcome->message, sizeof outcome->message,
             "no OpenCL compiler here, and no pre-built program for it in %.200s; build %s, say, "
             "whose source `sqa capture --out %s%s%s --shape ...` writes",
             folder[0] ? folder : "$SQA_CL_PREBUILT, which is not set", key,
             folder[0] ? "$SQA_CL_PREBUILT" : "DIR", asked ? " --family " : "", asked ? asked : "");
}

sqa_status sqa_problem_search_open(sqa_problem_search *self, sqa_tuning_session *session,
                                   sqa_tuning_outcome *outcome, size_t walkers)
{
    self->session = session;
    self->outcome = outcome;
    self->yardstick_ms = (double)NAN;
    self->steadiness = (sqa_steadiness){(double)NAN, ATTEMPTS};
    outcome->flops = sqa_problem_flop(&outcome->problem);
    sqa_status status =
        sqa_spaces_create(self->spaces, &self->space_count, &outcome->problem, session);
    if (status != SQA_OK)
        return status;
    for (size_t i = 0; i < self->space_count; i++)
        outcome->space += self->spaces[i].count;
    if (!self->space_count)
        describe_empty(self);
    status =
        sqa_search_create(&self->search, self->spaces, self->space_count, session->options->seed);
    if (status == SQA_OK)
        self->pruner = sqa_pruner_create(&self->search);
    if (status == SQA_OK && self->space_count)
        add_starts(self);
    for (size_t i = 0; i < walkers && self->space_count && status == SQA_OK; i++) {
        status = sqa_walker_create(&self->walkers[i], &self->search, session->options->strategy);
        self->walker_count += status == SQA_OK;
    }
    return status;
}

void sqa_problem_search_close(sqa_problem_search *self)
{
    for (size_t i = 0; i < self->walker_count; i++)
        sqa_walker_destroy(self->walkers[i]);
    sqa_pruner_free(&self->pruner);
    sqa_search_free(&self->search);
    for (size_t i = 0; i < self->space_count; i++)
        sqa_config_space_free(&self->spaces[i]);
}

/* The first start that nobody has asked for yet. */
static bool ask_start(const sqa_problem_search *self, sqa_point *point)
{
    const sqa_search *search = &self->search;
    for (size_t i = 0; i < search->start_count; i++) {
        *point = search->starts[i];
        if (!sqa_search_was_tried(search, *point))
            return true;
    }
    return false;
}

bool sqa_problem_search_ask(sqa_problem_search *self, sqa_point *point)
{
    sqa_search *search = &self->search;
    double unused;
    if (ask_start(self, point))
        return true;
    /* While the fallback is on its way no strategy has anything to go by. */
    if (search->start_count && !sqa_search_knows(search, search->starts[0], &unused))
        return sqa_ask_beside_start(search, point);
    for (size_t i = 0; i < self->walker_count; i++) {
        sqa_walker *walker = self->walkers[self->next_walker++ % self->walker_count];
        if (sqa_walker_ask(walker, point) && !sqa_search_was_tried(search, *point))
            return true;
    }
    return false;
}
