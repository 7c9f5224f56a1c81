/* The files that commands write, one way for all of them: links are followed, devices and
 * pipes written to, what fails leaves the older file whole, and what a command reads it
 * does not write. What text/output.c does by itself is tests/unit/test_output.c. */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/draft.h"
#include "cli/run_inputs.h"
#include "run_suite.h"

#define RUN "run --q @/q.npy --k @/k.npy --v @/v.npy"
#define BENCH "bench --variant mha --heads 1 --seq 16 --dim 8 --rounds 1 --csv"
#define RECORD "tune --shape hq=1,n=16,d=8 --family naive --set CHUNK=16 --budget 1t"
#define CAPTURE "capture --out @"
#define KEY "0123456789abcdef0123456789abcdef"

/* Every command that has one, with its output called out.svg. */
static const struct {
    const char *arguments, *start;
    bool draws;      /* it takes gnuplot */
    bool prints;     /* standard output has something else to take */
    unsigned little; /* bytes that its output has more of, but no file on the way to it; 0:
                        there are none such */
} commands[] = {
    {RUN " --out @/out.svg", "\x93NUMPY", false, false, 1u << 20},
    {RUN " --out @/o.npy --lse @/out.svg", "\x93NUMPY", false, false, 0},
    {"db export --seed-db --out @/out.svg", "{\"schema\":2,", false, false, 512},
    {"report --seed-db --no-pictures --out @/out.svg", "<!DOCTYPE html>", false, false, 512},
    {BENCH " --plot @/out.svg", "<?xml ", true, true, 0},
    {RECORD " --record @/out.svg", "{\"schema\":1,\"kind\":\"sweep\"", false, false, 256},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void path_of(char out[128], const char *name)
{
    snprintf(out, 128, "%s/%s", work_folder, name);
}

/* Each @ is the folder. */
static const program_result *run_in_folder(const char *arguments)
{
    char words[2048] = "";
    size_t used = 0;
    for (; *arguments; arguments++)
        used +=
            (size_t)snprintf(words + used, sizeof words - used, *arguments == '@' ? "%s" : "%.1s",
                             *arguments == '@' ? work_folder : arguments);
    ck_assert_uint_lt(used, sizeof words);
    return run_sqa("%s", words);
}

static void make(const char *name, const char *text)
{
    char path[128];
    path_of(path, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static void make_link(const char *target, const char *name)
{
    char path[128];
    path_of(path, name);
    ck_assert_int_eq(symlink(target, path), 0);
}

static void check_start(const char *name, const char *start)
{
    char path[128], text[64] = "";
    path_of(path, name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "no %s", name);
    ck_assert_uint_gt(fread(text, 1, sizeof text - 1, file), 0);
    fclose(file);
    ck_assert_msg(!strncmp(text, start, strlen(start)), "%s starts with '%s'", name, text);
}

static void check_no_draft(void)
{
    DIR *folder = opendir(work_folder);
    ck_assert_ptr_nonnull(folder);
    for (struct dirent *item; (item = readdir(folder));)
        ck_assert_msg(strncmp(item->d_name, SQA_DRAFT_PREFIX, sizeof SQA_DRAFT_PREFIX - 1) != 0,
                      "%s was left behind", item->d_name);
    closedir(folder);
}

static void check_failed(const program_result *result, int code, const char *message)
{
    ck_assert_msg(result->code == code, "exit %d: %.900s", result->code, result->err);
    ck_assert_msg(strstr(result->err, message) != NULL, "%.900s", result->err);
    check_no_draft();
}

static void check_one_line(const char *text)
{
    const char *end = strchr(text, '\n');
    ck_assert_msg(end && !end[1], "not one line: %.900s", text);
}

static run_inputs inputs;
static bool has_gnuplot;

static void set_up(void)
{
    work_folder_set_up();
    make_run_inputs(&inputs, "hq=8,hkv=1,n=1024,d=64", false);
    make("tuning.db", "");
    has_gnuplot = system("command -v gnuplot >/dev/null 2>&1") == 0;
}

static void tear_down(void)
{
    char disk[128];
    path_of(disk, "disk");
    umount(disk); /* if a test left it mounted */
    free_run_inputs(&inputs);
    work_folder_tear_down();
}

START_TEST(replaced_where_the_name_leads)
{
    char path[128];
    struct stat info;
    if (commands[_i].draws && !has_gnuplot)
        return;
    make("target", "old");
    path_of(path, "target");
    ck_assert_int_eq(chmod(path, 0640), 0);
    make_link("target", "link");
    make_link("link", "out.svg");
    const program_result *result = run_in_folder(commands[_i].arguments);
    ck_assert_msg(result->code == 0, "%.900s", result->err);
    check_start("target", commands[_i].start);
    ck_assert_int_eq(lstat(path, &info), 0);
    ck_assert_uint_eq(info.st_mode & 07777, 0640);
    path_of(path, "out.svg");
    ck_assert_int_eq(lstat(path, &info), 0);
    ck_assert(S_ISLNK(info.st_mode));
    check_no_draft();
}
END_TEST

/* Copies a pipe into the file "got". */
static void read_pipe(const char *pipe)
{
    char path[128], bytes[4096];
    path_of(path, "got");
    int from = open(pipe, O_RDONLY), to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (from < 0 || to < 0)
        _exit(1);
    for (ssize_t got = 1; got > 0;) {
        got = read(from, bytes, sizeof bytes);
        if (got < 0 || write(to, bytes, (size_t)got) != got)
            _exit(2);
    }
    _exit(0);
}

START_TEST(pipes_are_written_to)
{
    char path[128];
    struct stat info;
    int status = 0;
    if (commands[_i].draws && !has_gnuplot)
        return;
    path_of(path, "out.svg");
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    fflush(NULL);
    pid_t reader = fork();
    ck_assert_int_ge(reader, 0);
    if (reader == 0)
        read_pipe(path);
    const program_result *result = run_in_folder(commands[_i].arguments);
    ck_assert_msg(result->code == 0, "%.900s", result->err);
    ck_assert_int_eq(waitpid(reader, &status, 0), reader);
    ck_assert_int_eq(status, 0);
    check_start("got", commands[_i].start);
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert(S_ISFIFO(info.st_mode));
}
END_TEST

START_TEST(standard_output_has_nothing_else)
{
    if (commands[_i].draws && !has_gnuplot)
        return;
    make_link("/dev/stdout", "out.svg");
    const program_result *result = run_in_folder(commands[_i].arguments);
    if (commands[_i].prints) {
        check_failed(result, 2, "is also standard output");
        ck_assert_str_eq(result->out, "");
        return;
    }
    ck_assert_msg(result->code == 0, "%.900s", result->err);
    ck_assert_msg(!strncmp(result->out, commands[_i].start, strlen(commands[_i].start)), "%.300s",
                  result->out);
    ck_assert_ptr_null(strstr(result->out, "out.svg"));
}
END_TEST

START_TEST(a_full_device)
{
    if (commands[_i].draws && !has_gnuplot)
        return;
    make_link("/dev/full", "out.svg");
    const program_result *result = run_in_folder(commands[_i].arguments);
    check_failed(result, 1, "out.svg cannot be written: No space left on device\n");
    ck_assert(!work_file_exists("o.npy"));
}
END_TEST

static const program_result *run_with_little(const char *arguments, unsigned bytes)
{
    file_limit = bytes;
    const program_result *result = run_in_folder(arguments);
    file_limit = 0;
    return result;
}

START_TEST(little_room)
{
    if (!commands[_i].little)
        return;
    make("out.svg", "old");
    check_failed(run_with_little(commands[_i].arguments, commands[_i].little), 1,
                 "out.svg cannot be written: File too large\n");
    check_start("out.svg", "old");
}
END_TEST

/* One page of disk, which the older file takes. */
START_TEST(a_full_disk)
{
    char disk[128];
    path_of(disk, "disk");
    ck_assert_int_eq(mkdir(disk, 0755), 0);
    if ((commands[_i].draws && !has_gnuplot) || mount("tmpfs", disk, "tmpfs", 0, "size=4k"))
        return; /* only root may */
    make("disk/older", "old");
    make_link("disk/older", "out.svg");
    const program_result *result = run_in_folder(commands[_i].arguments);
    check_failed(result, 1, "out.svg cannot be written: No space left on device\n");
    check_start("out.svg", "old");
    ck_assert(!work_file_exists("o.npy"));
    DIR *folder = opendir(disk);
    ck_assert_ptr_nonnull(folder);
    int files = 0;
    while (readdir(folder))
        files++;
    closedir(folder);
    ck_assert_int_eq(files, 3); /* with . and .. */
}
END_TEST

START_TEST(a_full_disk_when_capturing)
{
    check_failed(run_with_little(CAPTURE " --shape hq=1,n=16,d=8 --family naive", 256), 1,
                 ".cl cannot be written: File too large\n");
    ck_assert(!work_file_exists("manifest.tsv"));
}
END_TEST

START_TEST(a_document_is_printed_alone)
{
    make_link("/dev/stdout", "out.svg");
    const program_result *result = run_in_folder(RECORD " --json --record @/out.svg");
    check_failed(result, 2, "is also standard output");
    ck_assert_str_eq(result->out, "");
}
END_TEST

/* "hard" is another name of q.npy, "link.svg" a link to tuning.db, which is what
 * $SQA_CL_DB names. */
static const struct {
    const char *arguments, *message;
} refused[] = {
    {RUN " --out @/q.npy", "q.npy is read as --q"},
    {RUN " --out @/./v.npy", "v.npy is read as --v"},
    {RUN " --out @/o.npy --lse @/hard", "--lse: "},
    {RUN " --bias @/bias.npy --out @/bias.npy", "bias.npy is read as --bias"},
    {RUN " --alibi @/slopes.npy --out @/slopes.npy", "slopes.npy is read as --alibi"},
    {RUN " --out @/tuning.db", "tuning.db is read as --db"},
    {RUN " --out @/q2.npy --db @/q2.npy", "q2.npy is read as --db"},
    {RUN " --out @/o.npy --lse @/./o.npy", "is written as --"},
    {RUN " --out @/o.npy --lse @/dangling", "is written as --"},
    {"db export --out @/link.svg", "link.svg is read as --db"},
    {"db export --db @/q.npy --out @/hard", "hard is read as --db"},
    {"report --out @/tuning.db", "tuning.db is read as --db"},
    {"report --db @/hard --out @/q.npy", "q.npy is read as --db"},
    {BENCH " --plot @/link.svg", "link.svg is read as --db"},
    {RECORD " --record @/tuning.db", "tuning.db is read as --db"},
    {RECORD " --record @/shapes --shapes @/shapes", "shapes is read as --shapes"},
    {"tune --record-borrowed @/tuning.db", "tuning.db is read as --db"},
    {"tune --shape hq=1,n=16,d=8 --record-borrowed @/shapes --shapes @/shapes",
     "shapes is read as --shapes"},
    {CAPTURE " --add " KEY "=@/" KEY ".bin", KEY ".bin is read as --add"},
    {CAPTURE " --add " KEY "=@/q.npy --add " KEY "=@/k.npy", KEY ".bin is written as --out"},
    {CAPTURE " --shape hq=1,n=16,d=8 --db @/manifest.tsv", "manifest.tsv is read as --db"},
    {"db import @/tuning.db", "is the database it would be taken into"},
    {"db merge @/link.svg", "is the database it would be taken into"},
};
enum { REFUSED = sizeof refused / sizeof refused[0] };

START_TEST(what_is_read_is_not_written)
{
    char path[128], other[128];
    const uint64_t pairs[2] = {1024, 1024}, heads[1] = {8};
    path_of(path, "q.npy");
    path_of(other, "hard");
    ck_assert_int_eq(link(path, other), 0);
    make("tuning.db", "old");
    make("q2.npy", "old");
    make("shapes", "# none\n");
    make(KEY ".bin", "old");
    make_link("tuning.db", "link.svg");
    make_link("o.npy", "dangling");
    save_array("bias.npy", "<f4", 2, pairs, NULL, 4);
    save_array("slopes.npy", "<f4", 1, heads, NULL, 4);
    const program_result *result = run_in_folder(refused[_i].arguments);
    check_failed(result, 2, refused[_i].message);
    check_one_line(result->err);
    ck_assert_str_eq(result->out, "");
    check_start("q.npy", "\x93NUMPY");
    check_start("bias.npy", "\x93NUMPY");
    check_start("tuning.db", "old");
    check_start(KEY ".bin", "old");
    ck_assert(!work_file_exists("o.npy"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("outputs");
    TCase *tests = tcase_create("of every command");
    tcase_set_timeout(tests, 180);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, replaced_where_the_name_leads, 0, COMMANDS);
    tcase_add_loop_test(tests, pipes_are_written_to, 0, COMMANDS);
    tcase_add_loop_test(tests, standard_output_has_nothing_else, 0, COMMANDS);
    tcase_add_test(tests, a_document_is_printed_alone);
    tcase_add_loop_test(tests, a_full_device, 0, COMMANDS);
    tcase_add_loop_test(tests, little_room, 0, COMMANDS);
    tcase_add_loop_test(tests, a_full_disk, 0, COMMANDS);
    tcase_add_test(tests, a_full_disk_when_capturing);
    tcase_add_loop_test(tests, what_is_read_is_not_written, 0, REFUSED);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
