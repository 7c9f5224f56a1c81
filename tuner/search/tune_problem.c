/* See tune_problem.h. The finals are in finals.c. */
#include "search/tune_problem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/registry.h"
#include "operations/tensors.h"
#include "search/steady_trial.h"
#include "trial/measure.h"
#include "tuning/lookup.h"

/* Of one candidate, while the machine is slow. */
#define ATTEMPTS 2

#define TOP 3    /* of the search, into the finals, */
#define NEAR 1.5 /* unless they are this much slower than the best */
#define MOST_ROWS 12

/* Without a time-out from the user: what takes this many times as long to build
 * and check as the slowest that worked is given up. The least is for compilers on
 * a busy machine. */
#define PATIENCE 6.0
#define LEAST_PATIENCE 6.0

/* A family this much slower than the best is left out of the run's next problems:
 * a GPU's tiles on a CPU, say. */
#define HOPELESS 3.0

/* The search for one problem while it runs: what `evaluate` needs. */
typedef struct problem_search {
    sqa_tuning_session *session;
    const sqa_problem *problem;
    const sqa_tuning_share *share;
    sqa_tuning_progress *progress;
    sqa_tuning_outcome *outcome;
    sqa_config_space spaces[SQA_MOST_FAMILIES];
    size_t space_count;
    sqa_search search;
    double yardstick_ms; /* of what runs without a database, when it was first met; NaN: not yet */
    sqa_steadiness steadiness;
    uint32_t idle;     /* trials made since the best was found */
    double slowest;    /* seconds that a trial which worked took at most; 0: none did */
    sqa_status status; /* what ended the search, but for the budget */
} problem_search;

/* What is said after each trial. */
static void report(problem_search *self)
{
    const sqa_tuning_options *options = self->session->options;
    sqa_tuning_progress *progress = self->progress;
    double left = self->share->deadline - sqa_clock_seconds();
    double by_time = isfinite(left) ? 1.0 - left / self->share->seconds : 0.0;
    double by_trials = self->share->trials == UINT32_MAX
                           ? 0.0
                           : (double)progress->trials / fmax(self->share->trials, 1.0);
    double by_space = (double)self->search.tried / fmax((double)self->search.total, 1.0);
    progress->done = fmin(fmax(fmax(by_time, by_trials), by_space), 1.0);
    progress->seconds_left = isfinite(left) ? fmax(left, 0.0) : (double)NAN;
    if (options->progress)
        options->progress(options->progress_user, progress);
}

static bool budget_is_used_up(const problem_search *self)
{
    uint32_t patience = self->session->options->budget.patience;
    return *self->session->options->stop || self->progress->trials >= self->share->trials ||
           (patience && self->idle >= patience) || sqa_clock_seconds() >= self->share->deadline;
}

/* What ended its process is not tried again with the same driver unless asked for:
 * some kernels take the machine with them. Noise says nothing and is. */
static bool holds(const problem_search *self, sqa_trial_status status)
{
    bool ended = status == SQA_TRIAL_CRASHED || status == SQA_TRIAL_TIMEOUT;
    return ended ? !self->session->options->retry_failed : status != SQA_TRIAL_TOO_NOISY;
}

/* A result of an earlier run is as good as a new one. */
static bool find_known(problem_search *self, const sqa_contender *contender,
                       sqa_trial_result *result)
{
    sqa_trial_record key =
        sqa_trial_record_of(self->session, self->problem, contender, NULL, false);
    bool found = false;
    self->status = sqa_store_find_trial(self->session->store, &key, result, &found);
    return self->status == SQA_OK && found && holds(self, result->status);
}

/* The fallback is the yardstick: results of an earlier run are on the scale of what
 * it took then. */
static void meet_known(problem_search *self, const sqa_contender *contender,
                       const sqa_trial_result *result)
{
    const sqa_contender fallback = sqa_fallback_of(self->session, self->problem);
    if (isnan(self->yardstick_ms) && sqa_contender_equal(contender, &fallback))
        self->yardstick_ms = result->median_ms;
}

static void limit_trials(problem_search *self)
{
    double seconds = fmax(PATIENCE * self->slowest, LEAST_PATIENCE);
    bool adaptive = !self->session->options->timeout_s && self->slowest > 0;
    sqa_runner_limit(self->session->runner, adaptive ? seconds : (double)INFINITY);
}

/* Puts a result on the scale of the whole search: the time the candidate would take
 * at the pace that the yardstick had when it was first met. The machine's own pace
 * may have changed since. */
static void rescale(problem_search *self, sqa_trial_result *result)
{
    if (!isfinite(result->relative) || !isfinite(result->median_ms))
        return;
    if (isnan(self->yardstick_ms))
        self->yardstick_ms = result->yardstick_ms;
    result->median_ms = result->relative * self->yardstick_ms;
    result->spread_ms = result->relative_spread * self->yardstick_ms;
}

static bool make_trial(problem_search *self, const sqa_contender *contender,
                       sqa_trial_result *result)
{
    double begin = sqa_clock_seconds();
    limit_trials(self);
    const sqa_pace pace = {self->progress->best_ms, self->progress->best_ms / self->yardstick_ms};
    self->status = sqa_steady_trial(self->session->runner, self->problem, &contender->text, &pace,
                                    &self->steadiness, result);
    rescale(self, result);
    if (self->status == SQA_OK && result->status == SQA_TRIAL_OK)
        self->slowest = fmax(self->slowest, sqa_clock_seconds() - begin);
    if (self->status == SQA_OK)
        self->status =
            sqa_record_trial(self->session, self->problem, contender, result, false, NULL);
    if (self->status != SQA_OK)
        return false;
    self->idle++;
    self->outcome->trials[result->status]++;
    self->progress->trials++;
    return true;
}

/* sqa_search's question: the cost of a point. */
static bool evaluate(void *user, sqa_point point, double *cost)
{
    problem_search *self = user;
    const sqa_config_space *space = &self->spaces[point.family];
    sqa_contender contender = sqa_contender_of(space->family, &space->configs[point.config]);
    sqa_trial_result result;
    if (find_known(self, &contender, &result)) {
        self->outcome->known++;
        self->progress->known++;
        meet_known(self, &contender, &result);
    } else if (self->status != SQA_OK || budget_is_used_up(self) ||
               !make_trial(self, &contender, &result)) {
        return false;
    }
    *cost = result.status == SQA_TRIAL_OK ? result.median_ms : (double)INFINITY;
    if (isfinite(*cost) && !(*cost >= self->progress->best_ms)) {
        self->idle = 0;
        self->progress->best_ms = *cost;
        self->progress->best_gflops = self->outcome->flops / (*cost * 1e6);
    }
    report(self);
    return true;
}

/* Remembers the families that were tried and came nowhere near the best. Only a
 * strategy that promises to try everything goes on with them. */
static void remember_hopeless(problem_search *self)
{
    const sqa_search *search = &self->search;
    sqa_tuning_session *session = self->session;
    if (!isfinite(search->best_cost) || session->options->strategy == &sqa_strategy_exhaustive)
        return;
    for (size_t i = 0; i < self->space_count; i++) {
        bool tried = false, close = false;
        for (size_t j = 0; j < self->spaces[i].count; j++) {
            tried = tried || !isnan(search->costs[i][j]);
            close = close || search->costs[i][j] < HOPELESS * search->best_cost;
        }
        if (tried && !close && session->hopeless_count < SQA_MAX_HOPELESS)
            session->hopeless[session->hopeless_count++] = self->spaces[i].family;
    }
}

static sqa_status enumerate(problem_search *self)
{
    sqa_status status =
        sqa_spaces_create(self->spaces, &self->space_count, self->problem, self->session);
    for (size_t i = 0; i < self->space_count; i++)
        self->outcome->space += self->spaces[i].count;
    return status;
}

static void add_start(problem_search *self, const sqa_contender *contender)
{
    for (size_t i = 0; i < self->space_count; i++) {
        if (self->spaces[i].family != contender->family)
            continue;
        size_t config = sqa_config_space_find(&self->spaces[i], &contender->config);
        if (config != SIZE_MAX)
            sqa_search_add_start(&self->search, (sqa_point){i, config});
    }
}

/* What won for this class or the nearest ones. Fills *incumbent with what is used
 * for this class today; false when there is none, or it never met candidates that its
 * family has by now: it is then one of many. */
static bool add_known_starts(problem_search *self, sqa_contender *incumbent)
{
    sqa_candidate rows[MOST_ROWS];
    sqa_problem_class problem_class = sqa_problem_class_of(self->problem);
    size_t count =
        sqa_lookup(&self->session->known, &self->session->device, &problem_class, rows, MOST_ROWS);
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        sqa_contender contender;
        if (!sqa_contender_of_row(self->session, self->problem, rows[i].row, &contender))
            continue;
        add_start(self, &contender);
        if (!found && rows[i].rung == SQA_RUNG_EXACT &&
            sqa_candidates_are_current(contender.family, rows[i].row->candidates)) {
            *incumbent = contender;
            found = true;
        }
    }
    return found;
}

/* The fallback first, so that it is always known; then what is likely to be good;
 * then the other families' defaults. */
static bool add_starts(problem_search *self, sqa_contender *incumbent)
{
    sqa_contender fallback = sqa_fallback_of(self->session, self->problem);
    add_start(self, &fallback);
    bool found = add_known_starts(self, incumbent);
    for (size_t i = 0; i < self->space_count; i++) {
        sqa_config config;
        memset(&config, 0, sizeof config);
        self->spaces[i].family->default_config(self->problem, &self->session->device, &config);
        sqa_contender contender = sqa_contender_of(self->spaces[i].family, &config);
        add_start(self, &contender);
    }
    return found;
}

static void add_contender(sqa_contender *contenders, uint32_t *count,
                          const sqa_contender *contender)
{
    for (uint32_t i = 0; i < *count; i++)
        if (sqa_contender_equal(&contenders[i], contender))
            return;
    contenders[(*count)++] = *contender;
}

/* The cheapest point of the search that is none of the contenders yet. */
static bool next_best(const problem_search *self, const sqa_contender *contenders, uint32_t count,
                      sqa_contender *out)
{
    double most = NEAR * self->search.best_cost, best = most;
    for (size_t i = 0; i < self->space_count; i++)
        for (size_t j = 0; j < self->spaces[i].count; j++) {
            if (!(self->search.costs[i][j] < best))
                continue;
            sqa_contender contender =
                sqa_contender_of(self->spaces[i].family, &self->spaces[i].configs[j]);
            bool taken = false;
            for (uint32_t k = 0; k < count; k++)
                taken = taken || sqa_contender_equal(&contenders[k], &contender);
            if (!taken) {
                best = self->search.costs[i][j];
                *out = contender;
            }
        }
    return best < most;
}

/* The fallback (its time is told in any case), the best of the search, and last
 * what is in use today: the incumbent, or else the fallback. */
static uint32_t choose_finalists(const problem_search *self, const sqa_contender *incumbent,
                                 sqa_contender contenders[SQA_MAX_FINALISTS])
{
    const sqa_contender fallback = sqa_fallback_of(self->session, self->problem);
    const sqa_contender *defender = incumbent ? incumbent : &fallback;
    sqa_contender set[SQA_MAX_FINALISTS] = {*defender}, next;
    uint32_t top = *self->session->options->stop ? 1 : TOP, count = 1;
    add_contender(set, &count, &fallback);
    for (uint32_t i = 0; i < top && next_best(self, set, count, &next); i++)
        set[count++] = next;
    memcpy(contenders, set + 1, (count - 1) * sizeof *set);
    contenders[count - 1] = *defender;
    return count;
}

static sqa_status hold_finals(problem_search *self, const sqa_contender *incumbent)
{
    sqa_contender contenders[SQA_MAX_FINALISTS];
    uint32_t count = choose_finalists(self, incumbent, contenders);
    self->progress->finals = true;
    report(self);
    sqa_runner_limit(self->session->runner, (double)INFINITY);
    return sqa_tuning_finals(self->session, self->problem, contenders, count,
                             self->search.best_cost, self->outcome);
}

static sqa_status search_and_finals(problem_search *self)
{
    sqa_contender incumbent;
    sqa_status status = sqa_search_create(&self->search, self->spaces, self->space_count,
                                          self->session->options->seed);
    if (status != SQA_OK)
        return status;
    self->search.evaluate = evaluate;
    self->search.user = self;
    bool has_incumbent = add_starts(self, &incumbent);
    sqa_search_run(&self->search, self->session->options->strategy);
    remember_hopeless(self);
    status = self->status;
    if (status == SQA_OK && isfinite(self->search.best_cost))
        status = hold_finals(self, has_incumbent ? &incumbent : NULL);
    else if (status == SQA_OK)
        snprintf(self->outcome->message, sizeof self->outcome->message,
                 self->search.tried ? "no configuration worked" : "no trial was made");
    sqa_search_free(&self->search);
    return status;
}

/* Why there is nothing to try. */
static void describe_empty(const problem_search *self)
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
    sqa_contender wanted = sqa_fallback_of(session, self->problem);
    if (asked) {
        wanted.family = sqa_family_find(self->problem->operation, asked);
        wanted.family->default_config(self->problem, &session->device, &wanted.config);
    }
    const char *folder = sqa_prebuilt_folder(session->prebuilt);
    char key[SQA_HASH_TEXT];
    if (sqa_program_key(key, wanted.family, &wanted.config, self->problem, &session->device))
        snprintf(key, sizeof key, "that");
    snprintf(outcome->message, sizeof outcome->message,
             "no OpenCL compiler here, and no pre-built program for it in %.200s; build %s, say, "
             "whose source `sqa capture --out %s%s%s --shape ...` writes",
             folder[0] ? folder : "$SQA_CL_PREBUILT, which is not set", key,
             folder[0] ? "$SQA_CL_PREBUILT" : "DIR", asked ? " --family " : "", asked ? asked : "");
}

sqa_status sqa_tune_problem(sqa_tuning_session *session, const sqa_tuning_share *share,
                            sqa_tuning_progress *progress, sqa_tuning_outcome *outcome)
{
    outcome->flops = sqa_problem_flop(&outcome->problem);
    problem_search self;
    memset(&self, 0, sizeof self);
    self.session = session;
    self.problem = &outcome->problem;
    self.share = share;
    self.progress = progress;
    self.outcome = outcome;
    self.yardstick_ms = (double)NAN;
    self.steadiness = (sqa_steadiness){(double)NAN, ATTEMPTS};
    sqa_status status = enumerate(&self);
    if (status == SQA_OK && self.space_count == 0)
        describe_empty(&self);
    else if (status == SQA_OK)
        status = search_and_finals(&self);
    for (size_t i = 0; i < self.space_count; i++)
        sqa_config_space_free(&self.spaces[i]);
    return status;
}
