/* Backward attention as a descriptor, and the keys of its shapes that attention has not. */
#ifndef SQA_OPERATIONS_BACKWARD_FIELDS_H
#define SQA_OPERATIONS_BACKWARD_FIELDS_H

#include "operations/field.h"
#include "problem/problem.h"

typedef struct sqa_backward_desc {
    sqa_attention_desc attention; /* first, for the keys of attention */
    sqa_backward_options options;
} sqa_backward_desc;

/* grads, accumulate: of dQ, dK and dV, with them and others, or of others alone. */
extern const sqa_shape_field sqa_gradient_fields[], sqa_core_gradient_fields[],
    sqa_score_gradient_fields[];
/* Strides of dO, and of the gradients: where they are not as by default. */
extern const sqa_shape_field sqa_dout_fields[], sqa_core_stride_fields[], sqa_score_stride_fields[];

/* A problem of the operation from a descriptor, of which only `gradients` are possible, and
 * back (sqa_operation_entry). Errors: SQA_INVALID_ARGUMENT, naming the field. */
sqa_status sqa_problem_from_gradients(sqa_problem *out, sqa_operation operation, uint32_t gradients,
                                      const sqa_attention_desc *desc,
                                      const sqa_backward_options *backward);

/* A problem of the whole pass, every gradient possible. Errors: as above. */
sqa_status sqa_problem_from_backward(sqa_problem *out, const sqa_attention_desc *desc,
                                     const sqa_backward_options *backward);
void sqa_backward_describe(const sqa_problem *problem, void *descriptor);

/* The descriptor that a shape begins with; of scores, without gradients. */
void sqa_backward_start(void *descriptor);
void sqa_backward_scores_start(void *descriptor);

#endif
