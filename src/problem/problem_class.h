/* The problem class: what of a problem decides which configuration is best.
 * It is the key of the tuning database; problems of one class share a result. */
#ifndef SQA_PROBLEM_PROBLEM_CLASS_H
#define SQA_PROBLEM_PROBLEM_CLASS_H

#include <stdbool.h>
#include <stdint.h>

#include "problem/problem.h"

#define SQA_CLASS_KEY_TEXT 192 /* bytes that any key fits in */

/* Kinds of mask that call for different configurations: how much a work-group sees
 * at a time, where its rows may begin, what it has to read beside K and V. ALiBi,
 * softcap, sinks and ragged lengths change what is done to a score, not which
 * configuration does it best. */
typedef enum sqa_class_mask {
    SQA_CLASS_CAUSAL = 1,
    SQA_CLASS_WINDOW = 2, /* also with global tokens */
    SQA_CLASS_BLOCKS = 4,
    SQA_CLASS_STORED = 8 /* bias, mask or key mask: read for every score */
} sqa_class_mask;

typedef struct sqa_problem_class {
    sqa_operation operation;
    sqa_dtype dtype;
    uint32_t head_dim, value_dim;
    uint32_t mask;     /* sqa_class_mask bits */
    uint32_t group;    /* output heads per key/value head */
    int32_t q_bucket;  /* round(log2(q_length)); 0 for lengths 0 and 1 */
    int32_t kv_bucket; /* round(log2(keys)) of those that a query may see: a window's
                          width, the listed part of the key blocks, else kv_length */
    int32_t
        rows_bucket; /* round(log2(batch * out_heads)): how many independent row sets there are */
} sqa_problem_class;

sqa_problem_class sqa_problem_class_of(const sqa_problem *problem);

bool sqa_problem_class_equal(const sqa_problem_class *a, const sqa_problem_class *b);

/* How far a result for `b` is from being one for `a`: 0 for equal classes, the
 * sum of bucket steps apart (and of log2 of the group ratio) otherwise, more for
 * every kind of mask that only one has; negative when operation, dtype or
 * dimensions differ, so that it says nothing. */
int sqa_problem_class_distance(const sqa_problem_class *a, const sqa_problem_class *b);

/* The class as the database's key:
 * "dtype=f32,d=64,dv=64,mask=causal,group=1,q=11,kv=11,rows=3". */
void sqa_problem_class_format(const sqa_problem_class *problem_class,
                              char text[SQA_CLASS_KEY_TEXT]);

/* The inverse; false: it is no key of this operation's. */
bool sqa_problem_class_parse(sqa_operation operation, const char *text, sqa_problem_class *out);

#endif
