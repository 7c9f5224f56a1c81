#include "problem/dropout.h"

#include "base/status.h"

sqa_status sqa_check_dropout(const char *field, float dropout)
{
    if (dropout >= 0.0f && dropout < 1.0f)
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT, "%s: %g is not from 0 to less than 1", field,
                    (double)dropout);
}

uint32_t sqa_dropped_numbers(float dropout)
{
    return (uint32_t)((double)dropout * 0x1p32);
}

double sqa_dropout_factor(float dropout)
{
    return 1.0 / (1.0 - sqa_dropped_numbers(dropout) * 0x1p-32);
}
