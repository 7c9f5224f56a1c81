/* A block as a descriptor, and the keys of its shapes that a layer has not. */
#ifndef SQA_OPERATIONS_BLOCK_FIELDS_H
#define SQA_OPERATIONS_BLOCK_FIELDS_H

#include "operations/layer/fields.h"

typedef struct sqa_block_shape {
    sqa_layer_shape layer; /* first, for the keys of a layer */
    sqa_block_desc block;  /* its layer is the one above */
    sqa_block_backward_options backward;
} sqa_block_shape;

/* kind, mlp, act, ...; keep; of gradients. */
extern const sqa_shape_field sqa_block_fields[], sqa_block_keep_fields[],
    sqa_block_gradient_fields[];
extern const sqa_shape_field_need sqa_block_needs[];

/* Problems from descriptors, and back (sqa_operation_entry).
 * Errors: SQA_INVALID_ARGUMENT, naming the field. */
sqa_status sqa_problem_from_block(sqa_problem *out, const sqa_block_desc *desc);
sqa_status sqa_problem_from_block_backward(sqa_problem *out, const sqa_block_desc *desc,
                                           const sqa_block_backward_options *backward);
void sqa_block_start(void *descriptor);
sqa_status sqa_block_settle(const void *descriptor, sqa_problem *out);
sqa_status sqa_block_backward_settle(const void *descriptor, sqa_problem *out);
void sqa_block_describe(const sqa_problem *problem, void *descriptor);

#endif
