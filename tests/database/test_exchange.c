/* Export, import and merge: nothing changes on the way, nothing impossible gets in. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "database/fixture.h"
#include "store/exchange.h"

typedef struct refusals {
    int count;
    char where[64], reason[1024];
} refusals;

static refusals refused;

static void keep_refusal(void *user, const char *where, const char *reason)
{
    refusals *out = user;
    out->count++;
    snprintf(out->where, sizeof out->where, "%s", where);
    snprintf(out->reason, sizeof out->reason, "%s", reason);
}

static sqa_exchange listen(void)
{
    memset(&refused, 0, sizeof refused);
    return (sqa_exchange){.refuse = keep_refusal, .user = &refused};
}

static void export_to(const char *database, const char *text, uint64_t expected)
{
    sqa_store *store = NULL;
    uint64_t lines = 0;
    const sqa_store_filter all = {0};
    FILE *file = fopen(text, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(sqa_store_open_read_only(&store, database), SQA_OK);
    ck_assert_msg(sqa_store_export(store, &all, NULL, NULL, file, &lines) == SQA_OK, "%s",
                  sqa_last_error());
    ck_assert_uint_eq(lines, expected);
    sqa_store_close(store);
    ck_assert_int_eq(fclose(file), 0);
}

static sqa_exchange import_from(const char *database, const char *text)
{
    sqa_exchange exchange = listen();
    sqa_store *store = fixture_open(database);
    FILE *file = fopen(text, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_msg(sqa_store_import(store, file, text, &exchange) == SQA_OK, "%s", sqa_last_error());
    fclose(file);
    sqa_store_close(store);
    return exchange;
}

static char *read_file(const char *path)
{
    static char bytes[4][1 << 17];
    static int next;
    char *out = bytes[next++ % 4];
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    size_t size = fread(out, 1, sizeof bytes[0] - 1, file);
    out[size] = 0;
    fclose(file);
    return out;
}

/* A database with successes, a failure, odd words and a winner. */
static void fill_richly(const char *path)
{
    fixture_fill(path, 4);
    sqa_store *store = fixture_open(path);
    sqa_device device = fixture_device();
    snprintf(device.strings.driver_version, sizeof device.strings.driver_version,
             "2.0 \"beta\" \\ 'x'; \t\303\274");
    sqa_problem problem = fixture_problem(333);
    int64_t environment, trial;
    ck_assert_int_eq(sqa_store_environment(store, &device, &environment), SQA_OK);
    sqa_trial_record record = fixture_record(environment, &problem, 1.0 / 3);
    record.final = true;
    record.source_hash = "00ff";
    ck_assert_int_eq(sqa_store_add_trial(store, &record, &trial), SQA_OK);
    ck_assert_int_eq(sqa_store_set_winner(store, trial), SQA_OK);
    sqa_trial_result crash = *record.result;
    crash.status = SQA_TRIAL_CRASHED;
    snprintf(crash.message, sizeof crash.message, "signal 11: {\"a\": [1,\n2]}");
    record.result = &crash;
    ck_assert_int_eq(sqa_store_add_trial(store, &record, NULL), SQA_OK);
    sqa_store_close(store);
}

START_TEST(round_trip_changes_nothing)
{
    const char *first = fixture_path("first.db"), *second = fixture_path("second.db");
    fill_richly(first);
    export_to(first, fixture_path("first.jsonl"), 6);
    sqa_exchange exchange = import_from(second, fixture_path("first.jsonl"));
    ck_assert_msg(exchange.added == 6 && exchange.refused == 0, "%s: %s", refused.where,
                  refused.reason);
    first = fixture_path("first.jsonl");
    export_to(fixture_path("second.db"), fixture_path("second.jsonl"), 6);
    ck_assert_str_eq(read_file(first), read_file(fixture_path("second.jsonl")));

    exchange = import_from(fixture_path("second.db"), fixture_path("first.jsonl"));
    ck_assert_uint_eq(exchange.added, 0);
    ck_assert_uint_eq(exchange.known, 6);
    ck_assert_int_eq(fixture_number(fixture_path("second.db"), "SELECT count(*) FROM trial"), 6);
    ck_assert_int_eq(fixture_number(fixture_path("second.db"), "SELECT count(*) FROM winner"), 1);
}
END_TEST

START_TEST(merging_keeps_every_trial)
{
    const char *first = fixture_path("first.db"), *second = fixture_path("second.db");
    fill_richly(first);
    fixture_fill(second, 1);
    for (int round = 0; round < 2; round++) {
        sqa_exchange exchange = listen();
        sqa_store *from = NULL, *store = fixture_open(second);
        ck_assert_int_eq(sqa_store_open_read_only(&from, first), SQA_OK);
        ck_assert_msg(sqa_store_merge(store, from, &exchange) == SQA_OK, "%s", sqa_last_error());
        ck_assert_uint_eq(exchange.refused, 0);
        ck_assert_uint_eq(exchange.added + exchange.known, 6);
        ck_assert_uint_eq(round == 1 ? exchange.added : 0, 0);
        sqa_store_close(from);
        sqa_store_close(store);
    }
    /* The 10 ms trial of both is one fact only if its time of record is the same too. */
    int64_t trials = fixture_number(second, "SELECT count(*) FROM trial");
    ck_assert(trials == 6 || trials == 7);
    ck_assert_int_eq(fixture_number(second, "SELECT count(*) FROM best"), 2);
}
END_TEST

/* The winner of `mine` at one time against an imported one at another. */
static int64_t contest(double mine_ms, double mine_ceiling, double other_ms, double other_ceiling)
{
    const double times[2] = {mine_ms, other_ms}, ceilings[2] = {mine_ceiling, other_ceiling};
    for (int i = 0; i < 2; i++) {
        const char *path = fixture_path(i ? "other.db" : "mine.db");
        remove(path);
        sqa_store *store = fixture_open(path);
        sqa_device device = fixture_device();
        sqa_problem problem = fixture_problem(512);
        int64_t environment, trial;
        ck_assert_int_eq(sqa_store_environment(store, &device, &environment), SQA_OK);
        sqa_trial_record record = fixture_record(environment, &problem, times[i]);
        record.fma_ceiling_gflops = ceilings[i];
        ck_assert_int_eq(sqa_store_add_trial(store, &record, &trial), SQA_OK);
        ck_assert_int_eq(sqa_store_set_winner(store, trial), SQA_OK);
        sqa_store_close(store);
    }
    export_to(fixture_path("other.db"), fixture_path("other.jsonl"), 1);
    sqa_exchange exchange = import_from(fixture_path("mine.db"), fixture_path("other.jsonl"));
    ck_assert_uint_eq(exchange.added, 1);
    ck_assert_int_eq(fixture_number(fixture_path("mine.db"), "SELECT count(*) FROM trial"), 2);
    return fixture_number(fixture_path("mine.db"), "SELECT trial FROM winner");
}

START_TEST(better_winner_stays)
{
    ck_assert_int_eq(contest(10, 1e6, 5, 1e6), 2);
    ck_assert_int_eq(contest(5, 1e6, 10, 1e6), 1);
    /* Slower on the clock, but the whole machine was slow: more of its ceiling. */
    ck_assert_int_eq(contest(5, 1e6, 10, 2e5), 2);
    /* Without a ceiling the rate has to do. */
    ck_assert_int_eq(contest(5, -1, 4, 1e6), 2);
    ck_assert_int_eq(contest(4, -1, 5, 1e6), 1);
}
END_TEST

/* Replaces the first occurrence of `from` in a good line and imports the result. */
static void expect_refused(const char *good, const char *from, const char *to, const char *words)
{
    static char line[1 << 17];
    const char *at = strstr(good, from);
    ck_assert_msg(at != NULL, "'%s' is not in the line", from);
    int head = (int)(at - good);
    snprintf(line, sizeof line, "%.*s%s%s", head, good, to, at + strlen(from));
    fixture_write(fixture_path("bad.jsonl"), line, strlen(line));
    sqa_exchange exchange = import_from(fixture_path("target.db"), fixture_path("bad.jsonl"));
    ck_assert_msg(exchange.added == 0 && exchange.refused == 1, "'%s' was taken in", to);
    ck_assert_str_eq(refused.where, "line 1");
    ck_assert_msg(strstr(refused.reason, words) != NULL, "'%s' is refused as: %s", to,
                  refused.reason);
}

START_TEST(impossible_rows_are_refused)
{
    fixture_fill(fixture_path("good.db"), 1);
    export_to(fixture_path("good.db"), fixture_path("good.jsonl"), 1);
    const char *good = read_file(fixture_path("good.jsonl"));
    const struct {
        const char *from, *to, *words;
    } cases[] = {
        {"{\"schema\":1", "{\"schema\":2", "schema"},
        {"{\"schema\":1", "{\"schema\":1,,", "JSON"},
        {"{\"schema\"", "\"schema\"", "JSON"},
        {"\"vendor\":\"paper\"", "\"vendor\":\"\"", "device.vendor"},
        {"\"vendor\":\"paper\"", "\"vendor\":7", "device.vendor"},
        {"\"vendor\":\"paper\",", "", "device.vendor"},
        {"\"vendor\":\"paper\"", "\"seller\":\"paper\"", "$.device.seller is not one"},
        {"\"vendor\":\"paper\"", "\"vendor\":\"paper\",\"vendor\":\"stone\"",
         "$.device.vendor is there more than once"},
        {"\"vendor\":\"paper\"", "\"vendor\":\"p\xc3(\"", "UTF-8"},
        {"\"vendor\":\"paper\"", "\"vendor\":\"p\\ud800\"", "device.vendor"},
        {"\"vendor\":\"paper\"", "\"vendor\":\"p\\u0000\"", "zero byte"},
        {"\"subgroups\":\"\"", "\"subgroups\":\"fixed 032\"", "subgroups"},
        {"\"type\":\"cpu\"", "\"type\":\"tpu\"", "device.type"},
        {"\"compute_units\":8", "\"compute_units\":-8", "compute_units"},
        {"\"compute_units\":8", "\"compute_units\":8.5", "compute_units"},
        {"\"compute_units\":8", "\"compute_units\":4294967296", "compute_units"},
        {"\"has_fp64\":true", "\"has_fp64\":2", "has_fp64"},
        {"\"operation\":\"forward\"", "\"operation\":\"sideways\"", "operation"},
        {"\"head_dim\":64", "\"head_dim\":0", "head_dim"},
        {"\"head_dim\":64", "\"head_dim\":1000", "head_dim"},
        {"\"q_heads\":8", "\"q_heads\":3", "kv_heads"},
        {"\"layout\":\"bhsd\"", "\"layout\":\"sdhb\"", "layout"},
        {"\"family\":\"naive\"", "\"family\":\"clever\"", "family"},
        {"\"space_version\":1", "\"space_version\":9", "space_version"},
        {"\"config\":\"CHUNK=16\"", "\"config\":\"CHUNK=17\"", "CHUNK"},
        {"\"config\":\"CHUNK=16\"", "\"config\":\"SPEED=16\"", "SPEED"},
        {"\"config\":\"CHUNK=16\"", "\"config\":\"\"", "config"},
        {"\"config\":\"CHUNK=16\"", "\"config\":\"CHUNK=16,CHUNK=16\"", "config"},
        {"\"status\":\"ok\"", "\"status\":\"fine\"", "status"},
        {"\"status\":\"ok\"", "\"status\":\"crashed\"", "crashed"},
        {"\"median_ms\":10.0", "\"median_ms\":-10.0", "median_ms"},
        {"\"median_ms\":10.0", "\"median_ms\":null", "median_ms"},
        {"\"median_ms\":10.0", "\"median_ms\":1e999", "median_ms"},
        {"\"median_ms\":10.0", "\"median_ms\":\"10\"", "median_ms"},
        {"\"median_ms\":10.0", "\"median_ms\":9.0", "gflops"},
        {"\"max_error\":3.25e-07", "\"max_error\":0.01", "max_error"},
        {"\"ceiling_gflops\":1000000.0", "\"ceiling_gflops\":0.001", "ceiling"},
        {"\"build_ms\":210.5", "\"build_ms\":-1", "build_ms"},
        {"\"build_ms\":210.5", "\"build_ms\":1e300", "build_ms"},
        {"\"ceiling_gflops\":1000000.0", "\"ceiling_gflops\":1e300", "ceiling_gflops"},
        {"\"source_hash\":null", "\"source_hash\":\"../..\"", "source_hash"},
        {"\"message\":\"\"", "\"message\":\"in /home/me\"", "message"},
        {"\"recorded_at\":\"20", "\"recorded_at\":\"19-", "recorded_at"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_refused(good, cases[i].from, cases[i].to, cases[i].words);
    ck_assert_int_eq(fixture_number(fixture_path("target.db"), "SELECT count(*) FROM trial"), 0);
    ck_assert_int_eq(fixture_number(fixture_path("target.db"), "SELECT count(*) FROM device"), 0);
}
END_TEST

START_TEST(good_rows_survive_bad_neighbours)
{
    fixture_fill(fixture_path("good.db"), 2);
    export_to(fixture_path("good.db"), fixture_path("good.jsonl"), 2);
    static char text[1 << 18], long_line[1 << 17];
    memset(long_line, 'x', sizeof long_line - 1);
    const char *good = read_file(fixture_path("good.jsonl"));
    snprintf(text, sizeof text, "\n  \nnonsense\n%s\n%s\n", long_line, good);
    fixture_write(fixture_path("mixed.jsonl"), text, strlen(text));
    sqa_exchange exchange = import_from(fixture_path("target.db"), fixture_path("mixed.jsonl"));
    ck_assert_uint_eq(exchange.added, 2);
    ck_assert_uint_eq(exchange.refused, 2);
    ck_assert_str_eq(refused.where, "line 4");
}
END_TEST

/* A merged database may come from anybody: its rows pass the same gate. */
START_TEST(merging_refuses_spoilt_rows)
{
    const char *first = fixture_path("first.db"), *second = fixture_path("second.db");
    fixture_fill(first, 3);
    fixture_run(first, "PRAGMA ignore_check_constraints = ON;"
                       "UPDATE trial SET config = 'CHUNK=5' WHERE id = 1;"
                       "UPDATE trial SET median_ms = 0.5 WHERE id = 2");
    sqa_exchange exchange = listen();
    sqa_store *from = NULL, *store = fixture_open(second);
    ck_assert_int_eq(sqa_store_open_read_only(&from, first), SQA_OK);
    ck_assert_int_eq(sqa_store_merge(store, from, &exchange), SQA_OK);
    ck_assert_uint_eq(exchange.added, 1);
    ck_assert_uint_eq(exchange.refused, 2);
    sqa_store_close(from);
    sqa_store_close(store);
    ck_assert_int_eq(fixture_number(second, "SELECT count(*) FROM trial"), 1);
}
END_TEST

START_TEST(seed_is_an_importable_database)
{
    sqa_store *seed = NULL, *store = fixture_open(fixture_path("tuning.db"));
    ck_assert_msg(sqa_store_open_seed(&seed) == SQA_OK, "%s", sqa_last_error());
    sqa_store_report report;
    ck_assert_int_eq(sqa_store_check(seed, &report), SQA_OK);
    ck_assert(report.sound);
    sqa_exchange exchange = listen();
    ck_assert_int_eq(sqa_store_merge(store, seed, &exchange), SQA_OK);
    ck_assert_msg(exchange.refused == 0, "%s: %s", refused.where, refused.reason);
    ck_assert_int_eq((int64_t)exchange.added, report.trials);
    sqa_store_close(seed);
    sqa_store_close(store);
}
END_TEST

int main(void)
{
    static const TTest *const *const tests[] = {
        &round_trip_changes_nothing,
        &merging_keeps_every_trial,
        &better_winner_stays,
        &impossible_rows_are_refused,
        &good_rows_survive_bad_neighbours,
        &merging_refuses_spoilt_rows,
        &seed_is_an_importable_database,
    };
    return fixture_main("exchange", "text and databases", 120, tests,
                        sizeof tests / sizeof tests[0]);
}
