/* sqa verify: the conformance grid and the properties on the user's own device.
 * Opens the device and goes through the jobs; what is checked, and how, is in conformance/. */
#include "base/status.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/log_option.h"
#include "cli/memory_check.h"
#include "cli/verify/report.h"
#include "device/cl_status.h"

static const char summary[] =
    "Checks the kernels on a device against an fp64 reference: a grid of shapes, and\n"
    "properties such as what a mask hides staying hidden. Compiled kernels are kept for\n"
    "the next time, as those of every program are. Ctrl-C ends with what was checked so\n"
    "far. Exit status 1: a check failed, or not all were made.";

/* A run in progress. */
typedef struct verification {
    const sqa_verify_words *words;
    const atomic_bool *stop;
    sqa_context *context;
    cl_command_queue queue;
    sqa_device device;
    sqa_verify_jobs jobs;
    sqa_verify_report report;
} verification;

static sqa_status run_job(verification *v, const sqa_verify_job *job)
{
    sqa_suite_counts counts = {0};
    const sqa_suite suite = {.context = v->context,
                             .queue = v->queue,
                             .device = &v->device,
                             .operation = job->operation,
                             .family = job->family,
                             .dtype = job->dtype,
                             .config = sqa_verify_job_config(job),
                             .seed = v->words->seed,
                             .all_rows = v->words->shape != NULL,
                             .stop = v->stop,
                             .report = sqa_verify_report_outcome,
                             .user = &v->report};
    sqa_verify_report_job(&v->report, &suite);
    const sqa_status status = sqa_verify_job_run(v->words, job, &suite, &counts);
    sqa_verify_report_counts(&v->report, &counts);
    return status;
}

static sqa_status run_jobs(verification *v)
{
    sqa_status status = SQA_OK;
    if (v->words->shape)
        status = sqa_memory_check(&v->words->only_case, &v->device);
    if (status == SQA_OK)
        status = sqa_verify_jobs_make(&v->jobs, v->words, &v->device);
    if (status != SQA_OK)
        return status;
    sqa_verify_report_begin(&v->report, v->words, &v->device, v->jobs.checks);
    for (size_t i = 0; i < v->jobs.count && status == SQA_OK && !*v->stop; i++)
        status = run_job(v, &v->jobs.jobs[i]);
    sqa_verify_report_end(&v->report, *v->stop);
    return status;
}

static sqa_status open_device(verification *v)
{
    sqa_context_options options = SQA_CONTEXT_OPTIONS_INIT;
    options.user_database = ""; /* families are named here: nothing is looked up */
    sqa_status status = sqa_log_option(v->words->log, &options);
    if (status == SQA_OK)
        status = sqa_context_open(&v->context, v->words->platform_index, v->words->device_index,
                                  &options);
    if (status == SQA_OK)
        status = sqa_device_query(&v->device, sqa_context_cl_device(v->context));
    if (status != SQA_OK)
        return status;
    cl_int error;
    v->queue = clCreateCommandQueue(sqa_context_cl(v->context), v->device.id, 0, &error);
    return error == CL_SUCCESS ? SQA_OK : sqa_fail_cl(error, "clCreateCommandQueue");
}

static int verify(const char *command, const sqa_verify_words *words)
{
    verification v = {.words = words, .stop = sqa_interrupt_catch(), .jobs = SQA_VERIFY_JOBS_INIT};
    sqa_status status = open_device(&v);
    if (status == SQA_OK)
        status = run_jobs(&v);
    if (v.queue)
        clReleaseCommandQueue(v.queue);
    sqa_context_destroy(v.context);
    sqa_verify_jobs_free(&v.jobs);
    if (status != SQA_OK)
        return sqa_command_fail(command, status);
    const bool complete = v.report.done == v.report.total && v.report.checked;
    return v.report.failed || !complete ? SQA_EXIT_FAILED : SQA_EXIT_OK;
}

int sqa_command_verify(int argc, char **argv)
{
    sqa_verify_words words = {.seed = 1};
    const sqa_option table[] = {
        {"device", "P:D", "the device, as `sqa info` numbers it", .text = &words.device},
        {"operation", "NAME", "one operation only, otherwise all; a wrong name lists them",
         .text = &words.operation_name},
        {"family", "NAME", "one kernel family only; otherwise all", .text = &words.family},
        {"set", "NAME=VALUE,...", "the family's parameters; otherwise its default",
         .text = &words.set, .needs = "family"},
        {"dtype", "TYPE", "f32, f16 or bf16 only; otherwise all, f32 on the most shapes",
         .text = &words.dtype, .excludes = "shape"},
        {"quick", NULL, "about 50 shapes per family (the default)", .flag = &words.quick,
         .excludes = "full,tiny,shape,property"},
        {"full", NULL, "630 shapes per family", .flag = &words.full,
         .excludes = "tiny,shape,property"},
        {"tiny", NULL, "a few small shapes, for Oclgrind", .flag = &words.tiny,
         .excludes = "shape"},
        {"patterns", NULL, "only the combinations of masks, windows, sparsity, biases, ...",
         .flag = &words.patterns, .excludes = "shape,property"},
        {"configs", "N", "also N configurations picked at random, on fewer shapes",
         .count = {&words.configs, 0, SQA_VERIFY_MOST_CONFIGS}},
        {"shape", "SPEC", "this shape only, such as hq=8,hkv=2,nq=100,nk=200,d=64,causal",
         .text = &words.shape, .excludes = "property"},
        {"layout", "NAME", "with --shape: bhsd, bshd, padded, mixed, qkv or shared",
         .text = &words.layout, .needs = "shape"},
        {"property", "NAME", "this property only", .text = &words.property},
        {"seed", "N", "of the random inputs (1)", .number = {&words.seed, 0, UINT64_MAX}},
        {"json", NULL, "one JSON document", .flag = &words.json},
        {"log-level", "LEVEL", "error, warning, info or debug", .text = &words.log},
        {0},
    };
    int code;
    if (!sqa_options_read(argc, argv, summary, table, &code))
        return code;
    const sqa_status status = sqa_verify_words_read(&words);
    return status == SQA_OK ? verify(argv[0], &words) : sqa_command_fail(argv[0], status);
}
