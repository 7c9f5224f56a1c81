/* See runner.h. */
#include "trial/runner.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "trial/child.h"
#include "trial/measure.h"

#define START_SECONDS 60.0   /* for a runtime to load and open the device */
#define CEILING_SECONDS 90.0 /* some compilers take seconds per kernel */
#define START_ATTEMPTS 2
#define DEFAULT_TIMEOUT 20u
#define DEFAULT_WORKER_TRIALS 32u

struct sqa_runner {
    sqa_runner_options options;
    sqa_child child;
    bool is_ready, keeps, builds;
    double limit_s;  /* of one trial, at most options.timeout_s */
    double begun_s;  /* when the build was asked for, later by what it stood still since */
    double ended_s;  /* when it was answered; INFINITY: not yet */
    double paused_s; /* since when it stands still; INFINITY: it does not */
    double stood_s;  /* of the latest build; the worker has to be told */
    unsigned served; /* candidates this worker has had to do with */
    struct sigaction former_sigpipe;
};

/* The running program itself: also right when the file was replaced meanwhile. */
static const char *program_of(const sqa_runner *runner)
{
    if (runner->options.program)
        return runner->options.program;
#ifdef __linux__
    return "/proc/self/exe";
#else
    return "sqa";
#endif
}

sqa_status sqa_runner_create(sqa_runner **out, const sqa_runner_options *options)
{
    sqa_runner *runner = calloc(1, sizeof *runner);
    if (!runner)
        return sqa_fail_memory("the trial runner");
    runner->options = *options;
    if (!runner->options.timeout_s)
        runner->options.timeout_s = DEFAULT_TIMEOUT;
    if (!runner->options.worker_trials)
        runner->options.worker_trials = DEFAULT_WORKER_TRIALS;
    runner->limit_s = runner->options.timeout_s;
    runner->child = (sqa_child)SQA_CHILD_INIT;
    struct sigaction ignore;
    memset(&ignore, 0, sizeof ignore);
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, &runner->former_sigpipe);
    *out = runner;
    return SQA_OK;
}

void sqa_runner_destroy(sqa_runner *runner)
{
    if (!runner)
        return;
    sqa_runner_stop(runner);
    sigaction(SIGPIPE, &runner->former_sigpipe, NULL);
    free(runner);
}

void sqa_runner_limit(sqa_runner *runner, double seconds)
{
    double most = runner->options.timeout_s;
    runner->limit_s = seconds < most ? seconds : most;
}

sqa_status sqa_runner_start(sqa_runner *runner)
{
    char device[32], timeout[16], program[4096];
    char command[] = "trial-worker", device_flag[] = "--device", timeout_flag[] = "--timeout";
    if (runner->child.pid)
        return SQA_OK;
    snprintf(program, sizeof program, "%s", program_of(runner));
    snprintf(device, sizeof device, "%u:%u", runner->options.platform, runner->options.device);
    snprintf(timeout, sizeof timeout, "%u", runner->options.timeout_s);
    char programs_flag[] = "--programs", programs[4096] = "";
    if (runner->options.programs)
        snprintf(programs, sizeof programs, "%s", runner->options.programs);
    char *argv[] = {program, command,       device_flag, device, timeout_flag,
                    timeout, programs_flag, programs,    NULL};
    if (!programs[0])
        argv[6] = NULL;
    runner->served = 0;
    runner->is_ready = false;
    runner->stood_s = 0.0;
    return sqa_child_start(&runner->child, argv, (uint64_t)runner->options.memory_mib << 20);
}

/* Waits until a worker that was started is ready. */
static sqa_status await_ready(sqa_runner *runner)
{
    char line[SQA_CHILD_LINE], ending[64], words[256];
    sqa_child_answer answer =
        sqa_child_receive(&runner->child, sqa_clock_seconds() + START_SECONDS, line);
    runner->is_ready = answer == SQA_ANSWER_LINE && !strcmp(line, "ready");
    if (runner->is_ready)
        return SQA_OK;
    bool said_why = answer == SQA_ANSWER_LINE && !strncmp(line, "error ", 6);
    sqa_child_stop(&runner->child, answer != SQA_ANSWER_GONE, ending, sizeof ending);
    if (said_why)
        return sqa_fail(SQA_OPENCL_ERROR, "%s", line + 6);
    return sqa_fail(SQA_OPENCL_ERROR, "no trial worker could be started: %s; %s", ending,
                    sqa_child_last_words(&runner->child, words, sizeof words));
}

/* A worker that is ready for one more request. */
static sqa_status ready(sqa_runner *runner)
{
    if (!runner->keeps && runner->served >= runner->options.worker_trials) {
        sqa_child_stop(&runner->child, false, NULL, 0);
        runner->is_ready = false;
    }
    sqa_status status = SQA_OK;
    for (int attempt = 0; !runner->is_ready && attempt < START_ATTEMPTS; attempt++) {
        status = sqa_runner_start(runner);
        if (status == SQA_OK)
            status = await_ready(runner);
    }
    return status;
}

void sqa_runner_stop(sqa_runner *runner)
{
    sqa_child_stop(&runner->child, true, NULL, 0);
    runner->is_ready = runner->builds = false;
}

void sqa_runner_keep(sqa_runner *runner, bool keep)
{
    runner->keeps = keep;
}

sqa_child *sqa_runner_child(sqa_runner *runner)
{
    return runner->child.pid ? &runner->child : NULL;
}

/* What to make of an answer that did not come. Ends the worker. */
static sqa_trial_result failure(sqa_runner *runner, sqa_child_answer answer, double seconds)
{
    char ending[64] = "", words[256], message[512];
    bool gone = answer == SQA_ANSWER_GONE;
    sqa_child_stop(&runner->child, !gone, ending, sizeof ending);
    runner->is_ready = runner->builds = false;
    if (answer == SQA_ANSWER_LATE) {
        snprintf(message, sizeof message, "no result after %.0f s", seconds);
        return sqa_trial_failure(SQA_TRIAL_TIMEOUT, message);
    }
    sqa_child_last_words(&runner->child, words, sizeof words);
    snprintf(message, sizeof message, "%s%s%s", gone ? ending : "the worker's answer made no sense",
             *words ? ": " : "", words);
    return sqa_trial_failure(SQA_TRIAL_CRASHED, message);
}

/* A worker measures its builds by a clock that goes on while it stands still. */
static bool tell_pause(sqa_runner *runner)
{
    char line[SQA_PROTOCOL_LINE];
    const sqa_request request = {.kind = SQA_REQUEST_PAUSED,
                                 .rounds = (uint32_t)(1e3 * runner->stood_s)};
    runner->stood_s = 0.0;
    return !request.rounds || !sqa_request_format(&request, line) ||
           sqa_child_send(&runner->child, line);
}

/* Sends a request and reads one result per candidate. */
static sqa_status exchange(sqa_runner *runner, const sqa_request *request,
                           sqa_trial_result *results)
{
    char line[SQA_PROTOCOL_LINE];
    if (!sqa_request_format(request, line))
        return sqa_fail(SQA_INVALID_ARGUMENT, "the request does not fit a line");
    sqa_status status = ready(runner);
    if (status != SQA_OK)
        return status;
    double seconds = runner->limit_s * request->count;
    double deadline = sqa_clock_seconds() + seconds;
    sqa_child_answer answer = tell_pause(runner) && sqa_child_send(&runner->child, line)
                                  ? SQA_ANSWER_LINE
                                  : SQA_ANSWER_GONE;
    for (uint32_t i = 0; i < request->count; i++) {
        if (answer == SQA_ANSWER_LINE)
            answer = sqa_child_receive(&runner->child, deadline, line);
        if (answer == SQA_ANSWER_LINE && !sqa_result_parse(line, &results[i]))
            answer = SQA_ANSWER_TOO_LONG;
        if (answer != SQA_ANSWER_LINE) {
            results[i] = failure(runner, answer, seconds);
            for (uint32_t rest = i + 1; rest < request->count; rest++)
                results[rest] = results[i];
            return SQA_OK;
        }
    }
    runner->served += request->count;
    return SQA_OK;
}

static sqa_request one_candidate(sqa_request_kind kind, const sqa_problem *problem,
                                 const sqa_candidate_text *candidate)
{
    sqa_request request;
    memset(&request, 0, sizeof request);
    request.kind = kind;
    request.problem = *problem;
    request.count = 1;
    request.candidates[0] = *candidate;
    return request;
}

sqa_status sqa_runner_begin_build(sqa_runner *runner, const sqa_problem *problem,
                                  const sqa_candidate_text *candidate)
{
    char line[SQA_PROTOCOL_LINE];
    const sqa_request request = one_candidate(SQA_REQUEST_BUILD, problem, candidate);
    if (!sqa_request_format(&request, line))
        return sqa_fail(SQA_INVALID_ARGUMENT, "the request does not fit a line");
    sqa_status status = ready(runner);
    if (status != SQA_OK)
        return status;
    runner->builds = true;
    runner->begun_s = sqa_clock_seconds();
    runner->ended_s = runner->paused_s = (double)INFINITY;
    tell_pause(runner);
    sqa_child_send(&runner->child, line); /* a worker that is gone shows in the answer */
    return SQA_OK;
}

double sqa_runner_deadline(const sqa_runner *runner)
{
    return runner->begun_s + runner->limit_s;
}

void sqa_runner_pause(sqa_runner *runner, bool pause)
{
    if (!runner->builds || !runner->child.pid || pause == (isfinite(runner->paused_s) != 0))
        return;
    kill(-runner->child.pid, pause ? SIGSTOP : SIGCONT);
    const double now = sqa_clock_seconds();
    if (!pause) {
        runner->begun_s += now - runner->paused_s;
        runner->stood_s += now - runner->paused_s;
    }
    runner->paused_s = pause ? now : (double)INFINITY;
}

double sqa_runner_build_seconds(const sqa_runner *runner)
{
    return fmin(fmin(runner->ended_s, runner->paused_s), sqa_clock_seconds()) - runner->begun_s;
}

bool sqa_runner_has_built(sqa_runner *runner, sqa_trial_result *out)
{
    char line[SQA_PROTOCOL_LINE];
    const double now = sqa_clock_seconds();
    sqa_child_answer answer = sqa_child_receive(&runner->child, now, line);
    if (answer == SQA_ANSWER_LATE && now < sqa_runner_deadline(runner))
        return false;
    if (answer == SQA_ANSWER_LINE && !sqa_result_parse(line, out))
        answer = SQA_ANSWER_TOO_LONG;
    runner->builds = false;
    runner->ended_s = now;
    runner->served++;
    if (answer != SQA_ANSWER_LINE)
        *out = failure(runner, answer, runner->limit_s);
    return true;
}

sqa_status sqa_runner_trial(sqa_runner *runner, const sqa_problem *problem,
                            const sqa_candidate_text *candidate, const sqa_pace *pace,
                            sqa_trial_result *out)
{
    sqa_request request = one_candidate(SQA_REQUEST_TRIAL, problem, candidate);
    request.pace = *pace;
    return exchange(runner, &request, out);
}

/* The line after the results; without it nothing is known. */
static void receive_ceiling(sqa_runner *runner, sqa_ceiling *out)
{
    char line[SQA_PROTOCOL_LINE];
    if (!runner->is_ready ||
        sqa_child_receive(&runner->child, sqa_clock_seconds() + 1.0, line) != SQA_ANSWER_LINE ||
        !sqa_ceiling_parse(line, out))
        *out = sqa_ceiling_unknown();
}

sqa_status sqa_runner_finals(sqa_runner *runner, const sqa_problem *problem,
                             const sqa_candidate_text *candidates, uint32_t count, uint32_t rounds,
                             sqa_trial_result *results, sqa_ceiling *ceiling)
{
    sqa_request request = one_candidate(SQA_REQUEST_FINALS, problem, candidates);
    request.rounds = rounds;
    request.count = count;
    memcpy(request.candidates, candidates, count * sizeof *candidates);
    sqa_status status = exchange(runner, &request, results);
    if (status == SQA_OK)
        receive_ceiling(runner, ceiling);
    return status;
}

sqa_status sqa_runner_ceiling(sqa_runner *runner, const sqa_ceiling *known, sqa_ceiling *out)
{
    char line[SQA_PROTOCOL_LINE];
    sqa_ceiling_format(known, line);
    sqa_status status = ready(runner);
    if (status != SQA_OK)
        return status;
    sqa_child_answer answer =
        sqa_child_send(&runner->child, line) ? SQA_ANSWER_LINE : SQA_ANSWER_GONE;
    if (answer == SQA_ANSWER_LINE)
        answer = sqa_child_receive(&runner->child, sqa_clock_seconds() + CEILING_SECONDS, line);
    if (answer == SQA_ANSWER_LINE && sqa_ceiling_parse(line, out))
        return SQA_OK;
    if (answer == SQA_ANSWER_LINE && !strncmp(line, "error ", 6))
        return sqa_fail(SQA_OPENCL_ERROR, "%s", line + 6);
    sqa_trial_result result = failure(runner, answer, CEILING_SECONDS);
    return sqa_fail(SQA_OPENCL_ERROR, "the ceiling could not be measured: %s", result.message);
}
