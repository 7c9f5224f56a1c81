/* What people read and write, whatever it is about: files of text, how far a command is,
 * how wide a terminal is, the range of a figure. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "run_suite.h"
#include "text/gnuplot.h"
#include "text/progress.h"
#include "text/terminal.h"
#include "text/text_file.h"

static char folder[64], path[96];

static void set_up(void)
{
    snprintf(folder, sizeof folder, "/tmp/sqa_texts_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/text", folder);
}

static void tear_down(void)
{
    unlink(path);
    rmdir(folder);
}

static void write_bytes(const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

static const struct {
    const char *bytes;
    size_t size;
    const char *text; /* NULL: it is refused */
} files[] = {
    {"", 0, ""},
    {"a\nb", 3, "a\nb"},
    {"\xef\xbb\xbf", 3, ""},
    {"\xef\xbb\xbf"
     "a\r\n\r\nb\r",
     10, "a\n\nb\r"},
    {"\xef\xbb\xbf\xef\xbb\xbf", 6, "\xef\xbb\xbf"}, /* one mark is a mark */
    {"\xef\xbb", 2, "\xef\xbb"},
    {"a\0b", 3, NULL},
    {"\xff\xfe"
     "a\0",
     4, NULL},
};
enum { FILE_COUNT = sizeof files / sizeof files[0] };

START_TEST(text_files)
{
    char *text = NULL;
    write_bytes(files[_i].bytes, files[_i].size);
    const sqa_status status = sqa_text_file_read("--file", path, &text);
    ck_assert_int_eq(status, files[_i].text ? SQA_OK : SQA_INVALID_ARGUMENT);
    if (files[_i].text)
        ck_assert_str_eq(text, files[_i].text);
    else
        ck_assert_ptr_null(text);
    free(text);
}
END_TEST

START_TEST(long_text_files)
{
    enum { SIZE = 300001 };
    char *bytes = malloc(SIZE), *text = NULL;
    ck_assert_ptr_nonnull(bytes);
    memset(bytes, 'x', SIZE);
    write_bytes(bytes, SIZE);
    ck_assert_int_eq(sqa_text_file_read("--file", path, &text), SQA_OK);
    ck_assert_uint_eq(strlen(text), SIZE);
    free(text);
    free(bytes);
}
END_TEST

START_TEST(no_text_file)
{
    char *text = NULL;
    ck_assert_int_eq(sqa_text_file_read("--file", folder, &text), SQA_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "--file: /tmp/sqa_texts_"));
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), ": Is a directory"));
    ck_assert_int_eq(sqa_text_file_read("--file", path, &text), SQA_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), ": No such file or directory"));
}
END_TEST

START_TEST(terminal_columns)
{
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    unsetenv("COLUMNS");
    ck_assert_int_eq(sqa_terminal_columns(file), 0);
    setenv("COLUMNS", "132", 1);
    ck_assert_int_eq(sqa_terminal_columns(file), 132);
    static const char *const none[] = {"", "0", "39", "-80", "80x", "wide", "100001"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        setenv("COLUMNS", none[i], 1);
        ck_assert_msg(sqa_terminal_columns(file) == 0, "%s", none[i]);
    }
    unsetenv("COLUMNS");
    fclose(file);
}
END_TEST

/* What goes to standard error meanwhile. */
static void draw(sqa_progress *progress, char out[512])
{
    FILE *file = freopen(path, "w+", stderr);
    ck_assert_ptr_nonnull(file);
    sqa_progress_draw(progress, 0.25, "%d of %d", 1, 4);
    sqa_progress_clear(progress);
    fflush(stderr);
    rewind(stderr);
    out[fread(out, 1, 511, stderr)] = '\0';
}

START_TEST(progress_off_a_terminal)
{
    char said[512];
    sqa_progress progress = sqa_progress_begin("verify");
    progress.terminal = false;
    draw(&progress, said);
    ck_assert_str_eq(said, ""); /* it only just began */
    progress.last_s -= progress.pause_s;
    draw(&progress, said);
    ck_assert_str_eq(said, "sqa verify: 25 %, 1 of 4\n");
    draw(&progress, said);
    ck_assert_str_eq(said, "");
    progress = sqa_progress_begin(NULL);
    progress.terminal = false;
    progress.last_s -= 1e6;
    draw(&progress, said);
    ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(progress_on_a_terminal)
{
    char said[512];
    sqa_progress progress = sqa_progress_begin("verify");
    progress.terminal = true;
    draw(&progress, said);
    ck_assert_str_eq(said, "\r[#####...............] 1 of 4\033[K\r\033[K");
    setenv("COLUMNS", "40", 1);
    FILE *file = freopen(path, "w+", stderr);
    ck_assert_ptr_nonnull(file);
    sqa_progress_draw(&progress, 2.0, "a text of more than sixteen characters");
    fflush(stderr);
    rewind(stderr);
    said[fread(said, 1, 511, stderr)] = '\0';
    unsetenv("COLUMNS");
    ck_assert_str_eq(said, "\r[####################] a text of more t\033[K");
}
END_TEST

START_TEST(ranges)
{
    const sqa_range even = sqa_range_of_rate(100.0, 0.0), wide = sqa_range_of_rate(120.0, 0.4);
    ck_assert(even.low == 100.0 && even.high == 100.0);
    ck_assert_double_eq_tol(wide.low, 100.0, 1e-9);
    ck_assert_double_eq_tol(wide.high, 150.0, 1e-9);
    static const double none[] = {-1.0, 2.0, 7.0};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        ck_assert(sqa_range_of_rate(10.0, none[i]).high == 10.0);
    ck_assert(sqa_range_of_rate(10.0, NAN).low == 10.0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("texts");
    TCase *tests = tcase_create("texts");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, text_files, 0, FILE_COUNT);
    tcase_add_test(tests, long_text_files);
    tcase_add_test(tests, no_text_file);
    tcase_add_test(tests, terminal_columns);
    tcase_add_test(tests, progress_off_a_terminal);
    tcase_add_test(tests, progress_on_a_terminal);
    tcase_add_test(tests, ranges);
    suite_add_tcase(suite, tests);
    return sqa_run_forked_suite(suite); /* standard error is taken away */
}
