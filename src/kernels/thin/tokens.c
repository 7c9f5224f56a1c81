#include "kernels/thin/tokens.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Bytes of UTF-8 count: some compilers take them in names. */
static bool is_name_byte(char c)
{
    const unsigned char lower = (unsigned char)c | 0x20;
    return (lower >= 'a' && lower <= 'z') || is_digit(c) || c == '_' || c == '$' ||
           (unsigned char)c >= 0x80;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (is_blank(*at) || (*at == '\\' && end - at > 1 && at[1] == '\n')))
        at++;
    return at;
}

/* Behind a literal, or at the end of the line for one that does not end. */
static const char *skip_literal(const char *at, const char *end)
{
    const char quote = *at++;
    while (at < end && *at != quote && *at != '\n')
        at += *at == '\\' && end - at > 1 ? 2 : 1;
    return at < end && *at == quote ? at + 1 : at;
}

static const char *skip_number(const char *at, const char *end)
{
    while (at < end && (is_name_byte(*at) || *at == '.')) {
        const char lower = (char)(*at++ | 0x20);
        if ((lower == 'e' || lower == 'p') && at < end && (*at == '+' || *at == '-'))
            at++;
    }
    return at;
}

static const char *skip_operator(const char *at, const char *end)
{
    static const char pairs[][3] = {"&&", "||", "==", "!=", "<=", ">=", "<<", ">>", "##", "++",
                                    "--", "->", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^="};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (end - at > 1 && at[0] == pairs[i][0] && at[1] == pairs[i][1])
            return at + 2;
    return at + 1;
}

sqa_token sqa_token_next(const char **at, const char *end)
{
    const char *first = skip_blanks(*at, end), *last = first;
    sqa_token token = {SQA_TOKEN_END, first, 0};
    if (first == end) {
        *at = end;
        return token;
    }
    if (is_digit(*first) || (*first == '.' && end - first > 1 && is_digit(first[1]))) {
        token.kind = SQA_TOKEN_NUMBER;
        last = skip_number(first, end);
    } else if (is_name_byte(*first)) {
        token.kind = SQA_TOKEN_NAME;
        while (last < end && is_name_byte(*last))
            last++;
    } else {
        token.kind = SQA_TOKEN_OTHER;
        last =
            *first == '"' || *first == '\'' ? skip_literal(first, end) : skip_operator(first, end);
    }
    token.length = (size_t)(last - first);
    *at = last;
    return token;
}

bool sqa_token_is(const sqa_token *token, const char *text)
{
    return strlen(text) == token->length && !memcmp(token->text, text, token->length);
}

/* Behind the comment at `at`; NULL when it does not end. */
static const char *skip_comment(const char *at, const char *end)
{
    if (at[1] == '/') {
        while (at < end && *at != '\n')
            at += *at == '\\' && at[1] == '\n' ? 2 : 1;
        return at;
    }
    const char *close = strstr(at + 2, "*/");
    return close ? close + 2 : NULL;
}

/* Whether `to` is where a line begins that continues no other. */
static bool begins_line(const char *out, const char *to)
{
    return to == out || (to[-1] == '\n' && (to - out == 1 || to[-2] != '\\'));
}

/* A comment has become a blank, or nothing where it is all of a line. */
static char *end_line(const char *out, char *to, bool commented)
{
    while (to > out && (to[-1] == ' ' || to[-1] == '\t'))
        to--;
    if (!commented || !begins_line(out, to))
        *to++ = '\n';
    return to;
}

bool sqa_strip_comments(const char *text, char *out, size_t *length)
{
    const char *end = text + strlen(text);
    char *to = out;
    bool commented = false; /* the line so far */
    while (text < end) {
        const char *next = text + 1;
        if (*text == '\n') {
            to = end_line(out, to, commented);
            commented = false;
        } else if (*text == '/' && (text[1] == '*' || text[1] == '/')) {
            next = skip_comment(text, end);
            if (!next)
                return false;
            *to++ = ' ';
            commented = true;
        } else if (*text == '"' || *text == '\'') {
            next = skip_literal(text, end);
            memcpy(to, text, (size_t)(next - text));
            to += next - text;
        } else {
            *to++ = *text;
        }
        text = next;
    }
    *length = (size_t)(to - out);
    return true;
}
