/* How many samples a candidate is worth, what is noise, and who wins the finals. The
 * samples' times are made up; the queue they are taken on is real. */
#include <check.h>
#include <math.h>
#include <time.h>

#include "opencl_fixture.h"
#include "run_suite.h"
#include "search/tune_problem.h"
#include "trial/sampling.h"

/* Work that takes a sample by itself. */
static sqa_status enqueue(void *user, cl_command_queue queue, cl_event *event)
{
    const struct timespec nap = {0, (long)(1.2e9 * SQA_SAMPLE_SECONDS)};
    (void)queue, (void)event;
    ++*(unsigned *)user;
    nanosleep(&nap, NULL);
    return SQA_OK;
}

static void always_ten(sqa_sample *sample, sqa_sample *yardstick, uint32_t number)
{
    (void)yardstick, (void)number;
    *sample = (sqa_sample){10.0, (double)NAN};
}

/* A slow moment of the machine at the start. */
static void ten_after_a_while(sqa_sample *sample, sqa_sample *yardstick, uint32_t number)
{
    (void)yardstick;
    *sample = (sqa_sample){number < 4 ? 25.0 : 10.0, (double)NAN};
}

static void back_and_forth(sqa_sample *sample, sqa_sample *yardstick, uint32_t number)
{
    (void)yardstick;
    *sample = (sqa_sample){number % 2 ? 100.0 : 10.0, (double)NAN};
}

static const struct {
    sqa_sample_fault times;
    double best_ms;
    uint32_t least, most; /* samples */
    bool noisy;
} cases[] = {
    {always_ten, (double)NAN, SQA_SAMPLES, SQA_SAMPLES, false},
    {always_ten, 9.9, SQA_SAMPLES, SQA_SAMPLES, false},
    {always_ten, 9.1, 3, 3, false}, /* behind */
    {always_ten, 6.0, 2, 2, false}, /* hopeless: no more than it takes to be sure of that */
    {always_ten, 3.0, 1, 1, false}, /* absurd */
    {ten_after_a_while, (double)NAN, SQA_SAMPLES, 5 * SQA_SAMPLES, false},
    {back_and_forth, (double)NAN, 5 * SQA_SAMPLES, 5 * SQA_SAMPLES, true},
};

START_TEST(samples_are_worth_their_time)
{
    unsigned launches = 0;
    const sqa_work work = {enqueue, &launches};
    sqa_yardstick none = {.launches = 0};
    const sqa_pace pace = {cases[_i].best_ms, (double)NAN};
    sqa_comparison found;
    ck_assert_msg(
        sqa_sampling_run(&work, NULL, &none, &pace, test_queue, cases[_i].times, &found) == SQA_OK,
        "%s", sqa_last_error());
    ck_assert_uint_ge(found.timing.samples, cases[_i].least);
    ck_assert_uint_le(found.timing.samples, cases[_i].most);
    ck_assert_int_eq(sqa_comparison_is_noisy(&found), cases[_i].noisy);
    ck_assert(isnan(found.relative));
    ck_assert(isnan(found.yardstick_ms));
    ck_assert_uint_ge(launches, found.timing.samples);
}
END_TEST

START_TEST(the_yardstick_is_sampled_in_turn)
{
    unsigned own = 0, other = 0;
    const sqa_work work = {enqueue, &own};
    sqa_yardstick yardstick = {.work = {enqueue, &other}, .launches = 1};
    const sqa_pace no_pace = {(double)NAN, (double)NAN};
    sqa_comparison found;
    ck_assert_int_eq(
        sqa_sampling_run(&work, NULL, &yardstick, &no_pace, test_queue, always_ten, &found),
        SQA_OK);
    ck_assert_uint_eq(other, found.timing.samples);
    ck_assert(found.yardstick_ms > 0);
    ck_assert_double_eq_tol(found.relative, 10.0 / found.yardstick_ms, 1e-9 * found.relative);
}
END_TEST

static sqa_trial_result finalist(double median_ms, double relative, double relative_spread)
{
    sqa_trial_result result = sqa_trial_failure(SQA_TRIAL_OK, "");
    result.median_ms = median_ms;
    result.relative = relative;
    result.relative_spread = relative_spread;
    return result;
}

/* Who holds the place needs no lead; who wants it needs one beyond the noise. */
START_TEST(a_winner_leads_by_more_than_the_noise)
{
    sqa_trial_result results[] = {finalist(9, 0.90, 0.05), finalist(9.5, 0.95, 0.02),
                                  finalist(10, 1, 0)};
    ck_assert_uint_eq(sqa_finals_winner(results, 3), 0);
    results[0].relative_spread = 0.25; /* as fast as often as not */
    ck_assert_uint_eq(sqa_finals_winner(results, 3), 2);
    results[0] = finalist(9.9, 0.99, 0.001); /* hardly faster */
    results[1] = finalist(10, 1, 0);
    ck_assert_uint_eq(sqa_finals_winner(results, 2), 1);
}
END_TEST

/* When what is in use fails, bare times decide; when all fail, nobody wins. */
START_TEST(the_one_in_use_may_fail)
{
    const double nan = (double)NAN;
    sqa_trial_result results[] = {finalist(9, nan, nan), finalist(8, nan, nan),
                                  sqa_trial_failure(SQA_TRIAL_CRASHED, "gone")};
    ck_assert_uint_eq(sqa_finals_winner(results, 3), 1);
    results[0] = results[1] = results[2];
    ck_assert_uint_eq(sqa_finals_winner(results, 3), 3);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("sampling");
    tcase_add_unchecked_fixture(tests, open_device, close_device);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, samples_are_worth_their_time, 0, sizeof cases / sizeof cases[0]);
    tcase_add_test(tests, the_yardstick_is_sampled_in_turn);
    TCase *finals = tcase_create("finals");
    tcase_add_test(finals, a_winner_leads_by_more_than_the_noise);
    tcase_add_test(finals, the_one_in_use_may_fail);
    Suite *suite = suite_create("sampling");
    suite_add_tcase(suite, tests);
    suite_add_tcase(suite, finals);
    return sqa_run_suite(suite);
}
