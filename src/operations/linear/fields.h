/* Linear attention as a problem, and the keys of its shapes that attention has not. */
#ifndef SQA_OPERATIONS_LINEAR_FIELDS_H
#define SQA_OPERATIONS_LINEAR_FIELDS_H

#include "operations/field.h"
#include "problem/problem.h"

typedef struct sqa_linear_desc {
    sqa_attention_desc attention; /* first, for the keys of attention */
    sqa_linear_options options;
} sqa_linear_desc;

extern const sqa_shape_field sqa_linear_position_fields[]; /* causal, ragged */
extern const sqa_shape_field sqa_linear_rule_fields[];     /* feature, ..., state */
extern const sqa_shape_field sqa_linear_stride_fields[];   /* of decay and beta */

/* Errors: those of sqa_linear_from_desc() (problem/linear.h). */
sqa_status sqa_problem_from_linear(sqa_problem *out, const sqa_attention_desc *desc,
                                   const sqa_linear_options *options);

#endif
