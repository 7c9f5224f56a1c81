/* The store: what is written is read back, schemas come and go, files are in every
 * state a file can be in. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "database/fixture.h"
#include "store/migrate.h"
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
    ck_assert_str_eq(trial->layout, "bhsd");
    ck_assert_uint_eq(trial->q_length, 1024);
    ck_assert_int_eq(trial->result.status, SQA_TRIAL_OK);
    ck_assert_double_eq(trial->result.median_ms, 10.0);
    ck_assert_double_eq(trial->result.max_error, 3.25e-7);
    ck_assert_uint_eq(trial->result.samples, 11);
    ck_assert_uint_eq((uint64_t)trial->seed, UINT64_MAX - 6);
    sqa_problem problem = fixture_problem(1024);
    ck_assert_double_eq_tol(trial->gflops, sqa_problem_flops(&problem) / 1e7, 1e-5);
    ck_assert_double_eq_tol(trial->fraction_of_ceiling, trial->gflops / 1e6, 1e-12);
    ck_assert_uint_eq(strlen(trial->recorded_at), 20);
    ck_assert_int_eq(trial->winner, false);
    sqa_problem_class expected = sqa_problem_class_of(&problem);
    ck_assert(sqa_problem_class_equal(&trial->problem_class, &expected));
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

/* Schemas */

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
    {"migrations/003_names.sql", "ALTER TABLE thing RENAME COLUMN label TO name;"
                                 "CREATE VIEW names AS SELECT name FROM thing;"},
    {"migrations/002_label.sql",
     "ALTER TABLE thing ADD COLUMN label TEXT; UPDATE thing SET label = 'old ' || id;"},
    {"schema.sql", "PRAGMA application_id = 0x53514144; PRAGMA user_version = 3;"
                   "CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT);"
                   "CREATE VIEW names AS SELECT name FROM thing;"},
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
                      "CREATE TABLE thing (id INTEGER PRIMARY KEY); INSERT INTO thing VALUES (7)");
    ck_assert_msg(migrate(path, versions, 3) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(fixture_number(path, "PRAGMA user_version"), 3);
    ck_assert_int_eq(fixture_number(path, "SELECT name = 'old 7' FROM names"), 1);
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

/* Files in a bad state */

static void expect_failure(const char *path, const char *words)
{
    sqa_store *store = NULL;
    ck_assert_int_eq(sqa_store_open(&store, path), SQA_DATABASE_ERROR);
    ck_assert_msg(strstr(sqa_last_error(), words) && strstr(sqa_last_error(), path),
                  "'%s' does not say '%s'", sqa_last_error(), words);
    ck_assert_ptr_null(store);
}

START_TEST(random_bytes_are_refused_and_kept)
{
    const char *path = fixture_path("tuning.db");
    unsigned char bytes[8192];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 13);
    fixture_write(path, bytes, sizeof bytes);
    expect_failure(path, "not a tuning database");
    struct stat info;
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_int_eq(info.st_size, sizeof bytes);
}
END_TEST

START_TEST(damaged_pages_are_found)
{
    const char *path = fixture_path("tuning.db");
    fixture_fill(path, 10);
    FILE *file = fopen(path, "r+b");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, 3 * 4096, SEEK_SET), 0);
    for (int i = 0; i < 6 * 4096; i++)
        fputc(0xa5, file);
    ck_assert_int_eq(fclose(file), 0);
    sqa_store *store = NULL;
    if (sqa_store_open_read_only(&store, path) == SQA_OK) {
        sqa_store_report report;
        if (sqa_store_check(store, &report) == SQA_OK) {
            ck_assert(!report.sound);
            ck_assert_str_ne(report.problem, "");
        }
        sqa_store_close(store);
    }
}
END_TEST

START_TEST(truncated_file_is_found)
{
    const char *path = fixture_path("tuning.db");
    fixture_fill(path, 10);
    ck_assert_int_eq(truncate(path, 5000), 0);
    sqa_store *store = NULL;
    sqa_store_report report = {.sound = false};
    if (sqa_store_open(&store, path) == SQA_OK) {
        (void)!sqa_store_check(store, &report);
        sqa_store_close(store);
    }
    ck_assert(!report.sound);
}
END_TEST

START_TEST(folder_in_place_of_the_file)
{
    const char *path = fixture_path("tuning.db");
    ck_assert_int_eq(mkdir(path, 0755), 0);
    expect_failure(path, "not a file");
}
END_TEST

START_TEST(file_in_place_of_a_folder)
{
    fixture_write(fixture_path("plain"), "x", 1);
    sqa_store *store = NULL;
    ck_assert_int_eq(sqa_store_open(&store, fixture_path("plain/tuning.db")), SQA_DATABASE_ERROR);
    ck_assert_int_eq(sqa_store_open_read_only(&store, fixture_path("plain/tuning.db")),
                     SQA_DATABASE_ERROR);
}
END_TEST

START_TEST(unwritable_file_says_so)
{
    const char *path = fixture_path("tuning.db");
    fixture_fill(path, 1);
    ck_assert_int_eq(chmod(path, 0444), 0);
    fflush(NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        if (geteuid() == 0 && setuid(65534))
            _exit(3);
        sqa_store *store = NULL;
        if (sqa_store_open(&store, path) != SQA_DATABASE_ERROR)
            _exit(1);
        if (!strstr(sqa_last_error(), "cannot be written"))
            _exit(2);
        if (sqa_store_open_read_only(&store, path) != SQA_OK)
            _exit(4);
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

START_TEST(missing_file_is_not_made_by_reading)
{
    const char *path = fixture_path("none.db");
    sqa_store *store = NULL;
    ck_assert_int_eq(sqa_store_open_read_only(&store, path), SQA_DATABASE_ERROR);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "sqa tune"));
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(empty_file_reads_as_no_results)
{
    const char *path = fixture_path("tuning.db");
    fixture_write(path, "", 0);
    sqa_store *store = NULL;
    ck_assert_int_eq(sqa_store_open_read_only(&store, path), SQA_OK);
    collected out = {.count = 0};
    sqa_store_filter all = {0};
    ck_assert_int_eq(sqa_store_each(store, &all, collect, &out), SQA_OK);
    ck_assert_int_eq(out.count, 0);
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
    Suite *suite = suite_create("store");
    const struct {
        const char *name;
        const TTest *const *tests;
        size_t count;
    } cases[] = {
#define CASE(name, ...)                                                                            \
    {name, (const TTest *const[]){__VA_ARGS__},                                                    \
     sizeof((const TTest *const[]){__VA_ARGS__}) / sizeof(TTest *)}
        CASE("trials", folders_and_file_are_made, environment_is_found_again,
             trial_is_read_back_as_written, failures_are_trials_too_but_never_best,
             impossible_success_is_refused, best_is_fastest_until_there_is_a_winner,
             resuming_finds_the_latest_search_trial, filters_select),
        CASE("schemas", newer_schema_is_left_alone, another_programs_database_is_left_alone,
             older_schema_is_brought_up_in_order, failed_migration_changes_nothing,
             migrations_built_in_reach_the_schema),
        CASE("files", random_bytes_are_refused_and_kept, damaged_pages_are_found,
             truncated_file_is_found, folder_in_place_of_the_file, file_in_place_of_a_folder,
             unwritable_file_says_so, missing_file_is_not_made_by_reading,
             empty_file_reads_as_no_results),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        TCase *tcase = tcase_create(cases[i].name);
        tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
        tcase_set_timeout(tcase, 120);
        for (size_t j = 0; j < cases[i].count; j++)
            tcase_add_test(tcase, cases[i].tests[j]);
        suite_add_tcase(suite, tcase);
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
