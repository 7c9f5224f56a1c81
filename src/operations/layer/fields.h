/* The attention layer as a descriptor, and the keys of its shapes that attention has not. */
#ifndef SQA_OPERATIONS_LAYER_FIELDS_H
#define SQA_OPERATIONS_LAYER_FIELDS_H

#include "operations/field.h"
#include "operations/linear/fields.h"
#include "problem/problem.h"

typedef struct sqa_layer_shape {
    sqa_attention_desc attention; /* first, for the keys of attention */
    sqa_linear_options linear;    /* second, for those of linear attention (sqa_linear_desc) */
    sqa_layer_desc layer;         /* its attention and options are those above */
    uint32_t is_linear;
    sqa_layer_backward_options backward;
} sqa_layer_shape;

/* dmodel, dcontext, fused, biases; how a cache lies; positions, norm and gate; whether it is
 * linear; keep; of gradients. */
extern const sqa_shape_field sqa_layer_size_fields[], sqa_layer_cache_fields[],
    sqa_layer_position_fields[], sqa_layer_kind_fields[], sqa_layer_keep_fields[],
    sqa_layer_gradient_fields[];
extern const sqa_shape_field_need sqa_layer_needs[];

/* Problems from descriptors, and back (sqa_operation_entry).
 * Errors: SQA_INVALID_ARGUMENT, naming the field. */
sqa_status sqa_problem_from_layer(sqa_problem *out, const sqa_layer_desc *desc);
sqa_status sqa_problem_from_layer_backward(sqa_problem *out, const sqa_layer_desc *desc,
                                           const sqa_layer_backward_options *backward);

/* The descriptor that a shape is, which points into it: a shape may be copied, so that its own
 * pointers say nothing. Errors: SQA_INVALID_ARGUMENT for keys of linear attention without it. */
sqa_status sqa_layer_shape_desc(const sqa_layer_shape *shape, sqa_layer_desc *out);

void sqa_layer_start(void *descriptor);
sqa_status sqa_layer_settle(const void *descriptor, sqa_problem *out);
sqa_status sqa_layer_backward_settle(const void *descriptor, sqa_problem *out);
void sqa_layer_describe(const sqa_problem *problem, void *descriptor);

#endif
