/* See bench.h. Which groups of rows are measured, in which order, and what is put
 * together from them; the measuring is bench_group.c. */
#include "trial/bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "device/cl_status.h"
#include "trial/bench_group.h"
#include "trial/measure.h"

/* Launches of a row that belong to no round: its check and its calibration. */
#define EXTRA_ROUNDS 2.0

/* Numbers that are only known to be few. */
typedef struct rates {
    double *values;
    size_t count;
} rates;

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

static sqa_status append_rates(rates *all, const double *more, size_t count)
{
    double *values = realloc(all->values, (all->count + count + 1) * sizeof *values);
    if (!values)
        return sqa_fail_memory("the ceiling's samples");
    all->values = values;
    for (size_t i = 0; i < count; i++)
        values[all->count++] = more[i];
    return SQA_OK;
}

static sqa_status append_rows(sqa_bench_report *report, const sqa_bench_group *group)
{
    size_t count = report->count + group->count;
    sqa_bench_row *rows = realloc(report->rows, (count + 1) * sizeof *rows);
    if (!rows)
        return sqa_fail_memory("the benchmark's rows");
    report->rows = rows;
    for (size_t i = 0; i < group->count; i++)
        rows[report->count++] = group->rows[i];
    return SQA_OK;
}

/* Work grows with the square of the length, and with the dimension. */
static double predict(const sqa_bench_state *run, const sqa_bench_group *last, uint32_t length,
                      uint32_t dim)
{
    double ratio = (double)length / last->length;
    return last->round_s * ratio * ratio * dim / last->dim * (run->options->rounds + EXTRA_ROUNDS);
}

/* Whether the budget has no room for this length; if so, the report says it. */
static bool leave_out(const sqa_bench_state *run, const sqa_bench_group *last, uint32_t length,
                      uint32_t dim, sqa_bench_report *report)
{
    double budget = run->options->budget_s;
    if (budget <= 0.0 || !last->length)
        return false;
    double seconds = predict(run, last, length, dim);
    if (sqa_clock_seconds() - run->begun_s + seconds <= budget)
        return false;
    if (report->left_out_count < SQA_BENCH_MOST)
        report->left_out[report->left_out_count++] = (sqa_bench_left_out){length, seconds};
    return true;
}

static sqa_status measure_group(sqa_bench_state *run, sqa_bench_group *group, rates *fma,
                                rates *copy, sqa_bench_report *report)
{
    sqa_status status = sqa_bench_group_measure(run, group);
    if (status != SQA_OK && run->options->stop && *run->options->stop) {
        /* What stops this also ends the compilers and linkers it waits for. */
        report->interrupted = true;
        return SQA_OK;
    }
    if (status == SQA_OK)
        status = append_rows(report, group);
    if (status == SQA_OK)
        status = append_rates(fma, group->fma, group->fma_count);
    if (status == SQA_OK)
        status = append_rates(copy, group->copy, group->copy_count);
    report->interrupted = report->interrupted || group->interrupted;
    return status;
}

static sqa_status measure_groups(sqa_bench_state *run, rates *fma, rates *copy,
                                 sqa_bench_report *report)
{
    const sqa_bench_options *options = run->options;
    sqa_status status = SQA_OK;
    for (size_t d = 0; d < options->dim_count; d++) {
        sqa_bench_group last = {0};
        for (size_t n = 0; n < options->length_count; n++) {
            sqa_bench_group group = {.length = options->lengths[n], .dim = options->dims[d]};
            if (leave_out(run, &last, group.length, group.dim, report))
                continue;
            status = measure_group(run, &group, fma, copy, report);
            last = (sqa_bench_group){
                .length = group.length, .dim = group.dim, .round_s = group.round_s};
            sqa_bench_group_free(&group);
            if (status != SQA_OK || report->interrupted)
                return status;
        }
    }
    return status;
}

static double expect_all(const sqa_bench_state *run)
{
    double seconds = 0.0;
    for (size_t d = 0; d < run->options->dim_count; d++)
        for (size_t n = 0; n < run->options->length_count; n++)
            seconds +=
                sqa_bench_group_expected(run, run->options->lengths[n], run->options->dims[d]);
    double budget = run->options->budget_s;
    return budget > 0.0 ? fmin(seconds, budget) : seconds;
}

static sqa_status measure(sqa_bench_state *run, rates *fma, rates *copy, sqa_bench_report *report)
{
    sqa_bench_announce(run, "the device's ceiling");
    sqa_status status = create_queue(run);
    if (status == SQA_OK)
        status = sqa_ceiling_probe_create(&run->ceiling, run->context);
    if (status != SQA_OK)
        return status;
    run->begun_s = sqa_clock_seconds();
    run->expected_s = expect_all(run);
    status = measure_groups(run, fma, copy, report);
    report->ceiling = sqa_ceiling_probe_result(run->ceiling);
    if (fma->count)
        report->fma_gflops = sqa_measure_median(fma->values, fma->count);
    if (copy->count)
        report->copy_gbs = sqa_measure_median(copy->values, copy->count);
    return status;
}

sqa_status sqa_bench_run(sqa_context *context, const sqa_bench_options *options,
                         sqa_bench_progress progress, void *user, sqa_bench_report *report)
{
    rates fma = {NULL, 0}, copy = {NULL, 0};
    sqa_bench_state run = {.context = context,
                           .options = options,
                           .tensors = SQA_TIMING_TENSORS_INIT,
                           .progress = progress,
                           .progress_user = user,
                           .begun_s = sqa_clock_seconds()};
    memset(report, 0, sizeof *report);
    sqa_status status = measure(&run, &fma, &copy, report);
    free(fma.values);
    free(copy.values);
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
