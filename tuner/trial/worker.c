/* See worker.h. */
#include "trial/worker.h"

#include <stdio.h>
#include <unistd.h>

#include "base/status.h"
#include "trial/fault.h"
#include "trial/run_trial.h"

/* Beyond the parent's own time-out: it is the one to end a worker while it lives. */
#define GRACE_SECONDS 5u
#define CEILING_SECONDS 90u
#define STANDS_STILL 10u /* times */

/* Compilers print to the standard output too; the answers get a stream of their
 * own, and what was the standard output becomes the standard error. */
static FILE *open_answers(void)
{
    int answers = dup(STDOUT_FILENO);
    if (answers < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return NULL;
    return fdopen(answers, "w");
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
    if (!sqa_fault_acted_out(bench, &request->candidates[0], &result))
        sqa_run_trial(bench, &request->problem, &request->candidates[0], &request->pace, &result);
    answer_results(answers, &result, 1);
}

static void serve_build(sqa_trial_bench *bench, const sqa_request *request, FILE *answers)
{
    sqa_trial_result result;
    if (!sqa_fault_acted_out(bench, &request->candidates[0], &result))
        sqa_run_build(bench, &request->problem, &request->candidates[0], &result);
    answer_results(answers, &result, 1);
}

static void serve_finals(sqa_trial_bench *bench, const sqa_request *request, FILE *answers)
{
    sqa_trial_result results[SQA_MAX_FINALISTS];
    sqa_ceiling ceiling;
    char line[SQA_PROTOCOL_LINE];
    sqa_run_finals(bench, &request->problem, request->candidates, request->count, request->rounds,
                   results, &ceiling);
    for (uint32_t i = 0; i < request->count; i++)
        sqa_fault_acted_out(bench, &request->candidates[i], &results[i]);
    answer_results(answers, results, request->count);
    sqa_ceiling_format(&ceiling, line);
    fputs(line, answers);
}

static void serve_ceiling(sqa_trial_bench *bench, const sqa_request *request, FILE *answers)
{
    char line[SQA_PROTOCOL_LINE];
    sqa_ceiling ceiling;
    if (sqa_trial_bench_ceiling(bench, &request->ceiling, &ceiling) == SQA_OK)
        sqa_ceiling_format(&ceiling, line);
    else
        snprintf(line, sizeof line, "error %s\n", sqa_last_error());
    fputs(line, answers);
}

static void serve_paused(sqa_trial_bench *bench, const sqa_request *request, FILE *answers)
{
    (void)answers;
    sqa_trial_bench_paused(bench, request->rounds);
}

static void (*const serve[])(sqa_trial_bench *, const sqa_request *, FILE *) = {
    [SQA_REQUEST_BUILD] = serve_build,   [SQA_REQUEST_TRIAL] = serve_trial,
    [SQA_REQUEST_FINALS] = serve_finals, [SQA_REQUEST_CEILING] = serve_ceiling,
    [SQA_REQUEST_PAUSED] = serve_paused,
};

/* A build may stand still for longer than it takes, while the parent watches its time. */
static unsigned seconds_for(const sqa_request *request, unsigned timeout_s)
{
    if (!request->count)
        return CEILING_SECONDS;
    return timeout_s * (request->kind == SQA_REQUEST_BUILD ? STANDS_STILL : request->count);
}

/* false: nobody listens any more. */
static bool serve_line(sqa_trial_bench *bench, const char *line, unsigned timeout_s, FILE *answers)
{
    sqa_request request;
    if (sqa_request_parse(line, &request)) {
        alarm(seconds_for(&request, timeout_s) + GRACE_SECONDS);
        serve[request.kind](bench, &request, answers);
        alarm(0);
    } else {
        fprintf(answers, "error not a request\n");
    }
    return fflush(answers) == 0;
}

sqa_status sqa_worker_serve(unsigned platform, unsigned device, unsigned timeout_s,
                            const char *programs)
{
    FILE *answers = open_answers();
    if (!answers)
        return sqa_fail(SQA_OUT_OF_MEMORY, "no stream for the answers");
    sqa_trial_bench bench;
    sqa_status status = sqa_trial_bench_open(&bench, platform, device, programs);
    if (status == SQA_OK)
        fputs("ready\n", answers);
    else
        fprintf(answers, "error %s\n", sqa_last_error());
    bool listening = fflush(answers) == 0;
    char line[SQA_PROTOCOL_LINE];
    while (status == SQA_OK && listening && fgets(line, sizeof line, stdin))
        listening = serve_line(&bench, line, timeout_s, answers);
    sqa_trial_bench_close(&bench);
    fclose(answers);
    return status;
}
