/* The finals: candidates measured round after round; see run_trial.h. */
#include <math.h>
#include <stdlib.h>

#include "base/status.h"
#include "trial/candidate.h"
#include "trial/run_trial.h"

/* A finalist while it is measured. */
typedef struct finalist {
    sqa_plan_work timed; /* without a plan once it failed */
    uint32_t launches;
    sqa_sample first;    /* of one launch, that which was checked */
    sqa_sample *samples; /* one per round */
} finalist;

typedef struct finals {
    sqa_trial_bench *bench;
    sqa_kept_problem *problem;
    finalist of[SQA_MAX_FINALISTS];
    uint32_t count, rounds;
    double *rates[SQA_CEILING_KINDS]; /* one per round */
    sqa_trial_result *results;
} finals;

/* Drops a finalist; the others go on. */
static void drop(finals *self, uint32_t i)
{
    sqa_plan_destroy(self->of[i].timed.plan);
    self->of[i].timed.plan = NULL;
}

static void drop_failed(finals *self, uint32_t i)
{
    self->results[i] = sqa_trial_failure(SQA_TRIAL_COMPILE_FAILED, sqa_last_error());
    drop(self, i);
}

static void build(finals *self, uint32_t i, const sqa_candidate_text *candidate)
{
    finalist *own = &self->of[i];
    sqa_trial_result *result = &self->results[i];
    *result = sqa_trial_failure(SQA_TRIAL_OK, "");
    sqa_plan *plan =
        sqa_candidate_build(self->bench, &self->problem->problem, candidate, true, result);
    if (plan && !sqa_candidate_is_right(self->bench, plan, self->problem, &own->timed, &own->first,
                                        result)) {
        sqa_plan_destroy(plan);
        plan = NULL;
    }
    own->timed.plan = plan;
}

static void calibrate(finals *self, uint32_t i)
{
    finalist *own = &self->of[i];
    if (!own->timed.plan)
        return;
    sqa_host_tensors_bind(&self->problem->tensors, own->timed.tensors);
    own->launches = 1;
    if (own->first.wall_ms >= 1e3 * SQA_SAMPLE_SECONDS)
        return;
    const sqa_work work = sqa_plan_work_of(&own->timed);
    if (sqa_measure_calibrate(&work, self->bench->queue, SQA_SAMPLE_SECONDS, &own->launches,
                              NULL) != SQA_OK)
        drop_failed(self, i);
}

/* What cannot be sampled is not known. */
static void sample_ceiling(finals *self, uint32_t round)
{
    for (int kind = 0; kind < SQA_CEILING_KINDS; kind++) {
        double *rate = &self->rates[kind][round];
        if (!self->bench->ceiling ||
            sqa_ceiling_probe_sample(self->bench->ceiling, (sqa_ceiling_kind)kind, rate) != SQA_OK)
            *rate = (double)NAN;
    }
}

static void measure_round(finals *self, uint32_t round)
{
    for (uint32_t i = 0; i < self->count; i++) {
        finalist *own = &self->of[i];
        const sqa_work work = sqa_plan_work_of(&own->timed);
        if (own->timed.plan && sqa_measure_sample(&work, self->bench->queue, own->launches,
                                                  &own->samples[round]) != SQA_OK)
            drop_failed(self, i);
    }
    sample_ceiling(self, round);
}

/* All against the last one, which ran in the same rounds. */
static void judge(finals *self, uint32_t i)
{
    const finalist *own = &self->of[i], *last = &self->of[self->count - 1];
    sqa_comparison comparison = {
        .relative = (double)NAN, .relative_spread = (double)NAN, .yardstick_ms = (double)NAN};
    if (!own->timed.plan ||
        sqa_measure_summarise(own->samples, self->rounds, &comparison.timing) != SQA_OK)
        return;
    if (!last->timed.plan ||
        sqa_measure_quotient(own->samples, last->samples, self->rounds, &comparison.relative,
                             &comparison.relative_spread) == SQA_OK)
        sqa_candidate_accept(&comparison, &self->results[i]);
}

static sqa_status allocate(finals *self)
{
    bool enough = true;
    for (uint32_t i = 0; i < self->count; i++)
        enough = (self->of[i].samples = calloc(self->rounds, sizeof(sqa_sample))) && enough;
    for (int kind = 0; kind < SQA_CEILING_KINDS; kind++)
        enough = (self->rates[kind] = calloc(self->rounds, sizeof(double))) && enough;
    return enough ? SQA_OK : sqa_fail_memory("samples");
}

static void release(finals *self)
{
    for (uint32_t i = 0; i < self->count; i++) {
        sqa_plan_destroy(self->of[i].timed.plan);
        free(self->of[i].samples);
    }
    for (int kind = 0; kind < SQA_CEILING_KINDS; kind++)
        free(self->rates[kind]);
}

static void hold(finals *self, const sqa_candidate_text *candidates, sqa_ceiling *ceiling)
{
    for (uint32_t i = 0; i < self->count; i++)
        build(self, i, &candidates[i]);
    for (uint32_t i = 0; i < self->count; i++)
        calibrate(self, i);
    for (uint32_t round = 0; round < self->rounds; round++)
        measure_round(self, round);
    for (uint32_t i = 0; i < self->count; i++)
        judge(self, i);
    for (int kind = 0; kind < SQA_CEILING_KINDS; kind++)
        ceiling->rate[kind] = sqa_measure_median(self->rates[kind], self->rounds);
}

void sqa_run_finals(sqa_trial_bench *bench, const sqa_problem *problem,
                    const sqa_candidate_text *candidates, uint32_t count, uint32_t rounds,
                    sqa_trial_result *results, sqa_ceiling *ceiling)
{
    finals self = {.bench = bench, .count = count, .rounds = rounds, .results = results};
    *ceiling = sqa_ceiling_unknown();
    sqa_status status = allocate(&self);
    if (status == SQA_OK)
        status = sqa_trial_bench_problem(bench, problem, &self.problem);
    if (status == SQA_OK)
        hold(&self, candidates, ceiling);
    else
        for (uint32_t i = 0; i < count; i++)
            results[i] = sqa_trial_failure(SQA_TRIAL_COMPILE_FAILED, sqa_last_error());
    release(&self);
}
