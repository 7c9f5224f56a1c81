#include "problem/storage.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "problem/groups.h"

uint32_t sqa_float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

float sqa_float_from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* `bits` without its lowest `shift` (1 to 31), rounded to nearest, ties to even. */
static uint32_t round_off(uint32_t bits, unsigned shift)
{
    uint32_t half = UINT32_C(1) << (shift - 1);
    return (bits + half - 1 + (bits >> shift & 1)) >> shift;
}

static uint16_t encode_bf16(float value)
{
    uint32_t bits = sqa_float_bits(value);
    if (isnan(value))
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)round_off(bits, 16);
}

static float decode_bf16(uint16_t stored)
{
    return sqa_float_from_bits((uint32_t)stored << 16);
}

/* Exponents: f16 is biased by 15 and ends at 30, f32 by 127. */
static uint16_t encode_f16(float value)
{
    uint32_t bits = sqa_float_bits(value);
    uint32_t sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff;
    if (isnan(value))
        return (uint16_t)(sign | 0x7e00 | (rest >> 13 & 0x3ff));
    if (rest >= 0x477ff000) /* 65520 and above round to infinity */
        return (uint16_t)(sign | 0x7c00);
    if (rest >= 0x38800000) /* 2^-14: normal */
        return (uint16_t)(sign | round_off(rest - (UINT32_C(112) << 23), 13));
    if (rest < 0x33000000) /* below half the least subnormal */
        return (uint16_t)sign;
    uint32_t fraction = (rest & 0x7fffff) | 0x800000;
    return (uint16_t)(sign | round_off(fraction, 126 - (rest >> 23)));
}

static float decode_f16(uint16_t stored)
{
    uint32_t sign = (uint32_t)(stored & 0x8000) << 16, fraction = stored & 0x3ff;
    uint32_t exponent = stored >> 10 & 0x1f;
    if (exponent == 0) {
        float magnitude = ldexpf((float)fraction, -24);
        return sign ? -magnitude : magnitude;
    }
    exponent = exponent == 31 ? 255 : exponent + 112;
    return sqa_float_from_bits(sign | exponent << 23 | fraction << 13);
}

void sqa_storage_encode(sqa_dtype dtype, const float *in, void *out, size_t count)
{
    if (dtype == SQA_DTYPE_F32) {
        memmove(out, in, count * sizeof *in);
        return;
    }
    if (sqa_dtype_is_quantised(dtype)) {
        sqa_groups_encode(dtype, in, out, count);
        return;
    }
    uint16_t *words = out;
    for (size_t i = 0; i < count; i++) {
        uint16_t word = dtype == SQA_DTYPE_F16 ? encode_f16(in[i]) : encode_bf16(in[i]);
        words[i] = word;
    }
}

void sqa_storage_decode(sqa_dtype dtype, const void *in, float *out, size_t count)
{
    if (dtype == SQA_DTYPE_F32) {
        memmove(out, in, count * sizeof *out);
        return;
    }
    if (sqa_dtype_is_quantised(dtype)) {
        sqa_groups_decode(dtype, in, out, count);
        return;
    }
    const uint16_t *words = in;
    for (size_t i = 0; i < count; i++)
        out[i] = dtype == SQA_DTYPE_F16 ? decode_f16(words[i]) : decode_bf16(words[i]);
}

void sqa_storage_round_all(sqa_dtype dtype, float *values, size_t count)
{
    float stored[SQA_GROUP];
    for (size_t i = 0; i < count && dtype != SQA_DTYPE_F32; i += SQA_GROUP) {
        const size_t some = count - i < SQA_GROUP ? count - i : SQA_GROUP;
        sqa_storage_encode(dtype, values + i, stored, some);
        sqa_storage_decode(dtype, stored, values + i, some);
    }
}

float sqa_storage_round(sqa_dtype dtype, float value)
{
    float group[SQA_GROUP];
    const uint32_t count = sqa_dtype_is_quantised(dtype) ? SQA_GROUP : 1;
    for (uint32_t i = 0; i < count; i++)
        group[i] = value;
    sqa_storage_round_all(dtype, group, count);
    return group[0];
}

float sqa_storage_largest(sqa_dtype dtype)
{
    static const float largest[] = {[SQA_DTYPE_F32] = FLT_MAX,
                                    [SQA_DTYPE_F16] = 65504.0f,
                                    [SQA_DTYPE_BF16] = 0x1.fep127f,
                                    [SQA_DTYPE_INT8] = 127.0f * 65504.0f,
                                    [SQA_DTYPE_INT4] = 65504.0f};
    return largest[dtype];
}
