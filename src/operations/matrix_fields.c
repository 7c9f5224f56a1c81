#include "operations/matrix_fields.h"

#include <stddef.h>

const char *const sqa_activation_words[] = {"none",    "silu", "gelu_tanh",  "gelu_erf",
                                            "sigmoid", "relu", "logsigmoid", NULL};
