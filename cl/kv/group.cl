/* A quantised group (include/sqa_cl/kv_cache.h) of 32 numbers; src/problem/groups.c takes the same
 * steps. A group in which not all are finite is NaN as a whole. */
#if SQA_KV_DTYPE >= 3
/* Stored and, as it is then, returned. */
INLINE float put_half(const float value, __global uchar *to)
{
    __global half *stored = (__global half *)to;
    vstore_half_rte(isnan(value) ? value : clamp(value, -65504.0f, 65504.0f), 0, stored);
    return vload_half(0, stored);
}

INLINE float inverse_of(const float scale)
{
    return scale > 0.0f ? 1.0f / scale : 0.0f;
}

INLINE float bound(const float x, const float low, const float high)
{
    return x < low ? low : x > high ? high : x;
}

INLINE void put_group(const float *x, __global uchar *to)
{
    float low = x[0], high = x[0];
    int special = 0;
    for (int i = 0; i < SQA_GROUP; i++) {
        low = fmin(low, x[i]);
        high = fmax(high, x[i]);
        special |= !isfinite(x[i]);
    }
#if SQA_KV_DTYPE == 3
    const float most = fmax(fabs(low), fabs(high)) * (1.0f / 127.0f);
    const float inverse = inverse_of(put_half(special ? NAN : most, to));
    for (int i = 0; i < SQA_GROUP; i++)
        to[2 + i] = special ? 0 : as_uchar((char)bound(rint(x[i] * inverse), -127.0f, 127.0f));
#else
    const float least = put_half(special ? NAN : low, to + 2);
    const float step = special ? 0.0f : fmax(high - least, 0.0f) * (1.0f / 15.0f);
    const float inverse = inverse_of(put_half(step, to));
    for (int i = 0; i < 16; i++) {
        const float a = bound(rint((x[i] - least) * inverse), 0.0f, 15.0f);
        const float b = bound(rint((x[i + 16] - least) * inverse), 0.0f, 15.0f);
        to[4 + i] = special ? 0 : (uchar)((int)a | (int)b << 4);
    }
#endif
}
#endif
