/* A rotation as a problem: for its public entry points, and for recipes of it. */
#ifndef SQA_OPERATIONS_ROPE_FIELDS_H
#define SQA_OPERATIONS_ROPE_FIELDS_H

#include "operations/field.h"
#include "operations/operation.h"

/* Errors: those of sqa_rotation_from_desc() (problem/rope.h). */
sqa_status sqa_problem_from_rope(sqa_problem *out, const sqa_rope_desc *desc);

/* The keys of its shapes, which go into a sqa_rope_desc. */
extern const sqa_shape_field sqa_rope_fields[];
extern const sqa_shape_field_need sqa_rope_needs[];

/* The reference: a row of Y, in fp64. */
void sqa_reference_rope_row(const sqa_rotation *rotation, const sqa_reference_inputs *inputs,
                            uint32_t batch, uint32_t head, uint32_t row, double *out);

/* Likewise: each block of x times the Hadamard matrix, as rope.h has its elements. */
void sqa_reference_hadamard(uint32_t dim, double *x);

/* Positions to check with: small ones, large ones, and negative ones (`fill` of a slot). */
void sqa_fill_rope_positions(const sqa_problem *problem, uint64_t count, bool shuffled,
                             sqa_random *random, void *out);

#endif
