/* Files that are written: what a name leads to is what is replaced or written to, and
 * whatever fails, the older file stays whole and no draft is left. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run_suite.h"
#include "text/command_files.h"
#include "text/output.h"

static char folder[64];

/* In a folder of the test's own, which is the current one, so that names are short. */
static void set_up(void)
{
    snprintf(folder, sizeof folder, "/tmp/sqa_output_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    umask(022);
}

static void tear_down(void)
{
    DIR *listed = opendir(".");
    ck_assert_ptr_nonnull(listed);
    for (struct dirent *item; (item = readdir(listed));) {
        ck_assert_msg(strncmp(item->d_name, SQA_DRAFT_PREFIX, sizeof SQA_DRAFT_PREFIX - 1) != 0,
                      "%s was left behind", item->d_name);
        if (strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0)
            ck_assert_int_eq(remove(item->d_name), 0);
    }
    closedir(listed);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void make(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static void check_text(const char *name, const char *expected)
{
    char text[64] = "";
    FILE *file = fopen(name, "r");
    ck_assert_msg(file != NULL, "no %s", name);
    ck_assert_uint_lt(fread(text, 1, sizeof text - 1, file), sizeof text - 1);
    fclose(file);
    ck_assert_msg(!strcmp(text, expected), "%s is '%s', not '%s'", name, text, expected);
}

static void check_is_link(const char *name)
{
    struct stat info;
    ck_assert_int_eq(lstat(name, &info), 0);
    ck_assert_msg(S_ISLNK(info.st_mode), "%s is no link any more", name);
}

static unsigned mode_of(const char *name)
{
    struct stat info;
    ck_assert_int_eq(stat(name, &info), 0);
    return info.st_mode & 07777;
}

static sqa_status write_text(const char *name, const char *text)
{
    sqa_output out;
    sqa_status status = sqa_output_open(&out, "--out", name);
    if (status != SQA_OK)
        return status;
    fputs(text, out.file);
    return sqa_output_close(&out, SQA_OK);
}

static void check_written(const char *name)
{
    ck_assert_msg(write_text(name, "new") == SQA_OK, "%s: %s", name, sqa_last_error());
}

START_TEST(new_files)
{
    check_written("new");
    check_text("new", "new");
    ck_assert_uint_eq(mode_of("new"), 0644);
    umask(077);
    check_written("mine");
    ck_assert_uint_eq(mode_of("mine"), 0600);
    char longest[256];
    memset(longest, 'n', 255);
    longest[255] = '\0';
    check_written(longest);
}
END_TEST

START_TEST(links_stay)
{
    ck_assert_int_eq(mkdir("deep", 0755), 0);
    make("deep/target", "old");
    ck_assert_int_eq(chmod("deep/target", 0640), 0);
    ck_assert_int_eq(symlink("target", "deep/inner"), 0);
    ck_assert_int_eq(symlink("deep/inner", "outer"), 0);
    check_written("outer");
    check_is_link("outer");
    check_is_link("deep/inner");
    check_text("deep/target", "new");
    ck_assert_uint_eq(mode_of("deep/target"), 0640);
    /* Where nothing is yet. */
    ck_assert_int_eq(remove("deep/target"), 0);
    check_written("outer");
    check_is_link("outer");
    check_text("deep/target", "new");
    ck_assert_uint_eq(mode_of("deep/target"), 0644);
    ck_assert_int_eq(symlink("loop", "loop"), 0);
    ck_assert_int_eq(write_text("loop", "new"), SQA_DATABASE_ERROR);
    ck_assert_int_eq(remove("deep/target") | remove("deep/inner"), 0);
}
END_TEST

/* Not even by another process that reads while it is written. */
START_TEST(half_a_file_is_never_seen)
{
    sqa_output out;
    make("file", "old");
    ck_assert_int_eq(sqa_output_open(&out, "--out", "file"), SQA_OK);
    fputs("new", out.file);
    check_text("file", "old");
    ck_assert_int_eq(sqa_output_complete(&out), SQA_OK);
    check_text("file", "old");
    ck_assert_int_eq(sqa_output_keep(&out), SQA_OK);
    check_text("file", "new");
    sqa_output_discard(&out);
    ck_assert_int_eq(sqa_output_open(&out, "--out", "file"), SQA_OK);
    fputs("newer", out.file);
    ck_assert_int_eq(sqa_output_close(&out, SQA_UNSUPPORTED), SQA_UNSUPPORTED);
    check_text("file", "new");
}
END_TEST

START_TEST(a_full_disk)
{
    const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY}, little = {4096, RLIM_INFINITY};
    sqa_output out;
    make("file", "old");
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
    ck_assert_int_eq(sqa_output_open(&out, "--out", "file"), SQA_OK);
    for (int i = 0; i < 10000; i++)
        fputc('n', out.file);
    sqa_status status = sqa_output_close(&out, SQA_OK);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
    ck_assert_int_eq(status, SQA_DATABASE_ERROR);
    ck_assert_str_eq(sqa_last_error(), "--out: file cannot be written: File too large");
    check_text("file", "old");
    ck_assert_int_eq(write_text("/dev/full", "new"), SQA_DATABASE_ERROR);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "No space left on device"));
}
END_TEST

START_TEST(what_a_killed_process_left)
{
    char left[64];
    snprintf(left, sizeof left, SQA_DRAFT_PREFIX "%ld-0", (long)getpid());
    make(left, "half");
    check_written("file");
    check_text("file", "new");
    check_text(left, "half");
    ck_assert_int_eq(remove(left), 0);
}
END_TEST

START_TEST(devices_and_pipes_are_written_to)
{
    char got[8] = "";
    struct stat info;
    check_written("/dev/null");
    ck_assert_int_eq(stat("/dev/null", &info), 0);
    ck_assert(S_ISCHR(info.st_mode));
    ck_assert_int_eq(mkfifo("pipe", 0600), 0);
    ck_assert_int_eq(symlink("pipe", "link"), 0);
    int reader = open("pipe", O_RDONLY | O_NONBLOCK);
    ck_assert_int_ge(reader, 0);
    check_written("link");
    ck_assert_int_eq(read(reader, got, sizeof got), 3);
    ck_assert_str_eq(got, "new");
    ck_assert_int_eq(stat("pipe", &info), 0);
    ck_assert(S_ISFIFO(info.st_mode));
    close(reader);
}
END_TEST

/* A file that has no name any more cannot be replaced. */
START_TEST(a_nameless_file_is_written_to)
{
    char path[64], got[8] = "";
    make("gone", "older");
    int file = open("gone", O_RDWR);
    ck_assert_int_eq(remove("gone"), 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    check_written(path);
    ck_assert_int_eq(pread(file, got, sizeof got, 0), 3);
    ck_assert_str_eq(got, "new");
    close(file);
    ck_assert_int_ne(access("gone (deleted)", F_OK), 0);
}
END_TEST

/* What others wrote before into the same file stays, and what is said goes elsewhere. */
START_TEST(standard_output_goes_on)
{
    fflush(NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        if (!freopen("stdout", "w", stdout))
            _exit(1);
        fputs("before ", stdout);
        if (write_text("/dev/stdout", "new") != SQA_OK || write_text("stdout", "er") != SQA_OK)
            _exit(2);
        if (sqa_output_words("stdout") != stderr || sqa_output_words("other") != stdout)
            _exit(3);
        fputs(" after", stdout);
        fflush(NULL);
        _exit(0);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%x", (unsigned)status);
    check_text("stdout", "before newer after");
}
END_TEST

/* As nobody, for whom write protection means something. */
START_TEST(write_protection)
{
    make("file", "old");
    ck_assert_int_eq(chmod("file", 0444), 0);
    ck_assert_int_eq(chmod(".", 0777), 0);
    fflush(NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        if (geteuid() == 0 && setuid(65534))
            _exit(1);
        const sqa_command_file named = {"--out", "file", SQA_FILE_WRITTEN};
        if (sqa_command_files_check(&named, 1) != SQA_INVALID_ARGUMENT)
            _exit(2);
        if (write_text("file", "new") != SQA_DATABASE_ERROR)
            _exit(3);
        _exit(strstr(sqa_last_error(), "Permission denied") ? 0 : 4);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%x", (unsigned)status);
    check_text("file", "old");
}
END_TEST

START_TEST(root_does_not_take_a_file_away)
{
    struct stat info;
    if (geteuid() != 0)
        return;
    make("file", "old");
    ck_assert_int_eq(chown("file", 1234, 5678), 0);
    check_written("file");
    ck_assert_int_eq(stat("file", &info), 0);
    ck_assert_uint_eq(info.st_uid, 1234);
    ck_assert_uint_eq(info.st_gid, 5678);
}
END_TEST

/* One output, and what else there is. */
static const struct {
    const char *output, *other;
    sqa_file_use use;
    const char *message; /* NULL: both can be */
} pairs[] = {
    {"new", "file", SQA_FILE_READ, NULL},
    {"file", "new", SQA_FILE_READ, NULL},
    {"file", NULL, SQA_FILE_READ, NULL},
    {"file", "missing/file", SQA_FILE_READ, NULL},
    {"new", "newer", SQA_FILE_WRITTEN, NULL},
    {"file", "file", SQA_FILE_READ, "--out: file is read as --in; expected a file of its own"},
    {"./file", "file", SQA_FILE_READ, "--out: ./file is read as --in"},
    {"deep/../file", "file", SQA_FILE_READ, "is read as --in"},
    {"link", "file", SQA_FILE_READ, "--out: link is read as --in"},
    {"file", "link", SQA_FILE_READ, "is read as --in"},
    {"hard", "file", SQA_FILE_READ, "is read as --in"},
    {"file", "hard", SQA_FILE_WRITTEN, "--out: file is written as --in"},
    {"new", "./new", SQA_FILE_WRITTEN, "is written as --in"},
    {"new", "deep/../new", SQA_FILE_WRITTEN, "is written as --in"},
    {"new", "dangling", SQA_FILE_WRITTEN, "is written as --in"},
    {"pipe", "pipe", SQA_FILE_READ, "is read as --in"},
    {"/dev/null", "/dev/null", SQA_FILE_READ, NULL},
    {"/dev/null", "/dev/null", SQA_FILE_WRITTEN, NULL},
    {"", "file", SQA_FILE_READ, "--out is empty; expected the name of a file"},
    {"deep", "file", SQA_FILE_READ, "--out: deep is a folder"},
    {"missing/new", "file", SQA_FILE_READ, "--out: missing/new cannot be written: No such file"},
    {"file/new", "file", SQA_FILE_READ, "cannot be written: Not a directory"},
    {"new", "deep", SQA_FILE_WRITTEN, "--in: deep is a folder"},
};
enum { PAIR_COUNT = sizeof pairs / sizeof pairs[0] };

START_TEST(files_of_a_command)
{
    make("file", "old");
    ck_assert_int_eq(mkdir("deep", 0755), 0);
    ck_assert_int_eq(link("file", "hard") | mkfifo("pipe", 0600), 0);
    ck_assert_int_eq(symlink("file", "link") | symlink("new", "dangling"), 0);
    const sqa_command_file files[] = {{"--out", pairs[_i].output, SQA_FILE_WRITTEN},
                                      {"--in", pairs[_i].other, pairs[_i].use}};
    sqa_status status = sqa_command_files_check(files, 2);
    ck_assert_msg(status == (pairs[_i].message ? SQA_INVALID_ARGUMENT : SQA_OK), "%d: %s", _i,
                  sqa_last_error());
    if (pairs[_i].message)
        ck_assert_msg(strstr(sqa_last_error(), pairs[_i].message) != NULL, "%d: %s", _i,
                      sqa_last_error());
    check_text("file", "old");
}
END_TEST

START_TEST(what_is_printed_is_an_output)
{
    const sqa_command_file files[] = {{"standard output", NULL, SQA_FILE_PRINTED},
                                      {"--out", "stdout", SQA_FILE_WRITTEN}};
    ck_assert_int_eq(sqa_command_files_check(files, 2), SQA_OK);
    fflush(NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        if (!freopen("stdout", "w", stdout))
            _exit(1);
        if (sqa_command_files_check(files, 2) != SQA_INVALID_ARGUMENT)
            _exit(2);
        _exit(strstr(sqa_last_error(), "stdout is also standard output") ? 0 : 3);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%x", (unsigned)status);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("output");
    TCase *tcase = tcase_create("files");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, new_files);
    tcase_add_test(tcase, links_stay);
    tcase_add_test(tcase, half_a_file_is_never_seen);
    tcase_add_test(tcase, a_full_disk);
    tcase_add_test(tcase, what_a_killed_process_left);
    tcase_add_test(tcase, devices_and_pipes_are_written_to);
    tcase_add_test(tcase, a_nameless_file_is_written_to);
    tcase_add_test(tcase, standard_output_goes_on);
    tcase_add_test(tcase, write_protection);
    tcase_add_test(tcase, root_does_not_take_a_file_away);
    tcase_add_loop_test(tcase, files_of_a_command, 0, PAIR_COUNT);
    tcase_add_test(tcase, what_is_printed_is_an_output);
    suite_add_tcase(suite, tcase);
    return sqa_run_forked_suite(suite);
}
