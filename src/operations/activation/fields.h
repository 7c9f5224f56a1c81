/* Activations and their gradients as problems: for the public entry points, and for recipes. */
#ifndef SQA_OPERATIONS_ACTIVATION_FIELDS_H
#define SQA_OPERATIONS_ACTIVATION_FIELDS_H

#include "operations/field.h"
#include "operations/matrix_rows.h"
#include "operations/operation.h"

/* Errors: those of sqa_activating_from_desc() (problem/activating.h). `backward` may be NULL. */
sqa_status sqa_problem_from_activation(sqa_problem *out, const sqa_activation_desc *desc);
sqa_status sqa_problem_from_activation_backward(sqa_problem *out, const sqa_activation_desc *desc,
                                                const sqa_activation_backward_options *backward);

/* What both are described by, in entries of the table. */
typedef struct sqa_activating_desc {
    sqa_activation_desc of;
    sqa_activation_backward_options backward;
} sqa_activating_desc;

/* The keys of shapes, and of those that are gradients'. */
extern const sqa_shape_field sqa_activation_fields[];
extern const sqa_shape_field sqa_activation_only_fields[];
extern const sqa_shape_field sqa_activation_backward_fields[];
extern const sqa_shape_field_need sqa_activation_needs[];

/* What the two entries share. */
void sqa_activating_start(void *descriptor);
void sqa_activating_describe(const sqa_problem *problem, void *descriptor);
bool sqa_activating_is_nothing(const sqa_problem *problem);
void sqa_activating_relative(const sqa_problem *problem, sqa_relative which, sqa_problem *out);
uint64_t sqa_activating_count_rows(const sqa_problem *problem);
void sqa_activating_place_of_row(const sqa_problem *problem, uint64_t row,
                                 char out[SQA_PLACE_TEXT]);

/* Whether there is a seed of dropout. */
bool sqa_activating_seed(const sqa_activating *of, sqa_tensor_shape *out);

/* What dropout multiplies element j of a stretch by. */
double sqa_activating_kept(const sqa_activating *of, const void *seed, const sqa_stretch *at,
                           uint32_t j);

sqa_tensor_shape sqa_activating_matrix(const sqa_activating *of, const sqa_matrix_strides *strides);
extern const sqa_class_part sqa_activating_class_parts[];

#endif
