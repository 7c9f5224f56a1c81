#include "problem/problem_class.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "problem/names.h"
#include "problem/work.h"

/* round(log2(value)) without floating point: the exponent of the nearest power,
 * where 1.5 * 2^n already counts as n + 1. */
static int32_t bucket(uint64_t value)
{
    int32_t exponent = 0;
    while (exponent < 61 && (UINT64_C(3) << exponent) <= 2 * value)
        exponent++;
    return exponent;
}

static uint32_t mask_of(const sqa_problem *problem)
{
    const bool stored = sqa_problem_has_stored_scores(problem);
    return (problem->mask & SQA_MASK_CAUSAL ? SQA_CLASS_CAUSAL : 0u) |
           (problem->mask & SQA_MASK_WINDOW ? SQA_CLASS_WINDOW : 0u) |
           (problem->mask & SQA_MASK_BLOCKS ? SQA_CLASS_BLOCKS : 0u) |
           (stored ? SQA_CLASS_STORED : 0u);
}

/* Keys that a query in the middle may see, the causal mask left aside: what bounds a
 * work-group's walk. */
static uint64_t keys_in_reach(const sqa_problem *problem)
{
    uint64_t keys = problem->kv_length;
    if (problem->mask & SQA_MASK_WINDOW) {
        const bool causal = problem->mask & SQA_MASK_CAUSAL;
        const uint64_t right = causal ? 0 : (uint64_t)problem->window.right;
        const uint64_t width = (uint64_t)problem->window.left + 1 + right + problem->globals.count;
        keys = width < keys ? width : keys;
    }
    if (problem->mask & SQA_MASK_BLOCKS)
        keys = (uint64_t)((double)keys * sqa_problem_listed_part(problem));
    return keys;
}

sqa_problem_class sqa_problem_class_of(const sqa_problem *problem)
{
    sqa_problem_class result;
    memset(&result, 0, sizeof result);
    result.operation = problem->operation;
    result.dtype = problem->dtype;
    result.head_dim = problem->head_dim;
    result.value_dim = problem->value_dim;
    result.mask = mask_of(problem);
    result.group = sqa_problem_group(problem);
    result.q_bucket = bucket(problem->q_length);
    result.kv_bucket = bucket(keys_in_reach(problem));
    result.rows_bucket = bucket((uint64_t)problem->batch * problem->out_heads);
    return result;
}

/* A kind of mask more or less weighs as much as sixteen times the length. */
#define OTHER_MASK 4

int sqa_problem_class_distance(const sqa_problem_class *a, const sqa_problem_class *b)
{
    if (a->operation != b->operation || a->dtype != b->dtype || a->head_dim != b->head_dim ||
        a->value_dim != b->value_dim)
        return -1;
    int distance = abs(a->q_bucket - b->q_bucket) + abs(a->kv_bucket - b->kv_bucket) +
                   abs(a->rows_bucket - b->rows_bucket) + abs(bucket(a->group) - bucket(b->group));
    for (uint32_t kinds = a->mask ^ b->mask; kinds; kinds &= kinds - 1)
        distance += OTHER_MASK;
    return distance == 0 && a->group != b->group ? 1 : distance;
}

bool sqa_problem_class_equal(const sqa_problem_class *a, const sqa_problem_class *b)
{
    return sqa_problem_class_distance(a, b) == 0;
}

/* Indexed by the mask's bits. */
static const char *const mask_names[] = {
    "none",
    "causal",
    "window",
    "causal+window",
    "blocks",
    "causal+blocks",
    "window+blocks",
    "causal+window+blocks",
    "stored",
    "causal+stored",
    "window+stored",
    "causal+window+stored",
    "blocks+stored",
    "causal+blocks+stored",
    "window+blocks+stored",
    "causal+window+blocks+stored",
};

static const char *mask_name(uint32_t mask)
{
    return mask < sizeof mask_names / sizeof *mask_names ? mask_names[mask] : NULL;
}

static bool mask_from_name(const char *name, uint32_t *out)
{
    for (uint32_t i = 0; i < sizeof mask_names / sizeof *mask_names; i++)
        if (!strcmp(name, mask_names[i])) {
            *out = i;
            return true;
        }
    return false;
}

/* What a key is made of, in order. */
typedef enum part_kind { PART_DTYPE, PART_MASK, PART_COUNT } part_kind;

static const struct part {
    const char *name;
    part_kind kind;
    size_t offset; /* of 32 bits */
    uint32_t least, most;
} parts[] = {
    {"dtype", PART_DTYPE, offsetof(sqa_problem_class, dtype), 0, 0},
    {"d", PART_COUNT, offsetof(sqa_problem_class, head_dim), 1, SQA_MAX_HEAD_DIM},
    {"dv", PART_COUNT, offsetof(sqa_problem_class, value_dim), 1, SQA_MAX_HEAD_DIM},
    {"mask", PART_MASK, offsetof(sqa_problem_class, mask), 0, 0},
    {"group", PART_COUNT, offsetof(sqa_problem_class, group), 1, 65535},
    {"q", PART_COUNT, offsetof(sqa_problem_class, q_bucket), 0, 63},
    {"kv", PART_COUNT, offsetof(sqa_problem_class, kv_bucket), 0, 63},
    {"rows", PART_COUNT, offsetof(sqa_problem_class, rows_bucket), 0, 63},
};
enum { PARTS = sizeof parts / sizeof *parts, VALUE_TEXT = 32 };

static void format_value(const struct part *part, uint32_t value, char out[VALUE_TEXT])
{
    if (part->kind == PART_COUNT)
        snprintf(out, VALUE_TEXT, "%" PRIu32, value);
    else
        snprintf(out, VALUE_TEXT, "%s",
                 part->kind == PART_MASK ? mask_name(value) : sqa_dtype_name((sqa_dtype)value));
}

void sqa_problem_class_format(const sqa_problem_class *problem_class, char text[SQA_CLASS_KEY_TEXT])
{
    size_t used = 0;
    for (int i = 0; i < PARTS; i++) {
        uint32_t value;
        char word[VALUE_TEXT];
        memcpy(&value, (const char *)problem_class + parts[i].offset, sizeof value);
        format_value(&parts[i], value, word);
        used += (size_t)snprintf(text + used, SQA_CLASS_KEY_TEXT - used, "%s%s=%s", i ? "," : "",
                                 parts[i].name, word);
    }
}

static bool parse_value(const struct part *part, const char *word, uint32_t *out)
{
    sqa_dtype dtype;
    char *end = NULL;
    switch (part->kind) {
    case PART_MASK: return mask_from_name(word, out);
    case PART_DTYPE:
        if (!sqa_dtype_from_name(word, &dtype))
            return false;
        *out = (uint32_t)dtype;
        return true;
    default: break;
    }
    /* One text per number: no signs, blanks or leading zeros. */
    char again[VALUE_TEXT];
    *out = (uint32_t)strtoul(word, &end, 10);
    snprintf(again, sizeof again, "%" PRIu32, *out);
    return !strcmp(again, word) && *out >= part->least && *out <= part->most;
}

bool sqa_problem_class_parse(sqa_operation operation, const char *text, sqa_problem_class *out)
{
    memset(out, 0, sizeof *out);
    out->operation = operation;
    for (int i = 0; i < PARTS; i++) {
        const size_t name = strlen(parts[i].name), item = strcspn(text, ",");
        char word[VALUE_TEXT];
        uint32_t value;
        if (strncmp(text, parts[i].name, name) != 0 || text[name] != '=' ||
            item - name - 1 >= sizeof word)
            return false;
        snprintf(word, sizeof word, "%.*s", (int)(item - name - 1), text + name + 1);
        if (!parse_value(&parts[i], word, &value) || text[item] != (i + 1 < PARTS ? ',' : '\0'))
            return false;
        memcpy((char *)out + parts[i].offset, &value, sizeof value);
        text += item + 1;
    }
    return true;
}
