#include "problem/problem_class.h"

#include <stdlib.h>
#include <string.h>

/* round(log2(value)) without floating point: the exponent of the nearest power,
 * where 1.5 * 2^n already counts as n + 1. */
static int32_t bucket(uint64_t value)
{
    int32_t exponent = 0;
    while (exponent < 61 && (UINT64_C(3) << exponent) <= 2 * value)
        exponent++;
    return exponent;
}

sqa_problem_class sqa_problem_class_of(const sqa_problem *problem)
{
    sqa_problem_class result;
    memset(&result, 0, sizeof result);
    result.operation = problem->operation;
    result.dtype = problem->dtype;
    result.head_dim = problem->head_dim;
    result.value_dim = problem->value_dim;
    result.mask = problem->mask;
    result.group = sqa_problem_group(problem);
    result.q_bucket = bucket(problem->q_length);
    result.kv_bucket = bucket(problem->kv_length);
    result.rows_bucket = bucket((uint64_t)problem->batch * problem->out_heads);
    return result;
}

int sqa_problem_class_distance(const sqa_problem_class *a, const sqa_problem_class *b)
{
    if (a->operation != b->operation || a->dtype != b->dtype || a->head_dim != b->head_dim ||
        a->value_dim != b->value_dim || a->mask != b->mask)
        return -1;
    int distance = abs(a->q_bucket - b->q_bucket) + abs(a->kv_bucket - b->kv_bucket) +
                   abs(a->rows_bucket - b->rows_bucket) + abs(bucket(a->group) - bucket(b->group));
    return distance == 0 && a->group != b->group ? 1 : distance;
}

bool sqa_problem_class_equal(const sqa_problem_class *a, const sqa_problem_class *b)
{
    return sqa_problem_class_distance(a, b) == 0;
}

/* Indexed by the mask's bits. */
static const char *const mask_names[] = {
    [SQA_MASK_NONE] = "none",
    [SQA_MASK_CAUSAL] = "causal",
};

const char *sqa_mask_name(uint32_t mask)
{
    return mask < sizeof mask_names / sizeof *mask_names ? mask_names[mask] : NULL;
}

bool sqa_mask_from_name(const char *name, uint32_t *out)
{
    for (uint32_t i = 0; i < sizeof mask_names / sizeof *mask_names; i++)
        if (!strcmp(name, mask_names[i])) {
            *out = i;
            return true;
        }
    return false;
}
