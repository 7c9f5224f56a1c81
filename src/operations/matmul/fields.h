/* The matrix product as a problem: for its public entry points, and for recipes of it. */
#ifndef SQA_OPERATIONS_MATMUL_FIELDS_H
#define SQA_OPERATIONS_MATMUL_FIELDS_H

#include "operations/field.h"
#include "operations/operation.h"

/* Errors: those of sqa_product_from_desc() (problem/product.h). */
sqa_status sqa_problem_from_matmul(sqa_problem *out, const sqa_matmul_desc *desc);

/* The keys of its shapes, which go into a sqa_matmul_desc. */
extern const sqa_shape_field sqa_matmul_fields[];
extern const sqa_shape_field_need sqa_matmul_needs[];

/* The reference: columns `first` .. `first` + `count` - 1 of a row of C, count up to SQA_MAX_ROW,
 * by plain sums in fp64. */
void sqa_reference_matmul_row(const sqa_product *product, const sqa_reference_inputs *inputs,
                              uint32_t batch, uint32_t row, uint32_t first, uint32_t count,
                              double *out);

#endif
