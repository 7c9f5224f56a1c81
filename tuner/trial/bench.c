/* See bench.h. */
#include "trial/bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "conformance/check.h"
#include "device/cl_status.h"
#include "problem/problem.h"
#include "trial/measure.h"
#include "trial/timing_tensors.h"

#define CHECK_SEED 0xbe7c4u
#define SAMPLED_ROWS 64u

/* One plan that is timed. */
typedef struct bench_entry {
    sqa_timing_work timed;
    uint32_t launches;
    sqa_sample *samples; /* one per round */
} bench_entry;

typedef struct bench_run {
    sqa_context *context;
    const sqa_bench_options *options;
    cl_command_queue queue;
    sqa_timing_tensors tensors;
    sqa_ceiling_probe *ceiling;
    bench_entry *entries; /* the rows', then the rows' defaults */
    sqa_bench_report *report;
    sqa_bench_progress progress;
    void *progress_user;
    size_t steps, step;
} bench_run;

static void step(bench_run *run, const char *what)
{
    if (run->progress)
        run->progress(run->progress_user, (double)run->step / (double)run->steps, what);
    run->step++;
}

static sqa_status create_queue(bench_run *run)
{
    cl_context context = sqa_context_cl(run->context);
    cl_device_id device = sqa_context_cl_device(run->context);
    cl_int code = CL_SUCCESS;
    run->queue = clCreateCommandQueue(context, device, CL_QUEUE_PROFILING_ENABLE, &code);
    if (code != CL_SUCCESS) /* not every runtime profiles; the wall clock always works */
        run->queue = clCreateCommandQueue(context, device, 0, &code);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clCreateCommandQueue");
}

static bool asked_for(const sqa_bench_options *options, sqa_variant variant)
{
    for (size_t i = 0; i < options->variant_count; i++)
        if (options->variants[i] == variant)
            return true;
    return false;
}

static sqa_status add_row(bench_run *run, sqa_variant variant, uint32_t length, bool shown)
{
    const sqa_bench_options *options = run->options;
    sqa_bench_row *row = &run->report->rows[run->report->count++];
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    memset(row, 0, sizeof *row);
    desc.batch = options->batch;
    desc.q_length = desc.kv_length = length;
    desc.head_dim = options->dim;
    desc.causal = options->causal;
    sqa_status status = sqa_variant_heads(variant, options->heads, &desc.q_heads, &desc.kv_heads);
    row->variant = variant;
    row->desc = desc;
    row->shown = shown;
    row->default_ms = (double)NAN;
    return status;
}

/* A row per length and variant; MHA always, since speed-ups are against it. */
static sqa_status lay_out(bench_run *run)
{
    const sqa_bench_options *options = run->options;
    size_t most = options->length_count * (options->variant_count + 1);
    run->report->rows = calloc(most, sizeof *run->report->rows);
    run->entries = calloc(2 * most, sizeof *run->entries);
    if (!run->report->rows || !run->entries)
        return sqa_fail_memory("the benchmark's rows");
    sqa_status status = SQA_OK;
    for (size_t n = 0; n < options->length_count && status == SQA_OK; n++) {
        if (!asked_for(options, SQA_VARIANT_MHA))
            status = add_row(run, SQA_VARIANT_MHA, options->lengths[n], false);
        for (size_t v = 0; v < options->variant_count && status == SQA_OK; v++)
            status = add_row(run, options->variants[v], options->lengths[n], true);
    }
    return status;
}

static sqa_status check_row(bench_run *run, sqa_bench_row *row, const sqa_plan_options *options)
{
    sqa_check_result check;
    sqa_status status = sqa_check_forward(run->context, run->queue, &row->desc, options, CHECK_SEED,
                                          SAMPLED_ROWS, &check);
    if (status != SQA_OK)
        return status;
    row->max_error = check.max_error;
    if (!check.passed)
        return sqa_fail(SQA_WRONG_RESULT, "%s at length %u with %s %s: %s",
                        sqa_variant_name(row->variant), row->desc.q_length, row->family,
                        row->config, check.message);
    return SQA_OK;
}

static sqa_status explain_row(sqa_bench_row *row, const sqa_plan *plan)
{
    sqa_plan_info info;
    sqa_status status = sqa_plan_explain(plan, &info);
    if (status != SQA_OK)
        return status;
    snprintf(row->family, sizeof row->family, "%s", info.family);
    snprintf(row->config, sizeof row->config, "%s", info.config);
    snprintf(row->rung, sizeof row->rung, "%s", info.rung);
    snprintf(row->source, sizeof row->source, "%s", info.source);
    return SQA_OK;
}

static sqa_status prepare_entry(bench_run *run, bench_entry *entry, const sqa_attention_desc *desc,
                                const sqa_plan_options *options)
{
    sqa_work work = {sqa_timing_enqueue, &entry->timed};
    entry->timed.tensors = &run->tensors;
    entry->samples = calloc(run->options->rounds, sizeof *entry->samples);
    if (!entry->samples)
        return sqa_fail_memory("samples");
    sqa_status status =
        sqa_timing_tensors_reserve(&run->tensors, sqa_context_cl(run->context), run->queue, desc);
    if (status == SQA_OK)
        status = sqa_plan_create(&entry->timed.plan, run->context, desc, options);
    if (status == SQA_OK)
        status = sqa_plan_warm_up(entry->timed.plan, run->queue);
    if (status == SQA_OK)
        status = sqa_measure_warm_up(&work, run->queue);
    if (status == SQA_OK)
        status =
            sqa_measure_calibrate(&work, run->queue, SQA_SAMPLE_SECONDS, &entry->launches, NULL);
    return status;
}

static sqa_status prepare_row(bench_run *run, size_t index)
{
    sqa_bench_row *row = &run->report->rows[index];
    bench_entry *entry = &run->entries[index];
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    options.family = run->options->family;
    step(run, sqa_variant_name(row->variant));
    sqa_status status = prepare_entry(run, entry, &row->desc, &options);
    if (status == SQA_OK)
        status = explain_row(row, entry->timed.plan);
    if (status == SQA_OK)
        status = check_row(run, row, &options);
    if (status != SQA_OK || !run->options->against_default)
        return status;
    options.family = NULL;
    options.skip_database = 1;
    return prepare_entry(run, &run->entries[run->report->count + index], &row->desc, &options);
}

static sqa_status sample_round(bench_run *run, size_t entries, uint32_t round)
{
    sqa_status status = SQA_OK;
    step(run, "measuring");
    for (size_t i = 0; i < entries && status == SQA_OK; i++) {
        bench_entry *entry = &run->entries[i];
        sqa_work work = {sqa_timing_enqueue, &entry->timed};
        status = sqa_measure_sample(&work, run->queue, entry->launches, &entry->samples[round]);
    }
    return status == SQA_OK ? sqa_ceiling_probe_repeat(run->ceiling) : status;
}

static sqa_status summarise_row(bench_run *run, size_t index)
{
    sqa_bench_row *row = &run->report->rows[index];
    sqa_problem problem;
    sqa_timing timing;
    sqa_status status = sqa_problem_from_desc(&problem, &row->desc);
    if (status == SQA_OK)
        status = sqa_measure_summarise(run->entries[index].samples, run->options->rounds, &timing);
    if (status != SQA_OK)
        return status;
    row->median_ms = timing.median_ms;
    row->spread_ms = timing.spread_ms;
    row->gflops = sqa_problem_flops(&problem) / (timing.median_ms * 1e6);
    row->gbs = sqa_problem_bytes(&problem) / (timing.median_ms * 1e6);
    if (!run->options->against_default)
        return SQA_OK;
    status = sqa_measure_summarise(run->entries[run->report->count + index].samples,
                                   run->options->rounds, &timing);
    if (status == SQA_OK)
        row->default_ms = timing.median_ms;
    return status;
}

/* Against MHA of the same length, which is always there. */
static void compare_with_mha(sqa_bench_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        for (size_t j = 0; j < report->count; j++)
            if (report->rows[j].variant == SQA_VARIANT_MHA &&
                report->rows[j].desc.q_length == report->rows[i].desc.q_length)
                report->rows[i].speedup_vs_mha =
                    report->rows[j].median_ms / report->rows[i].median_ms;
}

static sqa_status measure(bench_run *run)
{
    size_t rows = run->report->count;
    size_t entries = run->options->against_default ? 2 * rows : rows;
    run->steps = rows + run->options->rounds + 1;
    step(run, "ceiling");
    sqa_status status = sqa_ceiling_probe_create(&run->ceiling, run->context);
    for (size_t i = 0; i < rows && status == SQA_OK; i++)
        status = prepare_row(run, i);
    for (uint32_t round = 0; round < run->options->rounds && status == SQA_OK; round++)
        status = sample_round(run, entries, round);
    for (size_t i = 0; i < rows && status == SQA_OK; i++)
        status = summarise_row(run, i);
    if (status != SQA_OK)
        return status;
    run->report->ceiling = sqa_ceiling_probe_result(run->ceiling);
    compare_with_mha(run->report);
    return SQA_OK;
}

static void clean_up(bench_run *run)
{
    for (size_t i = 0; run->entries && i < 2 * run->report->count; i++) {
        sqa_plan_destroy(run->entries[i].timed.plan);
        free(run->entries[i].samples);
    }
    free(run->entries);
    sqa_ceiling_probe_destroy(run->ceiling);
    sqa_timing_tensors_release(&run->tensors);
    if (run->queue)
        clReleaseCommandQueue(run->queue);
}

sqa_status sqa_bench_run(sqa_context *context, const sqa_bench_options *options,
                         sqa_bench_progress progress, void *user, sqa_bench_report *report)
{
    bench_run run;
    memset(&run, 0, sizeof run);
    memset(report, 0, sizeof *report);
    run.context = context;
    run.options = options;
    run.report = report;
    run.progress = progress;
    run.progress_user = user;
    sqa_status status = lay_out(&run);
    if (status == SQA_OK)
        status = create_queue(&run);
    if (status == SQA_OK)
        status = measure(&run);
    clean_up(&run);
    if (status != SQA_OK)
        sqa_bench_report_free(report);
    return status;
}

void sqa_bench_report_free(sqa_bench_report *report)
{
    free(report->rows);
    report->rows = NULL;
    report->count = 0;
}
