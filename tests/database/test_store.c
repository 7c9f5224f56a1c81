/* The store: what is written is read back, and only what is correct is ever best. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/embedded.h"
#include "database/fixture.h"
#include "problem/work.h"
#include "tuning/schema.h"

START_TEST(folders_and_file_are_made)
{
    const char *path = fixture_path("a/b/c/tuning.db");
    sqa_store_close(fixture_open(path));
    ck_assert_int_eq(fixture_number(path, "PRAGMA user_version"), SQA_SCHEMA_VERSION);
    ck_assert_int_eq(fixture_number(path, "PRAGMA application_id"), SQA_SCHEMA_APPLICATION_ID);
    ck_assert_str_eq(sqa_embedded_text(sqa_embedded_sql, "schema.sql") ? "built in" : "missing",
                     "built in");
    sqa_store_close(fixture_open(path)); /* again, at no harm */
}
END_TEST

START_TEST(environment_is_found_again)
{
    sqa_store *store = fixture_open(fixture_path("tuning.db"));
    sqa_device device = fixture_device();
    int64_t first = 0, again = 0, other = 0;
    ck_assert_int_eq(sqa_store_environment(store, &device, &first), SQA_OK);
    device.limits.global_memory_bytes += 4096; /* differs between boots */
    ck_assert_int_eq(sqa_store_environment(store, &device, &again), SQA_OK);
    ck_assert_int_eq(first, again);
    snprintf(device.strings.driver_version, sizeof device.strings.driver_version, "2.0");
    ck_assert_int_eq(sqa_store_environment(store, &device, &other), SQA_OK);
    ck_assert_int_ne(first, other);
    sqa_store_close(store);
}
END_TEST

typedef struct collected {
    sqa_stored_trial trial[8];
    int count;
} collected;

static sqa_status collect(void *user, const sqa_stored_trial *trial)
{
    collected *out = user;
    ck_assert_ptr_nonnull(trial);
    ck_assert_int_lt(out->count, 8);
    out->trial[out->count++] = *trial;
    return SQA_OK;
}

START_TEST(trial_is_read_back_as_written)
{
    const char *path = fixture_path("tuning.db");
    int64_t id = fixture_fill(path, 1);
    sqa_store *store = NULL;
    ck_assert_int_eq(sqa_store_open_read_only(&store, path), SQA_OK);
    collected out = {.count = 0};
    sqa_store_filter filter = {.id = id};
    ck_assert_int_eq(sqa_store_each(store, &filter, collect, &out), SQA_OK);
    ck_assert_int_eq(out.count, 1);
    const sqa_stored_trial *trial = &out.trial[0];
    sqa_device device = fixture_device();
    ck_assert_mem_eq(&trial->device.strings, &device.strings, sizeof device.strings);
    ck_assert_mem_eq(&trial->device.identity, &device.identity, sizeof device.identity);
    ck_assert_uint_eq(trial->device.limits.local_memory_bytes, device.limits.local_memory_bytes);
    ck_assert_int_eq(trial->device.limits.has_fp64, true);
    ck_assert_str_eq(trial->family, "naive");
    ck_assert_str_eq(trial->operation, "forward");
    ck_assert_str_eq(trial->shape, "b=1,hq=8,hkv=8,nq=1024,nk=1024,d=64");
    ck_assert_str_eq(trial->class_key, "dtype=f32,d=64,dv=64,mask=none,group=1,q=10,kv=10,rows=3");
    ck_assert_int_eq(trial->result.status, SQA_TRIAL_OK);
    ck_assert_double_eq(trial->result.median_ms, 10.0);
    ck_assert_double_eq(trial->result.max_error, 3.25e-7);
    ck_assert_uint_eq(trial->result.samples, 11);
    ck_assert_uint_eq((uint64_t)trial->seed, UINT64_MAX - 6);
    sqa_problem problem = fixture_problem(1024);
    ck_assert_double_eq_tol(trial->gflops, sqa_problem_flops(&problem) / 1e7, 1e-5);
    ck_assert_double_eq(trial->flop, sqa_problem_flops(&problem));
    ck_assert_double_eq(trial->bytes, sqa_problem_bytes(&problem));
    ck_assert_double_eq_tol(trial->gbs, sqa_problem_bytes(&problem) / 1e7, 1e-9);
    ck_assert_double_eq_tol(trial->fraction_of_ceiling, trial->gflops / 1e6, 1e-12);
    ck_assert_double_nan(trial->ceilings.matrix_gflops);
    ck_assert_uint_eq(strlen(trial->recorded_at), 20);
    ck_assert_int_eq(trial->winner, false);
    sqa_store_close(store);
}
END_TEST

/* The very problem comes back, whatever its pattern, and is found again by it. */
START_TEST(patterns_are_kept)
{
    sqa_store *store = fixture_open(fixture_path("tuning.db"));
    sqa_device device = fixture_device();
    sqa_problem problem, again;
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    int64_t environment, id;
    desc.q_heads = desc.kv_heads = 4;
    desc.q_length = desc.kv_length = 300;
    desc.causal = SQA_CAUSAL_TOP_LEFT;
    desc.window = (sqa_window){64, -1};
    desc.globals = (sqa_globals){3, 1};
    desc.bias = (sqa_bias){1, SQA_DTYPE_F16, {0, 90000, 300}};
    ck_assert_int_eq(sqa_problem_from_desc(&problem, &desc), SQA_OK);
    ck_assert_int_eq(sqa_store_environment(store, &device, &environment), SQA_OK);
    sqa_trial_record record = fixture_record(environment, &problem, 0.001);
    ck_assert_msg(sqa_store_add_trial(store, &record, &id) == SQA_OK, "%s", sqa_last_error());
    collected out = {.count = 0};
    sqa_store_filter filter = {.id = id};
    ck_assert_int_eq(sqa_store_each(store, &filter, collect, &out), SQA_OK);
    ck_assert_str_eq(out.trial[0].shape, "b=1,hq=4,hkv=4,nq=300,nk=300,d=64,causal,align=top-left,"
                                         "window=64:-1,globals=list3,bias=f16/hq");
    ck_assert_msg(sqa_problem_parse(out.trial[0].shape, &again) == SQA_OK, "%s", sqa_last_error());
    ck_assert_mem_eq(&problem, &again, sizeof problem);
    sqa_trial_result result;
    bool found = false;
    ck_assert_int_eq(sqa_store_find_trial(store, &record, &result, &found), SQA_OK);
    ck_assert(found);
    problem.window.left = 65; /* the same class, another problem */
    ck_assert_int_eq(sqa_store_find_trial(store, &record, &result, &found), SQA_OK);
    ck_assert(!found);
    sqa_store_close(store);
}
END_TEST

START_TEST(failures_are_trials_too_but_never_best)
{
    const char *path = fixture_path("tuning.db");
    sqa_store *store = fixture_open(path);
    sqa_device device = fixture_device();
    sqa_problem problem = fixture_problem(256);
    int64_t environment, id;
    ck_assert_int_eq(sqa_store_environment(store, &device, &environment), SQA_OK);
    for (int status = SQA_TRIAL_COMPILE_FAILED; status <= SQA_TRIAL_REJECTED; status++) {
        sqa_trial_record record = fixture_record(environment, &problem, 0.001);
        sqa_trial_result result = *record.result;
        result.status = (sqa_trial_status)status;
        snprintf(result.message, sizeof result.message, "it said \"no'); DROP TABLE trial;--\"");
        record.result = &result;
        ck_assert_msg(sqa_store_add_trial(store, &record, &id) == SQA_OK, "%s", sqa_last_error());
        ck_assert_int_eq(sqa_store_set_winner(store, id), SQA_INVALID_ARGUMENT);
    }
    sqa_store_report report;
    ck_assert_int_eq(sqa_store_check(store, &report), SQA_OK);
    ck_assert(report.sound);
    ck_assert_int_eq(report.trials, SQA_TRIAL_REJECTED);
    ck_assert_int_eq(report.best, 0);
    sqa_store_close(store);
}
END_TEST

START_TEST(impossible_success_is_refused)
{
    sqa_store *store = fixture_open(fixture_path("tuning.db"));
    sqa_device device = fixture_device();
    sqa_problem problem = fixture_problem(256);
    int64_t environment;
    ck_assert_int_eq(sqa_store_environment(store, &device, &environment), SQA_OK);
    sqa_trial_record record = fixture_record(environment, &problem, NAN);
    ck_assert_int_eq(sqa_store_add_trial(store, &record, NULL), SQA_INVALID_ARGUMENT);
    record = fixture_record(environment + 1, &problem, 1.0); /* there is no such environment */
    ck_assert_int_eq(sqa_store_add_trial(store, &record, NULL), SQA_DATABASE_ERROR);
    record = fixture_record(environment, &problem, 1.0); /* the failure left nothing open */
    ck_assert_int_eq(sqa_store_add_trial(store, &record, NULL), SQA_OK);
    sqa_store_close(store);
}
END_TEST

START_TEST(best_is_fastest_until_there_is_a_winner)
{
    const char *path = fixture_path("tuning.db");
    fixture_fill(path, 3);
    ck_assert_int_eq(fixture_number(path, "SELECT id FROM best"), 3);
    sqa_store *store = fixture_open(path);
    ck_assert_int_eq(sqa_store_set_winner(store, 2), SQA_OK);
    ck_assert_int_eq(fixture_number(path, "SELECT id FROM best"), 2);
    ck_assert_int_eq(sqa_store_set_winner(store, 1), SQA_OK);
    ck_assert_int_eq(fixture_number(path, "SELECT id FROM best"), 1);
    ck_assert_int_eq(fixture_number(path, "SELECT count(*) FROM best"), 1);
    ck_assert_int_eq(sqa_store_set_winner(store, 99), SQA_INVALID_ARGUMENT);
    sqa_store_close(store);
}
END_TEST

START_TEST(resuming_finds_the_latest_search_trial)
{
    const char *path = fixture_path("tuning.db");
    fixture_fill(path, 3);
    sqa_store *store = fixture_open(path);
    sqa_device device = fixture_device();
    sqa_problem problem = fixture_problem(1024), longer = fixture_problem(1040);
    int64_t environment;
    ck_assert_int_eq(sqa_store_environment(store, &device, &environment), SQA_OK);
    sqa_trial_record record = fixture_record(environment, &problem, 1.0);
    record.final = true;
    ck_assert_int_eq(sqa_store_add_trial(store, &record, NULL), SQA_OK);

    sqa_trial_record key = fixture_record(environment, &problem, 0);
    sqa_trial_result result;
    bool found = false;
    ck_assert_int_eq(sqa_store_find_trial(store, &key, &result, &found), SQA_OK);
    ck_assert(found);
    ck_assert_double_eq(result.median_ms, 8.0);
    /* The same class, another problem. */
    key.problem = &longer;
    ck_assert_int_eq(sqa_store_find_trial(store, &key, &result, &found), SQA_OK);
    ck_assert(!found);
    key = fixture_record(environment + 1, &problem, 0);
    ck_assert_int_eq(sqa_store_find_trial(store, &key, &result, &found), SQA_OK);
    ck_assert(!found);
    sqa_store_close(store);
}
END_TEST

START_TEST(filters_select)
{
    const char *path = fixture_path("tuning.db");
    fixture_fill(path, 3);
    sqa_store *store = NULL;
    ck_assert_int_eq(sqa_store_open_read_only(&store, path), SQA_OK);
    const struct {
        sqa_store_filter filter;
        int count;
    } cases[] = {
        {{0}, 3},
        {{.device = "TIGER"}, 3},
        {{.device = "origami"}, 3},
        {{.device = "%"}, 0},
        {{.device = "' OR 1 --"}, 0},
        {{.family = "naive"}, 3},
        {{.family = "NAIVE"}, 0},
        {{.operation = "forward"}, 3},
        {{.operation = "backward"}, 0},
        {{.best_only = true}, 1},
        {{.id = 2}, 1},
        {{.id = 77}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        collected out = {.count = 0};
        ck_assert_int_eq(sqa_store_each(store, &cases[i].filter, collect, &out), SQA_OK);
        ck_assert_msg(out.count == cases[i].count, "filter %zu gave %d", i, out.count);
    }
    sqa_store_close(store);
}
END_TEST

int main(void)
{
    static const TTest *const *const tests[] = {
        &folders_and_file_are_made,
        &environment_is_found_again,
        &trial_is_read_back_as_written,
        &patterns_are_kept,
        &failures_are_trials_too_but_never_best,
        &impossible_success_is_refused,
        &best_is_fastest_until_there_is_a_winner,
        &resuming_finds_the_latest_search_trial,
        &filters_select,
    };
    return fixture_main("store", "trials", 120, tests, sizeof tests / sizeof tests[0]);
}
