/* See replay.h. */
#include "search/replay.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/status.h"
#include "trial/measure.h"

/* One run while it lasts. */
typedef struct replay_run {
    const sqa_sweep *sweep;
    const sqa_replay_row *rows;
    size_t row_count, reached; /* rows that are behind it */
    size_t evaluations;
    double best;      /* cost so far */
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

static bool evaluate(void *user, sqa_point point, double *cost)
{
    replay_run *self = user;
    if (self->reached == self->row_count)
        return false;
    *cost = sqa_sweep_cost(self->sweep, point.config);
    self->best = fmin(self->best, *cost);
    pass_rows(self, ++self->evaluations);
    return true;
}

static sqa_status run_once(replay_run *self, const sqa_strategy *strategy, uint64_t seed)
{
    sqa_search search;
    sqa_status status = sqa_search_create(&search, &self->sweep->space, 1, seed);
    if (status != SQA_OK)
        return status;
    self->reached = self->evaluations = 0;
    self->best = (double)INFINITY;
    search.evaluate = evaluate;
    search.user = self;
    sqa_search_run(&search, strategy);
    pass_rows(self, SIZE_MAX); /* what lies beyond the end of the space */
    sqa_search_free(&search);
    return SQA_OK;
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
    sqa_status status = SQA_OK;
    for (uint32_t run = 0; run < options->runs && status == SQA_OK; run++) {
        replay_run one = {.sweep = sweep,
                          .rows = rows,
                          .row_count = row_count,
                          .reaches = reaches + run,
                          .row_width = options->runs};
        status = run_once(&one, options->strategy, sqa_random_next(&seeds));
    }
    for (size_t i = 0; i < row_count && status == SQA_OK; i++)
        summarise(reaches + i * options->runs, options->runs, &rows[i]);
    free(reaches);
    return status;
}
