/* Files in every state a file can be in: the store says what is wrong with them and
 * destroys nothing. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "database/fixture.h"

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
    sqa_store_report report = {.sound = false};
    if (sqa_store_open_read_only(&store, path) == SQA_OK) {
        if (sqa_store_check(store, &report) == SQA_OK)
            ck_assert_str_ne(report.problem, "");
        sqa_store_close(store);
    }
    ck_assert(!report.sound);
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
    sqa_store_report report;
    ck_assert_int_eq(sqa_store_check(store, &report), SQA_OK);
    ck_assert(report.sound);
    ck_assert_int_eq(report.trials, 0);
    sqa_store_close(store);
}
END_TEST

int main(void)
{
    static const TTest *const *const tests[] = {
        &random_bytes_are_refused_and_kept,
        &damaged_pages_are_found,
        &truncated_file_is_found,
        &folder_in_place_of_the_file,
        &file_in_place_of_a_folder,
        &unwritable_file_says_so,
        &missing_file_is_not_made_by_reading,
        &empty_file_reads_as_no_results,
    };
    return fixture_main("files", "bad states", 120, tests, sizeof tests / sizeof tests[0]);
}
