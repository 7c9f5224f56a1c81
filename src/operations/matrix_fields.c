#include "operations/matrix_fields.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/status.h"

const char *const sqa_activation_words[] = {"none",    "silu", "gelu_tanh", "gelu_erf",
                                            "sigmoid", "relu", NULL};

/* Up to its end, which is `end`. */
static bool read_stride(const char **text, char end, int64_t *out)
{
    char *behind = NULL;
    errno = 0;
    if (**text < '0' || **text > '9')
        return false;
    *out = strtoll(*text, &behind, 10);
    if (errno || *behind != end)
        return false;
    *text = behind + 1;
    return true;
}

sqa_status sqa_read_matrix_strides(const char *name, const char *value, sqa_matrix_strides *out)
{
    const char *text = value;
    if (read_stride(&text, ':', &out->batch) && read_stride(&text, '\0', &out->row))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "%s is '%.60s'; expected the strides BATCH:ROW in elements", name, value);
}

bool sqa_write_matrix_strides(const sqa_matrix_strides *strides, uint32_t rows, uint32_t columns,
                              char value[SQA_FIELD_VALUE])
{
    snprintf(value, SQA_FIELD_VALUE, "%lld:%lld", (long long)strides->batch,
             (long long)strides->row);
    return (strides->batch || strides->row) &&
           (strides->batch != (int64_t)rows * columns || strides->row != columns);
}
