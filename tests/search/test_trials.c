/* The protocol between tuner and worker, and the runner against workers that
 * misbehave: small shell scripts in place of the real one. No device. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "operations/shape.h"
#include "run_suite.h"
#include "trial/crew.h"
#include "trial/fault.h"
#include "trial/measure.h"
#include "trial/runner.h"

static const char good_result[] = "result ok 1.5 0.25 0.75 0.05 2 1e-7 30 7 ";

static sqa_request a_request(sqa_request_kind kind)
{
    sqa_request request;
    memset(&request, 0, sizeof request);
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.q_heads = 8;
    desc.kv_heads = 2;
    desc.q_length = 100;
    desc.kv_length = 200;
    desc.head_dim = 40;
    desc.causal = SQA_CAUSAL_TOP_LEFT;
    request.kind = kind;
    ck_assert_int_eq(sqa_problem_from_desc(&request.problem, &desc), SQA_OK);
    request.pace = (sqa_pace){(double)NAN, (double)NAN};
    request.count = 1;
    snprintf(request.candidates[0].family, sizeof request.candidates[0].family, "rows");
    snprintf(request.candidates[0].config, sizeof request.candidates[0].config, "A=1,B=2");
    return request;
}

START_TEST(requests_survive_the_line)
{
    char line[SQA_PROTOCOL_LINE];
    sqa_request request = a_request(SQA_REQUEST_TRIAL), back;
    ck_assert(sqa_request_format(&request, line));
    ck_assert_ptr_nonnull(strchr(line, '\n'));
    ck_assert(sqa_request_parse(line, &back));
    ck_assert_int_eq(back.kind, SQA_REQUEST_TRIAL);
    ck_assert_uint_eq(back.count, 1);
    ck_assert(isnan(back.pace.best_ms));
    ck_assert(isnan(back.pace.best_relative));
    ck_assert_str_eq(back.candidates[0].family, "rows");
    ck_assert_str_eq(back.candidates[0].config, "A=1,B=2");
    request.kind = SQA_REQUEST_BUILD;
    ck_assert(sqa_request_format(&request, line));
    ck_assert(sqa_request_parse(line, &back));
    ck_assert_int_eq(back.kind, SQA_REQUEST_BUILD);
    ck_assert_str_eq(back.candidates[0].config, "A=1,B=2");
    ck_assert_mem_eq(&back.problem, &request.problem, sizeof request.problem);
    ck_assert_uint_eq(back.problem.of.attention.kv_length, 200);
    ck_assert_uint_eq(back.problem.of.attention.mask, SQA_MASK_CAUSAL);
    ck_assert_int_eq(back.problem.of.attention.diagonal, 0);

    request = a_request(SQA_REQUEST_FINALS);
    request.rounds = 9;
    request.count = 2;
    snprintf(request.candidates[1].family, sizeof request.candidates[1].family, "naive");
    ck_assert(sqa_request_format(&request, line));
    ck_assert(sqa_request_parse(line, &back));
    ck_assert_int_eq(back.kind, SQA_REQUEST_FINALS);
    ck_assert_uint_eq(back.rounds, 9);
    ck_assert_uint_eq(back.count, 2);
    ck_assert_str_eq(back.candidates[1].family, "naive");
    ck_assert_str_eq(back.candidates[1].config, "");
}
END_TEST

/* Whatever the operation, and whatever the strides. */
START_TEST(problems_survive_the_line)
{
    static const char *const shapes[] = {
        "op=select_blocks,hq=6,hkv=2,nq=40,nk=70,causal,blocks=8x8/k,topk=3,localblocks=1",
        "b=2,hq=2,n=30,d=8,window=7:0,q=1000:333:11,bias=f16/77:0:5",
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        char line[SQA_PROTOCOL_LINE];
        sqa_request request = a_request(SQA_REQUEST_FINALS), back;
        ck_assert_msg(sqa_problem_parse(shapes[i], &request.problem) == SQA_OK, "%s",
                      sqa_last_error());
        ck_assert(sqa_request_format(&request, line));
        ck_assert_msg(sqa_request_parse(line, &back), "%s", line);
        ck_assert_mem_eq(&back.problem, &request.problem, sizeof request.problem);
    }
}
END_TEST

START_TEST(results_survive_the_line)
{
    char line[SQA_PROTOCOL_LINE];
    sqa_trial_result back;
    sqa_trial_result result = sqa_trial_failure(SQA_TRIAL_WRONG_RESULT, "row 3\nis wrong");
    result.build_ms = 12.5;
    sqa_result_format(&result, line);
    ck_assert(sqa_result_parse(line, &back));
    ck_assert_int_eq(back.status, SQA_TRIAL_WRONG_RESULT);
    ck_assert_str_eq(back.message, "row 3 is wrong");
    ck_assert_double_eq(back.build_ms, 12.5);
    ck_assert(isnan(back.median_ms));
    for (int i = SQA_TRIAL_OK; i <= SQA_TRIAL_REJECTED; i++) {
        sqa_trial_status status;
        ck_assert(sqa_trial_status_from_name(sqa_trial_status_name((sqa_trial_status)i), &status));
        ck_assert_int_eq(status, i);
    }
}
END_TEST

START_TEST(nonsense_is_refused)
{
    static const char *const lines[] = {
        "",
        "trial",
        "trial b=1 nan nan rows -",
        "finals hq=1,n=8",
        "result",
        "result ok",
        "result fine 1 1 1 1 1 1 1 1",
        "result ok 1 2 3 4 x 6 7 8",
        "ceiling 1",
        "ceiling 1 2",
        "build hq=1,n=8,d=8",
        "trial hq=1,n=8,d=8 nan nan rows",
        "finals hq=1,n=8,d=8 -3 rows -",
    };
    sqa_request request;
    sqa_trial_result result;
    sqa_ceiling ceiling;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        bool is_request =
            sqa_request_parse(lines[i], &request) && request.kind != SQA_REQUEST_CEILING;
        ck_assert_msg(!is_request, "'%s' passed for a request", lines[i]);
        ck_assert_msg(!sqa_result_parse(lines[i], &result), "'%s' passed for a result", lines[i]);
        ck_assert_msg(!sqa_ceiling_parse(lines[i], &ceiling), "'%s' passed for a ceiling",
                      lines[i]);
    }
}
END_TEST

START_TEST(faults_hit_whom_they_name)
{
    const sqa_candidate_text rows = {"rows", "RV=1,MC=4"};
    ck_assert_int_eq(sqa_fault_for(NULL, &rows), SQA_FAULT_NONE);
    ck_assert_int_eq(sqa_fault_for("hang", &rows), SQA_FAULT_HANG);
    ck_assert_int_eq(sqa_fault_for("crash:rows", &rows), SQA_FAULT_CRASH);
    ck_assert_int_eq(sqa_fault_for("wrong:rows:MC=4", &rows), SQA_FAULT_WRONG);
    ck_assert_int_eq(sqa_fault_for("wrong:rows:MC=8", &rows), SQA_FAULT_NONE);
    ck_assert_int_eq(sqa_fault_for("wrong::RV=1", &rows), SQA_FAULT_WRONG);
    ck_assert_int_eq(sqa_fault_for("hang:naive", &rows), SQA_FAULT_NONE);
    ck_assert_int_eq(sqa_fault_for("noisy:rows", &rows), SQA_FAULT_NOISY);
    ck_assert_int_eq(sqa_fault_for("slow", &rows), SQA_FAULT_SLOW);
    ck_assert_int_eq(sqa_fault_for("steady", &rows), SQA_FAULT_STEADY);
    ck_assert_int_eq(sqa_fault_for("sleep", &rows), SQA_FAULT_NONE);
}
END_TEST

/* A worker made of shell commands. */
static char script_path[64];
static unsigned memory_mib; /* of the runners to come */

static sqa_runner *runner_of(const char *body, unsigned timeout_s, unsigned worker_trials)
{
    snprintf(script_path, sizeof script_path, "/tmp/sqa_worker_XXXXXX");
    int fd = mkstemp(script_path);
    ck_assert_int_ge(fd, 0);
    FILE *script = fdopen(fd, "w");
    ck_assert_ptr_nonnull(script);
    fprintf(script, "#!/bin/sh\n%s\n", body);
    ck_assert_int_eq(fclose(script), 0);
    ck_assert_int_eq(chmod(script_path, 0700), 0);
    const sqa_runner_options options = {.program = script_path,
                                        .timeout_s = timeout_s,
                                        .worker_trials = worker_trials,
                                        .memory_mib = memory_mib};
    sqa_runner *runner = NULL;
    ck_assert_int_eq(sqa_runner_create(&runner, &options), SQA_OK);
    return runner;
}

static void end_runner(sqa_runner *runner)
{
    sqa_runner_destroy(runner);
    unlink(script_path);
}

static sqa_trial_result one_trial(sqa_runner *runner)
{
    sqa_request request = a_request(SQA_REQUEST_TRIAL);
    sqa_trial_result result;
    sqa_status status =
        sqa_runner_trial(runner, &request.problem, &request.candidates[0], &request.pace, &result);
    ck_assert_msg(status == SQA_OK, "%s", sqa_last_error());
    return result;
}

START_TEST(a_worker_serves_many_trials)
{
    char body[256];
    snprintf(body, sizeof body, "echo ready; while read line; do echo '%s'$$; done", good_result);
    sqa_runner *runner = runner_of(body, 5, 2);
    sqa_trial_result first = one_trial(runner), second = one_trial(runner);
    sqa_trial_result third = one_trial(runner);
    ck_assert_int_eq(first.status, SQA_TRIAL_OK);
    ck_assert_double_eq(first.median_ms, 1.5);
    ck_assert_uint_eq(first.samples, 7);
    ck_assert_str_eq(first.message, second.message); /* the same process */
    ck_assert_str_ne(first.message, third.message);  /* replaced after two */
    end_runner(runner);
}
END_TEST

START_TEST(a_hang_is_a_timeout)
{
    sqa_runner *runner = runner_of("echo ready; read line; sleep 60", 1, 32);
    double begin = sqa_clock_seconds();
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(one_trial(runner).status, SQA_TRIAL_TIMEOUT);
    ck_assert_double_lt(sqa_clock_seconds() - begin, 10.0);
    end_runner(runner);
}
END_TEST

START_TEST(a_limit_shortens_the_wait)
{
    sqa_runner *runner = runner_of("echo ready; read line; sleep 60", 30, 32);
    double begin = sqa_clock_seconds();
    sqa_runner_limit(runner, 0.3);
    ck_assert_int_eq(one_trial(runner).status, SQA_TRIAL_TIMEOUT);
    ck_assert_double_lt(sqa_clock_seconds() - begin, 10.0);
    end_runner(runner);
}
END_TEST

START_TEST(a_crash_is_told_with_its_last_words)
{
    sqa_runner *runner = runner_of(
        "echo ready; read line; echo first >&2; echo 'out of registers' >&2; kill -SEGV $$", 5, 32);
    for (int i = 0; i < 2; i++) {
        sqa_trial_result result = one_trial(runner);
        ck_assert_int_eq(result.status, SQA_TRIAL_CRASHED);
        ck_assert_ptr_nonnull(strstr(result.message, "signal 11"));
        ck_assert(isnan(result.median_ms));
    }
    end_runner(runner);
}
END_TEST

START_TEST(garbage_is_a_crash)
{
    sqa_runner *runner =
        runner_of("echo ready; while read line; do echo 'result maybe'; done", 5, 32);
    ck_assert_int_eq(one_trial(runner).status, SQA_TRIAL_CRASHED);
    end_runner(runner);
    runner =
        runner_of("echo ready; read line; head -c 100000 /dev/zero | tr '\\0' x; sleep 60", 5, 32);
    ck_assert_int_eq(one_trial(runner).status, SQA_TRIAL_CRASHED);
    end_runner(runner);
}
END_TEST

START_TEST(talk_on_standard_error_blocks_nobody)
{
    char body[256];
    snprintf(body, sizeof body,
             "echo ready; while read line; do head -c 300000 /dev/zero >&2; echo '%s'; done",
             good_result);
    sqa_runner *runner = runner_of(body, 10, 32);
    ck_assert_int_eq(one_trial(runner).status, SQA_TRIAL_OK);
    ck_assert_int_eq(one_trial(runner).status, SQA_TRIAL_OK);
    end_runner(runner);
}
END_TEST

START_TEST(a_worker_that_cannot_work_is_an_error)
{
    static const char *const bodies[] = {"echo 'error no such device'", "exit 3"};
    static const char *const words[] = {"no such device", "exit status 3"};
    for (int i = 0; i < 2; i++) {
        sqa_runner *runner = runner_of(bodies[i], 5, 32);
        sqa_request request = a_request(SQA_REQUEST_TRIAL);
        sqa_trial_result result;
        ck_assert_int_eq(sqa_runner_trial(runner, &request.problem, &request.candidates[0],
                                          &request.pace, &result),
                         SQA_OPENCL_ERROR);
        ck_assert_msg(strstr(sqa_last_error(), words[i]) != NULL, "%s", sqa_last_error());
        end_runner(runner);
    }
}
END_TEST

/* A worker that wants more memory than it may have fails by itself, and is told of. */
START_TEST(memory_is_limited)
{
    const char greedy[] = "echo ready; while read line; do x=$(head -c 100000000 /dev/zero | tr "
                          "'\\0' x); echo \"$x\" | head -c 0; echo 'result ok 1.5 0.25 0.75 0.05 2 "
                          "1e-7 30 7 '; done";
    sqa_runner *runner = runner_of(greedy, 60, 32);
    ck_assert_int_eq(one_trial(runner).status, SQA_TRIAL_OK);
    end_runner(runner);
    memory_mib = 64;
    runner = runner_of(greedy, 60, 32);
    ck_assert_int_eq(one_trial(runner).status, SQA_TRIAL_CRASHED);
    end_runner(runner);
    memory_mib = 0;
}
END_TEST

START_TEST(finals_fail_together)
{
    char body[256];
    snprintf(body, sizeof body, "echo ready; read line; echo '%s'; exit 1", good_result);
    sqa_runner *runner = runner_of(body, 5, 32);
    sqa_request request = a_request(SQA_REQUEST_FINALS);
    request.candidates[2] = request.candidates[1] = request.candidates[0];
    sqa_trial_result results[3];
    sqa_ceiling ceiling;
    ck_assert_int_eq(
        sqa_runner_finals(runner, &request.problem, request.candidates, 3, 3, results, &ceiling),
        SQA_OK);
    ck_assert(isnan(ceiling.rate[SQA_CEILING_FMA]));
    ck_assert_int_eq(results[0].status, SQA_TRIAL_OK);
    ck_assert_int_eq(results[1].status, SQA_TRIAL_CRASHED);
    ck_assert_int_eq(results[2].status, SQA_TRIAL_CRASHED);
    end_runner(runner);
}
END_TEST

/* A crew of two whose workers build what asks for it slowly, or die of it, and say in every
 * answer who they are. */
static sqa_crew *crew_of(const char *body, bool overlaps)
{
    sqa_runner_destroy(runner_of(body, 5, 32)); /* makes the script */
    const sqa_crew_options options = {
        .runner = {.program = script_path, .timeout_s = 2, .worker_trials = 32},
        .workers = 2,
        .builds_while_measuring = overlaps};
    sqa_crew *crew = NULL;
    ck_assert_msg(sqa_crew_create(&crew, &options) == SQA_OK, "%s", sqa_last_error());
    return crew;
}

static const char crew_body[] =
    "echo ready\n"
    "while read line; do case $line in\n"
    "paused*) continue;;\n"
    "*die*) kill -SEGV $$;; *hang*) sleep 60;; *slow*) sleep 0.5;; esac\n"
    "echo 'result ok 1.5 0.25 0.75 0.05 2 1e-7 30 7' $$; done";

static void submit(sqa_crew *crew, sqa_job *job, const char *config)
{
    const sqa_request request = a_request(SQA_REQUEST_BUILD);
    memset(job, 0, sizeof *job);
    job->problem = request.problem;
    job->candidate = request.candidates[0];
    snprintf(job->candidate.config, sizeof job->candidate.config, "%s", config);
    sqa_crew_submit(crew, job);
}

static sqa_job *next_job(sqa_crew *crew)
{
    sqa_job *job = NULL;
    ck_assert_msg(sqa_crew_next(crew, sqa_clock_seconds() + 30.0, &job) == SQA_OK, "%s",
                  sqa_last_error());
    return job;
}

/* Workers keep what they compile in a folder of the run's, which goes with it. */
START_TEST(a_crew_keeps_programs_for_its_workers)
{
    sqa_runner_destroy(runner_of("folder=; for word; do case $folder in +) folder=$word;; esac\n"
                                 "case $word in --programs) folder=+;; esac; done\n"
                                 "echo ready\n"
                                 "while read line; do\n"
                                 "echo \"result ok 1.5 0.25 0.75 0.05 2 1e-7 30 7 $folder\"; done",
                                 5, 32));
    const sqa_crew_options options = {
        .runner = {.program = script_path, .timeout_s = 2}, .workers = 1, .keeps_programs = _i};
    sqa_crew *crew = NULL;
    sqa_job job;
    char folder[512];
    ck_assert_int_eq(sqa_crew_create(&crew, &options), SQA_OK);
    submit(crew, &job, "any=1");
    ck_assert_ptr_eq(next_job(crew), &job);
    snprintf(folder, sizeof folder, "%s", job.built.message);
    ck_assert_int_eq(folder[0] != '\0', _i);
    if (_i)
        ck_assert_int_eq(access(folder, W_OK), 0);
    sqa_crew_finish(crew, &job);
    sqa_crew_destroy(crew);
    ck_assert_int_ne(access(_i ? folder : "no such folder", F_OK), 0);
    unlink(script_path);
}
END_TEST

/* Side by side, and tried where they were built. */
START_TEST(a_crew_builds_side_by_side)
{
    sqa_crew *crew = crew_of(crew_body, _i);
    sqa_job jobs[4], *job;
    const double begin = sqa_clock_seconds();
    unsigned seen = 0, workers = 0;
    ck_assert_uint_eq(sqa_crew_size(crew), 2);
    for (int i = 0; i < 4; i++) {
        ck_assert(sqa_crew_wants(crew));
        submit(crew, &jobs[i], "slow=1");
    }
    ck_assert(!sqa_crew_wants(crew));
    while ((job = next_job(crew))) {
        sqa_trial_result tried;
        ck_assert_int_eq(job->built.status, SQA_TRIAL_OK);
        ck_assert_int_eq(sqa_runner_trial(sqa_crew_runner(crew, job), &job->problem,
                                          &job->candidate, &(sqa_pace){1, 1}, &tried),
                         SQA_OK);
        ck_assert_str_eq(tried.message, job->built.message);
        workers |= 1u << job->worker;
        sqa_crew_finish(crew, job);
        seen++;
    }
    ck_assert_uint_eq(seen, 4);
    ck_assert(sqa_crew_wants(crew));
    ck_assert_uint_eq(workers, 3);
    ck_assert_double_ge(sqa_clock_seconds() - begin, 1.0);
    sqa_crew_destroy(crew);
    unlink(script_path);
}
END_TEST

/* What ends a worker, or keeps it, is one job's fate. */
START_TEST(a_crew_survives_what_it_builds)
{
    sqa_crew *crew = crew_of(crew_body, false);
    static const char *const configs[] = {"die=1", "hang=1", "well=1", "well=2"};
    static const sqa_trial_status fates[] = {SQA_TRIAL_CRASHED, SQA_TRIAL_TIMEOUT, SQA_TRIAL_OK,
                                             SQA_TRIAL_OK};
    unsigned seen = 0;
    sqa_job jobs[4], *job;
    for (int i = 0; i < 4; i++)
        submit(crew, &jobs[i], configs[i]);
    for (int i = 0; i < 4; i++) {
        job = next_job(crew);
        ck_assert_ptr_nonnull(job);
        ck_assert_int_eq(job->built.status, fates[job - jobs]);
        seen |= 1u << (job - jobs);
        sqa_crew_finish(crew, job);
    }
    ck_assert_uint_eq(seen, 15);
    ck_assert_ptr_null(next_job(crew));
    sqa_crew_destroy(crew);
    unlink(script_path);
}
END_TEST

/* 'T' of a process that was stopped. */
static char state_of(pid_t pid)
{
    char name[64], state = '?';
    snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(name, "r");
    if (file && fscanf(file, "%*d %*s %c", &state) != 1)
        state = '?';
    if (file)
        fclose(file);
    return state;
}

/* Where both would be in each other's way, building waits while something is tried, and goes
 * on after: it is neither given up meanwhile nor forgotten. */
START_TEST(builds_stand_still_while_trying)
{
    const bool overlaps = _i;
    sqa_crew *crew = crew_of(crew_body, overlaps);
    sqa_job jobs[2], *job;
    submit(crew, &jobs[0], "slow=1");
    submit(crew, &jobs[1], "hang=1");
    job = next_job(crew);
    ck_assert_ptr_eq(job, &jobs[0]);
    const pid_t builder = sqa_runner_child(sqa_crew_runner(crew, &jobs[1]))->pid;
    const double begin = sqa_clock_seconds();
    nanosleep(&(struct timespec){2, 500000000}, NULL); /* the time-out is 2 */
    ck_assert_int_eq(state_of(builder) == 'T', !overlaps);
    sqa_crew_finish(crew, job);
    ck_assert_int_eq(sqa_crew_next(crew, sqa_clock_seconds() + 0.2, &job), SQA_OK);
    ck_assert_int_eq(job != NULL, overlaps);
    if (!overlaps) {
        ck_assert_int_ne(state_of(builder), 'T');
        job = next_job(crew);
        ck_assert_double_ge(sqa_clock_seconds() - begin, 2.5 + 0.5);
    }
    ck_assert_ptr_eq(job, &jobs[1]);
    ck_assert_int_eq(job->built.status, SQA_TRIAL_TIMEOUT);
    ck_assert_double_eq_tol(job->seconds, overlaps ? 2.6 : 2.0, 0.5);
    sqa_crew_finish(crew, job);
    sqa_crew_destroy(crew);
    unlink(script_path);
}
END_TEST

/* At the deadline nothing is waited for; what was on its way comes back unbuilt. */
START_TEST(a_crew_gives_up_in_time)
{
    sqa_crew *crew = crew_of(crew_body, false);
    sqa_job jobs[3], *job;
    const double begin = sqa_clock_seconds();
    unsigned given_up = 0;
    for (int i = 0; i < 3; i++)
        submit(crew, &jobs[i], "hang=1");
    ck_assert_int_eq(sqa_crew_next(crew, begin + 0.2, &job), SQA_OK);
    ck_assert_ptr_null(job);
    while (sqa_crew_give_up(crew, &job))
        given_up++;
    ck_assert_uint_eq(given_up, 3);
    ck_assert_ptr_null(next_job(crew));
    sqa_crew_destroy(crew);
    ck_assert_double_lt(sqa_clock_seconds() - begin, 1.9); /* the time-out is 2 */
    unlink(script_path);
}
END_TEST

START_TEST(medians_and_spreads)
{
    const double nan = (double)NAN;
    const sqa_sample wall[] = {{5, nan}, {1, nan}, {3, nan}, {2, nan}, {4, nan}};
    const sqa_sample mixed[] = {{10, 9}, {10, nan}, {10, 9}};
    const sqa_sample events[] = {{10, 9}, {11, 10}, {12, 11}};
    sqa_timing timing;
    ck_assert_int_eq(sqa_measure_summarise(wall, 5, &timing), SQA_OK);
    ck_assert_double_eq(timing.median_ms, 3.0);
    ck_assert_double_eq(timing.spread_ms, 2.0);
    ck_assert_double_eq(timing.minimum_ms, 1.0);
    ck_assert(!timing.by_events);
    ck_assert_int_eq(sqa_measure_summarise(mixed, 3, &timing), SQA_OK);
    ck_assert(!timing.by_events);
    ck_assert_double_eq(timing.median_ms, 10.0);
    ck_assert_int_eq(sqa_measure_summarise(events, 3, &timing), SQA_OK);
    ck_assert(timing.by_events);
    ck_assert_double_eq(timing.median_ms, 10.0);
    ck_assert_int_eq(sqa_measure_summarise(wall, 1, &timing), SQA_OK);
    ck_assert_double_eq(timing.spread_ms, 0.0);
}
END_TEST

/* What a change of the machine's pace does to the times it does not do to the quotient. */
START_TEST(quotients_outlive_a_change_of_pace)
{
    const double nan = (double)NAN;
    const sqa_sample own[] = {{4, nan}, {4, nan}, {8, nan}, {8, nan}, {8, nan}};
    const sqa_sample other[] = {{2, nan}, {2, nan}, {4, nan}, {4, 4}, {4, nan}};
    const sqa_sample timed_own[] = {{9, 3}, {9, 6}}, timed_other[] = {{9, 2}, {9, 4}};
    double median, spread;
    ck_assert_int_eq(sqa_measure_quotient(own, other, 5, &median, &spread), SQA_OK);
    ck_assert_double_eq(median, 2.0);
    ck_assert_double_eq(spread, 0.0);
    ck_assert_int_eq(sqa_measure_quotient(timed_own, timed_other, 2, &median, &spread), SQA_OK);
    ck_assert_double_eq(median, 1.5);
}
END_TEST

/* Of every other sample, disturbed ones being the slower. */
START_TEST(undisturbed_times)
{
    const double nan = (double)NAN;
    const sqa_sample samples[] = {{5, nan}, {9, nan}, {50, nan}, {70, nan}, {5, nan}, {9, nan}};
    double ms;
    ck_assert_int_eq(sqa_measure_undisturbed(samples, 6, 0, 1, false, &ms), SQA_OK);
    ck_assert_double_eq(ms, 5.0);
    ck_assert_int_eq(sqa_measure_undisturbed(samples, 6, 1, 2, false, &ms), SQA_OK);
    ck_assert_double_eq(ms, 9.0);
}
END_TEST

int main(void)
{
    TCase *text = tcase_create("protocol");
    tcase_add_test(text, requests_survive_the_line);
    tcase_add_test(text, problems_survive_the_line);
    tcase_add_test(text, results_survive_the_line);
    tcase_add_test(text, nonsense_is_refused);
    tcase_add_test(text, faults_hit_whom_they_name);
    tcase_add_test(text, medians_and_spreads);
    tcase_add_test(text, quotients_outlive_a_change_of_pace);
    tcase_add_test(text, undisturbed_times);
    TCase *processes = tcase_create("runner");
    tcase_set_timeout(processes, 60);
    tcase_add_test(processes, a_worker_serves_many_trials);
    tcase_add_test(processes, a_hang_is_a_timeout);
    tcase_add_test(processes, a_limit_shortens_the_wait);
    tcase_add_test(processes, a_crash_is_told_with_its_last_words);
    tcase_add_test(processes, garbage_is_a_crash);
    tcase_add_test(processes, talk_on_standard_error_blocks_nobody);
    tcase_add_test(processes, a_worker_that_cannot_work_is_an_error);
    tcase_add_test(processes, memory_is_limited);
    tcase_add_test(processes, finals_fail_together);
    tcase_add_loop_test(processes, a_crew_builds_side_by_side, 0, 2);
    tcase_add_loop_test(processes, a_crew_keeps_programs_for_its_workers, 0, 2);
    tcase_add_test(processes, a_crew_survives_what_it_builds);
    tcase_add_test(processes, a_crew_gives_up_in_time);
    tcase_add_loop_test(processes, builds_stand_still_while_trying, 0, 2);
    Suite *suite = suite_create("trials");
    suite_add_tcase(suite, text);
    suite_add_tcase(suite, processes);
    return sqa_run_forked_suite(suite);
}
