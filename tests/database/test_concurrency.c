/* Several processes on one database, and processes that die in the middle. */
#include <check.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "database/fixture.h"
#include "tuning/tuning_table.h"

enum { WRITERS = 4, READERS = 4 };

/* How much is done: a little, or (SQA_TEST_SIZE=full) for about a minute. */
static int by_size(int quick, int full)
{
    const char *size = getenv("SQA_TEST_SIZE");
    return size && !strcmp(size, "full") ? full : quick;
}

/* Runs in a child: opens the store, which may not exist yet, and adds trials, each
 * group of five with a winner. The exit status says which step failed. */
static int write_trials(const char *path, uint32_t length, int count, int report)
{
    sqa_store *store = NULL;
    sqa_device device = fixture_device();
    sqa_problem problem = fixture_problem(length);
    int64_t environment, trial;
    if (sqa_store_open(&store, path) != SQA_OK ||
        sqa_store_environment(store, &device, &environment) != SQA_OK) {
        fprintf(stderr, "%s\n", sqa_last_error());
        return 1;
    }
    for (int i = 0; i < count; i++) {
        sqa_trial_record record = fixture_record(environment, &problem, 100.0 - i % 90);
        if (sqa_store_add_trial(store, &record, &trial) != SQA_OK ||
            (i % 5 == 4 && sqa_store_set_winner(store, trial) != SQA_OK)) {
            fprintf(stderr, "%s\n", sqa_last_error());
            return 2;
        }
        if (report >= 0 && write(report, &trial, sizeof trial) != sizeof trial)
            return 3;
    }
    sqa_store_close(store);
    return 0;
}

static sqa_status expect_readable(void *user, const sqa_stored_trial *trial)
{
    ++*(int64_t *)user;
    return trial ? SQA_OK : SQA_DATABASE_ERROR;
}

/* Every trial can be read while others are added, and none goes away meanwhile. */
static bool list_and_check(const char *path)
{
    const sqa_store_filter all = {0};
    sqa_store *store = NULL;
    sqa_store_report report;
    int64_t before = 0, after = 0;
    if (access(path, F_OK))
        return true;
    bool good = sqa_store_open_read_only(&store, path) == SQA_OK &&
                sqa_store_each(store, &all, expect_readable, &before) == SQA_OK &&
                sqa_store_check(store, &report) == SQA_OK && report.sound &&
                sqa_store_each(store, &all, expect_readable, &after) == SQA_OK && after >= before;
    if (!good)
        fprintf(stderr, "%s\n", sqa_last_error());
    sqa_store_close(store);
    return good;
}

/* Runs in a child: what a context does when it is made, and what `sqa db` does, again
 * and again. */
static int read_trials(const char *path, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        fixture_log heard;
        sqa_log log = fixture_listen(&heard);
        sqa_tuning_table table = SQA_TUNING_TABLE_INIT;
        if (sqa_tuning_table_load_file(&table, path, NULL, &log) != SQA_OK)
            return 1;
        if (heard.count[SQA_LOG_WARNING]) {
            fprintf(stderr, "%s\n", heard.last[SQA_LOG_WARNING]);
            return 2;
        }
        for (size_t row = 0; row < table.count; row++)
            if (strcmp(table.rows[row].family, "naive"))
                return 3;
        sqa_tuning_table_free(&table);
        if (i % 20 == 19 && !list_and_check(path))
            return 4;
        const struct timespec pause = {0, 2000000};
        nanosleep(&pause, NULL);
    }
    return 0;
}

static void expect_clean_exit(pid_t child)
{
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
}

static void expect_sound(const char *path, int64_t trials)
{
    sqa_store *store = NULL;
    sqa_store_report report;
    ck_assert_msg(sqa_store_open_read_only(&store, path) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(sqa_store_check(store, &report), SQA_OK);
    ck_assert_msg(report.sound, "%s", report.problem);
    if (trials >= 0)
        ck_assert_int_eq(report.trials, trials);
    sqa_store_close(store);
}

START_TEST(writers_and_readers_at_once)
{
    const char *path = fixture_path("deep/er/tuning.db");
    const int trials = by_size(25, 800);
    pid_t children[WRITERS + READERS];
    fflush(NULL);
    for (int i = 0; i < WRITERS + READERS; i++) {
        children[i] = fork();
        ck_assert_int_ge(children[i], 0);
        if (children[i] == 0)
            _exit(i < WRITERS ? write_trials(path, 64u << i, trials, -1)
                              : read_trials(path, by_size(40, 600)));
    }
    for (int i = 0; i < WRITERS + READERS; i++)
        expect_clean_exit(children[i]);
    expect_sound(path, WRITERS * trials);
    ck_assert_int_eq(fixture_number(path, "SELECT count(*) FROM device"), 1);
    ck_assert_int_eq(fixture_number(path, "SELECT count(*) FROM environment"), 1);
    ck_assert_int_eq(fixture_number(path, "SELECT count(*) FROM problem_class"), WRITERS);
    ck_assert_int_eq(fixture_number(path, "SELECT count(*) FROM winner"), WRITERS);
}
END_TEST

START_TEST(many_processes_make_one_database)
{
    for (int round = 0; round < 5; round++) {
        char name[32];
        snprintf(name, sizeof name, "new/%d/tuning.db", round);
        const char *path = fixture_path(name);
        pid_t children[8];
        fflush(NULL);
        for (int i = 0; i < 8; i++) {
            children[i] = fork();
            ck_assert_int_ge(children[i], 0);
            if (children[i] == 0)
                _exit(write_trials(path, 128, 1, -1));
        }
        for (int i = 0; i < 8; i++)
            expect_clean_exit(children[i]);
        expect_sound(path, 8);
        ck_assert_int_eq(fixture_number(path, "SELECT count(*) FROM problem_class"), 1);
    }
}
END_TEST

/* Waits until the writer is committing: its journal is there. */
static void wait_for_journal(const char *path)
{
    char journal[600];
    snprintf(journal, sizeof journal, "%s-journal", path);
    for (int i = 0; i < 1000000 && access(journal, F_OK); i++)
        continue;
}

/* Kills a writer after a while, `committing` at once after it began to write; every
 * trial it reported must be there. */
static void kill_writer(const char *path, long microseconds, bool committing)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        close(ends[0]);
        _exit(write_trials(path, 256, 100000, ends[1]));
    }
    close(ends[1]);
    int64_t trial = 0, last = 0;
    ck_assert_int_eq(read(ends[0], &last, sizeof last), sizeof last);
    const struct timespec pause = {0, microseconds * 1000};
    nanosleep(&pause, NULL);
    if (committing)
        wait_for_journal(path);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status));
    while (read(ends[0], &trial, sizeof trial) == sizeof trial)
        last = trial;
    close(ends[0]);

    /* The library comes first: it may only read, and still sees every trial. */
    fixture_log heard;
    sqa_log log = fixture_listen(&heard);
    sqa_tuning_table table = SQA_TUNING_TABLE_INIT;
    ck_assert_int_eq(sqa_tuning_table_load_file(&table, path, NULL, &log), SQA_OK);
    ck_assert_msg(heard.count[SQA_LOG_WARNING] == 0, "%s", heard.last[SQA_LOG_WARNING]);
    ck_assert_uint_eq(table.count, 1);
    sqa_tuning_table_free(&table);
    expect_sound(path, -1);
    char sql[80];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM trial WHERE id <= %lld", (long long)last);
    ck_assert_int_eq(fixture_number(path, sql), last);
}

START_TEST(killed_writers_lose_nothing)
{
    const char *path = fixture_path("tuning.db");
    srand(12345);
    const int rounds = by_size(12, 200);
    for (int round = 0; round < rounds; round++)
        kill_writer(path, rand() % 20000, 2 * round >= rounds);
    /* And the next one goes on. */
    int64_t before = fixture_number(path, "SELECT count(*) FROM trial");
    fflush(NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(write_trials(path, 256, 3, -1));
    expect_clean_exit(child);
    expect_sound(path, before + 3);
}
END_TEST

/* A journal that is left behind, made for certain: the process ends inside a
 * transaction whose pages have reached the file. */
START_TEST(reader_rolls_a_hot_journal_back)
{
    const char *path = fixture_path("tuning.db");
    fixture_fill(path, 2);
    fflush(NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        sqlite3 *writer = NULL;
        int code = sqlite3_open(path, &writer);
        if (code == SQLITE_OK)
            code = sqlite3_exec(writer,
                                "PRAGMA cache_size = 2; BEGIN IMMEDIATE;"
                                "UPDATE trial SET config = 'half done';"
                                "CREATE TABLE filler (bytes BLOB);"
                                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                                " WHERE i < 500) INSERT INTO filler SELECT randomblob(4000) FROM n",
                                NULL, NULL, NULL);
        _exit(code); /* without closing: the journal stays */
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    char journal[512];
    snprintf(journal, sizeof journal, "%s-journal", path);
    ck_assert_int_eq(access(journal, F_OK), 0);
    fixture_log heard;
    sqa_log log = fixture_listen(&heard);
    sqa_tuning_table table = SQA_TUNING_TABLE_INIT;
    ck_assert_int_eq(sqa_tuning_table_load_file(&table, path, NULL, &log), SQA_OK);
    ck_assert_msg(heard.count[SQA_LOG_WARNING] == 0, "%s", heard.last[SQA_LOG_WARNING]);
    ck_assert_uint_eq(table.count, 1);
    ck_assert_str_ne(table.rows[0].config, "half done");
    sqa_tuning_table_free(&table);
    expect_sound(path, 2);
}
END_TEST

START_TEST(writer_waits_for_another)
{
    const char *path = fixture_path("tuning.db");
    fixture_fill(path, 1);
    /* The child is made first: SQLite takes locks inherited by fork() for its own. */
    int ends[2];
    char go = 0;
    ck_assert_int_eq(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(read(ends[0], &go, 1) == 1 ? write_trials(path, 64, 2, -1) : 9);
    sqlite3 *holder = NULL;
    ck_assert_int_eq(sqlite3_open(path, &holder), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(holder, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(write(ends[1], &go, 1), 1);
    const struct timespec pause = {0, 400000000};
    nanosleep(&pause, NULL);
    int status;
    ck_assert_int_eq(waitpid(child, &status, WNOHANG), 0); /* still waiting */
    ck_assert_int_eq(sqlite3_exec(holder, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(holder), SQLITE_OK);
    expect_clean_exit(child);
    expect_sound(path, 3);
}
END_TEST

int main(void)
{
    static const TTest *const *const tests[] = {
        &writers_and_readers_at_once, &many_processes_make_one_database,
        &killed_writers_lose_nothing, &reader_rolls_a_hot_journal_back,
        &writer_waits_for_another,
    };
    return fixture_main("concurrency", "processes", 900, tests, sizeof tests / sizeof tests[0]);
}
