/* The library's reader: whatever state the database is in, there is no failure, at
 * most one warning, and never a row that cannot be used. */
#include <check.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "database/fixture.h"
#include "kernels/config_space.h"
#include "operations/tensors.h"
#include "run_suite.h"
#include "tuning/tuning_table.h"

static sqa_tuning_table table;
static fixture_log heard;

static void setup(void)
{
    fixture_setup();
    table = (sqa_tuning_table)SQA_TUNING_TABLE_INIT;
}

static void teardown(void)
{
    sqa_tuning_table_free(&table);
    fixture_teardown();
}

/* Loads and expects this many rows and warnings. */
static void expect(const char *path, size_t rows, int warnings)
{
    sqa_log log = fixture_listen(&heard);
    ck_assert_int_eq(sqa_tuning_table_load_file(&table, path, NULL, &log), SQA_OK);
    ck_assert_msg(heard.count[SQA_LOG_WARNING] == warnings, "%d warnings, the last: %s",
                  heard.count[SQA_LOG_WARNING], heard.last[SQA_LOG_WARNING]);
    ck_assert_int_eq(heard.count[SQA_LOG_ERROR], 0);
    ck_assert_uint_eq(table.count, rows);
    if (warnings) {
        ck_assert_ptr_nonnull(strstr(heard.last[SQA_LOG_WARNING], path));
        ck_assert_ptr_null(strchr(heard.last[SQA_LOG_WARNING], '\n'));
    }
}

START_TEST(reads_the_best_rows)
{
    const char *path = fixture_path("tuning.db");
    fixture_fill(path, 3);
    expect(path, 1, 0);
    const sqa_tuning_row *row = &table.rows[0];
    sqa_device device = fixture_device();
    sqa_problem problem = fixture_problem(1024);
    sqa_problem_class expected = sqa_problem_class_of(&problem);
    ck_assert_int_eq(row->source, SQA_SOURCE_USER);
    ck_assert_mem_eq(&row->identity, &device.identity, sizeof device.identity);
    ck_assert_int_eq(row->device_type, SQA_DEVICE_CPU);
    ck_assert_uint_eq(row->compute_units, 8);
    ck_assert_uint_eq(row->vector_width_float, 8);
    ck_assert_str_eq(row->driver_version, "1.0");
    ck_assert_mem_eq(&row->problem_class, &expected, sizeof expected);
    ck_assert_str_eq(row->family, "naive");
    char digest[SQA_HASH_TEXT];
    sqa_candidates_digest(sqa_family_find(SQA_OPERATION_FORWARD, "naive"), digest);
    ck_assert_str_eq(row->candidates, digest);
    ck_assert_double_eq_tol(row->gflops, sqa_problem_flop(&problem) / 8e6, 1e-3);
    ck_assert_double_eq_tol(row->fraction, row->gflops / 1e6, 1e-12);
    /* A second database adds to the first. */
    expect(path, 2, 0);
}
END_TEST

START_TEST(missing_file_is_silent)
{
    expect(fixture_path("none.db"), 0, 0);
    ck_assert_int_eq(heard.count[SQA_LOG_INFO], 1);
    expect(fixture_path("no/such/folder/none.db"), 0, 0);
    ck_assert_int_eq(sqa_tuning_table_load_file(&table, NULL, NULL, NULL), SQA_OK);
    ck_assert_int_eq(sqa_tuning_table_load_file(&table, "", NULL, NULL), SQA_OK);
    ck_assert_int_ne(access(fixture_path("none.db"), F_OK), 0);
}
END_TEST

START_TEST(empty_file_is_silent)
{
    const char *path = fixture_path("tuning.db");
    fixture_write(path, "", 0);
    expect(path, 0, 0);
}
END_TEST

START_TEST(random_bytes)
{
    const char *path = fixture_path("tuning.db");
    unsigned char bytes[20000];
    for (unsigned seed = 0; seed < 50; seed++) {
        srand(seed);
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (unsigned char)(rand() >> 7);
        fixture_write(path, bytes, 1 + (size_t)rand() % sizeof bytes);
        expect(path, 0, 1);
    }
}
END_TEST

/* Damage anywhere gives right rows or none, and never more than one warning. */
START_TEST(damage_anywhere)
{
    const char *good = fixture_path("good.db"), *path = fixture_path("tuning.db");
    fixture_fill(good, 5);
    static unsigned char bytes[1 << 20];
    FILE *file = fopen(good, "rb");
    ck_assert_ptr_nonnull(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    ck_assert_uint_gt(size, 4096);
    sqa_log log = fixture_listen(&heard);
    for (unsigned seed = 0; seed < 200; seed++) {
        unsigned char saved[64];
        srand(seed);
        size_t at = (size_t)rand() % (size - sizeof saved);
        memcpy(saved, bytes + at, sizeof saved);
        for (size_t i = 0; i < sizeof saved; i++)
            bytes[at + i] = (unsigned char)(rand() >> 7);
        fixture_write(path, bytes, seed % 4 ? size : at + 1);
        memcpy(bytes + at, saved, sizeof saved);
        memset(heard.count, 0, sizeof heard.count);
        ck_assert_int_eq(sqa_tuning_table_load_file(&table, path, NULL, &log), SQA_OK);
        ck_assert_int_le(heard.count[SQA_LOG_WARNING], 1);
        ck_assert_int_eq(heard.count[SQA_LOG_ERROR], 0);
        for (size_t i = 0; i < table.count; i++)
            ck_assert_int_ne(table.rows[i].family[0], 0);
        sqa_tuning_table_free(&table);
    }
}
END_TEST

START_TEST(truncated)
{
    const char *path = fixture_path("tuning.db");
    fixture_fill(path, 5);
    ck_assert_int_eq(truncate(path, 3 * 4096 + 17), 0);
    expect(path, 0, 1);
}
END_TEST

START_TEST(folder)
{
    const char *path = fixture_path("tuning.db");
    ck_assert_int_eq(mkdir(path, 0755), 0);
    expect(path, 0, 1);
}
END_TEST

START_TEST(pipe_does_not_hang)
{
    const char *path = fixture_path("tuning.db");
    ck_assert_int_eq(mkfifo(path, 0644), 0);
    expect(path, 0, 1);
}
END_TEST

START_TEST(unreadable)
{
    const char *path = fixture_path("tuning.db");
    fixture_fill(path, 1);
    ck_assert_int_eq(chmod(path, 0), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        /* Root may read anything; nobody may not. */
        if (geteuid() == 0 && setuid(65534))
            _exit(2);
        sqa_log log = fixture_listen(&heard);
        sqa_status status = sqa_tuning_table_load_file(&table, path, NULL, &log);
        _exit(status != SQA_OK || table.count != 0 || heard.count[SQA_LOG_WARNING] != 1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

START_TEST(read_only_place)
{
    const char *path = fixture_path("tuning.db");
    fixture_fill(path, 1);
    ck_assert_int_eq(chmod(path, 0444), 0);
    expect(path, 1, 0);
}
END_TEST

START_TEST(locked)
{
    const char *path = fixture_path("tuning.db");
    fixture_fill(path, 1);
    sqlite3 *writer = NULL;
    ck_assert_int_eq(sqlite3_open(path, &writer), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(writer, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    expect(path, 0, 1);
    ck_assert_ptr_nonnull(strstr(heard.last[SQA_LOG_WARNING], "locked"));
    ck_assert_int_eq(sqlite3_close(writer), SQLITE_OK);
    expect(path, 1, 0);
}
END_TEST

START_TEST(newer_older_and_foreign_schema)
{
    const char *path = fixture_path("tuning.db");
    fixture_fill(path, 1);
    fixture_run(path, "PRAGMA user_version = 999");
    expect(path, 0, 1);
    ck_assert_ptr_nonnull(strstr(heard.last[SQA_LOG_WARNING], "newer"));
    fixture_run(path, "PRAGMA user_version = 0");
    expect(path, 0, 1);
    ck_assert_ptr_nonnull(strstr(heard.last[SQA_LOG_WARNING], "older"));
    fixture_run(path, "PRAGMA user_version = 1; PRAGMA application_id = 1");
    expect(path, 0, 1);
    ck_assert_ptr_nonnull(strstr(heard.last[SQA_LOG_WARNING], "another program"));
}
END_TEST

START_TEST(table_missing_inside)
{
    const char *path = fixture_path("tuning.db");
    fixture_fill(path, 1);
    fixture_run(path, "DROP VIEW best");
    expect(path, 0, 1);
}
END_TEST

/* Rows that break one rule each, written past the constraints of the schema. */
START_TEST(unusable_rows_are_skipped)
{
    const char *const spoils[] = {
        "UPDATE problem_class SET operation = 'sideways'",
        "UPDATE problem_class SET key = ''",
        "UPDATE problem_class SET key = replace(key, 'd=64,', 'd=0,')",
        "UPDATE problem_class SET key = replace(key, ',d=64,', ',d=4294967360,')", /* 64 if cut */
        "UPDATE problem_class SET key = replace(key, 'q=10', 'q=-1')",
        "UPDATE problem_class SET key = replace(key, 'kv=10', 'kv=64')",
        "UPDATE problem_class SET key = replace(key, 'mask=none', 'mask=zorro')",
        "UPDATE problem_class SET key = key || ',more=1'",
        "UPDATE problem_class SET key = key || char(0) || '1'",
        "UPDATE device SET vendor = ''",
        "UPDATE device SET vendor = 'a vendor whose name does not fit in the field at all'",
        "UPDATE device SET type = 'toaster'",
        "UPDATE device SET compute_units = -8",
        "UPDATE device SET vector_width_float = 4294967296",
        "UPDATE environment SET driver_version = printf('%0200d', 1)",
        "UPDATE environment SET driver_version = '1' || char(0) || '0'",
        "UPDATE trial SET family = ''",
        "UPDATE trial SET family = printf('%032d', 1)",
        "UPDATE trial SET config = printf('%0256d', 1)",
        "UPDATE trial SET candidates = printf('%033d', 1)",
        "UPDATE trial SET space_version = -1",
        "UPDATE trial SET flop = 9e999",
        "UPDATE trial SET flop = -1",
    };
    const char *path = fixture_path("tuning.db");
    for (size_t i = 0; i < sizeof spoils / sizeof spoils[0]; i++) {
        char sql[512];
        remove(path);
        fixture_fill(path, 1);
        snprintf(sql, sizeof sql, "PRAGMA ignore_check_constraints = ON; %s", spoils[i]);
        fixture_run(path, sql);
        expect(path, 0, 1);
        ck_assert_msg(strstr(heard.last[SQA_LOG_WARNING], "1 of 1"), "%s: %s", spoils[i],
                      heard.last[SQA_LOG_WARNING]);
    }
}
END_TEST

/* A database that many devices share: a context holds what can serve its own. */
START_TEST(only_rows_of_the_device_are_kept)
{
    enum { FOREIGN = 50000 };
    const char *path = fixture_path("tuning.db");
    fixture_fill(path, 1);
    char sql[2048];
    snprintf(sql, sizeof sql,
             "INSERT INTO device SELECT NULL, vendor || 's', architecture, model, runtime, type,"
             " platform_name, device_name, device_vendor, board_name, nv_major, nv_minor,"
             " compute_units, max_work_group_size, max_work_item_size_0, max_work_item_size_1,"
             " max_work_item_size_2, local_memory_bytes, local_memory_is_global,"
             " vector_width_float, has_fp64, has_compiler, subgroups, global_memory_bytes,"
             " max_allocation_bytes FROM device;"
             "INSERT INTO environment SELECT NULL, 2, platform_version, device_version,"
             " driver_version, library_version FROM environment;"
             "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i <= %d)"
             " INSERT INTO problem_class SELECT i, 'forward',"
             " printf('dtype=f32,d=%%d,dv=%%d,mask=none,group=1,q=1,kv=1,rows=1', 1 + i / 250,"
             " 1 + i %% 250) FROM n;"
             "INSERT INTO problem SELECT id, id, 'hq=1,n=' || id, '{}' FROM problem_class"
             " WHERE id > 1;"
             "INSERT INTO trial SELECT NULL, 2, problem.id, problem.class, family, space_version,"
             " candidates, config, source_hash, status, median_ms, spread_ms, yardstick_ms,"
             " max_error, modelled, flop,"
             " bytes, ceiling_gflops, ceiling_matrix_gflops, ceiling_copy_gbs, ceiling_read_gbs,"
             " build_ms, samples, seed, final, message, recorded_at FROM trial, problem"
             " WHERE problem.id > 1;"
             "INSERT INTO winner SELECT environment, class, id FROM trial WHERE environment = 2"
             " AND id %% 2",
             FOREIGN);
    fixture_run(path, sql);
    sqa_log log = fixture_listen(&heard);
    sqa_device device = fixture_device();
    ck_assert_int_eq(sqa_tuning_table_load_file(&table, path, &device, &log), SQA_OK);
    ck_assert_int_eq(heard.count[SQA_LOG_WARNING], 0);
    ck_assert_uint_eq(table.count, 1);
    sqa_tuning_table_free(&table);

    /* They are there, for whoever is one of those. */
    snprintf(device.identity.vendor, sizeof device.identity.vendor, "papers");
    ck_assert_int_eq(sqa_tuning_table_load_file(&table, path, &device, &log), SQA_OK);
    ck_assert_uint_eq(table.count, FOREIGN);
    device.strings.type = SQA_DEVICE_GPU;
    ck_assert_int_eq(sqa_tuning_table_load_file(&table, path, &device, &log), SQA_OK);
    snprintf(device.identity.runtime, sizeof device.identity.runtime, "another");
    device.strings.type = SQA_DEVICE_CPU;
    ck_assert_int_eq(sqa_tuning_table_load_file(&table, path, &device, &log), SQA_OK);
    ck_assert_uint_eq(table.count, FOREIGN);
}
END_TEST

START_TEST(words_with_sql_in_them_are_only_words)
{
    const char *path = fixture_path("ro'bert\"); DROP TABLE trial;--.db");
    sqa_store *store = fixture_open(path);
    sqa_device device = fixture_device();
    snprintf(device.strings.driver_version, sizeof device.strings.driver_version,
             "1'; DROP TABLE device; --");
    snprintf(device.identity.model, sizeof device.identity.model, "\"; DELETE FROM trial; --");
    sqa_problem problem = fixture_problem(64);
    int64_t environment;
    ck_assert_int_eq(sqa_store_environment(store, &device, &environment), SQA_OK);
    sqa_trial_record record = fixture_record(environment, &problem, 1.0);
    ck_assert_int_eq(sqa_store_add_trial(store, &record, NULL), SQA_OK);
    sqa_store_close(store);
    expect(path, 1, 0);
    ck_assert_str_eq(table.rows[0].driver_version, device.strings.driver_version);
    ck_assert_str_eq(table.rows[0].identity.model, device.identity.model);
}
END_TEST

START_TEST(seed_loads)
{
    sqa_log log = fixture_listen(&heard);
    ck_assert_int_eq(sqa_tuning_table_load_seed(&table, NULL, &log), SQA_OK);
    ck_assert_int_eq(heard.count[SQA_LOG_WARNING], 0);
    for (size_t i = 0; i < table.count; i++) {
        ck_assert_int_eq(table.rows[i].source, SQA_SOURCE_SEED);
        ck_assert_ptr_nonnull(
            sqa_family_find(table.rows[i].problem_class.operation, table.rows[i].family));
    }
}
END_TEST

START_TEST(user_path_follows_the_environment)
{
    char path[64];
    ck_assert_int_eq(setenv("SQA_CL_DB", "/x/my.db", 1), 0);
    ck_assert_int_eq(setenv("XDG_DATA_HOME", "/data", 1), 0);
    ck_assert_int_eq(setenv("HOME", "/home/me", 1), 0);
    ck_assert(sqa_user_database_path(path, sizeof path));
    ck_assert_str_eq(path, "/x/my.db");
    ck_assert_int_eq(setenv("SQA_CL_DB", "", 1), 0);
    ck_assert(sqa_user_database_path(path, sizeof path));
    ck_assert_str_eq(path, "/data/sqa_cl/tuning.db");
    ck_assert_int_eq(setenv("XDG_DATA_HOME", "data", 1), 0); /* a relative one is ignored */
    ck_assert(sqa_user_database_path(path, sizeof path));
    ck_assert_str_eq(path, "/home/me/.local/share/sqa_cl/tuning.db");
    ck_assert_int_eq(unsetenv("XDG_DATA_HOME"), 0);
    ck_assert(sqa_user_database_path(path, sizeof path));
    ck_assert_str_eq(path, "/home/me/.local/share/sqa_cl/tuning.db");
    ck_assert(!sqa_user_database_path(path, 20));
    ck_assert_int_eq(unsetenv("HOME"), 0);
    ck_assert(!sqa_user_database_path(path, sizeof path));
}
END_TEST

static void expect_paths(const char *const *chosen, const char *first, const char *second)
{
    sqa_database_paths paths;
    ck_assert_int_eq(sqa_extra_database_paths(chosen, &paths), SQA_OK);
    ck_assert_uint_eq(paths.count, second ? 2 : first ? 1 : 0);
    if (first)
        ck_assert_str_eq(paths.paths[0], first);
    if (second)
        ck_assert_str_eq(paths.paths[1], second);
    sqa_database_paths_free(&paths);
}

START_TEST(extra_paths)
{
    static const char *const none[] = {NULL}, *const two[] = {"b.db", "", "/a.db", NULL};
    ck_assert_int_eq(unsetenv("SQA_CL_EXTRA_DBS"), 0);
    expect_paths(NULL, NULL, NULL);
    expect_paths(none, NULL, NULL);
    expect_paths(two, "b.db", "/a.db");
    ck_assert_int_eq(setenv("SQA_CL_EXTRA_DBS", "", 1), 0);
    expect_paths(NULL, NULL, NULL);
    ck_assert_int_eq(setenv("SQA_CL_EXTRA_DBS", "/x/y.db", 1), 0);
    expect_paths(NULL, "/x/y.db", NULL);
    ck_assert_int_eq(setenv("SQA_CL_EXTRA_DBS", ":/x/y.db::file:", 1), 0);
    expect_paths(NULL, "/x/y.db", "file");
    expect_paths(two, "b.db", "/a.db"); /* the option stands before the variable */
    expect_paths(none, NULL, NULL);
}
END_TEST

/* In their order and under their names; what cannot be read is left aside, aloud. */
START_TEST(several_databases)
{
    char user[512], first[512], second[512], missing[512];
    snprintf(user, sizeof user, "%s", fixture_path("user.db"));
    snprintf(first, sizeof first, "%s", fixture_path("first.db"));
    snprintf(second, sizeof second, "%s", fixture_path("second.db"));
    snprintf(missing, sizeof missing, "%s", fixture_path("missing.db"));
    fixture_fill(user, 1);
    fixture_fill(first, 1);
    fixture_fill(second, 1);
    const char *const extras[] = {first, missing, second, NULL};
    const sqa_tuning_sources sources = {user, extras, true};
    const sqa_log log = fixture_listen(&heard);
    ck_assert_int_eq(sqa_tuning_table_load(&table, &sources, NULL, &log), SQA_OK);
    ck_assert_int_eq(heard.count[SQA_LOG_WARNING], 1);
    ck_assert_ptr_nonnull(strstr(heard.last[SQA_LOG_WARNING], missing));
    ck_assert_uint_eq(table.count, 3);
    ck_assert_uint_eq(table.database_count, 3);
    const char *const names[] = {user, first, second};
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(table.rows[i].database, i);
        ck_assert_str_eq(table.databases[i], names[i]);
        ck_assert_int_eq(table.rows[i].source, i ? SQA_SOURCE_EXTRA : SQA_SOURCE_USER);
    }
}
END_TEST

int main(void)
{
    static const TTest *const *const tests[] = {
        &reads_the_best_rows,
        &missing_file_is_silent,
        &empty_file_is_silent,
        &random_bytes,
        &damage_anywhere,
        &truncated,
        &folder,
        &pipe_does_not_hang,
        &unreadable,
        &read_only_place,
        &locked,
        &newer_older_and_foreign_schema,
        &table_missing_inside,
        &unusable_rows_are_skipped,
        &only_rows_of_the_device_are_kept,
        &words_with_sql_in_them_are_only_words,
        &seed_loads,
        &user_path_follows_the_environment,
        &extra_paths,
        &several_databases,
    };
    Suite *suite = suite_create("tuning_table");
    TCase *tcase = tcase_create("reader");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tcase_add_test(tcase, *tests[i]);
    suite_add_tcase(suite, tcase);
    return sqa_run_forked_suite(suite);
}
