/* Normalisations as problems: for their public entry points, and for recipes of them. */
#ifndef SQA_OPERATIONS_NORM_FIELDS_H
#define SQA_OPERATIONS_NORM_FIELDS_H

#include "operations/field.h"
#include "operations/operation.h"

/* Errors: those of problem/norm.h. */
sqa_status sqa_problem_from_norm(sqa_problem *out, const sqa_norm_desc *desc);
sqa_status sqa_problem_from_norm_backward(sqa_problem *out, const sqa_norm_backward_desc *desc);

/* The keys of shapes, which go into a sqa_norm_backward_desc: of both, and of one. */
extern const sqa_shape_field sqa_norm_fields[], sqa_norm_output_fields[],
    sqa_norm_gradient_fields[];
extern const sqa_shape_field_need sqa_norm_needs[];

/* The reference, in fp64. Of a row (of all, counted through batch, heads and length), `count`
 * elements from `first` on: of Y; of dX, without what was there before. */
void sqa_reference_norm_row(const sqa_normalisation *norm, const sqa_reference_inputs *inputs,
                            uint64_t row, uint32_t first, uint32_t count, double *out);
void sqa_reference_norm_dx(const sqa_normalisation *norm, const sqa_reference_inputs *inputs,
                           uint64_t row, uint32_t first, uint32_t count, double *out);
/* Elements of dWeight and dBias, likewise. */
void sqa_reference_norm_sums(const sqa_normalisation *norm, const sqa_reference_inputs *inputs,
                             uint32_t first, uint32_t count, double *dweight, double *dbias);

/* Where a row begins. */
int64_t sqa_norm_row_at(const sqa_normalisation *norm, const sqa_strides *strides, uint64_t row);

#endif
