/* columns: tokens of a chunk from memory, as f32, mapped; and decays. */

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

/* `count` rows of q or k, mapped, times `factor`; the others of the chunk are 0. */
INLINE void load_rows(__global const sqa_stored *restrict from, const long row, const int count,
                      const float factor, float *restrict to)
{
    for (int t = 0; t < TOKENS; t++)
        for (int d = 0; d < PITCH; d += LANES) {
            const int left = t < count ? SQA_HEAD_DIM - d : 0;
            vec x = (vec)(0.0f);
            if (left > 0)
                x = load_mapped(from + t * row + d, left) * (vec)(factor);
            STORE(x, to + t * PITCH + d);
        }
}

/* Rows of v, a panel after the other; of the last panel what there is. */
INLINE void load_values(__global const sqa_stored *restrict from, const long row, const int count,
                        const int columns, float *restrict to)
{
    for (int p = 0; p < PANELS; p++)
        for (int t = 0; t < CHUNK; t++)
            for (int j = 0; j < NR; j += LANES) {
                const int left = t < count ? columns - p * NR - j : 0;
                STORE(left > 0 ? load_vector(from + t * row + p * NR + j, left) : (vec)(0.0f),
                      to + (p * CHUNK + t) * NR + j);
            }
}
