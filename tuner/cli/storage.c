/* The bit patterns of the short types. No half type of the compiler's is needed. */
#include "cli/storage.h"

#include <stdbool.h>
#include <string.h>

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* bits >> shift, rounded to nearest, ties to even. */
static uint32_t shift_rounding(uint32_t bits, unsigned shift)
{
    uint32_t kept = bits >> shift, rest = bits & ((1u << shift) - 1), half = 1u << (shift - 1);
    return kept + (rest > half || (rest == half && (kept & 1)));
}

uint16_t sqa_half_from_float(float value)
{
    uint32_t bits = bits_of(value), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000)
        return (uint16_t)(sign | 0x7e00); /* NaN */
    if (magnitude >= 0x47800000)
        return (uint16_t)(sign | 0x7c00); /* 65536 and more; 65520 rounds there below */
    if (magnitude >= 0x38800000)          /* 2^-14, the least normal half */
        return (uint16_t)(sign | (shift_rounding(magnitude, 13) - (112 << 10)));
    /* A subnormal half counts steps of 2^-24. */
    unsigned exponent = magnitude >> 23;
    if (exponent < 102)
        return (uint16_t)sign;
    return (uint16_t)(sign | shift_rounding((magnitude & 0x7fffff) | 0x800000, 126 - exponent));
}

float sqa_float_from_half(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31;
    uint32_t fraction = half & 0x3ff;
    if (exponent == 31)
        return float_of(sign | 0x7f800000 | fraction << 13);
    if (exponent == 0) {
        float value = (float)fraction * 0x1p-24f;
        return sign ? -value : value;
    }
    return float_of(sign | (exponent + 112) << 23 | fraction << 13);
}

static uint16_t bfloat_from_float(float value)
{
    uint32_t bits = bits_of(value);
    bool is_nan = (bits & 0x7fffffff) > 0x7f800000;
    return (uint16_t)(is_nan ? bits >> 16 | 0x40 : shift_rounding(bits, 16));
}

static float float_from_bfloat(uint16_t bfloat)
{
    return float_of((uint32_t)bfloat << 16);
}

typedef struct short_type {
    uint16_t (*from_float)(float);
    float (*to_float)(uint16_t);
} short_type;

/* NULL members: f32, which is only copied. */
static const short_type types[] = {
    [SQA_DTYPE_F32] = {NULL, NULL},
    [SQA_DTYPE_F16] = {sqa_half_from_float, sqa_float_from_half},
    [SQA_DTYPE_BF16] = {bfloat_from_float, float_from_bfloat},
};

void sqa_store(sqa_dtype dtype, const float *values, void *stored, size_t count)
{
    const short_type *type = &types[dtype];
    uint16_t *words = stored;
    if (!type->from_float)
        memcpy(stored, values, count * sizeof *values);
    else
        for (size_t i = 0; i < count; i++)
            words[i] = type->from_float(values[i]);
}

void sqa_load(sqa_dtype dtype, const void *stored, float *values, size_t count)
{
    const short_type *type = &types[dtype];
    const uint16_t *words = stored;
    if (!type->to_float)
        memcpy(values, stored, count * sizeof *values);
    else
        for (size_t i = 0; i < count; i++)
            values[i] = type->to_float(words[i]);
}
