/* The problem class: what of a problem decides which configuration is best. Problems of
 * one class share a result of the tuning database. Which numbers make a class is a table of
 * the operation; what they mean for one another is here. */
#ifndef SQA_OPERATIONS_PROBLEM_CLASS_H
#define SQA_OPERATIONS_PROBLEM_CLASS_H

#include <stdbool.h>
#include <stdint.h>

#include "operations/operation.h"

#define SQA_MAX_CLASS_PARTS 16
#define SQA_CLASS_KEY_TEXT 192 /* bytes that any key fits in */

typedef struct sqa_problem_class {
    sqa_operation operation;
    uint32_t value[SQA_MAX_CLASS_PARTS]; /* by the operation's parts; the rest 0 */
} sqa_problem_class;

sqa_problem_class sqa_problem_class_of(const sqa_problem *problem);

bool sqa_problem_class_equal(const sqa_problem_class *a, const sqa_problem_class *b);

/* How far a result for `b` is from being one for `a`: 0 for equal classes, the
 * sum of bucket steps apart (and of log2 of ratios) otherwise, more for every kind that
 * only one has; negative when the operation, a word or a count differs, so that it says
 * nothing. */
int sqa_problem_class_distance(const sqa_problem_class *a, const sqa_problem_class *b);

/* Whether both have the same kinds: of masks, say. */
bool sqa_problem_class_same_kinds(const sqa_problem_class *a, const sqa_problem_class *b);

/* "dtype=f32,d=64,dv=64,mask=causal,group=1,q=11,kv=11,rows=3", the database's key. */
void sqa_problem_class_format(const sqa_problem_class *problem_class,
                              char text[SQA_CLASS_KEY_TEXT]);

/* The inverse; false: it is no key of the operation's. */
bool sqa_problem_class_parse(sqa_operation operation, const char *text, sqa_problem_class *out);

/* round(log2(value)) without floating point: the exponent of the nearest power, where
 * 1.5 * 2^n already counts as n + 1. */
uint32_t sqa_bucket(uint64_t value);

#endif
