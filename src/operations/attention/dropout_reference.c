/* Dropout by its definition in include/sqa_cl/pattern.h. */
#include "operations/attention/reference.h"

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

double sqa_reference_kept(const sqa_attention *attention, const sqa_reference_inputs *inputs,
                          uint32_t batch, uint32_t head, uint32_t row, uint32_t key)
{
    if (!(attention->score & SQA_SCORE_DROPOUT))
        return 1.0;
    const uint32_t counter[4] = {key / 4, row, head, batch};
    const double dropped = (double)(uint32_t)((double)attention->dropout * 0x1p32);
    uint32_t numbers[4];
    sqa_reference_philox(counter, inputs->by_slot[SQA_SLOT_DROPOUT_SEED], numbers);
    return numbers[key % 4] < dropped ? 0.0 : 1.0 / (1.0 - dropped * 0x1p-32);
}
