/* See thinning_texts.h. A production of the grammar each; whatever a condition can ask
 * for is a number, so that none is an error. */
#include "thinning_texts.h"

enum { MAX_DEPTH = 4 };

static uint64_t pick(sqa_random *random, uint64_t bound)
{
    return sqa_random_below(random, bound);
}

/* A macro that is a number: of this text's own name, of the library's, or of nobody's. */
static void append_name(sqa_text *out, sqa_random *random)
{
    static const char *const forms[] = {"K%d", "SQA_K%d", "U%d"};
    const int number = (int)pick(random, ELSEWHERE_COUNT);
    switch (pick(random, 5)) {
    case 0: sqa_text_format(out, forms[2], number); break;
    case 1: sqa_text_format(out, forms[1], number); break;
    default: sqa_text_format(out, forms[0], number); break;
    }
}

static void append_operand(sqa_text *out, sqa_random *random, int depth);

/* Without division, so that it can be worked out whatever the names are. */
static void append_expression(sqa_text *out, sqa_random *random, int depth)
{
    static const char *const operators[] = {
        "+", "-", "*", "<", ">", "<=", ">=", "==", "!=", "&&", "||"};
    append_operand(out, random, depth);
    for (uint64_t i = pick(random, 4); i > 0; i--) {
        const uint64_t which = pick(random, sizeof operators / sizeof *operators);
        sqa_text_format(out, pick(random, 4) ? " %s " : " \\\n  %s /* a\n b */ ", operators[which]);
        append_operand(out, random, depth);
    }
}

static void append_operand(sqa_text *out, sqa_random *random, int depth)
{
    switch (pick(random, depth > 0 ? 6 : 3)) {
    case 0: sqa_text_format(out, "%d", (int)pick(random, 4)); break;
    case 1:
    case 2: append_name(out, random); break;
    case 3:
        sqa_text_append(out, "(");
        append_expression(out, random, depth - 1);
        sqa_text_append(out, ")");
        break;
    case 4:
        sqa_text_append(out, pick(random, 2) ? "!" : " - ");
        append_operand(out, random, depth - 1);
        break;
    default:
        sqa_text_append(out, pick(random, 2) ? "defined " : "!defined ");
        append_name(out, random);
        break;
    }
}

static void append_condition(sqa_text *out, sqa_random *random, const char *word)
{
    if (pick(random, 2) && word[0] == 'i') {
        sqa_text_format(out, "#%s ", pick(random, 2) ? "ifdef" : "ifndef");
        append_name(out, random);
    } else {
        sqa_text_format(out, "# %s ", word);
        append_expression(out, random, 2);
    }
    sqa_text_append(out, pick(random, 4) ? "\n" : " // c\n");
}

/* Numbers, which conditions ask for, and macros with arguments, which they do not. */
static void append_definition(sqa_text *out, sqa_random *random)
{
    static const char *const functions[] = {
        "F(x) x + SQA_K0", "G(a, b) a##b", "H(x) G(K, x) F(x)", "F1(x) G(F, x)(U0)", "E",
        "I(x) #x"};
    if (pick(random, 3) == 0) {
        sqa_text_format(out, "#define %s\n",
                        functions[pick(random, sizeof functions / sizeof *functions)]);
        return;
    }
    const int number = (int)pick(random, ELSEWHERE_COUNT);
    const char *own = pick(random, 2) ? "SQA_" : "";
    if (pick(random, 4) == 0) {
        sqa_text_format(out, "#undef %sK%d\n", own, number);
        return;
    }
    sqa_text_format(out, "#define %sK%d ", own, number);
    if (pick(random, 2))
        sqa_text_format(out, "%d\n", (int)pick(random, 4));
    else {
        append_operand(out, random, 0);
        sqa_text_format(out, "%s\n", pick(random, 2) ? " + 1 /* b */" : "");
    }
}

static void append_code(sqa_text *out, sqa_random *random)
{
    static const char *const words[] = {"a",        "F(1)",  "G(K, 1)",    "H(2)",
                                        "F1(1)",    "E",     "I(E)",       "\"K0 // K1\"",
                                        "/* K2 */", "'\\''", "G(SQA_, K3)"};
    for (uint64_t i = pick(random, 4); i > 0; i--) {
        append_name(out, random);
        sqa_text_format(out, " %s ", words[pick(random, sizeof words / sizeof *words)]);
    }
    sqa_text_append(out, "\n");
}

static void append_lines(sqa_text *out, sqa_random *random, int depth)
{
    for (uint64_t i = pick(random, 6); i > 0; i--) {
        const uint64_t what = pick(random, depth > 0 ? 4 : 2);
        if (what == 0)
            append_code(out, random);
        else if (what == 1)
            append_definition(out, random);
        else {
            append_condition(out, random, "if");
            append_lines(out, random, depth - 1);
            for (uint64_t others = pick(random, 3); others > 0; others--) {
                append_condition(out, random, "elif");
                append_lines(out, random, depth - 1);
            }
            if (pick(random, 2)) {
                sqa_text_append(out, "#else\n");
                append_lines(out, random, depth - 1);
            }
            sqa_text_append(out, "#endif /* d */\n");
        }
    }
}

void append_random_text(sqa_text *out, sqa_random *random)
{
    for (int i = 0; i < 8; i++)
        append_definition(out, random);
    append_lines(out, random, MAX_DEPTH);
    append_code(out, random);
}
