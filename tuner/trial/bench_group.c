/* See bench_group.h. */
#include "trial/bench_group.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "conformance/check.h"
#include "operations/tensors.h"
#include "runtime/plan.h"
#include "trial/measure.h"

#define CHECK_SEED 0xbe7c4u
#define SAMPLE_SECONDS 0.020 /* as long as a sample of the ceiling */

/* For guesses of what is to come. */
#define EXPECTED_FRACTION 0.5 /* of the ceiling */
#define PREPARE_SECONDS 0.5   /* compiling, mostly */
#define PREPARE_LAUNCHES 2.0  /* the check's and the calibration's */

/* A launch as long as this one needs no warming up. */
#define LONG_LAUNCH_SECONDS 1.0

static const sqa_bench_variant *const mha = &sqa_bench_variants[0];

/* One plan that is timed. */
typedef struct bench_entry {
    sqa_timing_work timed;
    uint32_t launches;
    sqa_sample *samples; /* one per round */
} bench_entry;

typedef struct bench_entries {
    bench_entry *entries; /* the rows', then the rows' defaults */
    size_t count;
    uint32_t rounds; /* complete ones */
} bench_entries;

void sqa_bench_announce(const sqa_bench_state *run, const char *format, ...)
{
    if (!run->progress)
        return;
    char what[64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    double elapsed = sqa_clock_seconds() - run->begun_s;
    double done = run->expected_s > 0.0 ? fmin(run->done_s / run->expected_s, 1.0) : 0.0;
    double left = done > 0.02 ? elapsed * (1.0 / done - 1.0) : (double)NAN;
    run->progress(run->progress_user, done, left, what);
}

static bool stopped(const sqa_bench_state *run)
{
    return run->options->stop && *run->options->stop;
}

/* Of one launch, from the ceiling alone. */
static double expected_launch(const sqa_bench_state *run, const sqa_problem *problem)
{
    double gflops =
        EXPECTED_FRACTION * sqa_ceiling_probe_result(run->ceiling).rate[SQA_CEILING_FMA];
    return sqa_problem_flop(problem) / (gflops * 1e9);
}

static double expected_sample(const sqa_bench_state *run, const sqa_problem *problem)
{
    return fmax(expected_launch(run, problem), SAMPLE_SECONDS) + SAMPLE_SECONDS;
}

static double expected_preparation(const sqa_bench_state *run, const sqa_problem *problem)
{
    return PREPARE_SECONDS + PREPARE_LAUNCHES * expected_launch(run, problem);
}

static bool asked_for(const sqa_bench_options *options, const sqa_bench_variant *variant)
{
    for (size_t i = 0; i < options->variant_count; i++)
        if (options->variants[i] == variant)
            return true;
    return false;
}

static sqa_status add_row(sqa_bench_state *run, sqa_bench_group *group,
                          const sqa_bench_variant *variant, bool shown)
{
    sqa_bench_row *row = &group->rows[group->count++];
    row->shown = shown;
    row->default_ms = (double)NAN;
    return sqa_bench_describe(run->options, variant, group->length, group->dim, row);
}

/* A row per variant; MHA always, since speed-ups are against it. */
static sqa_status lay_out(sqa_bench_state *run, sqa_bench_group *group)
{
    const sqa_bench_options *options = run->options;
    group->rows = calloc(options->variant_count + 1, sizeof *group->rows);
    if (!group->rows)
        return sqa_fail_memory("the benchmark's rows");
    sqa_status status = SQA_OK;
    if (!asked_for(options, mha))
        status = add_row(run, group, mha, false);
    for (size_t v = 0; v < options->variant_count && status == SQA_OK; v++)
        status = add_row(run, group, options->variants[v], true);
    return status;
}

static sqa_status allocate(const sqa_bench_state *run, sqa_bench_group *group, bench_entries *all)
{
    uint32_t rounds = run->options->rounds;
    all->count = run->options->against_default ? 2 * group->count : group->count;
    all->entries = calloc(all->count, sizeof *all->entries);
    group->fma = calloc(all->count * rounds, sizeof *group->fma);
    group->copy = calloc(rounds, sizeof *group->copy);
    bool enough = all->entries && group->fma && group->copy;
    for (size_t i = 0; i < all->count && enough; i++) {
        all->entries[i].samples = calloc(rounds, sizeof *all->entries[i].samples);
        enough = all->entries[i].samples != NULL;
    }
    return enough ? SQA_OK : sqa_fail_memory("the benchmark's samples");
}

static void free_entries(bench_entries *all)
{
    for (size_t i = 0; all->entries && i < all->count; i++) {
        sqa_plan_destroy(all->entries[i].timed.plan);
        free(all->entries[i].samples);
    }
    free(all->entries);
}

static sqa_status check_row(const sqa_bench_state *run, sqa_bench_row *row,
                            const sqa_plan_options *options)
{
    sqa_judgement judgement;
    sqa_status status =
        sqa_check(run->context, run->queue, &row->problem, options, CHECK_SEED, false, &judgement);
    if (status != SQA_OK)
        return status;
    row->max_error = judgement.max_error;
    if (!judgement.passed)
        return sqa_fail(SQA_WRONG_RESULT, "%s at length %u with %s %s: %s", row->variant->name,
                        row->length, row->family, row->config, judgement.message);
    return SQA_OK;
}

static sqa_status explain_row(sqa_bench_row *row, const sqa_plan *plan)
{
    sqa_plan_info info = SQA_PLAN_INFO_INIT;
    sqa_status status = sqa_plan_explain(plan, &info);
    if (status != SQA_OK)
        return status;
    snprintf(row->family, sizeof row->family, "%s", info.family);
    snprintf(row->config, sizeof row->config, "%s", info.config);
    snprintf(row->rung, sizeof row->rung, "%s", info.rung);
    snprintf(row->source, sizeof row->source, "%s", info.source);
    return SQA_OK;
}

static sqa_status prepare_entry(sqa_bench_state *run, bench_entry *entry,
                                const sqa_problem *problem, const sqa_plan_options *options)
{
    sqa_work work = {sqa_timing_enqueue, &entry->timed};
    entry->timed.tensors = &run->tensors;
    sqa_status status = sqa_timing_tensors_reserve(&run->tensors, sqa_context_cl(run->context),
                                                   run->queue, problem);
    if (status == SQA_OK)
        status = sqa_plan_build(&entry->timed.plan, run->context, problem, options);
    if (status == SQA_OK)
        status = sqa_plan_warm_up(entry->timed.plan, run->queue);
    if (status == SQA_OK && expected_launch(run, problem) < LONG_LAUNCH_SECONDS)
        status = sqa_measure_warm_up(&work, run->queue);
    if (status == SQA_OK)
        status = sqa_measure_calibrate(&work, run->queue, SAMPLE_SECONDS, &entry->launches, NULL);
    return status;
}

static sqa_status prepare_row(sqa_bench_state *run, sqa_bench_row *row, bench_entry *best,
                              bench_entry *otherwise)
{
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    options.family = run->options->family;
    sqa_bench_announce(run, "length %u: preparing %s", row->length, row->variant->name);
    sqa_status status = prepare_entry(run, best, &row->problem, &options);
    if (status == SQA_OK)
        status = explain_row(row, best->timed.plan);
    if (status == SQA_OK)
        status = check_row(run, row, &options);
    run->done_s += expected_preparation(run, &row->problem);
    if (status != SQA_OK || !otherwise)
        return status;
    options.family = NULL;
    options.skip_database = 1;
    return prepare_entry(run, otherwise, &row->problem, &options);
}

static sqa_status prepare(sqa_bench_state *run, sqa_bench_group *group, bench_entries *all)
{
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < group->count && status == SQA_OK && !stopped(run); i++)
        status = prepare_row(run, &group->rows[i], &all->entries[i],
                             all->count > group->count ? &all->entries[group->count + i] : NULL);
    return status;
}

/* Row, ceiling, row, ceiling, ... A stop in the middle leaves the round incomplete. */
static sqa_status sample_round(sqa_bench_state *run, sqa_bench_group *group, bench_entries *all)
{
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < all->count && status == SQA_OK && !stopped(run); i++) {
        bench_entry *entry = &all->entries[i];
        const sqa_bench_row *row = &group->rows[i % group->count];
        sqa_work work = {sqa_timing_enqueue, &entry->timed};
        sqa_bench_announce(run, "length %u: round %u of %u, %s", group->length, all->rounds + 1,
                           run->options->rounds, row->variant->name);
        status =
            sqa_measure_sample(&work, run->queue, entry->launches, &entry->samples[all->rounds]);
        if (status == SQA_OK)
            status = sqa_ceiling_probe_sample(run->ceiling, SQA_CEILING_FMA,
                                              &group->fma[group->fma_count]);
        group->fma_count += status == SQA_OK;
        run->done_s += expected_sample(run, &row->problem);
    }
    if (status == SQA_OK && !stopped(run))
        status = sqa_ceiling_probe_sample(run->ceiling, SQA_CEILING_COPY,
                                          &group->copy[group->copy_count]);
    bool complete = status == SQA_OK && !stopped(run);
    group->copy_count += complete;
    all->rounds += complete;
    return status;
}

static sqa_status summarise_row(const sqa_bench_state *run, sqa_bench_row *row,
                                const bench_entries *all, size_t index, size_t rows)
{
    sqa_timing timing;
    sqa_status status = sqa_measure_summarise(all->entries[index].samples, all->rounds, &timing);
    if (status != SQA_OK)
        return status;
    row->median_ms = timing.median_ms;
    row->best_ms = timing.minimum_ms;
    row->spread_ms = timing.spread_ms;
    row->noisy = timing.spread_ms > SQA_BENCH_NOISY * timing.median_ms;
    row->gflops = sqa_problem_flop(&row->problem) / (timing.median_ms * 1e6);
    row->gbs = sqa_problem_bytes(&row->problem) / (timing.median_ms * 1e6);
    row->fraction_of_ceiling = row->gflops / row->ceiling_gflops;
    if (!run->options->against_default)
        return SQA_OK;
    status = sqa_measure_summarise(all->entries[rows + index].samples, all->rounds, &timing);
    if (status == SQA_OK)
        row->default_ms = timing.median_ms;
    return status;
}

static void compare_with_mha(sqa_bench_group *group)
{
    for (size_t i = 0; i < group->count; i++)
        for (size_t j = 0; j < group->count; j++)
            if (group->rows[j].variant == mha)
                group->rows[i].speedup_vs_mha = group->rows[j].median_ms / group->rows[i].median_ms;
}

static sqa_status summarise(const sqa_bench_state *run, sqa_bench_group *group,
                            const bench_entries *all)
{
    sqa_status status = SQA_OK;
    double ceiling = sqa_measure_median(group->fma, group->fma_count);
    for (size_t i = 0; i < group->count && status == SQA_OK; i++) {
        group->rows[i].ceiling_gflops = ceiling;
        status = summarise_row(run, &group->rows[i], all, i, group->count);
    }
    for (size_t i = 0; i < all->count; i++) {
        double ms =
            i < group->count ? group->rows[i].median_ms : group->rows[i - group->count].default_ms;
        group->round_s += ms * 1e-3 * all->entries[i].launches + SAMPLE_SECONDS;
    }
    compare_with_mha(group);
    return status;
}

static sqa_status measure(sqa_bench_state *run, sqa_bench_group *group, bench_entries *all)
{
    sqa_status status = allocate(run, group, all);
    if (status == SQA_OK)
        status = prepare(run, group, all);
    while (status == SQA_OK && !stopped(run) && all->rounds < run->options->rounds)
        status = sample_round(run, group, all);
    if (status != SQA_OK)
        return status;
    group->interrupted = all->rounds < run->options->rounds;
    if (!all->rounds) {
        group->count = 0;
        return SQA_OK;
    }
    return summarise(run, group, all);
}

sqa_status sqa_bench_group_measure(sqa_bench_state *run, sqa_bench_group *group)
{
    bench_entries all = {NULL, 0, 0};
    sqa_bench_group begun = {.length = group->length, .dim = group->dim};
    *group = begun;
    sqa_status status = lay_out(run, group);
    if (status == SQA_OK)
        status = measure(run, group, &all);
    free_entries(&all);
    return status;
}

void sqa_bench_group_free(sqa_bench_group *group)
{
    free(group->rows);
    free(group->fma);
    free(group->copy);
    memset(group, 0, sizeof *group);
}

double sqa_bench_group_expected(const sqa_bench_state *run, uint32_t length, uint32_t dim)
{
    const sqa_bench_options *options = run->options;
    double seconds = 0.0, times = options->against_default ? 2.0 : 1.0;
    for (size_t v = 0; v < options->variant_count; v++) {
        sqa_bench_row row;
        if (sqa_bench_describe(options, options->variants[v], length, dim, &row) == SQA_OK)
            seconds += expected_preparation(run, &row.problem) +
                       times * options->rounds * expected_sample(run, &row.problem);
    }
    return seconds;
}
