#include "operations/problem_class.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "operations/operations.h"

static const sqa_class_part *parts_of(sqa_operation operation)
{
    return sqa_operation_at((size_t)operation)->class_parts;
}

uint32_t sqa_bucket(uint64_t value)
{
    uint32_t exponent = 0;
    while (exponent < 61 && (UINT64_C(3) << exponent) <= 2 * value)
        exponent++;
    return exponent;
}

sqa_problem_class sqa_problem_class_of(const sqa_problem *problem)
{
    sqa_problem_class result;
    memset(&result, 0, sizeof result);
    result.operation = problem->operation;
    const sqa_class_part *parts = parts_of(problem->operation);
    for (size_t i = 0; parts[i].name; i++)
        result.value[i] = parts[i].value(problem);
    return result;
}

/* A kind more or less weighs as much as sixteen times the length. */
#define OTHER_KIND 4

/* Below 2^FEW rows each step to twice as many weighs as much as another kind besides: how much
 * of a register tile there is, and whose rows a work-item takes, follow from it. */
#define FEW 6u

static int apart(uint32_t a, uint32_t b)
{
    return a > b ? (int)(a - b) : (int)(b - a);
}

static int few_apart(uint32_t a, uint32_t b)
{
    return apart(a, b) + OTHER_KIND * apart(a < FEW ? a : FEW, b < FEW ? b : FEW);
}

/* Of one part; negative: the one says nothing of the other. */
static int part_distance(sqa_class_kind kind, uint32_t a, uint32_t b)
{
    int distance = 0;
    switch (kind) {
    case SQA_CLASS_WORD:
    case SQA_CLASS_COUNT: return a == b ? 0 : -1;
    case SQA_CLASS_BITS:
        for (uint32_t kinds = a ^ b; kinds; kinds &= kinds - 1)
            distance += OTHER_KIND;
        return distance;
    case SQA_CLASS_RATIO: return apart(sqa_bucket(a), sqa_bucket(b));
    case SQA_CLASS_BUCKET: return apart(a, b);
    case SQA_CLASS_FEW: return few_apart(a, b);
    }
    return -1;
}

int sqa_problem_class_distance(const sqa_problem_class *a, const sqa_problem_class *b)
{
    if (a->operation != b->operation)
        return -1;
    const sqa_class_part *parts = parts_of(a->operation);
    int distance = 0;
    for (size_t i = 0; parts[i].name; i++) {
        const int part = part_distance(parts[i].kind, a->value[i], b->value[i]);
        if (part < 0)
            return -1;
        distance += part;
    }
    /* Ratios of one bucket are near, but not the same. */
    return distance == 0 && memcmp(a->value, b->value, sizeof a->value) != 0 ? 1 : distance;
}

bool sqa_problem_class_equal(const sqa_problem_class *a, const sqa_problem_class *b)
{
    return sqa_problem_class_distance(a, b) == 0;
}

bool sqa_problem_class_same_kinds(const sqa_problem_class *a, const sqa_problem_class *b)
{
    const sqa_class_part *parts = parts_of(a->operation);
    for (size_t i = 0; parts[i].name; i++)
        if (parts[i].kind == SQA_CLASS_BITS && a->value[i] != b->value[i])
            return false;
    return true;
}

/* Words of the bits, "causal+window", or "none". */
static void format_bits(const char *const *words, uint32_t bits, char *text, size_t size)
{
    size_t used = 0;
    snprintf(text, size, "none");
    for (uint32_t i = 0; words[i]; i++)
        if (bits >> i & 1 && used < size)
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "+" : "", words[i]);
}

static bool parse_bits(const char *const *words, const char *text, uint32_t *out)
{
    char again[128];
    uint32_t bits = 0;
    for (const char *at = text; *at; at += *at == '+') {
        const size_t length = strcspn(at, "+");
        for (uint32_t i = 0; words[i]; i++)
            if (strlen(words[i]) == length && !strncmp(words[i], at, length))
                bits |= 1u << i;
        at += length;
    }
    /* Only the very text that these bits have is one of theirs. */
    format_bits(words, bits, again, sizeof again);
    *out = bits;
    return !strcmp(text, again);
}

static bool parse_word(const char *const *words, const char *text, uint32_t *out)
{
    for (*out = 0; words[*out]; ++*out)
        if (!strcmp(words[*out], text))
            return true;
    return false;
}

void sqa_problem_class_format(const sqa_problem_class *problem_class, char text[SQA_CLASS_KEY_TEXT])
{
    const sqa_class_part *parts = parts_of(problem_class->operation);
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; parts[i].name && used < SQA_CLASS_KEY_TEXT; i++) {
        const uint32_t value = problem_class->value[i];
        char words[128];
        if (parts[i].kind == SQA_CLASS_BITS)
            format_bits(parts[i].words, value, words, sizeof words);
        else if (parts[i].kind == SQA_CLASS_WORD)
            snprintf(words, sizeof words, "%s", parts[i].words[value]);
        else
            snprintf(words, sizeof words, "%u", value);
        used += (size_t)snprintf(text + used, SQA_CLASS_KEY_TEXT - used, "%s%s=%s", used ? "," : "",
                                 parts[i].name, words);
    }
}

static bool parse_value(const sqa_class_part *part, const char *text, uint32_t *out)
{
    switch (part->kind) {
    case SQA_CLASS_BITS: return parse_bits(part->words, text, out);
    case SQA_CLASS_WORD: return parse_word(part->words, text, out);
    /* One text per number: no leading zeros. */
    default:
        return (text[0] != '0' || !text[1]) && sqa_read_count(text, part->least, part->most, out);
    }
}

/* Every part, in order. */
bool sqa_problem_class_parse(sqa_operation operation, const char *text, sqa_problem_class *out)
{
    const sqa_class_part *parts = parts_of(operation);
    memset(out, 0, sizeof *out);
    out->operation = operation;
    for (size_t i = 0; parts[i].name; i++) {
        const size_t name = strlen(parts[i].name), item = strcspn(text, ",");
        char value[128];
        if (item < name + 1 || item - name - 1 >= sizeof value ||
            strncmp(text, parts[i].name, name) != 0 || text[name] != '=')
            return false;
        snprintf(value, sizeof value, "%.*s", (int)(item - name - 1), text + name + 1);
        if (!parse_value(&parts[i], value, &out->value[i]))
            return false;
        text += item;
        if (*text != (parts[i + 1].name ? ',' : '\0'))
            return false;
        text += *text == ',';
    }
    return true;
}
