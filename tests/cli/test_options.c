/* Options of commands: what their kinds take, and which go together. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/option_rules.h"
#include "cli/options.h"
#include "run_suite.h"

/* One option of each kind. */
typedef struct kinds {
    const char *text;
    bool flag, given;
    uint32_t count, first, second;
    uint64_t number;
    sqa_option_counts counts;
    sqa_option_list list;
    float real;
    sqa_window window;
    char letter;
} kinds;

static bool read_letter(const char *text, void *to)
{
    *(char *)to = *text;
    return *text >= 'a' && *text <= 'z' && !text[1];
}

/* Reads words separated by single blanks, as the program gets them. */
static int read_kinds(const char *line, kinds *out)
{
    const sqa_option options[] = {
        {"text", "T", "", .text = &out->text, .given = &out->given},
        {"flag", NULL, "", .flag = &out->flag},
        {"list", "T", "", .list = &out->list},
        {"count", "N", "", .count = {&out->count, 2, 9}},
        {"number", "N", "", .number = {&out->number, 0, UINT64_MAX}},
        {"counts", "N,...", "", .counts = {&out->counts, 1, 99}},
        {"pair", "A,B", "", .pair = {&out->first, &out->second, 1, 9}},
        {"real", "X", "", .real = {&out->real, SQA_REALS_BUT_ZERO}},
        {"window", "L,R", "", .window = &out->window},
        {"letter", "C", "", .other = {&out->letter, read_letter, "one of a to z"}},
        {0},
    };
    char text[256], name[] = "test", *words[32] = {name};
    int count = 1, code = -1;
    snprintf(text, sizeof text, "%s", line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        words[count++] = word;
    bool read = sqa_options_read(count, words, "", options, &code);
    ck_assert_int_eq(read, code == 0);
    return code;
}

START_TEST(option_kinds)
{
    kinds all = {.count = 7, .counts = {{5, 6}, 2}};
    ck_assert_int_eq(read_kinds("--flag", &all), 0); /* what is not given stays */
    ck_assert(all.flag && !all.given && all.count == 7 && all.counts.count == 2);
    ck_assert_int_eq(read_kinds("--text a=b --list x --list=y --count 9 --counts=3,1,2 "
                                "--number=18446744073709551615 --pair 1,9 --real -0.5 "
                                "--window -1,3 --letter q",
                                &all),
                     0);
    ck_assert(all.given && !strcmp(all.text, "a=b") && all.list.count == 2);
    ck_assert(all.count == 9 && all.first == 1 && all.second == 9 && all.letter == 'q');
    ck_assert(all.number == UINT64_MAX && all.counts.count == 3 && all.counts.items[0] == 3);
    ck_assert(all.real == -0.5f && all.window.left == -1 && all.window.right == 3);
}
END_TEST

/* Nothing but the whole value, within its range. */
START_TEST(option_kinds_refuse)
{
    static const char *const wrong[] = {
        "--count 1",    "--count 10",
        "--count 0x5",  "--count=",
        "--count +5",   "--counts 1,,2",
        "--counts 1,",  "--counts 1,1",
        "--counts 100", "--number -1",
        "--pair 1",     "--pair 0,1",
        "--pair 1,2,3", "--real 0",
        "--real nan",   "--real 1e99",
        "--window 1",   "--window 1,-2",
        "--letter A",   "--letter",
        "--flag=1",     "--count 5 --count 5",
        "--nothing",    "--counts 1,99999999999999999999999999999999999",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        kinds all = {0};
        ck_assert_msg(read_kinds(wrong[i], &all) == 2, "%s", wrong[i]);
    }
}
END_TEST

/* Reads words that are flags; the message, "" for none. */
static const char *read_rules(const char *line)
{
    static bool flags[5];
    static const sqa_option options[] = {
        {"alone", NULL, "", .flag = &flags[0]},
        {"part", NULL, "", .flag = &flags[1], .needs = "whole"},
        {"whole", NULL, "", .flag = &flags[2], .excludes = "mode"},
        {"either", NULL, "", .flag = &flags[3], .needs = "alone|whole|mode,part"},
        {"mode", NULL, "", .flag = &flags[4], .only = "alone,either"},
        {0},
    };
    char text[128], name[] = "test", *words[8] = {name};
    int count = 1;
    bool given[6] = {false};
    snprintf(text, sizeof text, "%s", line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        words[count++] = word;
    for (int i = 1; i < count; i++)
        for (int row = 0; row < 5; row++)
            given[row] = given[row] || !strcmp(words[i], options[row].name);
    return sqa_option_rules_check(options, given) == SQA_OK ? "" : sqa_last_error();
}

static const struct {
    const char *line, *message;
} rules[] = {
    {"", ""},
    {"alone", ""},
    {"part", "--part needs --whole"},
    {"whole part", ""},
    {"part whole alone either", ""},
    {"either", "--either needs --alone, --whole or --mode"},
    {"alone either", "--either needs --part"},
    {"whole mode", "--whole and --mode exclude each other"},
    {"mode whole", "--whole and --mode exclude each other"},
    {"mode alone", ""},
    {"mode part", "--part needs --whole"},
    {"mode either", "--either needs --part"},
};
enum { RULE_COUNT = sizeof rules / sizeof rules[0] };

START_TEST(option_rules)
{
    ck_assert_str_eq(read_rules(rules[_i].line), rules[_i].message);
}
END_TEST

START_TEST(only_those)
{
    bool flags[3];
    const sqa_option options[] = {
        {"mode", NULL, "", .flag = &flags[0], .only = "beside"},
        {"beside", NULL, "", .flag = &flags[1]},
        {"besides", NULL, "", .flag = &flags[2]},
        {0},
    };
    const bool good[] = {true, true, false, false}, bad[] = {true, false, true, false};
    ck_assert_int_eq(sqa_option_rules_check(options, good), SQA_OK);
    ck_assert_int_eq(sqa_option_rules_check(options, bad), SQA_INVALID_ARGUMENT);
    ck_assert_str_eq(sqa_last_error(), "--besides does not go with --mode");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("options");
    TCase *kinds_of = tcase_create("kinds");
    tcase_add_test(kinds_of, option_kinds);
    tcase_add_test(kinds_of, option_kinds_refuse);
    suite_add_tcase(suite, kinds_of);
    TCase *together = tcase_create("rules");
    tcase_add_loop_test(together, option_rules, 0, RULE_COUNT);
    tcase_add_test(together, only_those);
    suite_add_tcase(suite, together);
    return sqa_run_suite(suite);
}
