/* A matrix product's numbers as keys of a shape. */
#include "operations/matmul/fields.h"
#include "operations/matrix_fields.h"

#include "operations/field_values.h"
#include "problem/names.h"

#define AT(member) offsetof(sqa_matmul_desc, member)

SQA_FLOAT_KEY(alpha, sqa_matmul_desc, alpha, 1.0f)
SQA_FLOAT_KEY(beta, sqa_matmul_desc, beta, 0.0f)
SQA_MATRIX_KEY(sa, sqa_matmul_desc, a, desc->transpose_a ? desc->k : desc->m,
               desc->transpose_a ? desc->m : desc->k)
SQA_MATRIX_KEY(sb, sqa_matmul_desc, b, desc->transpose_b ? desc->n : desc->k,
               desc->transpose_b ? desc->k : desc->n)
SQA_MATRIX_KEY(sc, sqa_matmul_desc, c, desc->m, desc->n)
SQA_MATRIX_KEY(sr, sqa_matmul_desc, residual, desc->m, desc->n)

#define STRIDES_FIELD(key, member, of)                                                             \
    {                                                                                              \
#key, #member "_strides", "strides of " of ", BATCH:ROW in elements", SQA_FIELD_OWN,       \
            .read = read_##key, .write = write_##key                                               \
    }

const sqa_shape_field sqa_matmul_fields[] = {
    {"b", "batch", "batch (1)", SQA_FIELD_COUNT, .offset = AT(batch),
     .most = SQA_MAX_MATRIX_LENGTH},
    {"m", "m", "rows of op(A) and C", SQA_FIELD_COUNT, .offset = AT(m),
     .most = SQA_MAX_MATRIX_LENGTH},
    {"n", "n", "columns of op(B) and C", SQA_FIELD_COUNT, .offset = AT(n),
     .most = SQA_MAX_MATRIX_LENGTH},
    {"k", "k", "columns of op(A) and rows of op(B)", SQA_FIELD_COUNT, .offset = AT(k),
     .most = SQA_MAX_MATRIX_LENGTH},
    {"ta", "transpose_a", "A is stored transposed", SQA_FIELD_FLAG, .offset = AT(transpose_a)},
    {"tb", "transpose_b", "B is stored transposed", SQA_FIELD_FLAG, .offset = AT(transpose_b)},
    {"dtype", "dtype", "storage: f32 (default), f16 or bf16", SQA_FIELD_WORD, .offset = AT(dtype),
     .words = sqa_dtype_words},
    {"alpha", "alpha", "factor of the product (1)", SQA_FIELD_OWN, .number = true,
     .read = read_alpha, .write = write_alpha},
    {"beta", "beta", "factor of what C holds before (0)", SQA_FIELD_OWN, .number = true,
     .read = read_beta, .write = write_beta},
    {"bias", "bias", "a number per column is added", SQA_FIELD_FLAG, .offset = AT(bias)},
    {"act", "activation", SQA_ACTIVATION_MEANING, SQA_FIELD_WORD, .offset = AT(activation),
     .words = sqa_activation_words},
    {"gated", "gated", "times the product with B2", SQA_FIELD_FLAG, .offset = AT(gated)},
    {"residual", "residual", "a matrix is added at the end", SQA_FIELD_FLAG,
     .offset = AT(add_residual)},
    STRIDES_FIELD(sa, a, "A"),
    STRIDES_FIELD(sb, b, "B and B2"),
    STRIDES_FIELD(sc, c, "C"),
    STRIDES_FIELD(sr, residual, "the residual"),
    {0},
};

const sqa_shape_field_need sqa_matmul_needs[] = {
    {"m", "m is missing; expected a number from 0 to 1073741824"},
    {"n", "n is missing; expected a number from 0 to 1073741824"},
    {"k", "k is missing; expected a number from 0 to 1073741824"},
    {0},
};
