/* See lines.h. Every condition is one of three: true, false, or left to the compiler, in
 * which case its directive stays and what is defined under it is known no more. */
#include "kernels/thin/lines.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/thin/condition.h"

enum { MAX_DEPTH = 32 };

/* An #if up to its #endif. */
typedef struct branches {
    bool is_open;  /* the branch at hand may be compiled */
    bool is_over;  /* a branch before it is taken for sure, or nothing around it is compiled */
    bool is_kept;  /* the compiler decides between branches: their directives stay */
    bool has_else; /* only #endif may come */
} branches;

typedef struct scanner {
    sqa_lines *out;
    sqa_names *names;
    branches stack[MAX_DEPTH];
    int depth;
    sqa_lines_result result;
} scanner;

/* A directive: its word, and all that comes after. */
typedef struct directive {
    sqa_token word;
    const char *rest;
    size_t length;
} directive;

static void fail(scanner *in, sqa_lines_result result)
{
    if (in->result == SQA_LINES_OK)
        in->result = result;
}

static bool is_open(const scanner *in)
{
    return in->depth == 0 || in->stack[in->depth - 1].is_open;
}

static bool is_certain(const scanner *in)
{
    for (int i = 0; i < in->depth; i++)
        if (in->stack[i].is_kept)
            return false;
    return true;
}

static sqa_line *append(scanner *in, sqa_line_kind kind, const char *lead, const char *text,
                        size_t length)
{
    sqa_lines *out = in->out;
    if (out->count == out->capacity) {
        const size_t capacity = out->capacity ? out->capacity * 2 : 512;
        sqa_line *items = realloc(out->items, capacity * sizeof *items);
        if (!items) {
            fail(in, SQA_LINES_NO_MEMORY);
            return NULL;
        }
        out->items = items;
        out->capacity = capacity;
    }
    sqa_line *line = &out->items[out->count++];
    *line = (sqa_line){.kind = kind, .lead = lead, .text = text, .length = length};
    return line;
}

static sqa_truth truth_of(const scanner *in, const directive *what)
{
    const char *at = what->rest;
    const bool plain = sqa_token_is(&what->word, "if") || sqa_token_is(&what->word, "elif");
    if (plain)
        return sqa_condition(in->names, what->rest, what->length);
    const sqa_token name = sqa_token_next(&at, what->rest + what->length);
    if (name.kind != SQA_TOKEN_NAME)
        return SQA_UNKNOWN;
    const sqa_truth defined = sqa_is_defined(in->names, name.text, name.length);
    if (defined == SQA_UNKNOWN || sqa_token_is(&what->word, "ifdef"))
        return defined;
    return defined == SQA_TRUE ? SQA_FALSE : SQA_TRUE;
}

/* Begins a branch. The first that is left to the compiler is its #if, whatever it was,
 * and what is true after such a one its #else. */
static void branch(scanner *in, branches *at, sqa_truth truth, const directive *what)
{
    const char *lead = at->is_kept                           ? "#elif"
                       : sqa_token_is(&what->word, "ifdef")  ? "#ifdef"
                       : sqa_token_is(&what->word, "ifndef") ? "#ifndef"
                                                             : "#if";
    at->is_open = !at->is_over && truth != SQA_FALSE;
    if (!at->is_open)
        return;
    if (truth == SQA_UNKNOWN)
        append(in, SQA_LINE_DIRECTIVE, lead, what->rest, what->length);
    else if (at->is_kept)
        append(in, SQA_LINE_DIRECTIVE, "#else", "", 0);
    at->is_kept |= truth == SQA_UNKNOWN;
    at->is_over |= truth == SQA_TRUE;
}

static void begin(scanner *in, const directive *what)
{
    if (in->depth == MAX_DEPTH) {
        fail(in, SQA_LINES_MALFORMED);
        return;
    }
    const bool open = is_open(in);
    branches *at = &in->stack[in->depth++];
    *at = (branches){.is_over = !open};
    if (open)
        branch(in, at, truth_of(in, what), what);
}

static void go_on(scanner *in, const directive *what)
{
    branches *at = in->depth ? &in->stack[in->depth - 1] : NULL;
    const bool is_else = sqa_token_is(&what->word, "else");
    if (!at || at->has_else) {
        fail(in, SQA_LINES_MALFORMED);
        return;
    }
    at->has_else = is_else;
    branch(in, at, is_else || at->is_over ? SQA_TRUE : truth_of(in, what), what);
}

static void finish(scanner *in, const directive *what)
{
    (void)what;
    if (in->depth == 0) {
        fail(in, SQA_LINES_MALFORMED);
        return;
    }
    in->depth--;
    if (in->stack[in->depth].is_kept)
        append(in, SQA_LINE_DIRECTIVE, "#endif", "", 0);
}

/* Of a later C than OpenCL's. */
static void refuse(scanner *in, const directive *what)
{
    (void)what;
    fail(in, SQA_LINES_MALFORMED);
}

/* #define NAME body, #define NAME(...) body, #undef NAME. */
static void define(scanner *in, const directive *what, const char *text, size_t length)
{
    const bool defines = sqa_token_is(&what->word, "define");
    const char *at = what->rest, *end = what->rest + what->length;
    const sqa_token token = sqa_token_next(&at, end);
    sqa_line *line = append(in, SQA_LINE_DIRECTIVE, "", text, length);
    if (token.kind != SQA_TOKEN_NAME || !line)
        return;
    line->kind = defines ? SQA_LINE_DEFINE : SQA_LINE_UNDEF;
    line->macro = sqa_names_add(in->names, &token);
    if (!line->macro) {
        fail(in, SQA_LINES_NO_MEMORY);
        return;
    }
    sqa_name *name = sqa_names_at(in->names, line->macro);
    name->state = !is_certain(in) ? SQA_MACRO_UNKNOWN
                  : defines       ? SQA_MACRO_DEFINED
                                  : SQA_MACRO_UNDEFINED;
    name->has_arguments = at < end && *at == '(';
    name->body = at;
    name->body_length = (size_t)(end - at);
}

static void read_directive(scanner *in, const char *text, size_t length)
{
    static const struct {
        const char *word;
        void (*read)(scanner *in, const directive *what);
    } conditions[] = {
        {"if", begin},   {"ifdef", begin},  {"ifndef", begin},   {"elif", go_on},
        {"else", go_on}, {"endif", finish}, {"elifdef", refuse}, {"elifndef", refuse},
    };
    const char *end = text + length;
    directive what = {.rest = memchr(text, '#', length)};
    what.rest++;
    what.word = sqa_token_next(&what.rest, end);
    what.length = (size_t)(end - what.rest);
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
        if (sqa_token_is(&what.word, conditions[i].word)) {
            conditions[i].read(in, &what);
            return;
        }
    if (!is_open(in))
        return;
    if (sqa_token_is(&what.word, "define") || sqa_token_is(&what.word, "undef"))
        define(in, &what, text, length);
    else
        append(in, SQA_LINE_DIRECTIVE, "", text, length);
}

/* Up to the newline that no backslash stands before. */
static size_t line_length(const char *text, const char *end)
{
    const char *at = text;
    while ((at = memchr(at, '\n', (size_t)(end - at))) && at > text && at[-1] == '\\')
        at++;
    return (size_t)((at ? at : end) - text);
}

sqa_lines_result sqa_lines_read(sqa_lines *out, sqa_names *names, const char *text, size_t length)
{
    scanner in = {.out = out, .names = names};
    const char *end = text + length;
    while (text < end && in.result == SQA_LINES_OK) {
        const size_t line = line_length(text, end);
        const char *at = text;
        const sqa_token first = sqa_token_next(&at, text + line);
        if (sqa_token_is(&first, "#"))
            read_directive(&in, text, line);
        else if (is_open(&in))
            append(&in, first.kind == SQA_TOKEN_END ? SQA_LINE_BLANK : SQA_LINE_CODE, "", text,
                   line);
        text += line < (size_t)(end - text) ? line + 1 : line;
    }
    if (in.depth > 0)
        fail(&in, SQA_LINES_MALFORMED);
    return in.result;
}
