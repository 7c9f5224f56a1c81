#include "operations/dropout.h"

#include <stdio.h>

#include "base/number.h"
#include "base/status.h"
#include "problem/dropout.h"

/* The product's upper and lower half. */
static void multiply(uint32_t a, uint32_t b, uint32_t *high, uint32_t *low)
{
    const uint64_t product = (uint64_t)a * b;
    *high = (uint32_t)(product >> 32);
    *low = (uint32_t)product;
}

void sqa_reference_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c[4] = {counter[0], counter[1], counter[2], counter[3]}, k[2] = {key[0], key[1]};
    for (int round = 0; round < 10; round++) {
        uint32_t high[2], low[2];
        multiply(UINT32_C(0xd2511f53), c[0], &high[0], &low[0]);
        multiply(UINT32_C(0xcd9e8d57), c[2], &high[1], &low[1]);
        c[0] = high[1] ^ c[1] ^ k[0];
        c[1] = low[1];
        c[2] = high[0] ^ c[3] ^ k[1];
        c[3] = low[0];
        k[0] += UINT32_C(0x9e3779b9);
        k[1] += UINT32_C(0xbb67ae85);
    }
    for (int i = 0; i < 4; i++)
        out[i] = c[i];
}

double sqa_reference_kept(float dropout, const void *seed, uint32_t batch, uint32_t head,
                          uint32_t row, uint32_t column)
{
    const uint32_t counter[4] = {column / 4, row, head, batch};
    uint32_t numbers[4];
    if (dropout == 0.0f)
        return 1.0;
    sqa_reference_philox(counter, seed, numbers);
    return numbers[column % 4] < sqa_dropped_numbers(dropout) ? 0.0 : sqa_dropout_factor(dropout);
}

sqa_status sqa_dropout_read(const char *value, float *dropout)
{
    if (sqa_read_finite(value, dropout) && *dropout >= 0.0f && *dropout < 1.0f)
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "dropout is '%s'; expected a number from 0 to less than 1", value);
}

bool sqa_dropout_write(float dropout, char value[SQA_FIELD_VALUE])
{
    snprintf(value, SQA_FIELD_VALUE, "%.9g", (double)dropout);
    return dropout != 0.0f;
}

void sqa_fill_seed(const sqa_problem *problem, uint64_t count, bool shuffled, sqa_random *random,
                   void *out)
{
    (void)problem, (void)shuffled;
    for (uint64_t i = 0; i < count; i++)
        ((uint32_t *)out)[i] = (uint32_t)sqa_random_next(random);
}
