/* See bench.h. Which groups of rows are measured, in which order, and what is put
 * together from them; the measuring is bench_group.c. */
#include "trial/bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "device/cl_status.h"
#include "runtime/context.h"
#include "trial/bench_group.h"
#include "trial/measure.h"
#include "trial/peer.h"

/* Launches of a row that belong to no round: its check and its calibration. */
#define EXTRA_ROUNDS 2.0

static sqa_status create_queue(sqa_bench_state *run)
{
    cl_context context = sqa_context_cl(run->context);
    cl_device_id device = sqa_context_cl_device(run->context);
    cl_int code = CL_SUCCESS;
    run->queue = clCreateCommandQueue(context, device, CL_QUEUE_PROFILING_ENABLE, &code);
    if (code != CL_SUCCESS) /* not every runtime profiles; the wall clock always works */
        run->queue = clCreateCommandQueue(context, device, 0, &code);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clCreateCommandQueue");
}

static sqa_status append_rates(sqa_bench_rates *all, const sqa_bench_rates *more)
{
    double *values = realloc(all->values, (all->count + more->count + 1) * sizeof *values);
    if (!values)
        return sqa_fail_memory("the ceiling's samples");
    all->values = values;
    for (size_t i = 0; i < more->count; i++)
        values[all->count++] = more->values[i];
    return SQA_OK;
}

static sqa_status append_rows(sqa_bench_report *report, const sqa_bench_rows *more)
{
    size_t count = report->count + more->count;
    sqa_bench_row *rows = realloc(report->rows, (count + 1) * sizeof *rows);
    if (!rows)
        return sqa_fail_memory("the benchmark's rows");
    report->rows = rows;
    for (size_t i = 0; i < more->count; i++)
        rows[report->count++] = more->items[i];
    return SQA_OK;
}

/* A group of variants that was measured. */
typedef struct measured_length {
    uint32_t length, dim;
    double round_s;
} measured_length;

/* Work grows with the square of the length, and with the dimension. */
static double predict(const sqa_bench_state *run, const measured_length *last, uint32_t length,
                      uint32_t dim)
{
    double ratio = (double)length / last->length;
    return last->round_s * ratio * ratio * dim / last->dim * (run->options->rounds + EXTRA_ROUNDS);
}

/* Whether the budget has no room for this length; if so, the report says it. */
static bool leave_out(const sqa_bench_state *run, const measured_length *last, size_t group,
                      sqa_bench_report *report)
{
    const sqa_bench_options *options = run->options;
    uint32_t length, dim, batch;
    sqa_dtype kv_dtype;
    if (options->budget_s <= 0.0 || !last->length ||
        !sqa_bench_group_sizes(options, group, &length, &dim, &batch, &kv_dtype))
        return false;
    double seconds = predict(run, last, length, dim);
    if (sqa_clock_seconds() - run->begun_s + seconds <= options->budget_s)
        return false;
    if (report->left_out_count < SQA_BENCH_MOST)
        report->left_out[report->left_out_count++] = (sqa_bench_left_out){length, seconds};
    return true;
}

static sqa_status measure_group(sqa_bench_state *run, size_t number, sqa_bench_group *group,
                                sqa_bench_rates rates[SQA_CEILING_KINDS], sqa_bench_report *report)
{
    sqa_status status = sqa_bench_group_measure(run, number, group);
    if (status != SQA_OK && run->options->stop && *run->options->stop) {
        /* What stops this also ends the compilers and linkers it waits for. */
        report->interrupted = true;
        return SQA_OK;
    }
    if (status == SQA_OK)
        status = append_rows(report, &group->rows);
    for (int kind = 0; kind < SQA_CEILING_KINDS && status == SQA_OK; kind++)
        status = append_rates(&rates[kind], &group->rates[kind]);
    report->interrupted = report->interrupted || group->interrupted;
    return status;
}

static sqa_status measure_groups(sqa_bench_state *run, sqa_bench_rates rates[SQA_CEILING_KINDS],
                                 sqa_bench_report *report)
{
    const size_t count = sqa_bench_group_count(run->options);
    measured_length last = {0, 0, 0.0};
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < count && status == SQA_OK && !report->interrupted; i++) {
        sqa_bench_group group;
        if (leave_out(run, &last, i, report))
            continue;
        status = measure_group(run, i, &group, rates, report);
        last = (measured_length){group.rows.length, group.rows.dim, group.round_s};
        sqa_bench_group_free(&group);
    }
    return status;
}

static double expect_all(const sqa_bench_state *run)
{
    double seconds = 0.0;
    for (size_t i = 0; i < sqa_bench_group_count(run->options); i++)
        seconds += sqa_bench_group_expected(run, i);
    double budget = run->options->budget_s;
    return budget > 0.0 ? fmin(seconds, budget) : seconds;
}

static sqa_status measure(sqa_bench_state *run, sqa_bench_rates rates[SQA_CEILING_KINDS],
                          sqa_bench_report *report)
{
    sqa_bench_announce(run, "the device's ceiling");
    sqa_status status = create_queue(run);
    if (status == SQA_OK)
        status = sqa_ceiling_probe_create(&run->ceiling, run->context, NULL);
    if (status == SQA_OK && run->options->peer)
        status = sqa_peer_start(&run->peer, run->options->peer,
                                run->context->device.strings.compute_units);
    if (status != SQA_OK)
        return status;
    run->begun_s = sqa_clock_seconds();
    run->expected_s = expect_all(run);
    status = measure_groups(run, rates, report);
    report->ceiling = sqa_ceiling_probe_result(run->ceiling);
    for (int kind = 0; kind < SQA_CEILING_KINDS; kind++)
        if (rates[kind].count)
            report->rate[kind] = sqa_measure_median(rates[kind].values, rates[kind].count);
    return status;
}

sqa_status sqa_bench_run(sqa_context *context, const sqa_bench_options *options,
                         sqa_bench_progress progress, void *user, sqa_bench_report *report)
{
    sqa_bench_rates rates[SQA_CEILING_KINDS] = {{NULL, 0}};
    sqa_bench_state run = {.context = context,
                           .options = options,
                           .tensors = SQA_TIMING_TENSORS_INIT,
                           .progress = progress,
                           .progress_user = user,
                           .begun_s = sqa_clock_seconds()};
    memset(report, 0, sizeof *report);
    for (int kind = 0; kind < SQA_CEILING_KINDS; kind++)
        report->rate[kind] = (double)NAN;
    sqa_status status = measure(&run, rates, report);
    for (int kind = 0; kind < SQA_CEILING_KINDS; kind++)
        free(rates[kind].values);
    sqa_peer_stop(run.peer);
    sqa_ceiling_probe_destroy(run.ceiling);
    sqa_timing_tensors_release(&run.tensors);
    if (run.queue)
        clReleaseCommandQueue(run.queue);
    return status;
}

void sqa_bench_report_free(sqa_bench_report *report)
{
    free(report->rows);
    report->rows = NULL;
    report->count = 0;
}
