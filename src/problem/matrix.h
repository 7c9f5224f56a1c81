/* Strides of matrices, as descriptors of several operations ask for them. */
#ifndef SQA_PROBLEM_MATRIX_H
#define SQA_PROBLEM_MATRIX_H

#include "sqa_cl/matmul.h"

#define SQA_MAX_MATRIX_LENGTH (1u << 30)
#define SQA_ACTIVATION_LAST SQA_ACTIVATION_LOG_SIGMOID

sqa_matrix_strides sqa_matrix_packed(uint32_t rows, uint32_t columns);

/* What is asked for, packed where both strides are zero; `field` for the message.
 * Errors: SQA_INVALID_ARGUMENT for strides whose sums 63 bits do not hold. */
sqa_status sqa_matrix_view(sqa_matrix_strides *out, const char *field,
                           const sqa_matrix_strides *asked, uint32_t batch, uint32_t rows,
                           uint32_t columns);

/* Errors: SQA_INVALID_ARGUMENT where elements are one in memory. */
sqa_status sqa_matrix_check_no_overlap(const char *field, const sqa_matrix_strides *strides,
                                       uint32_t batch, uint32_t rows, uint32_t columns);

#endif
