/* Texts, error details, log messages, embedded files. */
#include <pthread.h>
#include <string.h>

#include "base/embedded.h"
#include "base/log.h"
#include "base/status.h"
#include "base/text.h"
#include "base/utf8.h"
#include "run_suite.h"

START_TEST(texts_grow)
{
    sqa_text text = SQA_TEXT_INIT;
    ck_assert_str_eq(sqa_text_get(&text), "");
    sqa_text_append(&text, "");
    ck_assert_str_eq(sqa_text_get(&text), "");
    for (int i = 0; i < 1000; i++)
        sqa_text_format(&text, "%03d,", i);
    ck_assert_uint_eq(text.length, 4000);
    ck_assert_uint_eq(strlen(sqa_text_get(&text)), 4000);
    ck_assert_int_eq(strncmp(sqa_text_get(&text) + 3996, "999,", 5), 0);
    ck_assert_int_eq(sqa_text_status(&text), SQA_OK);
    sqa_text_free(&text);
    ck_assert_str_eq(sqa_text_get(&text), "");
    ck_assert_uint_eq(text.length, 0);
}
END_TEST

START_TEST(a_failed_text_stays_failed)
{
    sqa_text text = SQA_TEXT_INIT;
    text.failed = true;
    sqa_text_append(&text, "lost");
    sqa_text_format(&text, "%s", "lost too");
    ck_assert_int_eq(sqa_text_status(&text), SQA_OUT_OF_MEMORY);
    sqa_text_free(&text);
    ck_assert_int_eq(sqa_text_status(&text), SQA_OK);
}
END_TEST

START_TEST(details)
{
    ck_assert_int_eq(sqa_fail(SQA_UNSUPPORTED, "%s: %d", "field", 7), SQA_UNSUPPORTED);
    ck_assert_str_eq(sqa_last_error(), "field: 7");
    /* Re-wording a failure reads the old detail while the new one is written. */
    sqa_fail(SQA_UNSUPPORTED, "again: %s", sqa_last_error());
    ck_assert_str_eq(sqa_last_error(), "again: field: 7");
    ck_assert_int_eq(sqa_fail_memory("a plan"), SQA_OUT_OF_MEMORY);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "a plan"));
}
END_TEST

START_TEST(long_details_are_cut)
{
    char text[10000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    sqa_fail(SQA_BUILD_FAILED, "%s", text);
    ck_assert_uint_gt(strlen(sqa_last_error()), 1000);
    ck_assert_uint_lt(strlen(sqa_last_error()), sizeof text - 1);
}
END_TEST

static void *detail_of_another_thread(void *seen)
{
    strcpy(seen, sqa_last_error());
    sqa_fail(SQA_UNSUPPORTED, "other");
    return NULL;
}

START_TEST(details_are_per_thread)
{
    pthread_t thread;
    char seen[4096] = "unset";
    sqa_fail(SQA_UNSUPPORTED, "mine");
    ck_assert_int_eq(pthread_create(&thread, NULL, detail_of_another_thread, seen), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_str_eq(seen, "");
    ck_assert_str_eq(sqa_last_error(), "mine");
}
END_TEST

typedef struct heard {
    int count;
    sqa_log_level level;
    char message[64];
} heard;

static void listen(void *user, sqa_log_level level, const char *message)
{
    heard *h = user;
    h->count++;
    h->level = level;
    strncpy(h->message, message, sizeof h->message - 1);
}

START_TEST(utf8)
{
    static const char *const bad[] = {"\xff",     "\xc0\x80", "\xed\xa0\x80",    "\xf4\x90\x80\x80",
                                      "\xe2\x82", "a\x80",    "\xf0\x80\x80\x80"};
    char out[16];
    ck_assert(sqa_utf8_is_valid(""));
    ck_assert(sqa_utf8_is_valid("a \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert(!sqa_utf8_is_valid(bad[i]));
    ck_assert_str_eq(sqa_utf8_clean("a\x1b[2J\xc2\x9b\xff", out, sizeof out, true),
                     "a [2J \xef\xbf\xbd");
    ck_assert_str_eq(sqa_utf8_clean("a\tb\n", out, sizeof out, false), "a\tb\n");
    /* No character is cut. */
    ck_assert_str_eq(sqa_utf8_clean("\xc3\xa9\xc3\xa9", out, 4, false), "\xc3\xa9");
    ck_assert_str_eq(sqa_utf8_clean("abc", out, 1, false), "");
}
END_TEST

/* Two names that differ stay two, and what is UTF-8 stays itself. */
START_TEST(escaped_names)
{
    static const char *const names[][2] = {
        {"Intel\xae GPU", "Intel\\xae GPU"},
        {"Intel\xc2\xae GPU", "Intel\xc2\xae GPU"},
        {"Intel\\xae GPU", "Intel\\\\xae GPU"},
        {"a\\b", "a\\b"},
        {"a\\b\xff", "a\\\\b\\xff"},
        {"\\xAE", "\\xAE"},
        {"\\x", "\\x"},
        {"\xe2\x82", "\\xe2\\x82"},
        {"", ""},
    };
    char out[64];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ck_assert_str_eq(sqa_utf8_escape(names[i][0], out, sizeof out), names[i][1]);
        ck_assert(sqa_utf8_is_valid(out));
    }
    /* Neither a character nor an escape is cut. */
    ck_assert_str_eq(sqa_utf8_escape("ab\xff", out, 6), "ab");
    ck_assert_str_eq(sqa_utf8_escape("ab\xff", out, 7), "ab\\xff");
    ck_assert_str_eq(sqa_utf8_escape("a\xc3\xa9", out, 3), "a");
}
END_TEST

START_TEST(log_levels)
{
    heard h = {0};
    sqa_log log = {listen, &h, SQA_LOG_WARNING};
    sqa_log_write(&log, SQA_LOG_INFO, "not %s", "heard");
    ck_assert_int_eq(h.count, 0);
    sqa_log_write(&log, SQA_LOG_WARNING, "heard %d", 1);
    ck_assert_int_eq(h.count, 1);
    ck_assert_int_eq(h.level, SQA_LOG_WARNING);
    ck_assert_str_eq(h.message, "heard 1");
    log.callback = NULL;
    sqa_log_write(&log, SQA_LOG_ERROR, "nobody");
    sqa_log_write(NULL, SQA_LOG_ERROR, "nobody");
    ck_assert_int_eq(h.count, 1);
}
END_TEST

START_TEST(embedded_files)
{
    static const sqa_embedded_file table[] = {{"a", "text of a"}, {"b/c", ""}, {NULL, NULL}};
    ck_assert_str_eq(sqa_embedded_text(table, "a"), "text of a");
    ck_assert_str_eq(sqa_embedded_text(table, "b/c"), "");
    ck_assert_ptr_null(sqa_embedded_text(table, "c"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base");
    TCase *base = tcase_create("base");
    tcase_add_test(base, texts_grow);
    tcase_add_test(base, a_failed_text_stays_failed);
    tcase_add_test(base, details);
    tcase_add_test(base, long_details_are_cut);
    tcase_add_test(base, details_are_per_thread);
    tcase_add_test(base, log_levels);
    tcase_add_test(base, utf8);
    tcase_add_test(base, escaped_names);
    tcase_add_test(base, embedded_files);
    suite_add_tcase(suite, base);
    return sqa_run_suite(suite);
}
