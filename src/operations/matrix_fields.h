/* What shapes of several operations say of the elements of matrices. */
#ifndef SQA_OPERATIONS_MATRIX_FIELDS_H
#define SQA_OPERATIONS_MATRIX_FIELDS_H

/* By the values of sqa_activation; NULL ends them. */
extern const char *const sqa_activation_words[];
#define SQA_ACTIVATION_MEANING                                                                     \
    "activation: none (default), silu, gelu_tanh, gelu_erf, sigmoid, relu or logsigmoid"

#endif
