/* A parser for the one Python literal that a .npy header is: a dictionary of three
 * known keys, in any order. Never reads past the text it is given. */
#include "text/npy_header.h"

#include <stdio.h>
#include <string.h>

typedef struct scanner {
    const char *at, *end;
} scanner;

static void skip_blanks(scanner *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\t'))
        scan->at++;
}

/* Whether `token` comes next; if so it is consumed. */
static bool take(scanner *scan, const char *token)
{
    skip_blanks(scan);
    size_t length = strlen(token);
    if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, token, length) != 0)
        return false;
    scan->at += length;
    return true;
}

static bool take_string(scanner *scan, char *out, size_t size)
{
    skip_blanks(scan);
    if (scan->at == scan->end || (*scan->at != '\'' && *scan->at != '"'))
        return false;
    char quote = *scan->at++;
    size_t length = 0;
    for (; scan->at < scan->end && *scan->at != quote; scan->at++) {
        if (*scan->at < ' ' || *scan->at > '~' || length + 1 >= size)
            return false;
        out[length++] = *scan->at;
    }
    out[length] = '\0';
    return take(scan, (char[]){quote, '\0'});
}

static bool take_number(scanner *scan, uint64_t *out)
{
    skip_blanks(scan);
    const char *start = scan->at;
    uint64_t value = 0;
    for (; scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9'; scan->at++) {
        uint64_t digit = (uint64_t)(*scan->at - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return scan->at > start;
}

static const char *parse_descr(scanner *scan, sqa_npy_header *out)
{
    return take_string(scan, out->descr, sizeof out->descr)
               ? NULL
               : "its 'descr' is no plain type (expected '<f4')";
}

static const char *parse_order(scanner *scan, sqa_npy_header *out)
{
    out->fortran_order = take(scan, "True");
    return out->fortran_order || take(scan, "False") ? NULL
                                                     : "its 'fortran_order' is not True or False";
}

static const char *parse_shape(scanner *scan, sqa_npy_header *out)
{
    static const char wrong[] = "its 'shape' is not a tuple of sizes";
    if (!take(scan, "("))
        return wrong;
    bool more = true;
    while (!take(scan, ")")) {
        if (out->rank == SQA_NPY_MAX_RANK)
            return "its 'shape' has more than 32 dimensions";
        if (!more || !take_number(scan, &out->shape[out->rank]))
            return wrong;
        out->rank++;
        take(scan, "L"); /* long integers, as Python 2 wrote them */
        more = take(scan, ",");
    }
    return out->rank == 1 && !more ? wrong : NULL;
}

static const struct {
    const char *key;
    const char *(*parse)(scanner *, sqa_npy_header *);
} entries[] = {
    {"descr", parse_descr},
    {"fortran_order", parse_order},
    {"shape", parse_shape},
};
enum { ENTRY_COUNT = sizeof entries / sizeof entries[0] };

static const char *parse_entry(scanner *scan, sqa_npy_header *out, bool seen[ENTRY_COUNT])
{
    char key[32];
    if (!take_string(scan, key, sizeof key) || !take(scan, ":"))
        return "its header is not a dictionary";
    for (int i = 0; i < ENTRY_COUNT; i++)
        if (!strcmp(key, entries[i].key)) {
            if (seen[i])
                return "its header has a key twice";
            seen[i] = true;
            return entries[i].parse(scan, out);
        }
    return "its header has a key other than descr, fortran_order and shape";
}

const char *sqa_npy_header_parse(const char *text, size_t length, sqa_npy_header *out)
{
    scanner scan = {text, text + length};
    bool seen[ENTRY_COUNT] = {false};
    memset(out, 0, sizeof *out);
    if (!take(&scan, "{"))
        return "its header is not a dictionary";
    bool more = true;
    while (!take(&scan, "}")) {
        const char *why = more ? parse_entry(&scan, out, seen) : "its header is not a dictionary";
        if (why)
            return why;
        more = take(&scan, ",");
    }
    skip_blanks(&scan);
    if (scan.at != scan.end)
        return "its header has text after the dictionary";
    return seen[0] && seen[1] && seen[2] ? NULL : "its header lacks descr, fortran_order or shape";
}
