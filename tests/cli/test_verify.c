/* sqa verify from outside: what is said while it runs and at its end, interruptions, and
 * that what was compiled once is kept. What is checked, and how, is conformance/'s. */
#include <check.h>
#include <glob.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/program.h"
#include "run_suite.h"

#define FEW "verify --tiny --family naive --dtype f32"

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (; (text = strstr(text, part)) != NULL; text += strlen(part))
        count++;
    return count;
}

/* The number behind `key`. */
static long number_after(const char *text, const char *key)
{
    const char *found = strstr(text, key);
    ck_assert_msg(found, "no %s: %s", key, text);
    return strtol(found + strlen(key), NULL, 10);
}

START_TEST(summary)
{
    const program_result *result = run_sqa(FEW);
    ck_assert_msg(result->code == 0, "%s%s", result->out, result->err);
    const long passed = number_after(result->out, "naive  f32  default ");
    const long failed = number_after(result->out, " passed, ");
    ck_assert_int_gt(passed, 10);
    ck_assert_int_eq(failed, 0);
    const char *last = strstr(result->out, " checks, 0 failed\n");
    ck_assert_ptr_nonnull(last);
    while (last[-1] != ' ')
        last--;
    ck_assert_int_eq(strtol(last, NULL, 10), passed);
    result = run_sqa(FEW " --json");
    ck_assert_int_eq(result->code, 0);
    ck_assert_int_eq(number_after(result->out, "\"checked\": "), passed);
    ck_assert_ptr_nonnull(strstr(result->out, "\"interrupted\": false"));
}
END_TEST

/* One line where each of hundreds of checks would say the same. */
START_TEST(impossible_values)
{
    const program_result *result = run_sqa("verify --family rows --set RV=99");
    ck_assert_int_eq(result->code, 2);
    ck_assert_str_eq(result->out, "");
    ck_assert_uint_eq(count_of(result->err, "\n"), 1);
    ck_assert_ptr_nonnull(strstr(result->err, "--set: config: RV=99 is not one of"));
}
END_TEST

/* Only what has kernels is compiled, and only the first time. */
START_TEST(kernels_are_kept)
{
    char cache[128];
    snprintf(cache, sizeof cache, "%s/cache", work_folder);
    ck_assert_int_eq(setenv("SQA_CL_CACHE", cache, 1), 0);
    static const char call[] = "verify --family naive --shape hq=2,n=40,d=16 --log-level debug";
    const program_result *result = run_sqa(call);
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_uint_eq(count_of(result->err, "binary cache: kept"), 1);
    result = run_sqa(call);
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_uint_eq(count_of(result->err, "binary cache: kept"), 0);
    ck_assert_uint_ge(count_of(result->err, "binary cache: loaded"), 1);
    char command[160];
    snprintf(command, sizeof command, "rm -r %s", cache);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(setenv("SQA_CL_CACHE", "off", 1), 0);
}
END_TEST

static void read_text(const char *name, char *out, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", work_folder, name);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    out[fread(out, 1, size - 1, file)] = '\0';
    fclose(file);
}

static pid_t start(const char *format)
{
    char out[128], err[128];
    snprintf(out, sizeof out, "%s/out", work_folder);
    snprintf(err, sizeof err, "%s/err", work_folder);
    fflush(NULL);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        setpgid(0, 0); /* Ctrl-C is for all of it, compilers too */
        if (!freopen(out, "w", stdout) || !freopen(err, "w", stderr))
            _exit(126);
        execl(SQA_PROGRAM, "sqa", "verify", "--full", format, (char *)NULL);
        _exit(127);
    }
    return child;
}

/* Waits until it says how far it is, which it does off a terminal, too. */
static void await_progress(pid_t child)
{
    static char said[65536];
    for (int waited = 0; waited < 150; waited++) {
        int status;
        sleep(1);
        ck_assert_int_eq(waitpid(child, &status, WNOHANG), 0);
        read_text("err", said, sizeof said);
        if (strstr(said, " checks, ")) {
            ck_assert_int_eq(strncmp(said, "sqa verify: ", 12), 0);
            ck_assert_msg(strstr(said, " of ") && strstr(said, " failed, ") &&
                              strstr(said, " left\n"),
                          "%s", said);
            return;
        }
    }
    ck_abort_msg("no progress after 150 s");
}

/* Whether the program runs another one, where the system says so. */
static bool runs_another(pid_t program)
{
    char pattern[64];
    bool found = false;
    glob_t threads;
    snprintf(pattern, sizeof pattern, "/proc/%d/task/*/children", (int)program);
    if (glob(pattern, 0, NULL, &threads))
        return false;
    for (size_t i = 0; i < threads.gl_pathc && !found; i++) {
        FILE *children = fopen(threads.gl_pathv[i], "r");
        found = children && fgetc(children) != EOF;
        if (children)
            fclose(children);
    }
    globfree(&threads);
    return found;
}

/* A terminal's Ctrl-C reaches a runtime's linker as well: the moment to survive. */
static void await_linker(pid_t program)
{
    const struct timespec nap = {0, 1000000};
    for (int waited = 0; waited < 10000 && !runs_another(program); waited++)
        nanosleep(&nap, NULL);
}

static const char *interrupt(const char *format)
{
    static char said[65536];
    int status = 0;
    const pid_t child = start(format);
    await_progress(child);
    await_linker(child);
    kill(-child, SIGINT);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    read_text("err", said, sizeof said);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 1, "status %#x, %s", status, said);
    read_text("out", said, sizeof said);
    return said;
}

START_TEST(interruption)
{
    const char *said = interrupt("--seed=2");
    const long done = number_after(said, "; interrupted after ");
    char all[64];
    ck_assert_int_gt(done, 0);
    snprintf(all, sizeof all, "; interrupted after %ld of ", done);
    ck_assert_int_gt(number_after(said, all), done);
    ck_assert_msg(strstr(said, " checks, 0 failed; interrupted"), "%s", said);
    ck_assert_ptr_nonnull(strstr(said, " passed, 0 failed, "));
}
END_TEST

START_TEST(interrupted_document)
{
    const char *said = interrupt("--json");
    ck_assert_ptr_nonnull(strstr(said, "\"interrupted\": true"));
    ck_assert_int_gt(number_after(said, "\"checked\": "), 0);
    ck_assert_int_eq(strcmp(said + strlen(said) - 3, "\n}\n"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sqa verify");
    TCase *tests = tcase_create("verify");
    tcase_set_timeout(tests, 300);
    tcase_add_checked_fixture(tests, work_folder_set_up, work_folder_tear_down);
    tcase_add_test(tests, summary);
    tcase_add_test(tests, impossible_values);
    tcase_add_test(tests, kernels_are_kept);
    tcase_add_test(tests, interruption);
    tcase_add_test(tests, interrupted_document);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
