/* See forward_trial.h. */
#include "trial/forward_trial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/status.h"
#include "conformance/check.h"
#include "problem/problem.h"
#include "trial/measure.h"

#define CHECK_SEED 0x5eedu
#define SAMPLED_ROWS 64u /* of the real shape; the small probes are compared whole */

/* Spread over median up to which a timing can be ranked, and how often a noisy
 * one is taken again. */
#define NOISE_LIMIT 0.30
#define NOISE_RETRIES 2

/* A candidate this much slower than the best needs no precise time. */
#define HOPELESS 1.5
#define HOPELESS_SAMPLES 3u

/* And one this much slower needs no second look at all. */
#define ABSURD 3.0

/* Slow kernels get fewer samples, so that a trial's timing stays near this long. */
#define TIMING_SECONDS 0.5

/* Lengths with tails in every tile, more queries than keys and fewer. */
static const struct {
    uint32_t q_length, kv_length;
} probes[] = {{131, 293}, {67, 35}};

static sqa_plan_options options_of(const sqa_candidate_text *candidate)
{
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    options.family = candidate->family;
    options.config = candidate->config;
    options.skip_database = 1;
    return options;
}

static sqa_trial_status status_of_build(sqa_status status)
{
    bool refused = status == SQA_INVALID_ARGUMENT || status == SQA_UNSUPPORTED;
    return refused ? SQA_TRIAL_REJECTED : SQA_TRIAL_COMPILE_FAILED;
}

/* Makes the plan and its slow first launch. NULL: *out says why not. */
static sqa_plan *build(sqa_trial_bench *bench, const sqa_attention_desc *desc,
                       const sqa_candidate_text *candidate, sqa_trial_result *out)
{
    sqa_plan_options options = options_of(candidate);
    sqa_plan *plan = NULL;
    double begin = sqa_clock_seconds();
    sqa_status status = sqa_plan_create(&plan, bench->context, desc, &options);
    if (status == SQA_OK)
        status = sqa_plan_warm_up(plan, bench->queue);
    if (status != SQA_OK) {
        *out = sqa_trial_failure(status_of_build(status), sqa_last_error());
        sqa_plan_destroy(plan);
        return NULL;
    }
    out->build_ms = (sqa_clock_seconds() - begin) * 1e3;
    return plan;
}

/* The same kind of problem, with few heads and ugly lengths. */
static sqa_attention_desc probe_of(const sqa_attention_desc *desc, size_t number)
{
    sqa_attention_desc probe = *desc;
    static const sqa_strides packed = {0, 0, 0};
    probe.q = probe.k = probe.v = probe.o = packed;
    probe.batch = 1;
    probe.q_length = probes[number].q_length;
    probe.kv_length = probes[number].kv_length;
    if (desc->q_heads >= desc->kv_heads) {
        probe.kv_heads = 1;
        probe.q_heads = desc->q_heads / desc->kv_heads;
    } else {
        probe.q_heads = 1;
        probe.kv_heads = desc->kv_heads / desc->q_heads;
    }
    return probe;
}

/* One comparison with the oracle. false: *out says what is wrong. */
static bool passes(sqa_trial_bench *bench, const sqa_attention_desc *desc,
                   const sqa_candidate_text *candidate, uint32_t sampled_rows,
                   sqa_trial_result *out)
{
    sqa_plan_options options = options_of(candidate);
    sqa_check_result check = {0};
    sqa_status status = sqa_check_forward(bench->context, bench->queue, desc, &options, CHECK_SEED,
                                          sampled_rows, &check);
    double build_ms = out->build_ms, max_error = out->max_error;
    if (status != SQA_OK)
        *out = sqa_trial_failure(status_of_build(status), sqa_last_error());
    else if (!check.passed)
        *out = sqa_trial_failure(SQA_TRIAL_WRONG_RESULT, check.message);
    out->build_ms = build_ms;
    out->max_error = status == SQA_OK ? fmax(check.max_error, max_error) : max_error;
    return status == SQA_OK && check.passed;
}

static bool is_correct(sqa_trial_bench *bench, const sqa_attention_desc *desc,
                       const sqa_candidate_text *candidate, sqa_trial_result *out)
{
    for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++) {
        sqa_attention_desc probe = probe_of(desc, i);
        if (!passes(bench, &probe, candidate, 0, out))
            return false;
    }
    return passes(bench, desc, candidate, SAMPLED_ROWS, out);
}

/* Samples to take of a launch of `ms`, given the best time so far. */
static uint32_t samples_for(double ms, double best_ms)
{
    if (ms > HOPELESS * best_ms) /* false while there is no best */
        return HOPELESS_SAMPLES;
    double affordable = TIMING_SECONDS * 1e3 / ms;
    return affordable < SQA_SAMPLES ? HOPELESS_SAMPLES : SQA_SAMPLES;
}

static sqa_status take_samples(sqa_trial_bench *bench, const sqa_work *work, uint32_t launches,
                               double best_ms, sqa_timing *timing)
{
    sqa_sample samples[SQA_SAMPLES];
    uint32_t count = 0, wanted = 1;
    while (count < wanted) {
        sqa_status status = sqa_measure_sample(work, bench->queue, launches, &samples[count]);
        if (status != SQA_OK)
            return status;
        if (count == 0)
            wanted = samples_for(samples[0].wall_ms, best_ms);
        count++;
    }
    return sqa_measure_summarise(samples, count, timing);
}

static sqa_status time_plan(sqa_trial_bench *bench, sqa_plan *plan, double best_ms,
                            sqa_timing *timing)
{
    sqa_timing_work timed = {plan, &bench->tensors};
    sqa_work work = {sqa_timing_enqueue, &timed};
    uint32_t launches = 1;
    sqa_sample first;
    /* The check has warmed it up. */
    sqa_status status =
        sqa_measure_calibrate(&work, bench->queue, SQA_SAMPLE_SECONDS, &launches, &first);
    if (status == SQA_OK && first.wall_ms > ABSURD * best_ms)
        return sqa_measure_summarise(&first, 1, timing);
    for (int attempt = 0; attempt <= NOISE_RETRIES && status == SQA_OK; attempt++) {
        status = take_samples(bench, &work, launches, best_ms, timing);
        if (status == SQA_OK && timing->spread_ms <= NOISE_LIMIT * timing->median_ms)
            break;
    }
    return status;
}

static void accept_timing(const sqa_timing *timing, sqa_trial_result *out)
{
    bool noisy = timing->spread_ms > NOISE_LIMIT * timing->median_ms;
    out->status = noisy ? SQA_TRIAL_TOO_NOISY : SQA_TRIAL_OK;
    out->median_ms = timing->median_ms;
    out->spread_ms = timing->spread_ms;
    out->samples = timing->samples;
    if (noisy)
        snprintf(out->message, sizeof out->message, "spread %.3g ms around %.3g ms",
                 timing->spread_ms, timing->median_ms);
}

void sqa_forward_trial(sqa_trial_bench *bench, const sqa_attention_desc *desc,
                       const sqa_candidate_text *candidate, double best_ms, sqa_trial_result *out)
{
    *out = sqa_trial_failure(SQA_TRIAL_OK, "");
    sqa_plan *plan = build(bench, desc, candidate, out);
    if (plan && is_correct(bench, desc, candidate, out)) {
        sqa_timing timing;
        sqa_status status = sqa_timing_tensors_reserve(
            &bench->tensors, sqa_context_cl(bench->context), bench->queue, desc);
        if (status == SQA_OK)
            status = time_plan(bench, plan, best_ms, &timing);
        if (status == SQA_OK)
            accept_timing(&timing, out);
        else
            *out = sqa_trial_failure(SQA_TRIAL_COMPILE_FAILED, sqa_last_error());
    }
    sqa_plan_destroy(plan);
}

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
    for (uint32_t i = 0; i < count; i++) {
        sqa_timing timing;
        if (!finalists[i].plan ||
            sqa_measure_summarise(finalists[i].samples, rounds, &timing) != SQA_OK)
            continue;
        accept_timing(&timing, &results[i]);
        /* What was noisy was so for all of them: they can still be ranked. */
        results[i].status = SQA_TRIAL_OK;
        results[i].message[0] = '\0';
    }
}

static void prepare_finalists(sqa_trial_bench *bench, const sqa_attention_desc *desc,
                              const sqa_candidate_text *candidates, uint32_t count,
                              finalist *finalists, sqa_trial_result *results)
{
    for (uint32_t i = 0; i < count; i++) {
        results[i] = sqa_trial_failure(SQA_TRIAL_OK, "");
        finalists[i].plan = build(bench, desc, &candidates[i], &results[i]);
        if (!finalists[i].plan)
            continue;
        if (!passes(bench, desc, &candidates[i], SAMPLED_ROWS, &results[i])) {
            sqa_plan_destroy(finalists[i].plan);
            finalists[i].plan = NULL;
        } else if (ready_finalist(bench, &finalists[i]) != SQA_OK) {
            drop(&finalists[i], &results[i]);
        }
    }
}

void sqa_forward_finals(sqa_trial_bench *bench, const sqa_attention_desc *desc,
                        const sqa_candidate_text *candidates, uint32_t count, uint32_t rounds,
                        sqa_trial_result *results)
{
    finalist finalists[SQA_MAX_FINALISTS] = {{0}};
    sqa_sample *samples = calloc((size_t)count * rounds, sizeof *samples);
    sqa_status status =
        samples ? sqa_timing_tensors_reserve(&bench->tensors, sqa_context_cl(bench->context),
                                             bench->queue, desc)
                : sqa_fail_memory("samples");
    if (status == SQA_OK) {
        for (uint32_t i = 0; i < count; i++)
            finalists[i].samples = samples + (size_t)i * rounds;
        prepare_finalists(bench, desc, candidates, count, finalists, results);
        measure_rounds(bench, finalists, count, rounds, results);
    } else {
        for (uint32_t i = 0; i < count; i++)
            results[i] = sqa_trial_failure(SQA_TRIAL_COMPILE_FAILED, sqa_last_error());
    }
    for (uint32_t i = 0; i < count; i++)
        sqa_plan_destroy(finalists[i].plan);
    free(samples);
}
