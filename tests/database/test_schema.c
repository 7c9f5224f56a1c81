/* Schemas come and go: older ones are brought up, newer and foreign ones left alone. */
#include <check.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "database/fixture.h"
#include "store/migrate.h"
#include "tuning/schema.h"

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

int main(void)
{
    static const TTest *const *const tests[] = {
        &newer_schema_is_left_alone,           &another_programs_database_is_left_alone,
        &older_schema_is_brought_up_in_order,  &failed_migration_changes_nothing,
        &migrations_built_in_reach_the_schema,
    };
    Suite *suite = suite_create("schema");
    TCase *tcase = tcase_create("versions");
    tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
    tcase_set_timeout(tcase, 120);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tcase_add_test(tcase, *tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
