/* See contest.h. */
#include "search/contest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "trial/measure.h"

/* What takes this many times as long to build and check as the slowest that worked is given
 * up. The least is for compilers on a busy machine. */
#define PATIENCE 6.0
#define LEAST_PATIENCE 6.0

/* Part of the run that one program may take to build: the others need the core too. */
#define BUILD_SHARE (1.0 / 8.0)
#define LEAST_BUILD_PATIENCE 2.0 /* times the slowest that worked */

/* At the end of the run a trial is waited for at least so long. */
#define LEAST_SECONDS 0.5

/* What is this much slower than the best on two problems is not tried on larger ones. */
#define FAR_BEHIND 3.0
#define FAR_BEHIND_TIMES 2u

/* Weight of the latest program in what building one takes. */
#define LATEST 0.3

/* Of what building a program takes, for a finalist: some are there already, and many runtimes
 * keep what they compiled. */
#define REBUILT 0.1

/* The ceiling is sampled again after this long. */
#define CEILING_SECONDS 4.0

/* A candidate on one problem. */
typedef struct use {
    sqa_problem_search *search;
    sqa_point point;
} use;

/* One program on its way, and what it is to be tried on, the least work first. */
typedef struct candidate {
    sqa_job job; /* first: the crew hands it back */
    size_t count;
    use uses[];
} candidate;

typedef struct contest {
    sqa_tuning_session *session;
    sqa_problem_search *searches;
    size_t count;
    const sqa_contest_options *options;
    sqa_contest_figures *figures;
    double search_end_s, end_s; /* of the whole run; INFINITY: no end */
    sqa_finals_need *needs;     /* of every problem */
    uint32_t expected;          /* trials of the candidates on their way */
    unsigned building;          /* programs on their way */
} contest;

static bool is_over(const contest *self)
{
    const sqa_tuning_options *options = self->session->options;
    return *options->stop || sqa_clock_seconds() >= self->search_end_s ||
           (options->budget.trials && self->figures->trials >= options->budget.trials);
}

/* What the trials of one candidate take, and those that are on their way. */
static double trials_s(const contest *self, double *on_their_way)
{
    double sum = 0.0;
    *on_their_way = 0.0;
    for (size_t i = 0; i < self->count; i++) {
        const sqa_problem_search *search = &self->searches[i];
        sum += search->trial_s;
        *on_their_way += search->trial_s * (double)search->search.on_their_way;
    }
    return sum;
}

/* Whether there is time for what is on its way, and for one more program on some problem. One
 * per worker shows how long a program takes. */
static bool has_time(const contest *self)
{
    const unsigned workers = sqa_crew_size(self->session->crew);
    const double rounds = ceil((self->building + 1.0) / workers);
    double on_their_way;
    if (!self->figures->programs)
        return self->building < workers;
    const double one = trials_s(self, &on_their_way) / (double)self->count;
    return sqa_clock_seconds() + rounds * self->figures->build_s + on_their_way + one <
           self->search_end_s;
}

static uint32_t trials_left(const contest *self)
{
    const uint32_t most = self->session->options->budget.trials;
    const uint32_t taken = self->figures->trials + self->expected;
    return !most ? UINT32_MAX : most > taken ? most - taken : 0;
}

static bool has_lost_patience(const sqa_problem_search *search)
{
    const uint32_t patience = search->session->options->budget.patience;
    return patience && search->idle >= patience;
}

static uint32_t trials_of(const sqa_problem_search *search)
{
    uint32_t sum = 0;
    for (int i = 0; i < SQA_TRIAL_STATUSES; i++)
        sum += search->outcome->trials[i];
    return sum;
}

/* The problem that asks next: the one with the fewest trials, made or on their way. NULL:
 * all were silent. */
static sqa_problem_search *next_to_ask(const contest *self, const bool *silent)
{
    sqa_problem_search *next = NULL;
    uint32_t fewest = UINT32_MAX;
    for (size_t i = 0; i < self->count; i++) {
        sqa_problem_search *search = &self->searches[i];
        const uint32_t trials = trials_of(search) + (uint32_t)search->search.on_their_way;
        if (!silent[i] && trials < fewest) {
            fewest = trials;
            next = search;
        }
    }
    return next;
}

/* Whether `search` can use the program too, and wants to. */
static sqa_status consider(sqa_problem_search *search, const sqa_contender *contender,
                           const char *source, candidate *out)
{
    char own[SQA_HASH_TEXT];
    sqa_point point;
    bool known = false;
    if (has_lost_patience(search) || !sqa_problem_search_find(search, contender, &point) ||
        sqa_search_was_tried(&search->search, point))
        return SQA_OK;
    sqa_contender_source(search->session, &search->outcome->problem, contender, own);
    if (!own[0] || strcmp(own, source) != 0)
        return SQA_OK;
    sqa_status status = sqa_problem_search_recall(search, point, &known);
    if (status == SQA_OK && !known)
        out->uses[out->count++] = (use){search, point};
    return status;
}

static int compare_work(const void *a, const void *b)
{
    const double x = ((const use *)a)->search->outcome->flops;
    const double y = ((const use *)b)->search->outcome->flops;
    return (x > y) - (x < y);
}

static void expect(contest *self, const use *item, bool on_its_way)
{
    sqa_search_expect(&item->search->search, item->point, on_its_way);
    self->expected += on_its_way ? 1 : (uint32_t)-1;
}

static void submit(contest *self, const sqa_contender *contender, candidate *item)
{
    qsort(item->uses, item->count, sizeof *item->uses, compare_work);
    const uint32_t most = trials_left(self);
    item->count = item->count < most ? item->count : most;
    for (size_t i = 0; i < item->count; i++)
        expect(self, &item->uses[i], true);
    item->job.problem = item->uses[0].search->outcome->problem;
    item->job.candidate = contender->text;
    self->building++;
    sqa_crew_submit(self->session->crew, &item->job);
}

/* A question becomes a candidate, unless the answer is known. */
static sqa_status take(contest *self, sqa_problem_search *asker, sqa_point point)
{
    const sqa_contender contender = sqa_problem_search_at(asker, point);
    bool known = false;
    sqa_status status = sqa_problem_search_recall(asker, point, &known);
    if (status != SQA_OK || known)
        return status;
    if (!sqa_problem_search_must_try(asker, point) && sqa_pruner_rejects(&asker->pruner, point)) {
        sqa_problem_search_prune(asker, point);
        return SQA_OK;
    }
    candidate *item = calloc(1, sizeof *item + self->count * sizeof item->uses[0]);
    if (!item)
        return sqa_fail_memory("a candidate");
    char source[SQA_HASH_TEXT];
    sqa_contender_source(self->session, &asker->outcome->problem, &contender, source);
    item->uses[item->count++] = (use){asker, point};
    for (size_t i = 0; i < self->count && source[0] && status == SQA_OK; i++)
        if (&self->searches[i] != asker)
            status = consider(&self->searches[i], &contender, source, item);
    if (status == SQA_OK)
        submit(self, &contender, item);
    else
        free(item);
    return status;
}

/* Asks until the crew has enough to do, or nobody has a question. */
static sqa_status take_candidates(contest *self)
{
    bool *silent = calloc(self->count, sizeof *silent);
    if (!silent)
        return sqa_fail_memory("the candidates");
    sqa_status status = SQA_OK;
    while (status == SQA_OK && sqa_crew_wants(self->session->crew) && !is_over(self) &&
           trials_left(self) && has_time(self)) {
        sqa_problem_search *asker = next_to_ask(self, silent);
        sqa_point point;
        if (!asker)
            break;
        if (has_lost_patience(asker) || !sqa_problem_search_ask(asker, &point))
            silent[asker - self->searches] = true;
        else
            status = take(self, asker, point);
    }
    free(silent);
    return status;
}

/* Returns the uses that were not come to. */
static void drop(contest *self, candidate *item, size_t first)
{
    for (size_t i = first; i < item->count; i++)
        expect(self, &item->uses[i], false);
    item->count = first;
}

/* How long a build or a trial is waited for; INFINITY: as long as the options say. */
static double patience_s(const contest *self)
{
    const sqa_tuning_session *session = self->session;
    const bool adaptive = !session->options->timeout_s && session->slowest_s > 0;
    return adaptive ? fmax(PATIENCE * session->slowest_s, LEAST_PATIENCE) : (double)INFINITY;
}

/* The same of a build, of which a short run waits less long. */
static double build_patience_s(const contest *self)
{
    const sqa_tuning_session *session = self->session;
    const double seconds = session->options->budget.seconds, patience = patience_s(self);
    if (!isfinite(patience) || seconds <= 0)
        return patience;
    const double least = fmax(LEAST_BUILD_PATIENCE * session->slowest_s, LEAST_PATIENCE);
    return fmin(patience, fmax(BUILD_SHARE * seconds, least));
}

static sqa_status try_one(contest *self, const use *item, sqa_runner *runner)
{
    const double left = fmax(self->end_s - sqa_clock_seconds(), LEAST_SECONDS);
    const double patience = patience_s(self);
    sqa_runner_limit(runner, fmin(patience, left));
    expect(self, item, false);
    sqa_status status = sqa_problem_search_try(item->search, item->point, runner, left < patience);
    self->figures->trials++;
    sqa_problem_search_drop_hopeless(item->search);
    self->options->report(self->options->user, self->search_end_s);
    return status;
}

/* What crashed, or did not end in time, with the least work does so with more of it. */
static unsigned strikes_of(const use *item)
{
    const sqa_trial_status latest = item->search->latest;
    if (latest == SQA_TRIAL_TIMEOUT || latest == SQA_TRIAL_CRASHED)
        return FAR_BEHIND_TIMES;
    return sqa_problem_search_lag(item->search, item->point) > FAR_BEHIND;
}

static sqa_status try_all(contest *self, candidate *item)
{
    sqa_runner *runner = sqa_crew_runner(self->session->crew, &item->job);
    unsigned far_behind = 0;
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < item->count && status == SQA_OK; i++) {
        const use *own = &item->uses[i];
        if (is_over(self)) {
            drop(self, item, i);
        } else if (far_behind >= FAR_BEHIND_TIMES &&
                   !sqa_problem_search_is_fallback(own->search, own->point)) {
            expect(self, own, false);
            sqa_problem_search_prune(own->search, own->point);
            sqa_problem_search_drop_hopeless(own->search);
        } else {
            status = try_one(self, own, runner);
            far_behind += strikes_of(own);
        }
    }
    return status;
}

/* What is wrong with the program is so for every problem that it is for. */
static sqa_status fail_all(contest *self, const candidate *item)
{
    const bool cut =
        item->job.built.status == SQA_TRIAL_TIMEOUT && build_patience_s(self) < patience_s(self);
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < item->count && status == SQA_OK; i++) {
        expect(self, &item->uses[i], false);
        status = sqa_problem_search_fail(item->uses[i].search, item->uses[i].point,
                                         &item->job.built, cut);
        self->figures->trials++;
        self->options->report(self->options->user, self->search_end_s);
    }
    return status;
}

static sqa_status come_to(contest *self, candidate *item)
{
    sqa_contest_figures *figures = self->figures;
    const bool works = item->job.built.status == SQA_TRIAL_OK;
    self->building--;
    figures->programs++;
    if (works) {
        figures->build_s +=
            (figures->build_s > 0 ? LATEST : 1.0) * (item->job.seconds - figures->build_s);
        self->session->slowest_s = fmax(self->session->slowest_s, item->job.seconds);
    }
    sqa_status status = works ? try_all(self, item) : fail_all(self, item);
    sqa_crew_finish(self->session->crew, &item->job);
    free(item);
    return status == SQA_OK && !is_over(self) ? sqa_tuning_ceiling(self->session, CEILING_SECONDS)
                                              : status;
}

sqa_finals_need sqa_contest_need(const sqa_problem_search *search,
                                 const sqa_contest_figures *figures)
{
    sqa_contender unused[SQA_MAX_FINALISTS];
    if (!isfinite(search->search.best_cost))
        return (sqa_finals_need){0, 0, 0.0, 0.0};
    const uint32_t fixed = sqa_problem_search_finalists(search, 0, unused);
    const uint32_t all = sqa_problem_search_finalists(search, SQA_FINALS_TOP, unused);
    return (sqa_finals_need){fixed, all - fixed, search->search.best_cost,
                             REBUILT * figures->build_s};
}

/* When the search has to end, by what is known by now. */
static void look_ahead(contest *self)
{
    const double seconds = self->session->options->budget.seconds;
    for (size_t i = 0; i < self->count; i++)
        self->needs[i] = sqa_contest_need(&self->searches[i], self->figures);
    self->end_s = seconds > 0 ? self->options->begin_s + seconds : (double)INFINITY;
    self->search_end_s =
        sqa_budget_search_end(self->options->begin_s, seconds, self->needs, (uint32_t)self->count);
}

static void forget(contest *self, sqa_job *job)
{
    drop(self, (candidate *)job, 0);
    free(job);
}

/* What is still on its way when the search ends. */
static void give_up(contest *self)
{
    sqa_crew *crew = self->session->crew;
    sqa_job *job;
    while (sqa_crew_give_up(crew, &job))
        forget(self, job);
    while (sqa_crew_next(crew, 0.0, &job) == SQA_OK && job) {
        sqa_crew_finish(crew, job);
        forget(self, job);
    }
}

sqa_status sqa_contest_run(sqa_tuning_session *session, sqa_problem_search *searches, size_t count,
                           const sqa_contest_options *options, sqa_contest_figures *figures)
{
    contest self = {.session = session,
                    .searches = searches,
                    .count = count,
                    .options = options,
                    .figures = figures,
                    .needs = calloc(count, sizeof *self.needs)};
    sqa_job *job = NULL;
    if (!self.needs)
        return sqa_fail_memory("the search");
    sqa_status status = SQA_OK;
    do {
        look_ahead(&self);
        sqa_crew_limit(session->crew, build_patience_s(&self));
        status = take_candidates(&self);
        if (status == SQA_OK)
            status = sqa_crew_next(session->crew, self.search_end_s, &job);
        if (status == SQA_OK && job)
            status = come_to(&self, (candidate *)job);
    } while (status == SQA_OK && job);
    give_up(&self);
    free(self.needs);
    return status;
}
