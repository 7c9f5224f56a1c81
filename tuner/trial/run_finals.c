/* The finals: candidates measured round after round; see run_trial.h. */
#include <math.h>
#include <stdlib.h>

#include "base/status.h"
#include "trial/candidate.h"
#include "trial/run_trial.h"

/* A finalist while it is measured. */
typedef struct finalist {
    sqa_plan *plan;
    sqa_timing_work timed;
    uint32_t launches;
    sqa_sample *samples; /* one per round */
} finalist;

static sqa_status ready_finalist(sqa_trial_bench *bench, finalist *self)
{
    self->timed = (sqa_timing_work){self->plan, &bench->tensors};
    sqa_work work = {sqa_timing_enqueue, &self->timed};
    sqa_status status = sqa_measure_warm_up(&work, bench->queue);
    if (status == SQA_OK)
        status =
            sqa_measure_calibrate(&work, bench->queue, SQA_SAMPLE_SECONDS, &self->launches, NULL);
    return status;
}

/* Drops a finalist whose measurement failed; the others go on. */
static void drop(finalist *self, sqa_trial_result *result)
{
    *result = sqa_trial_failure(SQA_TRIAL_COMPILE_FAILED, sqa_last_error());
    sqa_plan_destroy(self->plan);
    self->plan = NULL;
}

static void measure_rounds(sqa_trial_bench *bench, finalist *finalists, uint32_t count,
                           uint32_t rounds, sqa_trial_result *results)
{
    for (uint32_t round = 0; round < rounds; round++)
        for (uint32_t i = 0; i < count; i++) {
            finalist *self = &finalists[i];
            sqa_work work = {sqa_timing_enqueue, &self->timed};
            if (self->plan && sqa_measure_sample(&work, bench->queue, self->launches,
                                                 &self->samples[round]) != SQA_OK)
                drop(self, &results[i]);
        }
}

/* All against the last one, which ran in the same rounds. */
static void judge(const finalist *finalists, uint32_t count, uint32_t rounds,
                  sqa_trial_result *results)
{
    const finalist *last = &finalists[count - 1];
    for (uint32_t i = 0; i < count; i++) {
        sqa_comparison comparison = {
            .relative = (double)NAN, .relative_spread = (double)NAN, .yardstick_ms = (double)NAN};
        const finalist *self = &finalists[i];
        if (!self->plan ||
            sqa_measure_summarise(self->samples, rounds, &comparison.timing) != SQA_OK)
            continue;
        if (last->plan &&
            sqa_measure_quotient(self->samples, last->samples, rounds, &comparison.relative,
                                 &comparison.relative_spread) != SQA_OK)
            continue;
        sqa_candidate_accept(&comparison, &results[i]);
    }
}

static void prepare_finalists(sqa_trial_bench *bench, const sqa_problem *problem,
                              const sqa_candidate_text *candidates, uint32_t count,
                              finalist *finalists, sqa_trial_result *results)
{
    for (uint32_t i = 0; i < count; i++) {
        results[i] = sqa_trial_failure(SQA_TRIAL_OK, "");
        finalists[i].plan = sqa_candidate_build(bench, problem, &candidates[i], &results[i]);
        if (!finalists[i].plan)
            continue;
        if (!sqa_candidate_passes(bench, finalists[i].plan, false, &results[i])) {
            sqa_plan_destroy(finalists[i].plan);
            finalists[i].plan = NULL;
        } else if (ready_finalist(bench, &finalists[i]) != SQA_OK) {
            drop(&finalists[i], &results[i]);
        }
    }
}

void sqa_run_finals(sqa_trial_bench *bench, const sqa_problem *problem,
                    const sqa_candidate_text *candidates, uint32_t count, uint32_t rounds,
                    sqa_trial_result *results)
{
    finalist finalists[SQA_MAX_FINALISTS] = {{0}};
    sqa_sample *samples = calloc((size_t)count * rounds, sizeof *samples);
    sqa_status status =
        samples ? sqa_timing_tensors_reserve(&bench->tensors, sqa_context_cl(bench->context),
                                             bench->queue, problem)
                : sqa_fail_memory("samples");
    if (status == SQA_OK) {
        for (uint32_t i = 0; i < count; i++)
            finalists[i].samples = samples + (size_t)i * rounds;
        prepare_finalists(bench, problem, candidates, count, finalists, results);
        measure_rounds(bench, finalists, count, rounds, results);
        judge(finalists, count, rounds, results);
    } else {
        for (uint32_t i = 0; i < count; i++)
            results[i] = sqa_trial_failure(SQA_TRIAL_COMPILE_FAILED, sqa_last_error());
    }
    for (uint32_t i = 0; i < count; i++)
        sqa_plan_destroy(finalists[i].plan);
    free(samples);
}
