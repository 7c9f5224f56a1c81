#include "kernels/thin/condition.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define OWN_PREFIX "SQA_"
#define MOST_NUMBER (INT64_C(1) << 31)

enum { MAX_EXPANSIONS = 32, MAX_PARENTHESES = 64 };

/* A text that is read: the condition itself, or the body of a macro in it. */
typedef struct source {
    const char *at, *end;
    sqa_name *macro; /* NULL: the condition */
} source;

typedef struct reader {
    const sqa_names *names;
    source sources[MAX_EXPANSIONS]; /* the last one is read */
    int depth, parentheses;
    sqa_token token; /* the one to be looked at */
    bool gave_up;
} reader;

/* What was worked out so far; not known only where `defined` is not. */
typedef struct value {
    bool known;
    int64_t number;
} value;

sqa_truth sqa_is_defined(const sqa_names *names, const char *text, size_t length)
{
    const uint32_t number = sqa_names_find(names, text, length);
    const size_t prefix = sizeof OWN_PREFIX - 1;
    switch (number ? sqa_names_at(names, number)->state : SQA_MACRO_NEVER) {
    case SQA_MACRO_DEFINED: return SQA_TRUE;
    case SQA_MACRO_UNDEFINED: return SQA_FALSE;
    case SQA_MACRO_UNKNOWN: return SQA_UNKNOWN;
    case SQA_MACRO_NEVER: break;
    }
    return length >= prefix && !memcmp(text, OWN_PREFIX, prefix) ? SQA_FALSE : SQA_UNKNOWN;
}

static value give_up(reader *in)
{
    in->gave_up = true;
    in->token = (sqa_token){.kind = SQA_TOKEN_END};
    return (value){false, 0};
}

/* The next token as it stands; at the end of a macro's body, that after its name. */
static void read_plain(reader *in)
{
    source *from = &in->sources[in->depth];
    in->token = sqa_token_next(&from->at, from->end);
    while (in->token.kind == SQA_TOKEN_END && in->depth > 0) {
        from->macro->is_expanding = false;
        from = &in->sources[--in->depth];
        in->token = sqa_token_next(&from->at, from->end);
    }
}

static bool push(reader *in, sqa_name *macro)
{
    if (in->depth + 1 == MAX_EXPANSIONS || macro->has_arguments || macro->is_expanding)
        return false;
    macro->is_expanding = true;
    in->sources[++in->depth] = (source){macro->body, macro->body + macro->body_length, macro};
    return true;
}

/* The next token, with macros replaced by what they stand for; names that are none are
 * zero. Any token may come of a macro that is not known: then nothing is. */
static void read(reader *in)
{
    static const sqa_token zero = {SQA_TOKEN_NUMBER, "0", 1};
    if (in->gave_up)
        return;
    read_plain(in);
    while (in->token.kind == SQA_TOKEN_NAME && !sqa_token_is(&in->token, "defined")) {
        const sqa_token name = in->token;
        const sqa_truth defined = sqa_is_defined(in->names, name.text, name.length);
        if (defined == SQA_FALSE) {
            in->token = zero;
            return;
        }
        if (defined == SQA_UNKNOWN ||
            !push(in, sqa_names_at(in->names, sqa_names_find(in->names, name.text, name.length)))) {
            give_up(in);
            return;
        }
        read_plain(in);
    }
}

static value number_of(reader *in, int64_t number)
{
    return number > MOST_NUMBER || number < -MOST_NUMBER ? give_up(in) : (value){true, number};
}

static value parse_number(reader *in)
{
    char *end = NULL;
    const sqa_token token = in->token;
    const long long number = strtoll(token.text, &end, 0);
    if (end != token.text + token.length)
        return give_up(in); /* with a suffix, or no integer */
    read(in);
    return number_of(in, number);
}

/* `defined NAME` or `defined(NAME)`. */
static value parse_defined(reader *in)
{
    if (in->depth > 0) /* out of a macro: each compiler as it likes */
        return give_up(in);
    read_plain(in);
    const bool parenthesis = sqa_token_is(&in->token, "(");
    if (parenthesis)
        read_plain(in);
    if (in->token.kind != SQA_TOKEN_NAME)
        return give_up(in);
    const sqa_truth truth = sqa_is_defined(in->names, in->token.text, in->token.length);
    if (parenthesis)
        read_plain(in);
    if (parenthesis && !sqa_token_is(&in->token, ")"))
        return give_up(in);
    read(in);
    return (value){truth != SQA_UNKNOWN, truth == SQA_TRUE};
}

static value parse_binary(reader *in, int least);

static value parse_unary(reader *in)
{
    const sqa_token token = in->token;
    if (token.kind == SQA_TOKEN_NUMBER)
        return parse_number(in);
    if (token.kind == SQA_TOKEN_NAME) /* all others are read as numbers */
        return parse_defined(in);
    if (token.kind == SQA_TOKEN_END || in->parentheses == MAX_PARENTHESES)
        return give_up(in);
    value result = {false, 0};
    in->parentheses++;
    read(in);
    if (sqa_token_is(&token, "(")) {
        result = parse_binary(in, 0);
        if (!sqa_token_is(&in->token, ")"))
            return give_up(in);
        read(in);
    } else if (sqa_token_is(&token, "!")) {
        result = parse_unary(in);
        result.number = !result.number;
    } else if (sqa_token_is(&token, "-")) {
        result = parse_unary(in);
        result.number = -result.number;
    } else if (sqa_token_is(&token, "+")) {
        result = parse_unary(in);
    } else {
        return give_up(in);
    }
    in->parentheses--;
    return result;
}

typedef enum operation {
    OR,
    AND,
    EQUAL,
    UNEQUAL,
    LESS,
    MORE,
    AT_MOST,
    AT_LEAST,
    PLUS,
    MINUS,
    TIMES,
    DIVIDE,
    REMAINDER,
    OPERATION_COUNT
} operation;

static const struct {
    const char *text;
    int precedence;
} operations[OPERATION_COUNT] = {
    [OR] = {"||", 1},       [AND] = {"&&", 2},  [EQUAL] = {"==", 3},   [UNEQUAL] = {"!=", 3},
    [LESS] = {"<", 4},      [MORE] = {">", 4},  [AT_MOST] = {"<=", 4}, [AT_LEAST] = {">=", 4},
    [PLUS] = {"+", 5},      [MINUS] = {"-", 5}, [TIMES] = {"*", 6},    [DIVIDE] = {"/", 6},
    [REMAINDER] = {"%", 6},
};

static operation operation_of(const sqa_token *token)
{
    int i = 0;
    while (i < OPERATION_COUNT && !sqa_token_is(token, operations[i].text))
        i++;
    return (operation)i;
}

/* One known side may decide it. */
static value logical(operation what, value a, value b)
{
    const bool decisive = what == OR;
    if ((a.known && !a.number != decisive) || (b.known && !b.number != decisive))
        return (value){true, decisive};
    return (value){a.known && b.known, !decisive};
}

static value compute(reader *in, operation what, value a, value b)
{
    if (what == OR || what == AND)
        return logical(what, a, b);
    if (!a.known || !b.known)
        return (value){false, 0};
    const int64_t x = a.number, y = b.number;
    switch (what) {
    case EQUAL: return number_of(in, x == y);
    case UNEQUAL: return number_of(in, x != y);
    case LESS: return number_of(in, x < y);
    case MORE: return number_of(in, x > y);
    case AT_MOST: return number_of(in, x <= y);
    case AT_LEAST: return number_of(in, x >= y);
    case PLUS: return number_of(in, x + y);
    case MINUS: return number_of(in, x - y);
    case TIMES: return number_of(in, x * y);
    case DIVIDE: return y ? number_of(in, x / y) : give_up(in);
    case REMAINDER: return y ? number_of(in, x % y) : give_up(in);
    default: return give_up(in);
    }
}

/* Operators that bind at least as tightly as `least`, from the left. */
static value parse_binary(reader *in, int least)
{
    value result = parse_unary(in);
    for (;;) {
        const operation what = operation_of(&in->token);
        if (what == OPERATION_COUNT || operations[what].precedence < least)
            return result;
        read(in);
        const value right = parse_binary(in, operations[what].precedence + 1);
        result = compute(in, what, result, right);
    }
}

sqa_truth sqa_condition(const sqa_names *names, const char *text, size_t length)
{
    reader in = {.names = names};
    in.sources[0] = (source){text, text + length, NULL};
    read(&in);
    const value result = parse_binary(&in, 0);
    const bool whole = in.token.kind == SQA_TOKEN_END && !in.gave_up;
    while (in.depth > 0)
        in.sources[in.depth--].macro->is_expanding = false;
    return !whole || !result.known ? SQA_UNKNOWN : result.number ? SQA_TRUE : SQA_FALSE;
}
