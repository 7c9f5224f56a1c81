/* See replay.h. */
#include "search/replay.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/status.h"
#include "search/moves.h"
#include "search/pruning.h"
#include "search/walker.h"
#include "trial/measure.h"

/* One run while it lasts. */
typedef struct replay_run {
    const sqa_sweep *sweep;
    const sqa_replay_row *rows;
    size_t row_count, reached; /* rows that are behind it */
    size_t evaluations;
    double best;      /* cost so far */
    double bad_cost;  /* of the worst tenth, and what begins is of it; 0: nothing begins */
    double *reaches;  /* per row: a column of the results, one per run */
    size_t row_width; /* runs */
} replay_run;

static double part_reached(const replay_run *self)
{
    return isfinite(self->best) ? self->sweep->best / self->best : 0.0;
}

static void pass_rows(replay_run *self, size_t evaluations)
{
    while (self->reached < self->row_count &&
           self->rows[self->reached].evaluations <= evaluations) {
        self->reaches[self->reached * self->row_width] = part_reached(self);
        self->reached++;
    }
}

static double answer(replay_run *self, sqa_point point)
{
    const double cost = sqa_sweep_cost(self->sweep, point.config);
    self->best = fmin(self->best, cost);
    pass_rows(self, ++self->evaluations);
    return cost;
}

static bool evaluate(void *user, sqa_point point, double *cost)
{
    replay_run *self = user;
    if (self->reached == self->row_count)
        return false;
    *cost = answer(self, point);
    return true;
}

static int compare_costs(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* What nine of ten that work are not slower than. */
static sqa_status find_bad_cost(const sqa_sweep *sweep, double *out)
{
    const size_t count = sweep->space.count;
    double *costs = calloc(count, sizeof *costs);
    size_t working = 0;
    if (!costs)
        return sqa_fail_memory("the replays");
    for (size_t i = 0; i < count; i++)
        if (isfinite(sqa_sweep_cost(sweep, i)))
            costs[working++] = sqa_sweep_cost(sweep, i);
    qsort(costs, working, sizeof *costs, compare_costs);
    *out = costs[working - 1 - (working - 1) / 10];
    free(costs);
    return SQA_OK;
}

static sqa_point bad_point(const replay_run *self, sqa_search *search)
{
    const size_t count = self->sweep->space.count;
    size_t config = (size_t)sqa_random_below(&search->random, count);
    for (;; config = (config + 1) % count) {
        const double cost = sqa_sweep_cost(self->sweep, config);
        if (isfinite(cost) && cost >= self->bad_cost)
            return (sqa_point){0, config};
    }
}

/* The questions of all walkers, but for those that the model has no hope for. */
static size_t ask_all(sqa_search *search, sqa_pruner *pruner, sqa_walker **walkers, uint32_t count,
                      sqa_point *points)
{
    size_t asked = 0;
    for (uint32_t i = 0; i < count; i++) {
        sqa_point point;
        while (sqa_walker_ask(walkers[i], &point) && !sqa_search_was_tried(search, point) &&
               sqa_pruner_rejects(pruner, point))
            sqa_search_learn(search, point, (double)INFINITY);
        if (sqa_walker_ask(walkers[i], &point) && !sqa_search_was_tried(search, point)) {
            sqa_search_expect(search, point, true);
            points[asked++] = point;
        }
    }
    return asked;
}

/* The start, and what a run asks while that is on its way. */
static size_t ask_first(sqa_search *search, uint32_t count, sqa_point *points)
{
    size_t asked = 0;
    for (; asked < count && search->start_count; asked++) {
        if (!asked)
            points[asked] = search->starts[0];
        else if (!sqa_ask_beside_start(search, &points[asked]))
            break;
        sqa_search_expect(search, points[asked], true);
    }
    return asked;
}

static void answer_all(replay_run *self, sqa_search *search, sqa_pruner *pruner,
                       const sqa_point *points, size_t count)
{
    for (size_t i = 0; i < count && self->reached < self->row_count; i++) {
        sqa_search_learn(search, points[i], answer(self, points[i]));
        sqa_pruner_add(pruner, points[i]);
    }
}

/* As a run does it: gather the questions, answer them together. */
static sqa_status walk(replay_run *self, sqa_search *search, const sqa_replay_options *options)
{
    sqa_pruner pruner = sqa_pruner_create(search);
    sqa_walker **walkers = calloc(options->walkers, sizeof(sqa_walker *));
    sqa_point *points = calloc(options->walkers, sizeof *points);
    sqa_status status = walkers && points ? SQA_OK : sqa_fail_memory("the replays");
    uint32_t count = 0;
    for (; count < options->walkers && status == SQA_OK; count += status == SQA_OK)
        status = sqa_walker_create(&walkers[count], search, options->strategy);
    if (status == SQA_OK)
        answer_all(self, search, &pruner, points, ask_first(search, count, points));
    for (size_t asked = 1; status == SQA_OK && asked && self->reached < self->row_count;) {
        asked = ask_all(search, &pruner, walkers, count, points);
        answer_all(self, search, &pruner, points, asked);
    }
    while (count)
        sqa_walker_destroy(walkers[--count]);
    sqa_pruner_free(&pruner);
    free(walkers);
    free(points);
    return status;
}

static sqa_status run_once(replay_run *self, const sqa_replay_options *options, uint64_t seed)
{
    sqa_search search;
    sqa_status status = sqa_search_create(&search, &self->sweep->space, 1, seed);
    if (status != SQA_OK)
        return status;
    self->reached = self->evaluations = 0;
    self->best = (double)INFINITY;
    search.evaluate = evaluate;
    search.user = self;
    if (self->bad_cost > 0.0)
        sqa_search_add_start(&search, bad_point(self, &search));
    if (options->walkers)
        status = walk(self, &search, options);
    else
        sqa_search_run(&search, options->strategy);
    pass_rows(self, SIZE_MAX); /* what lies beyond the end of the space */
    sqa_search_free(&search);
    return status;
}

static void summarise(double *reaches, size_t runs, sqa_replay_row *row)
{
    row->median = sqa_measure_median(reaches, runs); /* sorts them */
    row->low = reaches[runs / 20];
    row->worst = reaches[0];
}

sqa_status sqa_replay(const sqa_sweep *sweep, const sqa_replay_options *options,
                      sqa_replay_row *rows, size_t row_count)
{
    assert(options->runs > 0);
    for (size_t i = 1; i < row_count; i++)
        assert(rows[i - 1].evaluations < rows[i].evaluations);
    double *reaches = calloc(row_count * options->runs, sizeof *reaches);
    if (!reaches)
        return sqa_fail_memory("the replays");
    sqa_random seeds = {options->seed};
    double bad_cost = 0.0;
    sqa_status status = options->from_worst ? find_bad_cost(sweep, &bad_cost) : SQA_OK;
    for (uint32_t run = 0; run < options->runs && status == SQA_OK; run++) {
        replay_run one = {.sweep = sweep,
                          .rows = rows,
                          .row_count = row_count,
                          .bad_cost = bad_cost,
                          .reaches = reaches + run,
                          .row_width = options->runs};
        status = run_once(&one, options, sqa_random_next(&seeds));
    }
    for (size_t i = 0; i < row_count && status == SQA_OK; i++)
        summarise(reaches + i * options->runs, options->runs, &rows[i]);
    free(reaches);
    return status;
}
