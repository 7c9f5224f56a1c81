/* The store: what is written is read back, and only what is correct is ever best. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/embedded.h"
#include "database/fixture.h"
#include "operations/tensors.h"
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
    ck_assert_double_eq_tol(trial->gflops, sqa_problem_flop(&problem) / 1e7, 1e-5);
    ck_assert_double_eq(trial->flop, sqa_problem_flop(&problem));
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
    problem.of.attention.window.left = 65; /* the same class, another problem */
    ck_assert_int_eq(sqa_store_find_trial(store, &record, &result, &found), SQA_OK);
    ck_assert(!found);
    sqa_store_close(store);
}
END_TEST

/* Strides that no layout has are a problem's own. */
START_TEST(strides_are_kept)
{
    const char *path = fixture_path("tuning.db");
    sqa_store *store = fixture_open(path);
    sqa_device device = fixture_device();
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    sqa_problem problem, other;
    int64_t environment, id;
    desc.q_heads = desc.kv_heads = 2;
    desc.q_length = desc.kv_length = 64;
    desc.head_dim = 16;
    desc.q = (sqa_strides){6000, 3000, 20};
    ck_assert_int_eq(sqa_problem_from_desc(&problem, &desc), SQA_OK);
    desc.q.sequence = 24;
    ck_assert_int_eq(sqa_problem_from_desc(&other, &desc), SQA_OK);
    ck_assert_int_eq(sqa_store_environment(store, &device, &environment), SQA_OK);
    sqa_trial_record record = fixture_record(environment, &problem, 1.0);
    ck_assert_msg(sqa_store_add_trial(store, &record, &id) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(fixture_number(path, "SELECT layout = 'strided' AND q_length = 64"
                                          " FROM best_forward"),
                     1);
    sqa_trial_result result;
    bool found = false;
    ck_assert_int_eq(sqa_store_find_trial(store, &record, &result, &found), SQA_OK);
    ck_assert(found);
    record.problem = &other;
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

static int64_t add_timed(sqa_store *store, int64_t environment, const sqa_problem *problem,
                         double median_ms, const sqa_trial_ceilings *ceilings)
{
    sqa_trial_record record = fixture_record(environment, problem, median_ms);
    sqa_config config;
    sqa_device device = fixture_device();
    memset(&config, 0, sizeof config);
    for (size_t i = 0; i < sqa_family_count(); i++)
        if (sqa_family_at(i)->operation == problem->operation)
            record.family = sqa_family_at(i); /* the last one takes everything */
    record.family->default_config(problem, &device, &config);
    record.config = &config;
    record.ceilings = *ceilings;
    int64_t trial = 0;
    ck_assert_msg(sqa_store_add_trial(store, &record, &trial) == SQA_OK, "%s", sqa_last_error());
    return trial;
}

/* Of one problem the fastest counts, of the problems of a class the one that was nearest to
 * what memory or arithmetic allowed, whichever bounds it. */
START_TEST(best_of_a_class_is_nearest_to_its_roofline)
{
    const char *path = fixture_path("tuning.db");
    const sqa_trial_ceilings quiet = {1e4, NAN, 10.0, NAN}, busy = {2e3, NAN, 2.0, NAN};
    const sqa_problem first = fixture_problem(1024), second = fixture_problem(1000);
    sqa_device device = fixture_device();
    int64_t environment;
    sqa_store *store = fixture_open(path);
    ck_assert_int_eq(sqa_store_environment(store, &device, &environment), SQA_OK);
    const int64_t slow = add_timed(store, environment, &first, 10.0, &busy);
    ck_assert_int_eq(fixture_number(path, "SELECT id FROM best"), slow);
    /* The same problem in less time, though the device could have done it in much less. */
    const int64_t fast = add_timed(store, environment, &first, 9.0, &quiet);
    ck_assert_int_eq(fixture_number(path, "SELECT id FROM best"), fast);
    /* Another problem of the class: slower on the clock, but on a busy machine. */
    const int64_t other = add_timed(store, environment, &second, 20.0, &busy);
    ck_assert_int_eq(fixture_number(path, "SELECT id FROM best"), other);
    /* 8 MB at 10 GB/s are a fraction of 0.84 / 9 ms, more than the arithmetic's. */
    char sql[160];
    snprintf(sql, sizeof sql,
             "SELECT fraction_of_roofline > 0.093 AND fraction_of_roofline < 0.0933 AND"
             " fraction_of_ceiling < 0.03 FROM result WHERE id = %lld",
             (long long)fast);
    ck_assert_int_eq(fixture_number(path, sql), 1);
    ck_assert_int_eq(sqa_store_set_winner(store, slow), SQA_OK);
    ck_assert_int_eq(fixture_number(path, "SELECT id FROM best"), slow);
    sqa_store_close(store);
}
END_TEST

/* Nothing in the store knows which operations there are. */
START_TEST(operations_share_a_database)
{
    static const char *const shapes[] = {
        "b=1,hq=8,hkv=2,nq=4096,nk=4096,d=64,causal",
        "op=select_blocks,b=1,hq=8,hkv=2,nq=4096,nk=4096,d=64,causal,blocks=64x64/k,topk=16,"
        "sinkblocks=1,localblocks=2",
    };
    const char *path = fixture_path("tuning.db");
    const sqa_trial_ceilings ceilings = {1e6, NAN, 1e3, NAN};
    sqa_device device = fixture_device();
    int64_t environment;
    sqa_store *store = fixture_open(path);
    ck_assert_int_eq(sqa_store_environment(store, &device, &environment), SQA_OK);
    for (int i = 0; i < 2; i++) {
        sqa_problem problem;
        ck_assert_msg(sqa_problem_parse(shapes[i], &problem) == SQA_OK, "%s", sqa_last_error());
        ck_assert_int_eq(add_timed(store, environment, &problem, 1.0 + (double)i, &ceilings),
                         i + 1);
        ck_assert_int_eq(sqa_store_set_winner(store, i + 1), SQA_OK);
    }
    ck_assert_int_eq(fixture_number(path, "SELECT count(*) FROM best"), 2);
    for (int i = 0; i < 2; i++) {
        collected out = {.count = 0};
        const sqa_store_filter filter = {.operation = i ? "select_blocks" : "forward"};
        ck_assert_int_eq(sqa_store_each(store, &filter, collect, &out), SQA_OK);
        ck_assert_int_eq(out.count, 1);
        ck_assert_str_eq(out.trial[0].shape, shapes[i]);
        ck_assert_double_gt(out.trial[0].fraction_of_roofline, 0.0);
    }
    char *columns = fixture_text(path, "SELECT causal || ' ' || blocks || ' ' || top_k || ' ' ||"
                                       " sink_blocks || ' ' || local_blocks || ' ' ||"
                                       " (config ->> 'ITEMS' > 0) FROM best_select_blocks");
    ck_assert_str_eq(columns, "1 64x64/k 16 1 2 1");
    free(columns);
    columns = fixture_text(path, "SELECT variant || ' ' || model_heads || ' ' || q_length || ' ' ||"
                                 " dtype || ' ' || causal || ' ' || align || ' ' ||"
                                 " (config ->> 'CHUNK') FROM best_forward");
    ck_assert_str_eq(columns, "gqa 8 4096 f32 1 bottom-right 16");
    free(columns);
    sqa_store_close(store);
}
END_TEST

/* Heads are named by the most that the device was tuned with for the same problem; those
 * that share a class (sSQA and rSQA) have one row together. */
START_TEST(variants_are_named_by_their_heads)
{
    static const struct {
        const char *heads, *variant;
    } cases[] = {{"hq=16,hkv=16", "mha"}, {"hq=16,hkv=4", "gqa"},  {"hq=16,hkv=1", "mqa"},
                 {"hq=8,hkv=4", "sqa"},   {"hq=8,hkv=8", "ssqa"},  {"hq=4,hkv=4", "xsqa"},
                 {"hq=4,hkv=1", "xsmqa"}, {"hq=12,hkv=4", "lsqa"}, {"hq=16,hkv=2", NULL}};
    const char *path = fixture_path("tuning.db");
    const sqa_trial_ceilings ceilings = {1e6, NAN, NAN, NAN};
    sqa_device device = fixture_device();
    int64_t environment;
    char text[256];
    sqa_store *store = fixture_open(path);
    ck_assert_int_eq(sqa_store_environment(store, &device, &environment), SQA_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sqa_problem problem;
        snprintf(text, sizeof text, "%s,n=512,d=64", cases[i].heads);
        ck_assert_int_eq(sqa_problem_parse(text, &problem), SQA_OK);
        ck_assert_int_eq(sqa_store_set_winner(store, add_timed(store, environment, &problem,
                                                               1.0 + (double)i, &ceilings)),
                         SQA_OK);
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(text, sizeof text, "SELECT variant FROM best_forward WHERE instr(shape, '%s,')",
                 cases[i].heads);
        char *variant = fixture_text(path, text);
        ck_assert_msg(!strcmp(variant, cases[i].variant ? cases[i].variant : ""), "%s is %s",
                      cases[i].heads, variant);
        free(variant);
    }
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
        {{.dtype = "f32", .mask = "none", .head_dim = 64, .q_length = 1024}, 3},
        {{.dtype = "f16"}, 0},
        {{.mask = "causal"}, 0},
        {{.head_dim = 6}, 0},
        {{.q_length = 102}, 0},
        {{.variant = "mha", .heads = 8}, 3},
        {{.variant = "xsqa"}, 3},
        {{.variant = "xsqa", .heads = 8}, 0},
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

/* What trials took, by when they were recorded; between two runs there is a pause. */
START_TEST(trials_tell_what_they_take)
{
    const char *path = fixture_path("tuning.db");
    const sqa_device device = fixture_device();
    sqa_device_identity other = device.identity;
    double seconds;
    fixture_fill(path, 6);
    sqa_store *store = fixture_open(path);
    ck_assert_int_eq(sqa_store_trial_seconds(store, &device.identity, &seconds), SQA_OK);
    ck_assert(isnan(seconds)); /* too few */
    sqa_store_close(store);
    fixture_fill(path, 6);
    fixture_run(path, "UPDATE trial SET recorded_at = strftime('%Y-%m-%dT%H:%M:%SZ', '2026-01-01', "
                      "(2 * id + iif(id > 6, 1000, 0)) || ' seconds')");
    store = fixture_open(path);
    ck_assert_int_eq(sqa_store_trial_seconds(store, &device.identity, &seconds), SQA_OK);
    ck_assert_double_eq_tol(seconds, 2.0, 0.01);
    snprintf(other.model, sizeof other.model, "another");
    ck_assert_int_eq(sqa_store_trial_seconds(store, &other, &seconds), SQA_OK);
    ck_assert(isnan(seconds));
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
        &strides_are_kept,
        &failures_are_trials_too_but_never_best,
        &impossible_success_is_refused,
        &trials_tell_what_they_take,
        &best_is_fastest_until_there_is_a_winner,
        &resuming_finds_the_latest_search_trial,
        &best_of_a_class_is_nearest_to_its_roofline,
        &operations_share_a_database,
        &variants_are_named_by_their_heads,
        &filters_select,
    };
    return fixture_main("store", "trials", 120, tests, sizeof tests / sizeof tests[0]);
}
