/* See bench_group.h. */
#include "trial/bench_group.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "kernels/registry.h"
#include "operations/tensors.h"
#include "runtime/context.h"
#include "runtime/plan.h"
#include "trial/bench_check.h"
#include "trial/measure.h"
#include "trial/peer.h"

#define SAMPLE_SECONDS 0.020 /* as long as a sample of the ceiling */

/* For guesses of what is to come. */
#define EXPECTED_FRACTION 0.5 /* of the ceiling */
#define PREPARE_SECONDS 0.5   /* compiling, mostly */
#define PREPARE_LAUNCHES 2.0  /* the check's and the calibration's */

/* A launch as long as this one needs no warming up. */
#define LONG_LAUNCH_SECONDS 1.0

static const sqa_bench_variant *const mha = &sqa_bench_variants[0];

/* What is timed as one. */
typedef struct bench_entry {
    sqa_timing_work timed;
    uint32_t launches;
    unsigned peer_row;   /* of a peer, which needs neither of these */
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

/* Seconds that computing, or reading, takes at the best rates so far. */
static double least_seconds(const sqa_bench_state *run, double amount, sqa_ceiling_kind kind)
{
    return amount / (1e9 * sqa_ceiling_probe_result(run->ceiling).rate[kind]);
}

/* Of one launch, from the ceilings alone. */
static double expected_launch(const sqa_bench_state *run, const sqa_bench_row *row)
{
    return fmax(least_seconds(run, row->flop, SQA_CEILING_FMA),
                least_seconds(run, row->bytes, SQA_CEILING_READ)) /
           EXPECTED_FRACTION;
}

static double expected_sample(const sqa_bench_state *run, const sqa_bench_row *row)
{
    return fmax(expected_launch(run, row), SAMPLE_SECONDS) + SAMPLE_SECONDS;
}

static double expected_preparation(const sqa_bench_state *run, const sqa_bench_row *row)
{
    return PREPARE_SECONDS + PREPARE_LAUNCHES * expected_launch(run, row);
}

/* Whether the family can compute all that the row is about on this device. */
static bool can_compute(const sqa_bench_state *run, const sqa_bench_row *row)
{
    const char *why;
    for (size_t p = 0; row->asked_family && p < row->pass->part_count; p++) {
        const sqa_kernel_family *family =
            sqa_family_find(row->parts[p].operation, row->asked_family);
        if (!family || !family->supports(&row->parts[p], &run->context->device, &why))
            return false;
    }
    return true;
}

static sqa_status lay_out(const sqa_bench_state *run, size_t number, sqa_bench_rows *out)
{
    sqa_status status = sqa_bench_rows_lay_out(run->options, number, out);
    size_t kept = 0;
    for (size_t i = 0; i < out->count && status == SQA_OK; i++)
        if (!run->options->any_family || can_compute(run, &out->items[i]))
            out->items[kept++] = out->items[i];
    out->count = status == SQA_OK ? kept : 0;
    for (size_t i = 0; i < out->count; i++) {
        sqa_bench_row *row = &out->items[i];
        row->reads = least_seconds(run, row->bytes, SQA_CEILING_READ) >
                     least_seconds(run, row->flop, SQA_CEILING_FMA);
    }
    return status;
}

static sqa_status allocate(const sqa_bench_state *run, sqa_bench_group *group, bench_entries *all)
{
    const uint32_t rounds = run->options->rounds;
    all->count = run->options->against_default ? 2 * group->rows.count : group->rows.count;
    all->entries = calloc(all->count, sizeof *all->entries);
    bool enough = all->entries != NULL;
    for (int kind = 0; kind < SQA_CEILING_KINDS; kind++) {
        sqa_bench_rates *rates = &group->rates[kind];
        rates->values = calloc((all->count + 1) * rounds, sizeof *rates->values);
        enough = enough && rates->values;
    }
    for (size_t i = 0; i < all->count && enough; i++) {
        all->entries[i].samples = calloc(rounds, sizeof *all->entries[i].samples);
        enough = all->entries[i].samples != NULL;
    }
    return enough ? SQA_OK : sqa_fail_memory("the benchmark's samples");
}

static void free_entries(bench_entries *all)
{
    for (size_t i = 0; all->entries && i < all->count; i++) {
        for (size_t p = 0; p < all->entries[i].timed.count; p++)
            sqa_plan_destroy(all->entries[i].timed.plans[p]);
        free(all->entries[i].samples);
    }
    free(all->entries);
}

/* Cut off where there is no room. */
static void append(char *text, size_t size, const char *separator, const char *more)
{
    const size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s", used ? separator : "", more);
}

/* Unless it is what the other parts have, too. */
static void append_other(char *text, size_t size, const char *more)
{
    if (strcmp(text, more) != 0)
        append(text, size, "+", more);
}

static sqa_status explain_part(sqa_bench_row *row, const sqa_plan *plan)
{
    sqa_plan_info info = SQA_PLAN_INFO_INIT;
    sqa_status status = sqa_plan_explain(plan, &info);
    if (status != SQA_OK)
        return status;
    append(row->family, sizeof row->family, "+", info.family);
    append(row->config, sizeof row->config, ";", info.config);
    append_other(row->rung, sizeof row->rung, info.rung);
    append_other(row->source, sizeof row->source, info.source);
    return SQA_OK;
}

static sqa_status plan_part(sqa_bench_state *run, bench_entry *entry, const sqa_problem *problem,
                            const sqa_plan_options *options)
{
    sqa_timing_work *timed = &entry->timed;
    sqa_status status = sqa_timing_tensors_reserve(&run->tensors, sqa_context_cl(run->context),
                                                   run->queue, problem);
    if (status == SQA_OK)
        status = sqa_plan_build(&timed->plans[timed->count], run->context, problem, options);
    return status == SQA_OK ? sqa_plan_warm_up(timed->plans[timed->count++], run->queue) : status;
}

static sqa_status prepare_entry(sqa_bench_state *run, bench_entry *entry, const sqa_bench_row *row,
                                const sqa_plan_options *options)
{
    sqa_work work = {sqa_timing_enqueue, &entry->timed};
    sqa_status status = SQA_OK;
    entry->timed.tensors = &run->tensors;
    entry->timed.latent = row->variant && row->variant->is_latent;
    run->tensors.shuffled = row->variant && run->options->page;
    run->tensors.shortest = row->shortest;
    for (size_t p = 0; p < row->pass->part_count && status == SQA_OK; p++)
        status = plan_part(run, entry, &row->parts[p], options);
    if (status == SQA_OK && expected_launch(run, row) < LONG_LAUNCH_SECONDS)
        status = sqa_measure_warm_up(&work, run->queue);
    if (status == SQA_OK)
        status = sqa_measure_calibrate(&work, run->queue, SAMPLE_SECONDS, &entry->launches, NULL);
    return status;
}

/* What it computes is its own affair, and not checked. */
static sqa_status prepare_peer(sqa_bench_state *run, sqa_bench_row *row, bench_entry *entry)
{
    row->max_error = (double)NAN;
    entry->launches = 1;
    append(row->family, sizeof row->family, "", sqa_peer_title(run->peer));
    append(row->source, sizeof row->source, "", "peer");
    run->done_s += expected_preparation(run, row);
    return sqa_peer_prepare(run->peer, row, &entry->peer_row);
}

static sqa_status prepare_row(sqa_bench_state *run, sqa_bench_row *row, bench_entry *best,
                              bench_entry *otherwise)
{
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    char name[64];
    options.family = row->asked_family;
    sqa_bench_row_name(row, name, sizeof name);
    sqa_bench_announce(run, "preparing %s, %s", row->pass->name, name);
    if (row->peer)
        return prepare_peer(run, row, best);
    sqa_status status = prepare_entry(run, best, row, &options);
    for (size_t p = 0; p < row->pass->part_count && status == SQA_OK; p++)
        status = explain_part(row, best->timed.plans[p]);
    if (status == SQA_OK)
        status = sqa_bench_check(run->context, run->queue, row, &options);
    run->done_s += expected_preparation(run, row);
    if (status != SQA_OK || !otherwise)
        return status;
    options.family = NULL;
    options.skip_database = 1;
    return prepare_entry(run, otherwise, row, &options);
}

static sqa_status prepare(sqa_bench_state *run, sqa_bench_group *group, bench_entries *all)
{
    const sqa_bench_rows *rows = &group->rows;
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < rows->count && status == SQA_OK && !stopped(run); i++)
        status = prepare_row(run, &rows->items[i], &all->entries[i],
                             all->count > rows->count ? &all->entries[rows->count + i] : NULL);
    return status;
}

static sqa_status sample_ceiling(sqa_bench_state *run, sqa_bench_group *group,
                                 sqa_ceiling_kind kind)
{
    sqa_bench_rates *rates = &group->rates[kind];
    sqa_status status = sqa_ceiling_probe_sample(run->ceiling, kind, &rates->values[rates->count]);
    rates->count += status == SQA_OK;
    return status;
}

/* Multiply-adds are sampled after every row, reading after those that it may limit. */
static sqa_status sample_entry(sqa_bench_state *run, sqa_bench_group *group, bench_entry *entry,
                               const sqa_bench_row *row, uint32_t round)
{
    sqa_work work = {sqa_timing_enqueue, &entry->timed};
    sqa_sample *sample = &entry->samples[round];
    sqa_status status = row->peer ? sqa_peer_sample(run->peer, entry->peer_row, sample)
                                  : sqa_measure_sample(&work, run->queue, entry->launches, sample);
    if (status == SQA_OK)
        status = sample_ceiling(run, group, SQA_CEILING_FMA);
    if (status == SQA_OK && row->reads)
        status = sample_ceiling(run, group, SQA_CEILING_READ);
    run->done_s += expected_sample(run, row);
    return status;
}

/* Row, ceiling, row, ceiling, ... A stop in the middle leaves the round incomplete. */
static sqa_status sample_round(sqa_bench_state *run, sqa_bench_group *group, bench_entries *all)
{
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < all->count && status == SQA_OK && !stopped(run); i++) {
        const sqa_bench_row *row = &group->rows.items[i % group->rows.count];
        char name[64];
        sqa_bench_row_name(row, name, sizeof name);
        sqa_bench_announce(run, "round %u of %u, %s", all->rounds + 1, run->options->rounds, name);
        status = sample_entry(run, group, &all->entries[i], row, all->rounds);
    }
    if (status == SQA_OK && !stopped(run))
        status = sample_ceiling(run, group, SQA_CEILING_COPY);
    if (status == SQA_OK && !stopped(run))
        status = sample_ceiling(run, group, SQA_CEILING_READ);
    all->rounds += status == SQA_OK && !stopped(run);
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
    row->gflops = row->flop / (timing.median_ms * 1e6);
    row->gbs = row->bytes / (timing.median_ms * 1e6);
    row->fraction_of_ceiling = row->gflops / row->ceiling_gflops;
    row->fraction_of_read = row->gbs / row->ceiling_read_gbs;
    row->fraction_of_roofline = fmax(row->fraction_of_ceiling, row->fraction_of_read);
    if (!run->options->against_default)
        return SQA_OK;
    status = sqa_measure_summarise(all->entries[rows + index].samples, all->rounds, &timing);
    if (status == SQA_OK)
        row->default_ms = timing.median_ms;
    return status;
}

static void compare(sqa_bench_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        sqa_bench_row *row = &rows->items[i];
        for (size_t j = rows->count; j-- > 0;) {
            const sqa_bench_row *other = &rows->items[j];
            if (other->pass != row->pass)
                continue;
            if (other->variant == mha && other->asked_family == row->asked_family &&
                other->peer == row->peer)
                row->speedup_vs_mha = other->median_ms / row->median_ms;
            if (other->variant == row->variant)
                row->speedup_vs_first = other->median_ms / row->median_ms;
        }
    }
}

static sqa_status summarise(const sqa_bench_state *run, sqa_bench_group *group,
                            const bench_entries *all)
{
    sqa_bench_rows *rows = &group->rows;
    const sqa_bench_rates *fma = &group->rates[SQA_CEILING_FMA];
    const sqa_bench_rates *read = &group->rates[SQA_CEILING_READ];
    const double gflops = sqa_measure_median(fma->values, fma->count);
    const double read_gbs = sqa_measure_median(read->values, read->count);
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < rows->count && status == SQA_OK; i++) {
        rows->items[i].ceiling_gflops = gflops;
        rows->items[i].ceiling_read_gbs = read_gbs;
        status = summarise_row(run, &rows->items[i], all, i, rows->count);
    }
    for (size_t i = 0; i < all->count; i++) {
        const sqa_bench_row *row = &rows->items[i % rows->count];
        const double ms = i < rows->count ? row->median_ms : row->default_ms;
        group->round_s += ms * 1e-3 * all->entries[i].launches + SAMPLE_SECONDS;
    }
    compare(rows);
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
        group->rows.count = 0;
        return SQA_OK;
    }
    return summarise(run, group, all);
}

sqa_status sqa_bench_group_measure(sqa_bench_state *run, size_t number, sqa_bench_group *group)
{
    bench_entries all = {NULL, 0, 0};
    memset(group, 0, sizeof *group);
    sqa_status status = lay_out(run, number, &group->rows);
    if (status == SQA_OK && group->rows.count)
        status = measure(run, group, &all);
    free_entries(&all);
    return status;
}

void sqa_bench_group_free(sqa_bench_group *group)
{
    sqa_bench_rows_free(&group->rows);
    for (int kind = 0; kind < SQA_CEILING_KINDS; kind++)
        free(group->rates[kind].values);
    memset(group, 0, sizeof *group);
}

double sqa_bench_group_expected(const sqa_bench_state *run, size_t number)
{
    const sqa_bench_options *options = run->options;
    const double times = options->against_default ? 2.0 : 1.0;
    double seconds = 0.0;
    sqa_bench_rows rows;
    if (lay_out(run, number, &rows) == SQA_OK)
        for (size_t i = 0; i < rows.count; i++)
            seconds += expected_preparation(run, &rows.items[i]) +
                       times * options->rounds * expected_sample(run, &rows.items[i]);
    sqa_bench_rows_free(&rows);
    return seconds;
}
