/* Families whose instructions a driver's compiler has to be seen to do right by: what a probe found
 * is kept for its environment alone, and decides whether the family is chosen unmeasured. */
#include <stdlib.h>
#include <string.h>

#include "database/fixture.h"
#include "kernels/families.h"
#include "runtime/choose.h"
#include "store/probe.h"
#include "store/prune.h"

static sqa_device device;
static sqa_problem problem;
static char path[512];

/* A GPU with matrix units, on paper. */
static void setup(void)
{
    snprintf(path, sizeof path, "%s", fixture_path("tuning.db"));
    device = fixture_device();
    device.strings.type = SQA_DEVICE_GPU;
    device.strings.nv_major = 8;
    device.limits.local_memory_bytes = 49152;
    device.limits.local_memory_is_global = false;
    snprintf(device.identity.vendor, sizeof device.identity.vendor, "nvidia");
    snprintf(device.identity.runtime, sizeof device.identity.runtime, "nvidia");
    snprintf(device.identity.architecture, sizeof device.identity.architecture, "sm_80");
    ck_assert_int_eq(sqa_problem_parse("hq=8,n=1024,d=64,dtype=f16,causal", &problem), SQA_OK);
}

static int64_t environment_of(sqa_store *store)
{
    int64_t environment = 0;
    ck_assert_int_eq(sqa_store_environment(store, &device, &environment), SQA_OK);
    return environment;
}

static void answer(sqa_trial_status status, const char *message)
{
    sqa_store *store = fixture_open(path);
    const sqa_trial_result result = sqa_trial_failure(status, message);
    ck_assert_msg(sqa_store_set_probe(store, environment_of(store), &sqa_mma_forward, &result) ==
                      SQA_OK,
                  "%s", sqa_last_error());
    sqa_store_close(store);
}

/* The first choice, and a part of what is said of those passed over; NULL: nothing is. */
static void expect_with(const sqa_plan_options *options, const char *family, sqa_rung rung,
                        const char *why)
{
    sqa_tuning_table table = SQA_TUNING_TABLE_INIT;
    sqa_choices choices;
    fixture_log heard;
    const sqa_log log = fixture_listen(&heard);
    ck_assert_int_eq(sqa_tuning_table_load_file(&table, path, &device, &log), SQA_OK);
    ck_assert_int_eq(heard.count[SQA_LOG_WARNING], 0);
    ck_assert_int_eq(sqa_choose(&choices, &device, &table, NULL, &problem, options), SQA_OK);
    const char *told = sqa_text_get(&choices.passed_over);
    ck_assert_uint_gt(choices.count, 0);
    ck_assert_str_eq(choices.items[0].family->name, family);
    ck_assert_int_eq(choices.items[0].rung, rung);
    if (why)
        ck_assert_msg(strstr(told, why) != NULL, "%s", told);
    else
        ck_assert_str_eq(told, "");
    /* One that was only probed is still checked where it is first used. */
    if (!strcmp(family, "mma") && rung == SQA_RUNG_DEFAULT)
        ck_assert(choices.items[0].borrowed);
    sqa_text_free(&choices.passed_over);
    sqa_tuning_table_free(&table);
}

static void expect(const char *family, sqa_rung rung, const char *why)
{
    expect_with(NULL, family, rung, why);
}

START_TEST(nothing_is_assumed)
{
    setup();
    expect("tiled", SQA_RUNG_DEFAULT, "mma passed over: not probed with this driver");
    answer(SQA_TRIAL_OK, "");
    expect("mma", SQA_RUNG_DEFAULT, NULL);
    const sqa_plan_options options = {.version = SQA_PLAN_OPTIONS_VERSION, .skip_database = 1};
    expect_with(&options, "tiled", SQA_RUNG_DEFAULT, "mma passed over: no database is asked");
}
END_TEST

START_TEST(failures_give_way)
{
    static const struct {
        sqa_trial_status status;
        const char *message, *why;
    } failures[] = {
        {SQA_TRIAL_COMPILE_FAILED, "inline asm refused", "compile_failed, inline asm refused; "},
        {SQA_TRIAL_WRONG_RESULT, "row 3",
         "mma passed over: its probe with this driver: wrong_result"},
        {SQA_TRIAL_CRASHED, "signal 11", "crashed, signal 11"},
        {SQA_TRIAL_TIMEOUT, "no result after 20 s", "timeout, no result after 20 s"},
    };
    setup();
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        answer(failures[i].status, failures[i].message);
        expect("tiled", SQA_RUNG_DEFAULT, failures[i].why);
    }
    /* The latest answer counts, and there is one. */
    answer(SQA_TRIAL_OK, "");
    expect("mma", SQA_RUNG_DEFAULT, NULL);
    ck_assert_int_eq(fixture_number(path, "SELECT count(*) FROM probe"), 1);
}
END_TEST

START_TEST(an_answer_holds_for_its_environment)
{
    static const char *const changes[] = {
        "UPDATE environment SET driver_version = driver_version || '.1'",
        "UPDATE environment SET library_version = '0.0.1'",
        "UPDATE environment SET platform_version = 'another'",
        "UPDATE device SET model = 'another'",
        "UPDATE device SET device_name = 'another'",
        "UPDATE probe SET operation = 'backward_core'",
        "UPDATE probe SET family = 'tiled'",
    };
    setup();
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        remove(path);
        answer(SQA_TRIAL_OK, "");
        fixture_run(path, changes[i]);
        expect("tiled", SQA_RUNG_DEFAULT, "not probed");
    }
}
END_TEST

/* What was measured here was found right then; what comes from elsewhere needs an answer. */
START_TEST(borrowed_rows_need_an_answer)
{
    sqa_config config;
    int64_t trial = 0;
    setup();
    memset(&config, 0, sizeof config);
    sqa_mma_forward.default_config(&problem, &device, &config);
    sqa_store *store = fixture_open(path);
    sqa_trial_record record = fixture_record(environment_of(store), &problem, 1.0);
    record.family = &sqa_mma_forward;
    record.config = &config;
    ck_assert_msg(sqa_store_add_trial(store, &record, &trial) == SQA_OK, "%s", sqa_last_error());
    sqa_store_close(store);
    expect("mma", SQA_RUNG_EXACT, NULL);
    fixture_run(path, "UPDATE environment SET driver_version = 'older'");
    expect("tiled", SQA_RUNG_DEFAULT,
           "other-driver mma(BM=64,BN=64,ASYNC=1) passed over: not probed");
    answer(SQA_TRIAL_CRASHED, "signal 4");
    expect("tiled", SQA_RUNG_DEFAULT, "crashed, signal 4");
    answer(SQA_TRIAL_OK, "");
    expect("mma", SQA_RUNG_OTHER_DRIVER, NULL);
}
END_TEST

/* Texts that would move a terminal's cursor, or end a line. */
START_TEST(messages_are_harmless)
{
    setup();
    answer(SQA_TRIAL_CRASHED, "a");
    fixture_run(path, "UPDATE probe SET message = 'a' || char(27, 10, 0) || '[2J'");
    expect("tiled", SQA_RUNG_DEFAULT, "crashed, a  ; ");
}
END_TEST

START_TEST(pruning_keeps_answers)
{
    const sqa_prune_options options = {.keep = 1};
    sqa_prune_report report;
    sqa_store_report state;
    setup();
    answer(SQA_TRIAL_OK, "");
    sqa_store *store = fixture_open(path);
    ck_assert_msg(sqa_store_prune(store, &options, &report) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(report.environments, 0);
    ck_assert_int_eq(sqa_store_check(store, &state), SQA_OK);
    ck_assert_msg(state.sound, "%s", state.problem);
    sqa_store_close(store);
    expect("mma", SQA_RUNG_DEFAULT, NULL);
}
END_TEST

int main(void)
{
    static const TTest *const *const tests[] = {
        &nothing_is_assumed,           &failures_give_way,     &an_answer_holds_for_its_environment,
        &borrowed_rows_need_an_answer, &messages_are_harmless, &pruning_keeps_answers,
    };
    return fixture_main("probes", "probes", 60, tests, sizeof tests / sizeof tests[0]);
}
