/* The problem class: what of a problem decides which configuration is best.
 * It is the key of the tuning database; problems of one class share a result. */
#ifndef SQA_PROBLEM_PROBLEM_CLASS_H
#define SQA_PROBLEM_PROBLEM_CLASS_H

#include <stdbool.h>
#include <stdint.h>

#include "problem/problem.h"

typedef struct sqa_problem_class {
    sqa_operation operation;
    sqa_dtype dtype;
    uint32_t head_dim, value_dim;
    uint32_t mask;     /* sqa_mask bits */
    uint32_t group;    /* output heads per key/value head */
    int32_t q_bucket;  /* round(log2(q_length)); 0 for lengths 0 and 1 */
    int32_t kv_bucket; /* round(log2(kv_length)) */
    int32_t
        rows_bucket; /* round(log2(batch * out_heads)): how many independent row sets there are */
} sqa_problem_class;

sqa_problem_class sqa_problem_class_of(const sqa_problem *problem);

bool sqa_problem_class_equal(const sqa_problem_class *a, const sqa_problem_class *b);

/* How far a result for `b` is from being one for `a`: 0 for equal classes, the
 * sum of bucket steps apart (and of log2 of the group ratio) otherwise; negative
 * when operation, dtype, dimensions or mask differ, so that it says nothing. */
int sqa_problem_class_distance(const sqa_problem_class *a, const sqa_problem_class *b);

/* The names of a mask's bits: "none", "causal". */
const char *sqa_mask_name(uint32_t mask);
bool sqa_mask_from_name(const char *name, uint32_t *out);

#endif
