/* See groups.h. What kernels do (cl/kv/group.cl), in the same steps: a multiplication by a rounded
 * inverse where one would divide, since devices divide in different ways. */
#include "problem/groups.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "problem/storage.h"

enum { HALF = 2 }; /* bytes of an f16 */

bool sqa_dtype_is_quantised(sqa_dtype dtype)
{
    return dtype == SQA_DTYPE_INT8 || dtype == SQA_DTYPE_INT4;
}

/* The first value that no number can be, as NaN; NULL: all are finite. */
static const float *find_special(const float *in, float *nan)
{
    for (uint32_t i = 0; i < SQA_GROUP; i++)
        if (!isfinite(in[i])) {
            *nan = isnan(in[i]) ? in[i] : NAN;
            return nan;
        }
    return NULL;
}

/* Stored and, as it is then, returned. */
static float put_half(float value, uint8_t *out)
{
    const float most = sqa_storage_largest(SQA_DTYPE_F16);
    const float bounded = value > most ? most : value < -most ? -most : value;
    uint16_t stored;
    sqa_storage_encode(SQA_DTYPE_F16, &bounded, &stored, 1);
    memcpy(out, &stored, sizeof stored);
    return sqa_storage_round(SQA_DTYPE_F16, bounded);
}

static float get_half(const uint8_t *in)
{
    uint16_t stored;
    float value;
    memcpy(&stored, in, sizeof stored);
    sqa_storage_decode(SQA_DTYPE_F16, &stored, &value, 1);
    return value;
}

static float inverse_of(float scale)
{
    return scale > 0.0f ? 1.0f / scale : 0.0f;
}

static float bound(float value, float low, float high)
{
    return value < low ? low : value > high ? high : value;
}

static void encode_int8(const float *in, uint8_t *out)
{
    float most = 0.0f, nan;
    const float *special = find_special(in, &nan);
    memset(out, 0, SQA_GROUP_BYTES_INT8);
    if (special) {
        put_half(*special, out);
        return;
    }
    for (uint32_t i = 0; i < SQA_GROUP; i++)
        most = fmaxf(most, fabsf(in[i]));
    const float inverse = inverse_of(put_half(most * (1.0f / 127.0f), out));
    for (uint32_t i = 0; i < SQA_GROUP; i++)
        out[HALF + i] = (uint8_t)(int8_t)bound(rintf(in[i] * inverse), -127.0f, 127.0f);
}

static void decode_int8(const uint8_t *in, float *out)
{
    const float scale = get_half(in);
    for (uint32_t i = 0; i < SQA_GROUP; i++)
        out[i] = isnan(scale) ? scale : (float)(int8_t)in[HALF + i] * scale;
}

static void encode_int4(const float *in, uint8_t *out)
{
    float low = in[0], high = in[0], nan;
    const float *special = find_special(in, &nan);
    memset(out, 0, SQA_GROUP_BYTES_INT4);
    if (special) {
        put_half(*special, out + HALF);
        return;
    }
    for (uint32_t i = 1; i < SQA_GROUP; i++) {
        low = fminf(low, in[i]);
        high = fmaxf(high, in[i]);
    }
    low = put_half(low, out + HALF);
    const float step = fmaxf(high - low, 0.0f) * (1.0f / 15.0f);
    const float inverse = inverse_of(put_half(step, out));
    for (uint32_t i = 0; i < SQA_GROUP; i++) {
        const uint8_t number = (uint8_t)bound(rintf((in[i] - low) * inverse), 0.0f, 15.0f);
        out[2 * HALF + i % 16] |= (uint8_t)(number << i / 16 * 4);
    }
}

static void decode_int4(const uint8_t *in, float *out)
{
    const float scale = get_half(in), low = get_half(in + HALF);
    for (uint32_t i = 0; i < SQA_GROUP; i++) {
        const float number = (float)(in[2 * HALF + i % 16] >> i / 16 * 4 & 15);
        out[i] = isnan(low) ? low : fmaf(number, scale, low);
    }
}

void sqa_groups_encode(sqa_dtype dtype, const float *in, void *out, size_t count)
{
    uint8_t *to = out;
    for (size_t i = 0; i < count; i += SQA_GROUP)
        if (dtype == SQA_DTYPE_INT8)
            encode_int8(in + i, to + i / SQA_GROUP * SQA_GROUP_BYTES_INT8);
        else
            encode_int4(in + i, to + i / SQA_GROUP * SQA_GROUP_BYTES_INT4);
}

void sqa_groups_decode(sqa_dtype dtype, const void *in, float *out, size_t count)
{
    const uint8_t *from = in;
    for (size_t i = 0; i < count; i += SQA_GROUP)
        if (dtype == SQA_DTYPE_INT8)
            decode_int8(from + i / SQA_GROUP * SQA_GROUP_BYTES_INT8, out + i);
        else
            decode_int4(from + i / SQA_GROUP * SQA_GROUP_BYTES_INT4, out + i);
}
