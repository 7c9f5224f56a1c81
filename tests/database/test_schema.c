/* Schemas come and go: older ones are brought up, newer and foreign ones left alone. */
#include <check.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "database/fixture.h"
#include "store/migrate.h"
#include "tuning/schema.h"
#include "tuning/tuning_table.h"

START_TEST(newer_schema_is_left_alone)
{
    const char *path = fixture_path("tuning.db");
    fixture_fill(path, 1);
    fixture_run(path, "PRAGMA user_version = 1000");
    sqa_store *store = NULL;
    ck_assert_int_eq(sqa_store_open(&store, path), SQA_DATABASE_ERROR);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "newer"));
    ck_assert_int_eq(sqa_store_open_read_only(&store, path), SQA_DATABASE_ERROR);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "newer"));
    ck_assert_ptr_null(store);
    ck_assert_int_eq(fixture_number(path, "SELECT count(*) FROM trial"), 1);
}
END_TEST

START_TEST(another_programs_database_is_left_alone)
{
    const char *path = fixture_path("tuning.db");
    fixture_run(path, "CREATE TABLE bookmarks (url TEXT); PRAGMA user_version = 0");
    sqa_store *store = NULL;
    ck_assert_int_eq(sqa_store_open(&store, path), SQA_DATABASE_ERROR);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "another program"));
    ck_assert_int_eq(fixture_number(path, "SELECT count(*) FROM sqlite_schema"), 1);
}
END_TEST

/* Three versions of a database as they might have come one after another. */
static const sqa_embedded_file versions[] = {
    {"migrations/003_names.sql", "ALTER TABLE thing RENAME COLUMN label TO name"},
    {"migrations/002_label.sql",
     "ALTER TABLE thing ADD COLUMN label TEXT; UPDATE thing SET label = 'old ' || id;"},
    {"schema.sql", "PRAGMA application_id = 0x53514144; PRAGMA user_version = 3;"
                   "CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT)"},
    {"views.sql", "CREATE VIEW names AS SELECT name FROM thing"},
    {NULL, NULL},
};

static sqa_status migrate(const char *path, const sqa_embedded_file *sql, int version)
{
    sqlite3 *database = NULL;
    ck_assert_int_eq(sqlite3_open(path, &database), SQLITE_OK);
    sqa_status status = sqa_migrate(database, path, sql, version);
    ck_assert_int_eq(sqlite3_close(database), SQLITE_OK);
    return status;
}

START_TEST(older_schema_is_brought_up_in_order)
{
    const char *path = fixture_path("old.db");
    fixture_run(path, "PRAGMA application_id = 0x53514144; PRAGMA user_version = 1;"
                      "CREATE TABLE thing (id INTEGER PRIMARY KEY); INSERT INTO thing VALUES (7);"
                      "CREATE VIEW names AS SELECT id AS name FROM thing;"
                      "CREATE VIEW \"old \"\"view\"\"\" AS SELECT * FROM names");
    ck_assert_msg(migrate(path, versions, 3) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(fixture_number(path, "PRAGMA user_version"), 3);
    ck_assert_int_eq(fixture_number(path, "SELECT name = 'old 7' FROM names"), 1);
    ck_assert_int_eq(fixture_number(path, "SELECT count(*) FROM sqlite_schema WHERE type = 'view'"),
                     1);
    ck_assert_int_eq(migrate(path, versions, 3), SQA_OK);

    const char *fresh = fixture_path("new.db");
    ck_assert_int_eq(migrate(fresh, versions, 3), SQA_OK);
    ck_assert_int_eq(fixture_number(fresh, "SELECT count(*) FROM names"), 0);
}
END_TEST

START_TEST(failed_migration_changes_nothing)
{
    static const sqa_embedded_file broken[] = {
        {"migrations/002_label.sql", "ALTER TABLE thing ADD COLUMN label TEXT"},
        {"migrations/003_oops.sql", "UPDATE nothing SET x = 1"},
        {NULL, NULL},
    };
    const char *path = fixture_path("old.db");
    fixture_run(path, "PRAGMA application_id = 0x53514144; PRAGMA user_version = 1;"
                      "CREATE TABLE thing (id INTEGER PRIMARY KEY)");
    ck_assert_int_eq(migrate(path, broken, 3), SQA_DATABASE_ERROR);
    ck_assert_int_eq(fixture_number(path, "PRAGMA user_version"), 1);
    ck_assert_int_eq(fixture_number(path, "SELECT count(*) FROM pragma_table_info('thing')"), 1);
    ck_assert_int_eq(migrate(path, broken, 4), SQA_DATABASE_ERROR);
    ck_assert_int_eq(migrate(path, broken, 2), SQA_OK);
}
END_TEST

START_TEST(migrations_built_in_reach_the_schema)
{
    /* One file per version from 2 on, none beyond, and the schema's own number. */
    char name[32];
    for (int version = 2; version <= SQA_SCHEMA_VERSION + 1; version++) {
        int files = 0;
        snprintf(name, sizeof name, "migrations/%03d_", version);
        for (const sqa_embedded_file *file = sqa_embedded_sql; file->name; file++)
            files += !strncmp(file->name, name, strlen(name));
        ck_assert_int_eq(files, version <= SQA_SCHEMA_VERSION);
    }
    const char *schema = sqa_embedded_text(sqa_embedded_sql, "schema.sql");
    snprintf(name, sizeof name, "user_version = %d;", SQA_SCHEMA_VERSION);
    ck_assert_ptr_nonnull(strstr(schema, name));
}
END_TEST

static void make_from(const char *path, const char *file)
{
    char *sql = fixture_read(file);
    fixture_run(path, sql);
    free(sql);
}

/* A database as version 1 made it, with a trial that won. */
static void make_version_1(const char *path)
{
    make_from(path, SQA_TEST_SOURCE "/database/schema_1.sql");
    fixture_run(
        path,
        "INSERT INTO device VALUES (3, 'paper', 'origami', 'tiger-8cu', 'pocl', 'cpu', 'Paper',"
        " 'Paper Tiger 8', 'Paper Inc.', '', 0, 0, 8, 4096, 4096, 4096, 4096, 1048576, 1, 8, 1, 1,"
        " 8589934592, 2147483648);"
        "INSERT INTO environment VALUES (5, 3, 'OpenCL 3.0', 'OpenCL 3.0', '1.0', '0.1.0');"
        "INSERT INTO problem_class VALUES (7, 'forward', 'f32', 64, 64, 'none', 1, 10, 10, 3);"
        "INSERT INTO trial VALUES (9, 5, 7, 1, 8, 8, 1024, 1024, 'none', 0, 'bhsd', 'naive', 1,"
        " 'CHUNK=16', NULL, 'ok', 10.0, 0.2, 3.25e-07, 214.748365, 1000.0, 210.5, 11, 1, 1, '',"
        " '2026-01-31T12:00:00Z');"
        "INSERT INTO winner VALUES (5, 7, 9)");
}

static sqa_tuning_table read_table(const char *path, const sqa_device *device)
{
    fixture_log heard;
    sqa_log log = fixture_listen(&heard);
    sqa_tuning_table table = SQA_TUNING_TABLE_INIT;
    ck_assert_int_eq(sqa_tuning_table_load_file(&table, path, device, &log), SQA_OK);
    ck_assert_msg(heard.count[SQA_LOG_WARNING] == 0, "%s", heard.last[SQA_LOG_WARNING]);
    return table;
}

static int64_t count_best(const char *path)
{
    sqa_tuning_table table = read_table(path, NULL);
    int64_t count = (int64_t)table.count;
    sqa_tuning_table_free(&table);
    return count;
}

static sqa_status expect_the_winner(void *user, const sqa_stored_trial *trial)
{
    (void)user;
    ck_assert_msg(trial != NULL, "%s", sqa_last_error());
    ck_assert_int_eq(trial->id, 9);
    ck_assert(trial->winner);
    ck_assert_uint_eq(trial->device.limits.subgroup_sizes[0], 0);
    return SQA_OK;
}

/* The library and whoever looks only leave the file as it is; a writer brings it up. */
START_TEST(version_1_is_read_and_brought_up)
{
    const char *path = fixture_path("tuning.db"), *fresh = fixture_path("fresh.db");
    const sqa_store_filter all = {0};
    make_version_1(path);
    ck_assert_int_eq(count_best(path), 1);
    sqa_store *store = NULL;
    ck_assert_msg(sqa_store_open_read_only(&store, path) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(sqa_store_each(store, &all, expect_the_winner, NULL), SQA_OK);
    sqa_store_close(store);
    ck_assert_int_eq(fixture_number(path, "PRAGMA user_version"), 1);

    store = fixture_open(path);
    sqa_store_report report;
    ck_assert_int_eq(sqa_store_check(store, &report), SQA_OK);
    ck_assert_msg(report.sound, "%s", report.problem);
    ck_assert_int_eq(report.winners, 1);
    ck_assert_int_eq(sqa_store_each(store, &all, expect_the_winner, NULL), SQA_OK);
    sqa_store_close(store);
    ck_assert_int_eq(fixture_number(path, "PRAGMA user_version"), SQA_SCHEMA_VERSION);
    ck_assert_int_eq(count_best(path), 1);

    /* And is then as if it had been made today. */
    sqa_store_close(fixture_open(fresh));
    char *brought_up = fixture_schema(path), *made = fixture_schema(fresh);
    ck_assert_str_eq(brought_up, made);
    free(brought_up);
    free(made);
}
END_TEST

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* What the library would choose from, a line per class; the caller frees it. */
static char *choices(const char *path)
{
    static char lines[32][1024];
    sqa_text text = SQA_TEXT_INIT;
    sqa_tuning_table table = read_table(path, NULL);
    ck_assert_uint_le(table.count, 32);
    for (size_t i = 0; i < table.count; i++) {
        const sqa_tuning_row *row = &table.rows[i];
        char key[SQA_CLASS_KEY_TEXT];
        sqa_problem_class_format(&row->problem_class, key);
        snprintf(lines[i], sizeof lines[i], "%s %s %s: %s(%s) version %u, %.3f GFLOP/s, %.4f\n",
                 row->identity.model, row->driver_version, key, row->family, row->config,
                 row->space_version, row->gflops, row->fraction);
    }
    qsort(lines, table.count, sizeof lines[0], by_text);
    for (size_t i = 0; i < table.count; i++)
        sqa_text_append(&text, lines[i]);
    sqa_tuning_table_free(&table);
    return text.data;
}

/* All of a trial but its problem, which both versions have under the same names. */
#define FACTS                                                                                      \
    "SELECT group_concat(fact, char(10)) FROM (SELECT id || ' ' || environment || ' ' || class ||" \
    " ' ' || family || space_version || config || coalesce(source_hash, '-') || status ||"         \
    " coalesce(median_ms, '-') || coalesce(spread_ms, '-') || coalesce(max_error, '-') ||"         \
    " coalesce(round(gflops, 4), '-') || coalesce(ceiling_gflops, '-') ||"                         \
    " coalesce(build_ms, '-') || samples || ' ' || seed || final || message || recorded_at ||"     \
    " winner AS fact FROM result ORDER BY id)"

START_TEST(version_2_is_read_and_brought_up)
{
    static const char *const shapes[] = {
        "b=1,hq=8,hkv=8,nq=1000,nk=1000,d=64,lse,layout=bshd",
        "b=1,hq=8,hkv=2,nq=4096,nk=4096,d=128,dv=64,dtype=f16,causal,window=128:0,lse,layout=bshd",
        "b=1,hq=8,hkv=8,nq=1024,nk=1024,d=64,causal,align=top-left,softcap=30,sinks",
        "b=1,hq=8,hkv=8,nq=1024,nk=1024,d=64,causal,layout=strided",
        "b=1,hq=8,hkv=8,nq=512,nk=512,d=64,blocks=64x64@0.25/h",
    };
    const char *path = fixture_path("tuning.db"), *fresh = fixture_path("fresh.db");
    make_from(path, SQA_TEST_SOURCE "/database/schema_2.sql");
    char *before = choices(path), *facts_before = fixture_text(path, FACTS);
    ck_assert_int_eq(count_best(path), 6);
    sqa_store *store = NULL;
    ck_assert_msg(sqa_store_open_read_only(&store, path) == SQA_OK, "%s", sqa_last_error());
    sqa_store_report report;
    ck_assert_int_eq(sqa_store_check(store, &report), SQA_OK);
    sqa_store_close(store);
    ck_assert_int_eq(report.trials, 15);
    ck_assert_int_eq(fixture_number(path, "PRAGMA user_version"), 2);

    store = fixture_open(path);
    ck_assert_int_eq(sqa_store_check(store, &report), SQA_OK);
    sqa_store_close(store);
    ck_assert_msg(report.sound, "%s", report.problem);
    ck_assert_int_eq(report.devices, 2);
    ck_assert_int_eq(report.environments, 3);
    ck_assert_int_eq(report.classes, 5);
    ck_assert_int_eq(report.trials, 15);
    ck_assert_int_eq(report.winners, 3);
    ck_assert_int_eq(report.best, 6);
    ck_assert_int_eq(report.reopened, 3); /* nobody knows any more what they were the best of */
    ck_assert_int_eq(report.quarantined, 1);
    char *after = choices(path), *facts_after = fixture_text(path, FACTS);
    ck_assert_str_eq(after, before);
    ck_assert_str_eq(facts_after, facts_before);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        char sql[256];
        snprintf(sql, sizeof sql, "SELECT count(*) FROM result WHERE shape = '%s'", shapes[i]);
        ck_assert_msg(fixture_number(path, sql) == 1, "%s", shapes[i]);
    }
    /* What moves is known where the shape says it; no text says that one pattern. */
    ck_assert_int_eq(fixture_number(path, "SELECT count(*) FROM trial WHERE bytes IS NULL"), 2);
    ck_assert_int_eq(fixture_number(path, "SELECT count(*) FROM problem WHERE shape LIKE"
                                          " '%mask=strided' AND fields ->> 'nq' = 512"),
                     1);

    sqa_store_close(fixture_open(fresh));
    char *brought_up = fixture_schema(path), *made = fixture_schema(fresh);
    ck_assert_str_eq(brought_up, made);
    char *const texts[] = {before, after, facts_before, facts_after, brought_up, made};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
}
END_TEST

/* Where nothing of what was measured changes: modelled rows come in, and what probes found. */
static const struct {
    const char *file;
    int version, trials, winners, best;
    const char *kept; /* of one row: a condition on what newer tables have, or had already */
} unchanged[] = {
    {SQA_TEST_SOURCE "/database/schema_3.sql", 3, 16, 3, 6,
     "yardstick_ms = 0.75 AND candidates = '0011' AND ceiling_read_gbs = 900.0 AND modelled IS"
     " NULL"},
    {SQA_TEST_SOURCE "/database/schema_4.sql", 4, 5, 1, 3,
     "modelled = 0.75 AND status = 'modelled' AND message = 'a model'"},
};
static void expect_brought_up(int from)
{
    const char *path = fixture_path("tuning.db"), *fresh = fixture_path("fresh.db");
    char sql[256];
    make_from(path, unchanged[from].file);
    char *before = choices(path), *facts_before = fixture_text(path, FACTS);
    ck_assert_int_eq(count_best(path), unchanged[from].best);
    ck_assert_int_eq(fixture_number(path, "PRAGMA user_version"), unchanged[from].version);

    sqa_store *store = fixture_open(path);
    sqa_store_report report;
    ck_assert_int_eq(sqa_store_check(store, &report), SQA_OK);
    sqa_store_close(store);
    ck_assert_msg(report.sound, "%s", report.problem);
    ck_assert_int_eq(report.trials, unchanged[from].trials);
    ck_assert_int_eq(report.winners, unchanged[from].winners);
    ck_assert_int_eq(report.best, unchanged[from].best);
    char *after = choices(path), *facts_after = fixture_text(path, FACTS);
    ck_assert_str_eq(after, before);
    ck_assert_str_eq(facts_after, facts_before);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM trial WHERE %s", unchanged[from].kept);
    ck_assert_int_eq(fixture_number(path, sql), 1);

    sqa_store_close(fixture_open(fresh));
    char *brought_up = fixture_schema(path), *made = fixture_schema(fresh);
    ck_assert_str_eq(brought_up, made);
    char *const texts[] = {before, after, facts_before, facts_after, brought_up, made};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
}

START_TEST(version_3_is_read_and_brought_up)
{
    expect_brought_up(0);
}
END_TEST

START_TEST(version_4_is_read_and_brought_up)
{
    expect_brought_up(1);
}
END_TEST

/* Of an older file, too, only what can serve the device is kept. */
START_TEST(older_files_are_read_for_one_device)
{
    const char *path = fixture_path("tuning.db");
    sqa_device device = fixture_device();
    make_from(path, SQA_TEST_SOURCE "/database/schema_2.sql");
    sqa_tuning_table table = read_table(path, &device);
    ck_assert_uint_eq(table.count, 4);
    for (size_t i = 0; i < table.count; i++) {
        ck_assert_str_eq(table.rows[i].identity.vendor, "paper");
        ck_assert_str_eq(table.rows[i].candidates, "");
    }
    sqa_tuning_table_free(&table);
}
END_TEST

int main(void)
{
    static const TTest *const *const tests[] = {
        &newer_schema_is_left_alone,           &another_programs_database_is_left_alone,
        &older_schema_is_brought_up_in_order,  &failed_migration_changes_nothing,
        &migrations_built_in_reach_the_schema, &version_1_is_read_and_brought_up,
        &version_2_is_read_and_brought_up,     &version_3_is_read_and_brought_up,
        &version_4_is_read_and_brought_up,     &older_files_are_read_for_one_device,
    };
    return fixture_main("schema", "versions", 120, tests, sizeof tests / sizeof tests[0]);
}
