/* The crew against workers that are slow, hang or die: small shell scripts in place of the
 * real ones. No device. */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "run_suite.h"
#include "search/script_worker.h"
#include "trial/crew.h"
#include "trial/measure.h"

/* A crew of two whose workers build what asks for it slowly, or die of it, and say in every
 * answer who they are. */
static sqa_crew *crew_of(const char *body, bool overlaps)
{
    write_worker(body);
    const sqa_crew_options options = {
        .runner = {.program = worker_path, .timeout_s = 2, .worker_trials = 32},
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
    write_worker("folder=; for word; do case $folder in +) folder=$word;; esac\n"
                 "case $word in --programs) folder=+;; esac; done\n"
                 "echo ready\n"
                 "while read line; do\n"
                 "echo \"result ok 1.5 0.25 0.75 0.05 2 1e-7 30 7 $folder\"; done");
    const sqa_crew_options options = {
        .runner = {.program = worker_path, .timeout_s = 2}, .workers = 1, .keeps_programs = _i};
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
    remove_worker();
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
    remove_worker();
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
    remove_worker();
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
    remove_worker();
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
    remove_worker();
}
END_TEST

int main(void)
{
    TCase *crews = tcase_create("crew");
    tcase_set_timeout(crews, 60);
    tcase_add_loop_test(crews, a_crew_builds_side_by_side, 0, 2);
    tcase_add_loop_test(crews, a_crew_keeps_programs_for_its_workers, 0, 2);
    tcase_add_test(crews, a_crew_survives_what_it_builds);
    tcase_add_test(crews, a_crew_gives_up_in_time);
    tcase_add_loop_test(crews, builds_stand_still_while_trying, 0, 2);
    Suite *suite = suite_create("crew");
    suite_add_tcase(suite, crews);
    return sqa_run_forked_suite(suite);
}
