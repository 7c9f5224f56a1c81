/* The protocol between tuner and worker, and the runner against workers that
 * misbehave: small shell scripts in place of the real one. No device. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "operations/shape.h"
#include "run_suite.h"
#include "search/script_worker.h"
#include "trial/fault.h"
#include "trial/measure.h"
#include "trial/runner.h"

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
        "ceiling 1 2 3",
        "ceiling 1 2 3 4 5 x",
        "build hq=1,n=8,d=8",
        "trial hq=1,n=8,d=8 nan nan rows",
        "finals hq=1,n=8,d=8 -3 rows -",
    };
    sqa_request request;
    sqa_trial_result result;
    sqa_ceiling ceiling;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        ck_assert_msg(!sqa_request_parse(lines[i], &request), "'%s' passed for a request",
                      lines[i]);
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
    ck_assert_int_eq(sqa_fault_for("refuse:rows", &rows), SQA_FAULT_REFUSE);
    ck_assert_int_eq(sqa_fault_for("slow", &rows), SQA_FAULT_SLOW);
    ck_assert_int_eq(sqa_fault_for("steady", &rows), SQA_FAULT_STEADY);
    ck_assert_int_eq(sqa_fault_for("sleep", &rows), SQA_FAULT_NONE);
}
END_TEST

static const char good_result[] = "result ok 1.5 0.25 0.75 0.05 2 1e-7 30 7 ";
static unsigned memory_mib; /* of the runners to come */

static sqa_runner *runner_of(const char *body, unsigned timeout_s, unsigned worker_trials)
{
    write_worker(body);
    const sqa_runner_options options = {.program = worker_path,
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
    remove_worker();
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
    Suite *suite = suite_create("trials");
    suite_add_tcase(suite, text);
    suite_add_tcase(suite, processes);
    return sqa_run_forked_suite(suite);
}
