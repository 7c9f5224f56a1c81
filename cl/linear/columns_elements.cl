/* columns, both passes: vectors from memory and to it, as f32; features, decays and sums of them.
 */

INLINE vec load_vector(__global const sqa_stored *from, const int count)
{
    float some[LANES] ALIGNED;
    if (count >= LANES)
        return SQA_LOADN(LANES, 0, from);
    for (int i = 0; i < LANES; i++)
        some[i] = i < count ? SQA_LOAD(i, from) : 0.0f;
    return LOAD(some);
}

INLINE void store_vector(const vec x, __global sqa_stored *to, const int count)
{
    float some[LANES] ALIGNED;
#if SQA_DTYPE == 0
    if (count >= LANES) {
        GLOBAL_STORE(x, to);
        return;
    }
#endif
    STORE(x, some);
    for (int i = 0; i < min(count, LANES); i++)
        SQA_STORE(some[i], i, to);
}

#define LOG2_E 1.44269504f

/* e^x for x <= 0. */
INLINE vec exp_of(const vec x)
{
    return exp2_of(x * (vec)(LOG2_E));
}

/* e^x - 1 for SQA_WEAK < x <= 0, by its series; e^x further down. */
INLINE vec part_of(const vec x)
{
    vec p = (vec)(1.0f / 40320.0f);
    p = fma(p, x, (vec)(1.0f / 5040.0f));
    p = fma(p, x, (vec)(1.0f / 720.0f));
    p = fma(p, x, (vec)(1.0f / 120.0f));
    p = fma(p, x, (vec)(1.0f / 24.0f));
    p = fma(p, x, (vec)(1.0f / 6.0f));
    p = fma(p, x, (vec)(0.5f));
    p = fma(p * x, x, x);
    return select(exp_of(x), p, x > (vec)(SQA_WEAK));
}

INLINE vec feature_of(const vec x)
{
#if SQA_FEATURE == 1
    const vec below = exp_of(select(x, (vec)(0.0f), x > (vec)(0.0f)));
    return select(below, x + (vec)(1.0f), x >= (vec)(0.0f));
#elif SQA_FEATURE == 2
    return select(x, (vec)(0.0f), x <= (vec)(0.0f));
#else
    return x;
#endif
}

/* `count` elements of q or k, mapped; what is behind them is 0, whatever f makes of 0. */
INLINE vec load_mapped(__global const sqa_stored *from, const int count)
{
    float some[LANES] ALIGNED;
    const vec x = feature_of(load_vector(from, count));
    if (SQA_FEATURE != 1 || count >= LANES)
        return x;
    STORE(x, some);
    for (int i = count; i < LANES; i++)
        some[i] = 0.0f;
    return LOAD(some);
}

INLINE float sum_of_four(const float4 a)
{
    return (a.x + a.y) + (a.z + a.w);
}

INLINE float sum_of(const vec a)
{
#if LANES == 16
    const float8 b = a.lo + a.hi;
    return sum_of_four(b.lo + b.hi);
#elif LANES == 8
    return sum_of_four(a.lo + a.hi);
#else
    return sum_of_four(a);
#endif
}
