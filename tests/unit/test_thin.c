/* Thinning, without a compiler: what becomes of small texts, and that what is left to
 * a compiler stays. Whether compilers agree: conformance/test_thinned.c. */
#include <stdlib.h>
#include <string.h>

#include "kernels/thin/condition.h"
#include "kernels/thin/thin.h"
#include "run_suite.h"

/* "\n" ends every line of a result. */
static const struct {
    const char *head, *text, *expected;
} texts[] = {
    /* Conditions that the text decides. */
    {"", "a\n#if 1\nb\n#else\nc\n#endif\nd", "a\nb\nd\n"},
    {"", "#if 0\nb\n#elif 1\nc\n#elif 1\nd\n#else\ne\n#endif\n", "c\n"},
    {"", "#if 0\nb\n#elif 0\nc\n#else\nd\n#endif\n", "d\n"},
    {"", "#if 0\n#if X\nb\n#elif Y\n#else\nc\n#endif\n#endif\nd\n", "d\n"},
    {"", "  #  if 1\n b\n#endif // c\n", " b\n"},
    {"#define A 3\n", "#if A == 3\nb\n#endif\n", "#define A 3\nb\n"},
    {"#define A 3\n", "#ifndef A\n#define A 4\n#endif\nA\n", "#define A 3\nA\n"},
    {"", "#ifndef SQA_A\n#define SQA_A 4\n#endif\n#if SQA_A > 3\nb\n#endif\n", "b\n"},
    {"", "#define A 1\n#undef A\n#ifdef A\nb\n#endif\n", ""},
    {"", "#define A \\\n 1\n#if A\nb\n#endif\n", "b\n"},
    {"", "#if 1 && \\\n 1\nb\n#endif\n", "b\n"},

    /* Conditions that a compiler decides. */
    {"", "#ifdef A\nb\n#endif\n", "#ifdef A\nb\n#endif\n"},
    {"", "#ifndef A\nb\n#else\nc\n#endif\n", "#ifndef A\nb\n#else\nc\n#endif\n"},
    {"", "#if A\nb\n#elif 0\nc\n#elif B\nd\n#elif 1\ne\n#elif C\nf\n#else\ng\n#endif\n",
     "#if A\nb\n#elif B\nd\n#else\ne\n#endif\n"},
    {"", "#if 0\nb\n#elif A\nc\n#else\nd\n#endif\n", "#if A\nc\n#else\nd\n#endif\n"},
    {"", "#ifdef SQA_A\nb\n#elif A\nc\n#endif\n", "#if A\nc\n#endif\n"},
    {"", "#if A\n#if 0\nb\n#endif\nc\n#endif\n", "#if A\nc\n#endif\n"},
    {"", "#ifdef A\n#define SQA_B 1\n#endif\n#if SQA_B\nb\n#endif\n",
     "#ifdef A\n#define SQA_B 1\n#endif\n#if SQA_B\nb\n#endif\n"},
    {"#define SQA_B 1\n", "#ifdef A\n#undef SQA_B\n#endif\n#ifdef SQA_B\nb\n#endif\n",
     "#define SQA_B 1\n#ifdef A\n#undef SQA_B\n#endif\n#ifdef SQA_B\nb\n#endif\n"},
    {"", "#ifdef A\n#define B 2\n#if B == 2\nB\n#endif\n#endif\n",
     "#ifdef A\n#define B 2\n#if B == 2\nB\n#endif\n#endif\n"},

    /* Macros that nothing uses. */
    {"", "#define A 1\n#define B(x) A + x\n#define C B(1)\nd\n", "d\n"},
    {"", "#define A 1\n#define B(x) A + x\nB(2)\n", "#define A 1\n#define B(x) A + x\nB(2)\n"},
    {"", "#define A 1\n#undef A\n#define A 2\nb\n", "b\n"},
    {"", "#define A 1\nA\n#undef A\n", "#define A 1\nA\n#undef A\n"},
    {"", "#define A 1\n#ifdef A1\nb\n#endif\n#ifdef A\n#endif\n", "#ifdef A1\nb\n#endif\n"},
    {"", "#define A 1\n#pragma unroll A\n", "#define A 1\n#pragma unroll A\n"},
    {"", "#define F4(x) x\n#define F2(x) x\n#define JOIN(a, b) a##b\nJOIN(F, 4)(1)\n",
     "#define F4(x) x\n#define JOIN(a, b) a##b\nJOIN(F, 4)(1)\n"},
    {"#define L 4\n",
     "#define F4 x\n#define F2 x\n#define J_(a, b) a##b\n#define J(a, b) J_(a, b)\nJ(F, L)\n",
     "#define L 4\n#define F4 x\n#define J_(a, b) a##b\n#define J(a, b) J_(a, b)\nJ(F, L)\n"},
    {"", "#define ABC 1\n#define ABD 1\n#define J(a, b, c) a ## b ## c\nJ(A, B, C)\n",
     "#define ABC 1\n#define J(a, b, c) a ## b ## c\nJ(A, B, C)\n"},
    {"", "#define A \"B // C\"\n#define B 1\nA\n", "#define A \"B // C\"\nA\n"},
    {"#define A 1\n", "b\n", "#define A 1\nb\n"}, /* the head stays */

    /* Comments and blank lines. */
    {"", "a/* b\n c */d // e\nf \"/* g */\" '\"' /**/\n// h \\\n i\nj\n",
     "a d\nf \"/* g */\" '\"'\nj\n"},
    {"", "#if 1 /* b\n c */ && 1\nd\n#endif\n", "d\n"},
    {"", "/* b */ #if 0 // c\nd\n#endif\n", ""},
    {"", "\n\na\n\n\n\nb\n\n#pragma c\n\nd\n\n", "a\n\nb\n#pragma c\nd\n"},
    {"/* b */\n", "c\n", "/* b */\nc\n"},

    /* What is not well-formed is left as it is, comments and all. */
    {"", "a // b\n#if 1\nc\n", "a // b\n#if 1\nc\n"},
    {"", "a // b\n#endif\n", "a // b\n#endif\n"},
    {"", "a // b\n#else\n", "a // b\n#else\n"},
    {"", "#if 1\n#else\n#else\n#endif\n", "#if 1\n#else\n#else\n#endif\n"},
    {"", "#if 0\n#elifdef A\n#endif\n", "#if 0\n#elifdef A\n#endif\n"},
    {"", "#if 0\n/* b\n#endif\n", "#if 0\n/* b\n#endif\n"},
    {"", "", ""},
};
enum { TEXT_COUNT = sizeof texts / sizeof *texts };

START_TEST(small_texts)
{
    sqa_text out = SQA_TEXT_INIT;
    sqa_thin(&out, texts[_i].head, texts[_i].text);
    ck_assert_int_eq(sqa_text_status(&out), SQA_OK);
    ck_assert_msg(!strcmp(sqa_text_get(&out), texts[_i].expected), "of\n%s%s\ncame\n%s",
                  texts[_i].head, texts[_i].text, sqa_text_get(&out));
    sqa_text_free(&out);
}
END_TEST

/* Below these definitions. */
#define KNOWN                                                                                      \
    "#define ZERO 0\n#define ONE 1\n#define TWO 2\n#define SUM ONE + TWO\n#define NOTHING\n"       \
    "#define SELF SELF\n#define CALL(x) x\n#define ASKS defined ONE\n#define BIG 2147483647\n"     \
    "#undef GONE\n"

static const struct {
    const char *condition;
    sqa_truth expected;
} conditions[] = {
    {"0", SQA_FALSE},
    {"1", SQA_TRUE},
    {"-1", SQA_TRUE},
    {"0x10 == 16 && 010 == 8", SQA_TRUE},
    {"ONE", SQA_TRUE},
    {"ZERO", SQA_FALSE},
    {"!ZERO", SQA_TRUE},
    {"!!TWO == 1", SQA_TRUE},
    {"SUM * TWO == 5", SQA_TRUE}, /* 1 + 2 * 2 */
    {"(SUM) * TWO == 6", SQA_TRUE},
    {"7 - 2 - 1 == 4", SQA_TRUE},
    {"7 / 2 * 2 == 6", SQA_TRUE},
    {"-7 / 2 == -3 && -7 % 2 == -1", SQA_TRUE},
    {"- - 1 == 1 && +1 == 1", SQA_TRUE},
    {"1 < 2 == 1", SQA_TRUE},
    {"1 == 1 < 2", SQA_TRUE},
    {"2 > 2 || 2 < 2", SQA_FALSE},
    {"2 >= 2 && 2 <= 2 && 2 != 3", SQA_TRUE},
    {"1 || 0 && 0", SQA_TRUE},
    {"(1 || 0) && 0", SQA_FALSE},
    {"64 % 4", SQA_FALSE},
    {"SQA_NEVER", SQA_FALSE},
    {"SQA_NEVER == 0", SQA_TRUE},
    {"GONE", SQA_FALSE},
    {"defined ONE", SQA_TRUE},
    {"defined(ONE) && !defined(SQA_NEVER) && defined (CALL)", SQA_TRUE},
    {"defined GONE", SQA_FALSE},
    {"defined(ELSEWHERE)", SQA_UNKNOWN},
    {"!defined(ELSEWHERE)", SQA_UNKNOWN},
    {"0 && defined(ELSEWHERE)", SQA_FALSE},
    {"defined(ELSEWHERE) && 0", SQA_FALSE},
    {"1 || defined(ELSEWHERE)", SQA_TRUE},
    {"defined(ELSEWHERE) || 1", SQA_TRUE},
    {"1 && defined(ELSEWHERE)", SQA_UNKNOWN},
    {"defined(ELSEWHERE) == 0", SQA_UNKNOWN},
    {"BIG == 2147483647", SQA_TRUE},

    /* ELSEWHERE may be anything: 0 && 0 || 1. */
    {"0 && ELSEWHERE", SQA_UNKNOWN},
    {"1 || ELSEWHERE", SQA_UNKNOWN},
    {"ELSEWHERE(1)", SQA_UNKNOWN},
    {"__has_builtin(f)", SQA_UNKNOWN},

    /* Not worked out. */
    {"CALL(1)", SQA_UNKNOWN},
    {"SELF", SQA_UNKNOWN},
    {"ASKS", SQA_UNKNOWN},
    {"NOTHING", SQA_UNKNOWN},
    {"", SQA_UNKNOWN},
    {"1 +", SQA_UNKNOWN},
    {"1 1", SQA_UNKNOWN},
    {"(1", SQA_UNKNOWN},
    {"1)", SQA_UNKNOWN},
    {"1 ? 1 : 1", SQA_UNKNOWN},
    {"1 << 1", SQA_UNKNOWN},
    {"1 & 1", SQA_UNKNOWN},
    {"~0", SQA_UNKNOWN},
    {"1u", SQA_UNKNOWN},
    {"1.0", SQA_UNKNOWN},
    {"08", SQA_UNKNOWN},
    {"'a'", SQA_UNKNOWN},
    {"--1", SQA_UNKNOWN},
    {"1 / 0", SQA_UNKNOWN},
    {"0 && 1 % ZERO", SQA_UNKNOWN},
    {"BIG * BIG", SQA_UNKNOWN},
    {"99999999999999999999", SQA_UNKNOWN},
    {"defined", SQA_UNKNOWN},
    {"defined(", SQA_UNKNOWN},
    {"defined(ONE", SQA_UNKNOWN},
    {"defined 1", SQA_UNKNOWN},
};
enum { CONDITION_COUNT = sizeof conditions / sizeof *conditions };

START_TEST(conditions_of_all_kinds)
{
    static const char *const results[] = {[SQA_FALSE] = "", [SQA_TRUE] = "yes\n"};
    const sqa_truth expected = conditions[_i].expected;
    sqa_text text = SQA_TEXT_INIT, out = SQA_TEXT_INIT, kept = SQA_TEXT_INIT;
    sqa_text_format(&text, "#if %s\nyes\n#endif\n", conditions[_i].condition);
    sqa_thin(&out, KNOWN, sqa_text_get(&text));
    sqa_text_format(&kept, KNOWN "%s",
                    expected == SQA_UNKNOWN ? sqa_text_get(&text) : results[expected]);
    /* A kept directive loses the blank at its end alone. */
    if (!*conditions[_i].condition)
        sqa_text_free(&kept), sqa_text_append(&kept, KNOWN "#if\nyes\n#endif\n");
    ck_assert_msg(!strcmp(sqa_text_get(&out), sqa_text_get(&kept)), "'%s' gives\n%s",
                  conditions[_i].condition, sqa_text_get(&out) + sizeof KNOWN - 1);
    sqa_text_free(&text);
    sqa_text_free(&out);
    sqa_text_free(&kept);
}
END_TEST

/* More names, lines and levels than there is room for at first, or at all. */
START_TEST(long_texts)
{
    enum { MANY = 5000, LEVELS = 40 };
    sqa_text text = SQA_TEXT_INIT, out = SQA_TEXT_INIT;
    for (int i = 0; i < MANY; i++)
        sqa_text_format(&text, "#define NAME_%d %d\n#if NAME_%d == %d\nNAME_%d\n#endif\n", i, i, i,
                        i, i);
    sqa_thin(&out, "", sqa_text_get(&text));
    ck_assert_ptr_null(strstr(sqa_text_get(&out), "#if"));
    ck_assert_ptr_nonnull(strstr(sqa_text_get(&out), "#define NAME_4999 4999\nNAME_4999\n"));
    sqa_text_free(&text);
    sqa_text_free(&out);
    for (int i = 0; i < LEVELS; i++)
        sqa_text_append(&text, "#if 1\n");
    for (int i = 0; i < LEVELS; i++)
        sqa_text_append(&text, "#endif\n");
    sqa_thin(&out, "", sqa_text_get(&text));
    ck_assert_str_eq(sqa_text_get(&out), sqa_text_get(&text));
    sqa_text_free(&text);
    sqa_text_free(&out);
    sqa_text_append(&text, "#if ");
    for (int i = 0; i < MANY; i++)
        sqa_text_append(&text, "(!");
    sqa_text_append(&text, "\n#endif\n");
    sqa_thin(&out, "", sqa_text_get(&text));
    ck_assert_str_eq(sqa_text_get(&out), sqa_text_get(&text));
    sqa_text_free(&text);
    sqa_text_free(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("thinning");
    TCase *tests = tcase_create("texts");
    tcase_add_loop_test(tests, small_texts, 0, TEXT_COUNT);
    tcase_add_loop_test(tests, conditions_of_all_kinds, 0, CONDITION_COUNT);
    tcase_add_test(tests, long_texts);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
