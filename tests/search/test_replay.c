/* Sweeps and their replays: files written, narrowed, read back and refused, and the
 * recorded ones that the default strategy is held against. No device. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run_suite.h"
#include "search/replay.h"

static const sqa_parameter parameters[] = {
    {"A", "", {1, 2, 4, 8}, 4},
    {"B", "", {0, 1}, 2},
};
static const sqa_kernel_family family = {
    .name = "made-up", .parameters = parameters, .parameter_count = 2, .space_version = 7};

static char path[64];

static FILE *new_file(void)
{
    snprintf(path, sizeof path, "/tmp/sqa_sweep_XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    return fdopen(fd, "w");
}

/* The header of eight configurations, as the recorder writes it. */
static void write_header(FILE *file)
{
    sqa_device device;
    memset(&device, 0, sizeof device);
    snprintf(device.identity.vendor, sizeof device.identity.vendor, "acme");
    snprintf(device.identity.architecture, sizeof device.identity.architecture, "rocket");
    snprintf(device.identity.model, sizeof device.identity.model, "one");
    snprintf(device.identity.runtime, sizeof device.identity.runtime, "pocl");
    snprintf(device.strings.driver_version, sizeof device.strings.driver_version, "1 \"a\"");
    sqa_text header = SQA_TEXT_INIT;
    ck_assert_int_eq(sqa_sweep_header("b=1,hq=2", &device, &family, 8, &header), SQA_OK);
    fprintf(file, "%s\n", sqa_text_get(&header));
    sqa_text_free(&header);
}

/* Configuration `index` of eight takes index + 1, but for one that crashed and one
 * that could not be timed. */
static void write_point(FILE *file, int index)
{
    const sqa_config config = {{parameters[0].values[index / 2], parameters[1].values[index % 2]}};
    sqa_trial_result result = sqa_trial_failure(SQA_TRIAL_OK, "");
    result.status = index == 0   ? SQA_TRIAL_CRASHED
                    : index == 3 ? SQA_TRIAL_TOO_NOISY
                                 : SQA_TRIAL_OK;
    if (result.status != SQA_TRIAL_CRASHED) {
        result.median_ms = 10.0 * (index + 1);
        result.relative = index + 1;
    }
    sqa_text line = SQA_TEXT_INIT;
    sqa_sweep_line(&family, &config, &result, &line);
    fprintf(file, "%s\n", sqa_text_get(&line));
    sqa_text_free(&line);
}

static void write_sweep(void)
{
    FILE *file = new_file();
    write_header(file);
    for (int i = 0; i < 8; i++)
        write_point(file, i);
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(sweeps_survive_the_file)
{
    sqa_sweep sweep;
    write_sweep();
    ck_assert_msg(sqa_sweep_read(&sweep, path) == SQA_OK, "%s", sqa_last_error());
    ck_assert_str_eq(sweep.shape, "b=1,hq=2");
    ck_assert_str_eq(sweep.device, "acme/rocket/one pocl 1 \"a\"");
    ck_assert_str_eq(sweep.family.name, "made-up");
    ck_assert_uint_eq(sweep.family.space_version, 7);
    ck_assert_uint_eq(sweep.family.parameter_count, 2);
    ck_assert_str_eq(sweep.family.parameters[1].name, "B");
    ck_assert_uint_eq(sweep.family.parameters[0].value_count, 4);
    ck_assert_uint_eq(sweep.space.count, 8);
    ck_assert_int_eq(sweep.space.configs[7].value[0], 8);
    ck_assert(isinf(sqa_sweep_cost(&sweep, 0)));
    ck_assert_double_eq(sqa_sweep_cost(&sweep, 1), 2.0);
    ck_assert(isinf(sqa_sweep_cost(&sweep, 3)));
    ck_assert_double_eq(sweep.best, 2.0);
    const sqa_config wanted = {{4, 1}};
    ck_assert_uint_eq(sqa_config_space_find(&sweep.space, &wanted), 5);
    sqa_sweep_free(&sweep);
    unlink(path);
}
END_TEST

/* Line 3 of a sweep of eight, spoilt. */
static const struct {
    const char *line, *complaint;
} spoilt[] = {
    {"", "line 3: not JSON"},
    {"{\"config\":", "line 3: not JSON"},
    {"{\"config\":\"A=1,B=7\",\"status\":\"ok\",\"median_ms\":1}", "line 3: config is not"},
    {"{\"config\":\"A=1,C=0\",\"status\":\"ok\",\"median_ms\":1}", "line 3: config is not"},
    {"{\"config\":\"A=1,B=0\",\"status\":\"ok\",\"median_ms\":1}", "line 3: the configuration"},
    {"{\"config\":\"A=1,B=1\",\"status\":\"fine\",\"median_ms\":1}", "line 3: status"},
    {"{\"config\":\"A=1,B=1\",\"status\":\"ok\",\"median_ms\":null}", "line 3: status is ok"},
    {"{\"config\":\"A=1,B=1\",\"status\":\"ok\",\"median_ms\":-1}", "line 3: status is ok"},
};

START_TEST(spoilt_sweeps_are_refused)
{
    sqa_sweep sweep;
    FILE *file = new_file();
    write_header(file);
    write_point(file, 0);
    fprintf(file, "%s\n", spoilt[_i].line);
    for (int i = 2; i < 8; i++)
        write_point(file, i);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(sqa_sweep_read(&sweep, path), SQA_INVALID_ARGUMENT);
    ck_assert_msg(strstr(sqa_last_error(), spoilt[_i].complaint) != NULL, "%s", sqa_last_error());
    unlink(path);
}
END_TEST

static const struct {
    const char *line, *complaint;
} headers[] = {
    {"", "line 1: not JSON"},
    {"{}", "line 1: not a sweep"},
    {"{\"schema\":2,\"kind\":\"sweep\"}", "line 1: not a sweep"},
    {"{\"schema\":1,\"kind\":\"sweep\",\"shape\":\"n\",\"family\":\"f\",\"space_version\":1,"
     "\"count\":99999999999,\"parameters\":{},\"device\":{\"vendor\":\"a\",\"architecture\":\"b\","
     "\"model\":\"c\",\"runtime\":\"d\",\"driver_version\":\"e\"}}",
     "out of range"},
    {"{\"schema\":1,\"kind\":\"sweep\",\"shape\":\"n\",\"family\":\"f\",\"space_version\":1,"
     "\"count\":1,\"parameters\":{\"A\":[2,1]},\"device\":{\"vendor\":\"a\",\"architecture\":\"b\","
     "\"model\":\"c\",\"runtime\":\"d\",\"driver_version\":\"e\"}}",
     "ascending"},
};

START_TEST(spoilt_headers_are_refused)
{
    sqa_sweep sweep;
    FILE *file = new_file();
    fprintf(file, "%s\n", headers[_i].line);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(sqa_sweep_read(&sweep, path), SQA_INVALID_ARGUMENT);
    ck_assert_msg(strstr(sqa_last_error(), headers[_i].complaint) != NULL, "%s", sqa_last_error());
    unlink(path);
}
END_TEST

/* An unfinished recording has no best to compare with. */
START_TEST(incomplete_sweeps_are_refused)
{
    sqa_sweep sweep;
    FILE *file = new_file();
    write_header(file);
    for (int i = 0; i < 7; i++)
        write_point(file, i);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(sqa_sweep_read(&sweep, path), SQA_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "7 of 8"));
    unlink(path);
    ck_assert_int_eq(sqa_sweep_read(&sweep, path), SQA_INVALID_ARGUMENT);
}
END_TEST

START_TEST(spaces_are_narrowed)
{
    sqa_parameter narrowed[SQA_MAX_PARAMETERS];
    ck_assert_int_eq(sqa_sweep_narrow(&family, "A=8|2|8,B=1", narrowed), SQA_OK);
    ck_assert_uint_eq(narrowed[0].value_count, 2);
    ck_assert_int_eq(narrowed[0].values[0], 2);
    ck_assert_int_eq(narrowed[0].values[1], 8);
    ck_assert_uint_eq(narrowed[1].value_count, 1);
    ck_assert_int_eq(sqa_sweep_narrow(&family, NULL, narrowed), SQA_OK);
    ck_assert_uint_eq(narrowed[0].value_count, 4);
    static const char *const wrong[] = {
        "C=1",  "A=3", "A",       "A=",
        "A=1|", "=1",  "A=1|2|x", "a_parameter_with_a_name_longer_than_any_there_is_or_was=1"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(sqa_sweep_narrow(&family, wrong[i], narrowed) == SQA_INVALID_ARGUMENT,
                      "'%s' passed", wrong[i]);
}
END_TEST

START_TEST(replays_are_reproducible)
{
    sqa_sweep sweep;
    write_sweep();
    ck_assert_int_eq(sqa_sweep_read(&sweep, path), SQA_OK);
    const sqa_replay_options options = {sqa_strategy_at((size_t)_i), 40, 5, 0, false};
    sqa_replay_row first[] = {{.evaluations = 1}, {.evaluations = 4}, {.evaluations = 100}};
    sqa_replay_row second[] = {{.evaluations = 1}, {.evaluations = 4}, {.evaluations = 100}};
    ck_assert_int_eq(sqa_replay(&sweep, &options, first, 3), SQA_OK);
    ck_assert_int_eq(sqa_replay(&sweep, &options, second, 3), SQA_OK);
    for (int i = 0; i < 3; i++) {
        ck_assert_double_eq(first[i].median, second[i].median);
        ck_assert_double_eq(first[i].worst, second[i].worst);
        ck_assert_double_le(first[i].worst, first[i].low);
        ck_assert_double_le(first[i].low, first[i].median);
        ck_assert(i == 0 || first[i].median >= first[i - 1].median);
    }
    ck_assert_double_eq(first[2].worst, 1.0); /* the whole space */
    sqa_sweep_free(&sweep);
    unlink(path);
}
END_TEST

/* The recorded sweeps: what `sqa tune` does unless told otherwise must find nearly the
 * best, whatever the seed, and be better than chance at every budget. The full size is
 * what tuner/STRATEGIES.md tells. */
static const char *const recorded[] = {"rows-d64.jsonl", "rows-d16-causal.jsonl",
                                       "rows-d128-gqa.jsonl"};
enum { RECORDED = sizeof recorded / sizeof recorded[0] };

static uint32_t runs_to_make(void)
{
    const char *size = getenv("SQA_TEST_SIZE");
    return size && !strcmp(size, "full") ? 1000 : 60;
}

/* Questions at a time, as a run on two cores has them; and one by one. */
enum { TOGETHER = 6 };

START_TEST(the_default_strategy_holds_its_promise)
{
    sqa_sweep sweep;
    char file[4096];
    snprintf(file, sizeof file, "%s/%s", SQA_SWEEPS, recorded[_i / 2]);
    ck_assert_msg(sqa_sweep_read(&sweep, file) == SQA_OK, "%s", sqa_last_error());
    const size_t part = (sweep.space.count + 19) / 20, promised = part > 60 ? part : 60;
    sqa_replay_row rows[] = {
        {.evaluations = 10}, {.evaluations = 20}, {.evaluations = 40}, {.evaluations = promised}};
    sqa_replay_row chance[4];
    memcpy(chance, rows, sizeof rows);
    const sqa_replay_options options = {sqa_strategy_at(0), runs_to_make(), 1,
                                        (uint32_t)(_i % 2) * TOGETHER, false};
    const sqa_replay_options random = {&sqa_strategy_random, runs_to_make(), 1, 0, false};
    ck_assert_int_eq(sqa_replay(&sweep, &options, rows, 4), SQA_OK);
    ck_assert_int_eq(sqa_replay(&sweep, &random, chance, 4), SQA_OK);
    for (int i = 0; i < 4; i++)
        ck_assert_msg(rows[i].median > chance[i].median, "%s after %zu: %g, chance %g",
                      recorded[_i / 2], rows[i].evaluations, rows[i].median, chance[i].median);
    ck_assert_msg(rows[3].median >= 0.97, "%s: median %g", recorded[_i / 2], rows[3].median);
    ck_assert_msg(rows[3].worst >= 0.90, "%s: worst %g", recorded[_i / 2], rows[3].worst);
    sqa_sweep_free(&sweep);
}
END_TEST

/* Where the default is one of the worst tenth, a minute still finds what is nearly the best: it
 * has 20 to 60 trials for a problem. */
START_TEST(a_bad_default_is_left_behind)
{
    sqa_sweep sweep;
    char file[4096];
    snprintf(file, sizeof file, "%s/%s", SQA_SWEEPS, recorded[_i]);
    ck_assert_msg(sqa_sweep_read(&sweep, file) == SQA_OK, "%s", sqa_last_error());
    sqa_replay_row rows[] = {
        {.evaluations = 1}, {.evaluations = 20}, {.evaluations = 34}, {.evaluations = 60}};
    const sqa_replay_options options = {sqa_strategy_at(0), runs_to_make(), 1, TOGETHER, true};
    ck_assert_int_eq(sqa_replay(&sweep, &options, rows, 4), SQA_OK);
    ck_assert_msg(rows[0].median < 0.65, "%s: begins at %g", recorded[_i], rows[0].median);
    ck_assert_msg(rows[1].median >= 0.93, "%s: %g after 20", recorded[_i], rows[1].median);
    ck_assert_msg(rows[2].median >= 0.95, "%s: %g after 34", recorded[_i], rows[2].median);
    ck_assert_msg(rows[3].median >= 0.97, "%s: %g after 60", recorded[_i], rows[3].median);
    ck_assert_msg(rows[3].low >= 0.94, "%s: low %g after 60", recorded[_i], rows[3].low);
    sqa_sweep_free(&sweep);
}
END_TEST

int main(void)
{
    TCase *files = tcase_create("sweeps");
    tcase_add_test(files, sweeps_survive_the_file);
    tcase_add_loop_test(files, spoilt_sweeps_are_refused, 0, sizeof spoilt / sizeof spoilt[0]);
    tcase_add_loop_test(files, spoilt_headers_are_refused, 0, sizeof headers / sizeof headers[0]);
    tcase_add_test(files, incomplete_sweeps_are_refused);
    tcase_add_test(files, spaces_are_narrowed);
    TCase *replays = tcase_create("replays");
    tcase_set_timeout(replays, 300);
    tcase_add_loop_test(replays, replays_are_reproducible, 0, (int)sqa_strategy_count());
    tcase_add_loop_test(replays, the_default_strategy_holds_its_promise, 0, 2 * RECORDED);
    tcase_add_loop_test(replays, a_bad_default_is_left_behind, 0, RECORDED);
    Suite *suite = suite_create("replay");
    suite_add_tcase(suite, files);
    suite_add_tcase(suite, replays);
    return sqa_run_forked_suite(suite);
}
