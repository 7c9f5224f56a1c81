/* Vectors of stored elements, also where a row ends within one. */
/* `count` elements of a row, or all LANES of them. */
INLINE vec load_stored(__global const sqa_stored *from, const bool whole, const int count)
{
    float some[LANES] ALIGNED;
    if (whole)
        return SQA_LOADN(LANES, 0, from);
    for (int i = 0; i < LANES; i++)
        some[i] = i < count ? SQA_LOAD(i, from) : 0.0f;
    return LOAD(some);
}

/* One after the other, PoCL rounds to f16 four times slower than as a vector, to bf16 faster. */
INLINE void store_stored(const vec x, __global sqa_stored *to, const bool whole, const int count)
{
    float some[LANES] ALIGNED;
#if SQA_DTYPE == 0
    if (whole) {
        GLOBAL_STORE(x, to);
        return;
    }
#elif SQA_DTYPE == 1
    if (whole) {
        SQA_JOIN(SQA_JOIN(vstore_half, LANES), _rte)(x, 0, to);
        return;
    }
#endif
    STORE(x, some);
    for (int i = 0; i < (whole ? LANES : count); i++)
        SQA_STORE(some[i], i, to);
}
