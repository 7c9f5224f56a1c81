/* What shapes of several operations say of matrices: strides, and what elements go through. */
#ifndef SQA_OPERATIONS_MATRIX_FIELDS_H
#define SQA_OPERATIONS_MATRIX_FIELDS_H

#include "operations/field.h"
#include "sqa_cl/matmul.h"

/* By the values of sqa_activation. */
extern const char *const sqa_activation_words[];
#define SQA_ACTIVATION_MEANING                                                                     \
    "activation: none (default), silu, gelu_tanh, gelu_erf, sigmoid or relu"

/* BATCH:ROW. Errors: SQA_INVALID_ARGUMENT, naming the key. */
sqa_status sqa_read_matrix_strides(const char *name, const char *value, sqa_matrix_strides *out);

/* false: packed, which need not be written. */
bool sqa_write_matrix_strides(const sqa_matrix_strides *strides, uint32_t rows, uint32_t columns,
                              char value[SQA_FIELD_VALUE]);

#endif
