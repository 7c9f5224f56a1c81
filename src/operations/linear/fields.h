/* Linear attention as a problem, and the keys of its shapes that attention has not. */
#ifndef SQA_OPERATIONS_LINEAR_FIELDS_H
#define SQA_OPERATIONS_LINEAR_FIELDS_H

#include "operations/field.h"
#include "problem/problem.h"

typedef struct sqa_linear_desc {
    sqa_attention_desc attention; /* first, for the keys of attention */
    sqa_linear_options options;
} sqa_linear_desc;

/* All keys of either pass; of them the rule, and strides of decay and beta, which are of whatever
 * begins like sqa_linear_desc. */
extern const sqa_shape_field *const sqa_linear_fields[];
extern const sqa_shape_field sqa_linear_rule_fields[], sqa_linear_stride_fields[];
void sqa_linear_start(void *descriptor);
void sqa_linear_describe(const sqa_problem *problem, void *descriptor);

/* Of the forward or the backward pass. Errors: those of sqa_linear_from_desc()
 * (problem/linear.h); of the backward pass, a state in place. */
sqa_status sqa_problem_from_linear(sqa_problem *out, sqa_operation operation,
                                   const sqa_attention_desc *desc,
                                   const sqa_linear_options *options);

#endif
