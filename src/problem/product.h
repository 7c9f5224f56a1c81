/* The matrix product as a validated descriptor (include/sqa_cl/matmul.h) with every default
 * filled in. */
#ifndef SQA_PROBLEM_PRODUCT_H
#define SQA_PROBLEM_PRODUCT_H

#include "problem/matrix.h"

typedef struct sqa_product {
    sqa_dtype dtype;
    uint32_t batch;
    uint32_t m, n, k; /* k = 0 where alpha is: then neither is transposed, and alpha = 1 */
    uint32_t transpose_a, transpose_b;
    sqa_activation activation;
    uint32_t bias, gated, add_residual;
    float alpha, beta;
    sqa_matrix_strides a, b, c, residual; /* never all zero, but for empty matrices */
} sqa_product;

/* Checks every field of `desc` and fills *out, padding too.
 * Errors: SQA_INVALID_ARGUMENT, naming the field and its range. */
sqa_status sqa_product_from_desc(sqa_product *out, const sqa_matmul_desc *desc);

/* A descriptor that gives this product again. */
void sqa_product_to_desc(const sqa_product *product, sqa_matmul_desc *out);

/* Rows and columns of A and B as they are stored. */
uint32_t sqa_product_a_rows(const sqa_product *product);
uint32_t sqa_product_a_columns(const sqa_product *product);
uint32_t sqa_product_b_rows(const sqa_product *product);
uint32_t sqa_product_b_columns(const sqa_product *product);

/* Packs all matrices anew, for lengths that have changed. */
void sqa_product_pack(sqa_product *product);

#endif
