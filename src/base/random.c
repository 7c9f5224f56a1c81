/* SplitMix64 (Steele, Lea and Flood, 2014): a counter stepped by the golden
 * ratio and a mixing function. Knows nothing of what the numbers are for. */
#include "base/random.h"

uint64_t sqa_random_next(sqa_random *random)
{
    uint64_t x = random->state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t sqa_random_below(sqa_random *random, uint64_t bound)
{
    if (!bound)
        return 0;
    /* Numbers beyond the last whole multiple of bound would favour small results. */
    uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    uint64_t x;
    do
        x = sqa_random_next(random);
    while (x >= limit);
    return x % bound;
}

double sqa_random_unit(sqa_random *random)
{
    return (double)(sqa_random_next(random) >> 11) * 0x1p-53;
}

float sqa_random_float(sqa_random *random, float low, float high)
{
    /* 24 bits, so that the fraction is exact in f32 and stays below 1. */
    float fraction = (float)(sqa_random_next(random) >> 40) * 0x1p-24f;
    float value = low + (high - low) * fraction;
    return value < high ? value : low;
}

void sqa_random_floats(sqa_random *random, float *out, size_t count, float low, float high)
{
    for (size_t i = 0; i < count; i++)
        out[i] = sqa_random_float(random, low, high);
}
