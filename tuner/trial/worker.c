/* See worker.h. */
#include "trial/worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/status.h"
#include "device/cl_status.h"
#include "trial/fault.h"
#include "trial/forward_trial.h"

/* Beyond the parent's own time-out: it is the one to end a worker while it lives. */
#define GRACE_SECONDS 5u
#define CEILING_SECONDS 90u

/* Compilers print to the standard output too; the answers get a stream of their
 * own, and what was the standard output becomes the standard error. */
static FILE *open_answers(void)
{
    int answers = dup(STDOUT_FILENO);
    if (answers < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return NULL;
    return fdopen(answers, "w");
}

static sqa_status open_bench(sqa_trial_bench *bench, unsigned platform, unsigned device)
{
    sqa_context_options options = SQA_CONTEXT_OPTIONS_INIT;
    options.user_database = "";
    options.skip_seed = 1;
    options.binary_cache = ""; /* hardly a candidate is ever compiled again */
    sqa_status status = sqa_context_open(&bench->context, platform, device, &options);
    if (status != SQA_OK)
        return status;
    cl_context context = sqa_context_cl(bench->context);
    cl_device_id id = sqa_context_cl_device(bench->context);
    cl_int code = CL_SUCCESS;
    bench->queue = clCreateCommandQueue(context, id, CL_QUEUE_PROFILING_ENABLE, &code);
    if (code != CL_SUCCESS) /* not every runtime profiles; the wall clock always works */
        bench->queue = clCreateCommandQueue(context, id, 0, &code);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clCreateCommandQueue");
}

static void close_bench(sqa_trial_bench *bench)
{
    sqa_timing_tensors_release(&bench->tensors);
    if (bench->queue)
        clReleaseCommandQueue(bench->queue);
    sqa_context_destroy(bench->context);
}

/* Acts out a fault; only a wrong result comes back from here. */
static bool faulty(const sqa_candidate_text *candidate, sqa_trial_result *result)
{
    sqa_fault fault = sqa_fault_for(getenv("SQA_CL_TEST_FAULT"), candidate);
    if (fault == SQA_FAULT_NONE)
        return false;
    while (fault == SQA_FAULT_HANG)
        pause();
    if (fault == SQA_FAULT_CRASH) {
        signal(SIGSEGV, SIG_DFL); /* some runtimes catch it */
        raise(SIGSEGV);
    }
    *result = sqa_trial_failure(SQA_TRIAL_WRONG_RESULT, "wrong on request ($SQA_CL_TEST_FAULT)");
    return true;
}

static void answer_results(FILE *answers, const sqa_trial_result *results, uint32_t count)
{
    char line[SQA_PROTOCOL_LINE];
    for (uint32_t i = 0; i < count; i++) {
        sqa_result_format(&results[i], line);
        fputs(line, answers);
    }
}

static void serve_trial(sqa_trial_bench *bench, const sqa_request *request, FILE *answers)
{
    sqa_trial_result result;
    if (!faulty(&request->candidates[0], &result))
        sqa_forward_trial(bench, &request->desc, &request->candidates[0], request->best_ms,
                          &result);
    answer_results(answers, &result, 1);
}

static void serve_finals(sqa_trial_bench *bench, const sqa_request *request, FILE *answers)
{
    sqa_trial_result results[SQA_MAX_FINALISTS];
    sqa_forward_finals(bench, &request->desc, request->candidates, request->count, request->rounds,
                       results);
    for (uint32_t i = 0; i < request->count; i++)
        faulty(&request->candidates[i], &results[i]);
    answer_results(answers, results, request->count);
}

static void serve_ceiling(sqa_trial_bench *bench, const sqa_request *request, FILE *answers)
{
    (void)request;
    char line[SQA_PROTOCOL_LINE];
    sqa_ceiling ceiling;
    if (sqa_ceiling_measure(bench->context, &ceiling) == SQA_OK)
        sqa_ceiling_format(&ceiling, line);
    else
        snprintf(line, sizeof line, "error %s\n", sqa_last_error());
    fputs(line, answers);
}

static void (*const serve[])(sqa_trial_bench *, const sqa_request *, FILE *) = {
    [SQA_REQUEST_TRIAL] = serve_trial,
    [SQA_REQUEST_FINALS] = serve_finals,
    [SQA_REQUEST_CEILING] = serve_ceiling,
};

/* false: nobody listens any more. */
static bool serve_line(sqa_trial_bench *bench, const char *line, unsigned timeout_s, FILE *answers)
{
    sqa_request request;
    if (sqa_request_parse(line, &request)) {
        alarm((request.count ? timeout_s * request.count : CEILING_SECONDS) + GRACE_SECONDS);
        serve[request.kind](bench, &request, answers);
        alarm(0);
    } else {
        fprintf(answers, "error not a request\n");
    }
    return fflush(answers) == 0;
}

sqa_status sqa_worker_serve(unsigned platform, unsigned device, unsigned timeout_s)
{
    FILE *answers = open_answers();
    if (!answers)
        return sqa_fail(SQA_OUT_OF_MEMORY, "no stream for the answers");
    sqa_trial_bench bench = {NULL, NULL, SQA_TIMING_TENSORS_INIT};
    sqa_status status = open_bench(&bench, platform, device);
    if (status == SQA_OK)
        fputs("ready\n", answers);
    else
        fprintf(answers, "error %s\n", sqa_last_error());
    bool listening = fflush(answers) == 0;
    char line[SQA_PROTOCOL_LINE];
    while (status == SQA_OK && listening && fgets(line, sizeof line, stdin))
        listening = serve_line(&bench, line, timeout_s, answers);
    close_bench(&bench);
    fclose(answers);
    return status;
}
