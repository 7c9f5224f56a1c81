/* decode: from scores to weights and output, MR rows at a time. */
/* Lanes n further on change places with those here. */
#if LANES == 16
#define SWAPPED_8(x) ((x).s89abcdef01234567)
#define SWAPPED_4(x) ((x).s45670123cdef89ab)
#define SWAPPED_2(x) ((x).s23016745ab89efcd)
#define SWAPPED_1(x) ((x).s1032547698badcfe)
#elif LANES == 8
#define SWAPPED_4(x) ((x).s45670123)
#define SWAPPED_2(x) ((x).s23016745)
#define SWAPPED_1(x) ((x).s10325476)
#else
#define SWAPPED_2(x) ((x).s2301)
#define SWAPPED_1(x) ((x).s1032)
#endif

/* Of a vector of scores, the largest of each row, in all its lanes. */
INLINE vec largest_of_rows(vec x)
{
#if LANES > 8
    x = LARGER(x, SWAPPED_8(x));
#endif
#if LANES > 4 && MR <= 4
    x = LARGER(x, SWAPPED_4(x));
#endif
#if LANES > 2 && MR <= 2
    x = LARGER(x, SWAPPED_2(x));
#endif
#if MR == 1
    x = LARGER(x, SWAPPED_1(x));
#endif
    return x;
}

/* Lanes of keys that their rows do not see by position, or that are past the last. */
INLINE ivec hidden_keys(const decode_rows *restrict rows, const int t, const decode_keys keys,
                        const ivec key)
{
    ivec hidden =
        key < LOAD_INTS(rows->start + t * LANES) | key >= LOAD_INTS(rows->end + t * LANES);
#if SQA_GLOBALS
    if (keys.shown)
        hidden = ~hidden | key >= LOAD_INTS(rows->limit + t * LANES);
#endif
    return hidden | key >= keys.first + keys.count;
}

#if SQA_EXTRA
/* extra[key][row], what is added to the scores of register tile t. */
INLINE void find_extra(const decode_rows *restrict rows, const int t, const decode_keys keys,
                       float *restrict extra)
{
    for (int r = 0; r < MR; r++)
        for (int c = 0; c < keys.count; c += 4) {
            const sqa_extra_row row = rows->extra[t * MR + r];
            float four[4];
            if (c + 4 <= keys.count)
                vstore4(sqa_extra4(row, keys.first + c), 0, four);
            for (int i = 0; i < 4 && c + i < keys.count; i++)
                extra[(c + i) * MR + r] =
                    c + 4 <= keys.count ? four[i] : sqa_extra(row, keys.first + c + i);
        }
}
#endif

/* From products of register tile t to scores; returns the largest of each row, at least its
 * maximum. */
INLINE vec shape_scores(const bool edge, const decode_rows *restrict rows, const int t,
                        const decode_keys keys, float *restrict scores)
{
    vec largest = LOAD(rows->maximum + t * LANES);
#if SQA_EXTRA
    float extra[KEYS * MR] ALIGNED;
    find_extra(rows, t, keys, extra);
#endif
    for (int c = 0; c < keys.count; c += LANE_KEYS) {
        vec s = LOAD(scores + c * MR);
        const ivec key = LANE_NUMBERS / (ivec)(MR) + (ivec)(keys.first + c);
#if SQA_SOFTCAP
        s = shape(keys.shaping, s);
#elif SQA_SHAPED
        s *= keys.shaping.factor;
#endif
#if SQA_ALIBI
        s = fma(-LOAD(rows->slope + t * LANES),
                AS_FLOATS(abs(LOAD_INTS(rows->position + t * LANES) - key)), s);
#endif
#if SQA_EXTRA
        const vec x = LOAD(extra + c * MR);
        s = select(s + x, (vec)(SQA_HIDDEN_SCORE), x == (vec)(-INFINITY));
#endif
        if (edge)
            s = select(s, (vec)(SQA_HIDDEN_SCORE), hidden_keys(rows, t, keys, key));
        largest = LARGER(s, largest);
        STORE(s, scores + c * MR);
    }
    return largest_of_rows(largest);
}

/* From products of register tile t to weights, of which those of hidden keys are marked; what older
 * output is to be multiplied by: a number for each row, LANE_KEYS times. */
INLINE vec weigh_keys(const bool edge, decode_rows *restrict rows, const int t,
                      const decode_keys keys, float *restrict scores)
{
    const vec maximum = shape_scores(edge, rows, t, keys, scores);
    const vec raised = LOAD(rows->maximum + t * LANES) - maximum;
    const vec older = exp2_negative(SQA_SHAPED, keys.powers, raised) * (vec)(keys.lift);
    vec sum = LOAD(rows->sum + t * LANES) * older;
    for (int c = 0; c < keys.count; c += LANE_KEYS) {
        const vec s = LOAD(scores + c * MR);
        vec p = exp2_negative(SQA_SHAPED, keys.powers, s - maximum);
        if (edge || SQA_EXTRA)
            p = select(p, (vec)(SQA_HIDDEN_WEIGHT), s == (vec)(SQA_HIDDEN_SCORE));
        sum += p;
        STORE(p, scores + c * MR);
    }
    STORE(sum, rows->sum + t * LANES);
    STORE(maximum, rows->maximum + t * LANES);
#if SQA_DROPOUT
    /* Hidden weights stay marked, since -0 times what is not negative is -0. */
    for (int r = 0; r < MR; r++)
        for (int q = keys.first >> 2; 4 * q < keys.first + keys.count; q++) {
            float kept[4];
            vstore4(
                sqa_kept4(keys.dropout, rows->head[t * MR + r], rows->query[t * MR + r], (uint)q),
                0, kept);
            for (int i = 0; i < 4; i++)
                if (4 * q + i >= keys.first && 4 * q + i < keys.first + keys.count)
                    scores[(4 * q + i - keys.first) * MR + r] *= kept[i];
        }
#endif
    return older;
}

/* Of a group of V, what its numbers are multiplied by instead of elements, so that a scale is taken
 * once for all columns of its group: scaled[key][row], weights times scales. lowest: the sum of
 * weights times minima, of each row. */
#if FOLD
INLINE void fold_scales(const int d, const decode_keys keys, const float *restrict weights,
                        float *restrict scaled, float *restrict lowest)
{
    row_floats low = 0.0f;
    for (int c = 0; c < keys.count; c++) {
        __global const sqa_kv_stored *v = VALUE_ROW(keys, c);
        const row_floats weight = *(const row_floats *)(weights + c * MR);
        *(row_floats *)(scaled + c * MR) = weight * (row_floats)(SCALE_AT(d, v));
#if SQA_KV_DTYPE == 4
        low = fma(weight, (row_floats)(MINIMUM_AT(d, v)), low);
#endif
    }
    *(row_floats *)lowest = low;
}
#define V_LOADN(fold, d, v) ((fold) ? NUMBERS(LANES, d, v) : SQA_KV_LOADN(LANES, d, v))
#else
#define V_LOADN(fold, d, v) SQA_KV_LOADN(LANES, d, v)
#endif

/* Keys that are added one after the other without a branch. Meanwhile what is left of the key tile
 * after is requested: of several register tiles before each, of a single one step by step. */
#define STEP 4
#define LEFT (KEYS * LINES - REQUESTED)
#define REQUESTS_A_STEP                                                                            \
    (TILES > 1 ? 0 : (LEFT + COLUMN_TILES * KEYS / STEP - 1) / (COLUMN_TILES * KEYS / STEP))
#define REQUESTS_A_TILE (TILES > 1 ? (LEFT + COLUMN_TILES * TILES - 1) / (COLUMN_TILES * TILES) : 0)

/* Where several register tiles of rows take columns of V that are not stored as float, these are
 * converted once. */
#define CONVERTED (SQA_KV_DTYPE != 0 && TILES > 1)
#define V_VECTOR(i, v)                                                                             \
    (!last || d + (i + 1) * LANES <= SQA_VALUE_DIM ? V_LOADN(fold, d + i * LANES, v)               \
                                                   : load_end(v, d + i * LANES, SQA_VALUE_DIM))
#if CONVERTED
INLINE void convert_columns(const bool last, const bool fold, const int wide, const int d,
                            const decode_keys keys, float *restrict values)
{
    for (int c = 0; c < keys.count; c++) {
        __global const sqa_kv_stored *v = VALUE_ROW(keys, c);
#pragma unroll
        for (int i = 0; i < wide; i++)
            STORE(V_VECTOR(i, v), values + (c * WIDE + i) * LANES);
    }
}
#endif

/* Adds weights times V to columns d .. d + wide * LANES - 1 of the output. With `hiding`, a hidden
 * key leaves the sum alone even if V is NaN or infinite there; with `last`, columns past value_dim
 * are zeros; with `fold`, weights and `lowest` are fold_scales()'. */
INLINE void output_columns(const bool hiding, const bool last, const bool fold, const int wide,
                           const int d, const decode_keys keys, requests *restrict next,
                           const float *restrict values, const float *restrict weights,
                           const float *restrict lowest, const float *restrict rescale,
                           float *restrict o)
{
#define START(r, i) vec o##r##i = (vec)(fold ? lowest[r] : 0.0f);
    EACH_TILE(START)
#define VALUES(i)                                                                                  \
    const vec x##i = i >= wide   ? (vec)(0.0f)                                                     \
                     : CONVERTED ? LOAD(values + (key * WIDE + i) * LANES)                         \
                                 : V_VECTOR(i, v);
#define WEIGHT(r) const vec p##r = (vec)(weight[r]);
#define ADD_PRODUCT(r, i)                                                                          \
    if (i < wide)                                                                                  \
        o##r##i = hiding ? select(fma(p##r, x##i, o##r##i), o##r##i,                               \
                                  AS_IVEC(p##r) == (ivec)(SQA_HIDDEN_BITS))                        \
                         : fma(p##r, x##i, o##r##i);
#define ADD_KEY(c)                                                                                 \
    const int key = c;                                                                             \
    __global const sqa_kv_stored *v = VALUE_ROW(keys, key);                                        \
    const float *weight = weights + key * MR;                                                      \
    EACH_WIDE(VALUES)                                                                              \
    EACH_ROW(WEIGHT)                                                                               \
    EACH_TILE(ADD_PRODUCT)
    int c = 0;
    for (; c + STEP <= keys.count; c += STEP) {
        for (int n = 0; n < REQUESTS_A_STEP; n++)
            request_line(next, keys);
#pragma unroll
        for (int i = 0; i < STEP; i++) {
            ADD_KEY(c + i)
        }
    }
    for (; c < keys.count; c++) {
        ADD_KEY(c)
    }
#define FINISH(r, i)                                                                               \
    if (i < wide)                                                                                  \
        STORE(fma(LOAD(o + r * COLUMNS + d + i * LANES), (vec)(rescale[r]), o##r##i),              \
              o + r * COLUMNS + d + i * LANES);
    EACH_TILE(FINISH)
#undef START
#undef ADD_KEY
#undef VALUES
#undef WEIGHT
#undef ADD_PRODUCT
#undef FINISH
}

/* The same for all register tiles of rows, while these columns of V are near. */
INLINE void output_tiles(const bool hiding, const bool last, const bool fold, const int wide,
                         const int d, const int tiles, const decode_keys keys,
                         requests *restrict next, const float *restrict weights,
                         const float *restrict lowest, const float *restrict rescale,
                         float *restrict o)
{
#if CONVERTED
    float values[KEYS * WIDE * LANES] ALIGNED;
    convert_columns(last, fold, wide, d, keys, values);
#else
    const float *values = 0;
#endif
    for (int t = 0; t < tiles; t++) {
        for (int n = 0; n < REQUESTS_A_TILE; n++)
            request_line(next, keys);
        output_columns(hiding, last, fold, wide, d, keys, next, values, weights + t * TILE_SCORES,
                       lowest + t * LANES, rescale + t * LANES, o + t * MR * COLUMNS);
    }
}

INLINE void add_output(const bool hiding, const int tiles, const decode_keys keys,
                       requests *restrict next, const float *restrict weights,
                       const float *restrict rescale, float *restrict o)
{
#if FOLD
    if (!hiding) {
        float scaled[TILES * TILE_SCORES] ALIGNED, lowest[TILES * LANES] ALIGNED;
        for (int n = 0; n < COLUMN_TILES; n++) {
            const int d = n * NARROW * LANES;
            for (int t = 0; d % SQA_GROUP == 0 && t < tiles; t++)
                fold_scales(d, keys, weights + t * TILE_SCORES, scaled + t * TILE_SCORES,
                            lowest + t * LANES);
            output_tiles(false, false, true, NARROW, d, tiles, keys, next, scaled, lowest, rescale,
                         o);
        }
        return;
    }
#endif
    int d = 0, n = 0;
    for (; n < BROAD_TILES; n++, d += (NARROW + 1) * LANES)
        output_tiles(hiding, false, false, NARROW + 1, d, tiles, keys, next, weights, rescale,
                     rescale, o);
    for (; n < COLUMN_TILES - (COLUMNS > SQA_VALUE_DIM); n++, d += NARROW * LANES)
        output_tiles(hiding, false, false, NARROW, d, tiles, keys, next, weights, rescale, rescale,
                     o);
#if SQA_VALUE_DIM % LANES
    output_tiles(hiding, true, false, NARROW, d, tiles, keys, next, weights, rescale, rescale, o);
#endif
}

/* Whether V is finite in the whole key tile: a weight of zero may then be multiplied. */
static bool is_finite(const decode_keys keys)
{
    ivec special = (ivec)(0);
    for (int c = 0; c < keys.count; c++) {
        __global const sqa_kv_stored *v = VALUE_ROW(keys, c);
        int d = 0;
        for (; d + LANES <= SQA_VALUE_DIM; d += LANES)
            special |= (AS_IVEC(SQA_KV_LOADN(LANES, d, v)) & 0x7f800000) == 0x7f800000;
#if SQA_VALUE_DIM % LANES
        special |= (AS_IVEC(load_end(v, d, SQA_VALUE_DIM)) & 0x7f800000) == 0x7f800000;
#endif
    }
    return !any(special);
}
