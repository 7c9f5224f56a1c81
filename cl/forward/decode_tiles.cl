/* decode: MR rows against a key tile: scores, weights, output. */
/* Elements d .. d + LANES - 1 of a row of `width`; zeros past its end, where nothing is read. */
INLINE vec load_end(__global const sqa_kv_stored *row, const int d, const int width)
{
    float values[LANES] ALIGNED;
    for (int i = 0; i < LANES; i++)
        values[i] = d + i < width ? SQA_KV_LOAD(d + i, row) : 0.0f;
    return LOAD(values);
}

/* Asks for a line of K or V that is needed soon: while K is multiplied for V, while V is for K of
 * the key tile after, a line now and then, since few requests can be under way. */
#define LINE (64 / (int)sizeof(sqa_kv_stored))
#define LINES ((SQA_HEAD_DIM + LINE - 1) / LINE)
#if AHEAD
#define ASK(wanted, row, d)                                                                        \
    if ((wanted) && (d) % LINE == 0)                                                               \
        PREFETCH((row) + (d));
#else
#define ASK(wanted, row, d)
#endif

/* Neighbouring lanes of a, then those of b, added up; halves of a vector stay apart, so that it
 * takes no more than two shuffles. */
INLINE float8 add_pairs(const float8 a, const float8 b)
{
    return (float8)(a.s02, b.s02, a.s46, b.s46) + (float8)(a.s13, b.s13, a.s57, b.s57);
}

#if LANES == 16
#define EIGHT(x) ((x).lo + (x).hi)
#elif LANES == 8
#define EIGHT(x) (x)
#else
#define EIGHT(x) (float8)((x), (float4)(0.0f))
#endif

/* scores[row][key], products of Q and K. A register tile past the last key repeats it. `first`: of
 * the register tiles of rows. */
INLINE void score_keys(const bool first, const float *restrict q, const decode_keys keys,
                       float *restrict scores)
{
    for (int c = 0; c < keys.count; c += WIDE) {
#define KEY(i)                                                                                     \
    const int at##i = min(c + i, keys.count - 1);                                                  \
    __global const sqa_kv_stored *k##i = KEY_ROW(keys, at##i);                                     \
    __global const sqa_kv_stored *v##i = VALUE_ROW(keys, at##i);
        EACH_WIDE(KEY)
#define ZERO(n, r, i) vec s##n = (vec)(0.0f);
#define QUERY(r) const vec q##r = LOAD(q + r * DEPTH + d);
#define WHOLE(i) const vec x##i = SQA_KV_LOADN(LANES, d, k##i);
#define ASK_FOR_V(i) ASK(first &&d < SQA_VALUE_DIM, v##i, d)
#define END(i) const vec x##i = load_end(k##i, d, SQA_HEAD_DIM);
#define ADD_PRODUCT(n, r, i) s##n = fma(q##r, x##i, s##n);
        EACH_TILE(ZERO)
        int d = 0;
#pragma unroll 4
        for (; d + LANES <= SQA_HEAD_DIM; d += LANES) {
            EACH_WIDE(ASK_FOR_V)
            EACH_ROW(QUERY)
            EACH_WIDE(WHOLE)
            EACH_TILE(ADD_PRODUCT)
        }
#if SQA_HEAD_DIM % LANES
        EACH_ROW(QUERY)
        EACH_WIDE(END)
        EACH_TILE(ADD_PRODUCT)
#endif
        const float8 low =
            add_pairs(add_pairs(EIGHT(s0), EIGHT(s1)), add_pairs(EIGHT(s2), EIGHT(s3)));
        const float8 high =
            add_pairs(add_pairs(EIGHT(s4), EIGHT(s5)), add_pairs(EIGHT(s6), EIGHT(s7)));
        const float8 all = (float8)(low.lo + low.hi, high.lo + high.hi);
#if MR == 1
        vstore8(all, 0, scores + c);
#elif MR == 2
        vstore4(all.lo, 0, scores + c);
        vstore4(all.hi, 0, scores + KEYS + c);
#elif MR == 4
        vstore2(all.s01, 0, scores + c);
        vstore2(all.s23, 0, scores + KEYS + c);
        vstore2(all.s45, 0, scores + 2 * KEYS + c);
        vstore2(all.s67, 0, scores + 3 * KEYS + c);
#else
        const float8 column = all;
#define PUT(r) scores[r * KEYS + c] = column.s##r;
        EACH_ROW(PUT)
#undef PUT
#endif
#undef KEY
#undef ZERO
#undef QUERY
#undef WHOLE
#undef ASK_FOR_V
#undef END
#undef ADD_PRODUCT
    }
}

/* Lanes of keys that row r does not see by position, or that are past the last. */
INLINE ivec hidden_keys(const decode_rows *restrict rows, const int r, const decode_keys keys,
                        const ivec key)
{
    ivec hidden = key < rows->start[r] | key >= rows->end[r];
#if SQA_GLOBALS
    if (keys.shown)
        hidden = ~hidden | key >= rows->limit[r];
#endif
    return hidden | key >= keys.first + keys.count;
}

/* From a row's products to its scores; returns the largest, at least `maximum`. */
INLINE float shape_scores(const bool edge, const decode_rows *restrict rows, const int r,
                          const decode_keys keys, float *restrict scores, const float maximum)
{
    vec largest = (vec)(maximum);
    for (int c = 0; c < keys.count; c += LANES) {
        vec s = LOAD(scores + c);
        const ivec key = LANE_NUMBERS + (ivec)(keys.first + c);
#if SQA_SOFTCAP
        s = shape(keys.shaping, s);
#elif SQA_SHAPED
        s *= keys.shaping.factor;
#endif
#if SQA_ALIBI
        s = fma((vec)(-rows->slope[r]), AS_FLOATS(abs((ivec)(rows->position[r]) - key)), s);
#endif
#if SQA_EXTRA
        float extra[LANES] ALIGNED;
        for (int i = 0; i < LANES; i += 4)
            if (c + i + 4 <= keys.count)
                vstore4(sqa_extra4(rows->extra[r], keys.first + c + i), 0, extra + i);
            else
                for (int j = i; j < i + 4; j++)
                    extra[j] =
                        c + j < keys.count ? sqa_extra(rows->extra[r], keys.first + c + j) : 0.0f;
        const vec x = LOAD(extra);
        s = select(s + x, (vec)(SQA_HIDDEN_SCORE), x == (vec)(-INFINITY));
#endif
        if (edge)
            s = select(s, (vec)(SQA_HIDDEN_SCORE), hidden_keys(rows, r, keys, key));
        largest = LARGER(s, largest);
        STORE(s, scores + c);
    }
    float lanes[LANES] ALIGNED;
    float top = maximum;
    STORE(largest, lanes);
    for (int i = 0; i < LANES; i++)
        top = lanes[i] > top ? lanes[i] : top;
    return top;
}

/* From a row's scores to its weights, of which those of hidden keys are marked; what older output
 * is to be multiplied by. */
INLINE float weigh_row(const bool edge, decode_rows *restrict rows, const int r,
                       const decode_keys keys, float *restrict scores)
{
    const float maximum = shape_scores(edge, rows, r, keys, scores, rows->maximum[r]);
    const vec raised = (vec)(rows->maximum[r] - maximum);
    const vec older = exp2_negative(SQA_SHAPED, keys.powers, raised) * (vec)(keys.lift);
    vec sum = LOAD(rows->sum + r * LANES) * older;
    for (int c = 0; c < keys.count; c += LANES) {
        const vec s = LOAD(scores + c);
        vec p = exp2_negative(SQA_SHAPED, keys.powers, s - (vec)(maximum));
        p = select(p, (vec)(SQA_HIDDEN_WEIGHT), s == (vec)(SQA_HIDDEN_SCORE));
        sum += p;
        STORE(p, scores + c);
    }
    STORE(sum, rows->sum + r * LANES);
    rows->maximum[r] = maximum;
#if SQA_DROPOUT
    /* Hidden weights stay marked, since -0 times what is not negative is -0. */
    for (int q = keys.first >> 2; 4 * q < keys.first + keys.count; q++) {
        float kept[4];
        vstore4(sqa_kept4(keys.dropout, rows->head[r], rows->query[r], (uint)q), 0, kept);
        for (int i = 0; i < 4; i++)
            if (4 * q + i >= keys.first && 4 * q + i < keys.first + keys.count)
                scores[4 * q + i - keys.first] *= kept[i];
    }
#endif
    return older.s0;
}

/* Of a group of V, what its numbers are multiplied by instead of elements, so that a scale is taken
 * once for all columns of its group: scaled[row][key], weights times scales. lowest[row]: the sum
 * of weights times minima. */
#if FOLD
INLINE void fold_scales(const int d, const decode_keys keys, const float *restrict weights,
                        float *restrict scaled, float *restrict lowest)
{
#define ZERO(r) vec low##r = (vec)(0.0f);
#define SCALE(r) STORE(LOAD(weights + r * KEYS + c) * scale, scaled + r * KEYS + c);
#define ADD_MINIMA(r) low##r = fma(LOAD(weights + r * KEYS + c), minimum, low##r);
#define SUM(r)                                                                                     \
    STORE(low##r, lanes);                                                                          \
    lowest[r] = 0.0f;                                                                              \
    for (int i = 0; i < LANES; i++)                                                                \
        lowest[r] += lanes[i];
    float lanes[LANES] ALIGNED;
    EACH_ROW(ZERO)
    for (int c = 0; c < keys.count; c += LANES) {
#pragma unroll
        for (int i = 0; i < LANES; i++)
            lanes[i] = SCALE_AT(d, VALUE_ROW(keys, min(c + i, keys.count - 1)));
        const vec scale = LOAD(lanes);
        EACH_ROW(SCALE)
#if SQA_KV_DTYPE == 4
#pragma unroll
        for (int i = 0; i < LANES; i++)
            lanes[i] = MINIMUM_AT(d, VALUE_ROW(keys, min(c + i, keys.count - 1)));
        const vec minimum = LOAD(lanes);
        EACH_ROW(ADD_MINIMA)
#endif
    }
    EACH_ROW(SUM)
#undef ZERO
#undef SCALE
#undef ADD_MINIMA
#undef SUM
}
#define V_LOADN(fold, d, v) ((fold) ? NUMBERS(LANES, d, v) : SQA_KV_LOADN(LANES, d, v))
#else
#define V_LOADN(fold, d, v) SQA_KV_LOADN(LANES, d, v)
#endif

/* Keys that are added one after the other without a branch; and the lines of K to be asked for with
 * them, in the order of memory, so that those of a key tile come evenly while V is multiplied. */
#define STEP 8
#define COLUMN_TILES (COLUMNS / TILE_COLUMNS)
#define STEP_LINES ((STEP * LINES + COLUMN_TILES - 1) / COLUMN_TILES)

/* Adds weights times V to columns d .. d + TILE_COLUMNS - 1 of the output. With `hiding`, a hidden
 * key leaves the sum alone even if V is NaN or infinite there; with `last`, columns past value_dim
 * are zeros; with `fold`, weights and `lowest` are fold_scales()'. */
INLINE void output_columns(const bool first, const bool hiding, const bool last, const bool fold,
                           const int d, const decode_keys keys, const float *restrict weights,
                           const float *restrict lowest, const float *restrict rescale,
                           float *restrict o)
{
#define START(n, r, i) vec o##n = (vec)(fold ? lowest[r] : 0.0f);
    EACH_TILE(START)
#define VALUES(i)                                                                                  \
    const vec x##i = !last || d + (i + 1) * LANES <= SQA_VALUE_DIM                                 \
                         ? V_LOADN(fold, d + i * LANES, v)                                         \
                         : load_end(v, d + i * LANES, SQA_VALUE_DIM);
#define WEIGHT(r) const vec p##r = (vec)(weights[r * KEYS + key]);
#define ADD_PRODUCT(n, r, i)                                                                       \
    o##n = hiding ? select(fma(p##r, x##i, o##n), o##n, AS_IVEC(p##r) == (ivec)(SQA_HIDDEN_BITS))  \
                  : fma(p##r, x##i, o##n);
#define ADD_KEY(c)                                                                                 \
    const int key = c;                                                                             \
    __global const sqa_kv_stored *v = VALUE_ROW(keys, key);                                        \
    EACH_WIDE(VALUES)                                                                              \
    EACH_ROW(WEIGHT)                                                                               \
    EACH_TILE(ADD_PRODUCT)
    const int last_row = keys.count + keys.more - 1;
    int line = d / TILE_COLUMNS * (KEYS / STEP) * STEP_LINES;
    int c = 0;
    for (; c + STEP <= keys.count; c += STEP) {
#pragma unroll
        for (int l = 0; l < STEP_LINES; l++, line++) {
            ASK(first && line < KEYS * LINES, KEY_ROW(keys, min(KEYS + line / LINES, last_row)),
                line % LINES * LINE)
        }
#pragma unroll
        for (int i = 0; i < STEP; i++) {
            ADD_KEY(c + i)
        }
    }
    for (; c < keys.count; c++) {
        ADD_KEY(c)
    }
#define FINISH(n, r, i)                                                                            \
    STORE(fma(LOAD(o + r * COLUMNS + d + i * LANES), (vec)(rescale[r]), o##n),                     \
          o + r * COLUMNS + d + i * LANES);
    EACH_TILE(FINISH)
#undef START
#undef ADD_KEY
#undef VALUES
#undef WEIGHT
#undef ADD_PRODUCT
#undef FINISH
}

INLINE void add_output(const bool first, const bool hiding, const decode_keys keys,
                       const float *restrict weights, const float *restrict rescale,
                       float *restrict o)
{
#if FOLD
    if (!hiding) {
        float scaled[MR * KEYS] ALIGNED, lowest[MR];
        for (int d = 0; d < SQA_VALUE_DIM; d += TILE_COLUMNS) {
            if (d % SQA_GROUP == 0)
                fold_scales(d, keys, weights, scaled, lowest);
            output_columns(first, false, false, true, d, keys, scaled, lowest, rescale, o);
        }
        return;
    }
#endif
    int d = 0;
    for (; d + TILE_COLUMNS <= SQA_VALUE_DIM; d += TILE_COLUMNS)
        output_columns(first, hiding, false, false, d, keys, weights, weights, rescale, o);
#if SQA_VALUE_DIM % TILE_COLUMNS
    output_columns(first, hiding, true, false, d, keys, weights, weights, rescale, o);
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
