/* rows: bias and masks that are stored per key, fetched for a key tile of a row tile,
 * and asked for ahead. */
#if SQA_EXTRA
/* Asks for what a row has for the keys from `first` on: rows lie apart, where no
 * hardware expects them. Only for the next row tile, since rows a power of two apart
 * share cache sets, and a few at a time, or the requests themselves queue. */
INLINE void prefetch_extra(const sqa_extra_row row, const int first)
{
#if SQA_BIAS
    for (int c = 0; c < KEYS; c += 64 / sizeof(sqa_bias_stored))
        PREFETCH(row.bias + first + c);
#endif
#if SQA_PAIR_MASK
    for (int c = 0; c < KEYS; c += 64)
        PREFETCH(row.mask + first + c);
#endif
}

/* What bias and masks make of a key tile: nothing, something to add, some keys hidden,
 * all of them hidden. */
enum { EXTRA_NONE, EXTRA_ADDS, EXTRA_HIDES, EXTRA_HIDES_ALL };

/* Whether a row has only zeros for a bias and only set bytes for masks: the case that
 * is to cost next to nothing. */
INLINE bool extra_is_none(const sqa_extra_row row, const int first, const int count)
{
    const int whole = count & ~15;
    int other = 0;
#if SQA_BIAS
    int8 bits = (int8)(0);
#pragma unroll 4
    for (int c = 0; c < whole; c += 8)
        bits |= as_int8(SQA_BIAS_LOAD8(first + c, row.bias));
    other |= any((bits & 0x7fffffff) != 0);
#endif
#if SQA_PAIR_MASK || SQA_KEY_MASK
    char16 zeros = (char16)(0);
#pragma unroll 4
    for (int c = 0; c < whole; c += 16) {
#if SQA_PAIR_MASK
        zeros |= vload16(0, row.mask + first + c) == (uchar16)(0);
#endif
#if SQA_KEY_MASK
        zeros |= vload16(0, row.key_mask + first + c) == (uchar16)(0);
#endif
    }
    other |= any(zeros);
#endif
    for (int c = whole; c < count; c++)
        other |= sqa_extra(row, first + c) != 0.0f;
    return !other;
}

/* Fetches them for the tile, transposed like the scores, four by four. */
static int load_extra(const row_tile *restrict tile, const key_tile keys, float *restrict extra)
{
    bool none = true;
    for (int r = 0; r < ROWS && none; r++)
        none = extra_is_none(tile->extra[r], keys.first, keys.count);
    if (none)
        return EXTRA_NONE;
    int4 hidden = (int4)(0), seen = (int4)(0);
    for (int r = 0; r < ROWS; r += 4) {
        int c = 0;
        for (; c + 4 <= keys.count; c += 4) {
            const float4 x0 = sqa_extra4(tile->extra[r], keys.first + c);
            const float4 x1 = sqa_extra4(tile->extra[r + 1], keys.first + c);
            const float4 x2 = sqa_extra4(tile->extra[r + 2], keys.first + c);
            const float4 x3 = sqa_extra4(tile->extra[r + 3], keys.first + c);
            const float4 low01 = (float4)(x0.s0, x1.s0, x0.s1, x1.s1);
            const float4 low23 = (float4)(x2.s0, x3.s0, x2.s1, x3.s1);
            const float4 high01 = (float4)(x0.s2, x1.s2, x0.s3, x1.s3);
            const float4 high23 = (float4)(x2.s2, x3.s2, x2.s3, x3.s3);
            float *to = extra + c * ROWS + r;
            vstore4((float4)(low01.lo, low23.lo), 0, to);
            vstore4((float4)(low01.hi, low23.hi), 0, to + ROWS);
            vstore4((float4)(high01.lo, high23.lo), 0, to + 2 * ROWS);
            vstore4((float4)(high01.hi, high23.hi), 0, to + 3 * ROWS);
            const float4 least = min(min(x0, x1), min(x2, x3));
            const float4 most = max(max(x0, x1), max(x2, x3));
            hidden |= least == (float4)(-INFINITY);
            seen |= most > (float4)(-INFINITY);
        }
        for (; c < keys.count; c++)
            for (int i = 0; i < 4; i++) {
                const float x = sqa_extra(tile->extra[r + i], keys.first + c);
                extra[c * ROWS + r + i] = x;
                hidden.s0 |= -(x == -INFINITY);
                seen.s0 |= -(x != -INFINITY);
            }
    }
    return !any(seen) ? EXTRA_HIDES_ALL : any(hidden) ? EXTRA_HIDES : EXTRA_ADDS;
}
#endif
