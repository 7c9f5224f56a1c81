/* Export, import and merge: nothing changes on the way, nothing impossible gets in. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "database/fixture.h"
#include "store/connection.h"
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
        record.ceilings.fma_gflops = ceilings[i];
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
        {"{\"schema\":2", "{\"schema\":3", "schema"},
        {"{\"schema\":2", "{\"schema\":\"2\"", "schema"},
        {"{\"schema\":2", "{\"schema\":1", "$.problem.shape is not one"},
        {"{\"schema\":2", "{\"schema\":2,,", "JSON"},
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
        {"\"operation\":\"forward\"", "\"operation\":\"select_blocks\"", "not that of its shape"},
        {",d=64\"", ",d=0\"", "d is '0'"},
        {",d=64\"", ",d=2000\"", "d is '2000'"},
        {",d=64\"", ",d=64,sideways\"", "'sideways' is not a key"},
        {",d=64\"", ",d=64,layout=sdhb\"", "layout is 'sdhb'"},
        {"\"shape\":\"b=1", "\"shape\":\"op=sideways,b=1", "expected one of forward"},
        {"\"shape\":\"b=1", "\"shape\":[],\"x\":\"b=1", "$.problem.x is not one"},
        {"hq=8,", "hq=3,", "one must divide the other"},
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
        {"\"candidates\":\"", "\"candidates\":\"../..", "candidates"},
        {"\"ceiling_matrix_gflops\":null", "\"ceiling_matrix_gflops\":0", "ceiling_matrix_gflops"},
        {"\"ceiling_copy_gbs\":null", "\"ceiling_copy_gbs\":1e300", "ceiling_copy_gbs"},
        {"\"ceiling_read_gbs\":null", "\"ceiling_read_gbs\":-1", "ceiling_read_gbs"},
        {"\"message\":\"\"", "\"message\":\"in /home/me\"", "message"},
        {"\"recorded_at\":\"20", "\"recorded_at\":\"19-", "recorded_at"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_refused(good, cases[i].from, cases[i].to, cases[i].words);
    ck_assert_int_eq(fixture_number(fixture_path("target.db"), "SELECT count(*) FROM trial"), 0);
    ck_assert_int_eq(fixture_number(fixture_path("target.db"), "SELECT count(*) FROM device"), 0);
}
END_TEST

/* A line as schema 1 had it, of which some are about. */
#define OLD_LINE(problem, gflops, more)                                                            \
    "{\"schema\":1,\"device\":{\"vendor\":\"paper\",\"architecture\":\"origami\",\"model\":"       \
    "\"tiger-8cu\",\"runtime\":\"pocl\",\"type\":\"cpu\",\"platform_name\":\"Paper\","             \
    "\"device_name\":\"Paper Tiger 8\",\"device_vendor\":\"Paper Inc.\",\"board_name\":\"\","      \
    "\"nv_major\":0,\"nv_minor\":0,\"compute_units\":8,\"max_work_group_size\":4096,"              \
    "\"max_work_item_size_0\":4096,\"max_work_item_size_1\":4096,\"max_work_item_size_2\":4096,"   \
    "\"local_memory_bytes\":1048576,\"local_memory_is_global\":true,\"vector_width_float\":8,"     \
    "\"has_fp64\":true,\"has_compiler\":true,\"global_memory_bytes\":8589934592,"                  \
    "\"max_allocation_bytes\":2147483648},\"environment\":{\"platform_version\":\"OpenCL 3.0\","   \
    "\"device_version\":\"OpenCL 3.0\",\"driver_version\":\"1.0\",\"library_version\":\"0.1.0\"}," \
    "\"problem\":{\"operation\":\"forward\",\"dtype\":\"f32\",\"head_dim\":64,\"value_dim\":64,"   \
    "\"batch\":1,\"q_heads\":8,\"kv_heads\":8,\"q_length\":1024,\"kv_length\":1024," problem       \
    "},\"trial\":{\"family\":\"naive\",\"space_version\":1,\"config\":\"CHUNK=16\","               \
    "\"source_hash\":null,\"status\":\"ok\",\"median_ms\":10.0,\"spread_ms\":0.2,\"max_error\":"   \
    "3.25e-07,\"gflops\":" gflops ",\"ceiling_gflops\":1000.0,\"build_ms\":210.5,\"samples\":11,"  \
    "\"seed\":1,\"final\":true,\"message\":\"\",\"recorded_at\":\"2026-01-31T12:00:00Z\","         \
    "\"winner\":true" more "}}"
#define OLD_PLAIN "\"causal\":\"none\",\"pattern\":\"\",\"write_lse\":0,\"layout\":\"bhsd\""

START_TEST(lines_of_schema_1_are_still_taken_in)
{
    static const struct {
        const char *line, *shape; /* NULL: refused, and `words` say why */
        const char *words;
    } cases[] = {
        {OLD_LINE(OLD_PLAIN, "214.748365", ""), "b=1,hq=8,hkv=8,nq=1024,nk=1024,d=64", NULL},
        {OLD_LINE("\"causal\":\"top-left\",\"pattern\":\"window=1023:0\",\"write_lse\":1,"
                  "\"layout\":\"bshd\"",
                  "107.479040", ""),
         "b=1,hq=8,hkv=8,nq=1024,nk=1024,d=64,causal,align=top-left,lse,layout=bshd", NULL},
        {OLD_LINE("\"causal\":\"none\",\"write_lse\":0,\"layout\":\"strided\"", "214.748365", ""),
         "b=1,hq=8,hkv=8,nq=1024,nk=1024,d=64,layout=strided", NULL},
        {OLD_LINE(OLD_PLAIN, "999.0", ""), NULL, "gflops does not follow"},
        {OLD_LINE(OLD_PLAIN, "214.748365", ",\"candidates\":null"), NULL,
         "$.trial.candidates is not one"},
        {OLD_LINE(OLD_PLAIN ",\"shape\":\"\"", "214.748365", ""), NULL,
         "$.problem.shape is not one"},
        {OLD_LINE("\"causal\":\"sideways\",\"pattern\":\"\",\"write_lse\":0,\"layout\":\"bhsd\"",
                  "214.748365", ""),
         NULL, "align is 'sideways'"},
        {OLD_LINE("\"causal\":\"none\",\"pattern\":7,\"write_lse\":0,\"layout\":\"bhsd\"",
                  "214.748365", ""),
         NULL, "problem.pattern is missing or not a value"},
        {OLD_LINE("\"causal\":\"none\",\"pattern\":\"\",\"write_lse\":2,\"layout\":\"bhsd\"",
                  "214.748365", ""),
         NULL, "lse takes no value"},
        {OLD_LINE("\"causal\":\"none\",\"pattern\":\"\",\"write_lse\":0", "214.748365", ""), NULL,
         "problem.layout is missing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char sql[256];
        fixture_write(fixture_path("old.jsonl"), cases[i].line, strlen(cases[i].line));
        sqa_exchange exchange = import_from(fixture_path("target.db"), fixture_path("old.jsonl"));
        if (!cases[i].shape) {
            ck_assert_msg(exchange.refused == 1 && strstr(refused.reason, cases[i].words),
                          "line %zu is refused as: %s", i, refused.reason);
            continue;
        }
        ck_assert_msg(exchange.added == 1, "line %zu: %s", i, refused.reason);
        snprintf(sql, sizeof sql,
                 "SELECT count(*) FROM result WHERE shape = '%s' AND candidates IS NULL AND"
                 " (bytes IS NULL) = (shape LIKE '%%strided') AND ceiling_copy_gbs IS NULL",
                 cases[i].shape);
        ck_assert_msg(fixture_number(fixture_path("target.db"), sql) == 1, "%s", cases[i].shape);
        exchange = import_from(fixture_path("target.db"), fixture_path("old.jsonl"));
        ck_assert_uint_eq(exchange.known, 1);
    }
}
END_TEST

/* Faster than multiply-adds can be: with matrix units, and only then. */
START_TEST(matrix_units_have_a_ceiling_of_their_own)
{
    static char line[1 << 17];
    fixture_fill(fixture_path("good.db"), 1);
    fixture_run(fixture_path("good.db"), "UPDATE trial SET ceiling_gflops = 20.0");
    export_to(fixture_path("good.db"), fixture_path("good.jsonl"), 1);
    sqa_exchange exchange = import_from(fixture_path("a.db"), fixture_path("good.jsonl"));
    ck_assert_uint_eq(exchange.refused, 1);
    ck_assert_msg(strstr(refused.reason, "ceiling is 20"), "%s", refused.reason);
    static const char *const ceilings[] = {"300.0", "100.0"};
    for (int i = 0; i < 2; i++) {
        const char *good = read_file(fixture_path("good.jsonl"));
        const char *from = "\"ceiling_matrix_gflops\":null", *at = strstr(good, from);
        ck_assert_ptr_nonnull(at);
        snprintf(line, sizeof line, "%.*s\"ceiling_matrix_gflops\":%s%s", (int)(at - good), good,
                 ceilings[i], at + strlen(from));
        fixture_write(fixture_path("fast.jsonl"), line, strlen(line));
        exchange = import_from(fixture_path("b.db"), fixture_path("fast.jsonl"));
        ck_assert_uint_eq(exchange.added, i == 0);
    }
    ck_assert_int_eq(fixture_number(fixture_path("b.db"),
                                    "SELECT round(1000 * fraction_of_ceiling) FROM result"),
                     716);
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
                       "UPDATE trial SET flop = 5.0 WHERE id = 2");
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

#define MODELLED                                                                                   \
    "PRAGMA ignore_check_constraints = ON; UPDATE trial SET status = 'modelled', modelled = 0.75," \
    " median_ms = NULL, spread_ms = NULL, yardstick_ms = NULL, max_error = NULL, build_ms = NULL," \
    " ceiling_gflops = NULL, samples = 0, final = 0, message = 'by hand' "

/* What a model made goes the same ways, and is never taken for a measurement. */
START_TEST(modelled_rows_are_told_apart)
{
    static const struct {
        const char *change, *reason;
    } bad[] = {
        {", modelled = 0.0", "trial.modelled 0; expected more than 0, and 1 at most"},
        {", modelled = 1.5", "trial.modelled 1.5; expected more than 0, and 1 at most"},
        {", modelled = NULL", "trial.modelled nan; expected more than 0, and 1 at most"},
        {", median_ms = 1.0", "trial.status modelled allows no measurement"},
        {", ceiling_gflops = 1.0", "trial.status modelled allows no measurement"},
        {", samples = 3", "trial.status modelled allows no samples, final or victory"},
        {", final = 1", "trial.status modelled allows no samples, final or victory"},
        {", message = ''", "trial.message must say which model it was"},
        {", status = 'crashed'", "trial.modelled is for rows of status modelled"},
        {", config = 'CHUNK=5'", "CHUNK"},
    };
    const char *first = fixture_path("first.db"), *second = fixture_path("second.db");
    fixture_fill(first, 2);
    fixture_run(first, MODELLED "WHERE id = 1");
    export_to(first, fixture_path("first.jsonl"), 2);
    sqa_exchange exchange = import_from(second, fixture_path("first.jsonl"));
    ck_assert_msg(exchange.added == 2, "%s", refused.reason);
    ck_assert_int_eq(fixture_number(second, "SELECT modelled IS NULL FROM best"), 1);
    ck_assert_int_eq(fixture_number(second, "SELECT count(*) FROM best"), 1);
    fixture_run(second, "DELETE FROM trial WHERE status = 'ok'");
    ck_assert_int_eq(fixture_number(second, "SELECT modelled = 0.75 AND gflops IS NULL FROM best"),
                     1);

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char sql[1024];
        sqa_store *from = NULL, *store = NULL;
        snprintf(sql, sizeof sql, "DELETE FROM trial WHERE id = 2; %s%s", MODELLED, bad[i].change);
        fixture_run(first, sql);
        ck_assert_int_eq(sqa_store_open_in_memory(&store), SQA_OK);
        ck_assert_int_eq(sqa_store_open_read_only(&from, first), SQA_OK);
        exchange = listen();
        ck_assert_int_eq(sqa_store_merge(store, from, &exchange), SQA_OK);
        ck_assert_msg(exchange.refused == 1 && strstr(refused.reason, bad[i].reason), "%s: %s",
                      bad[i].change, refused.reason);
        sqa_store_close(from);
        sqa_store_close(store);
    }
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
        &lines_of_schema_1_are_still_taken_in,
        &matrix_units_have_a_ceiling_of_their_own,
        &good_rows_survive_bad_neighbours,
        &merging_refuses_spoilt_rows,
        &modelled_rows_are_told_apart,
        &seed_is_an_importable_database,
    };
    return fixture_main("exchange", "text and databases", 120, tests,
                        sizeof tests / sizeof tests[0]);
}
