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
#define LINES ((SQA_HEAD_DIM + LINE - 1) / LINE) /* of a row of K */
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

/* The sums of four vectors, one after the other. */
INLINE void put_sums(const vec a, const vec b, const vec c, const vec d, float *restrict to)
{
    const float8 sums = add_pairs(add_pairs(EIGHT(a), EIGHT(b)), add_pairs(EIGHT(c), EIGHT(d)));
    *(float4 *)to = sums.lo + sums.hi;
}

/* WIDE keys: where they lie, and their values. */
typedef struct {
    __global const sqa_kv_stored *k[WIDE], *v[WIDE];
} key_rows;

/* scores[key][row], products of a register tile; with `asking`, lines of V are asked for. */
INLINE void score_tile(const bool asking, const float *restrict q, const key_rows at,
                       float *restrict scores)
{
#define KEY(i) __global const sqa_kv_stored *k##i = at.k[i];
#define ZERO(r, i) vec s##r##i = (vec)(0.0f);
#define QUERY(r) const vec q##r = LOAD(q + r * DEPTH + d);
#define WHOLE(i) const vec x##i = SQA_KV_LOADN(LANES, d, k##i);
#define ASK_FOR_V(i) ASK(asking &&d < SQA_VALUE_DIM, at.v[i], d)
#define END(i) const vec x##i = load_end(k##i, d, SQA_HEAD_DIM);
#define ADD_PRODUCT(r, i) s##r##i = fma(q##r, x##i, s##r##i);
    EACH_WIDE(KEY)
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
#if MR == 1
#define PUT(i, j, k, l) put_sums(s0##i, s0##j, s0##k, s0##l, scores + i);
    PUT(0, 1, 2, 3)
#if WIDE == 8
    PUT(4, 5, 6, 7)
#endif
#elif MR == 2
#define PUT(i, j) put_sums(s0##i, s1##i, s0##j, s1##j, scores + 2 * i);
    PUT(0, 1)
#if WIDE >= 4
    PUT(2, 3)
#endif
#if WIDE >= 6
    PUT(4, 5)
#endif
#if WIDE == 8
    PUT(6, 7)
#endif
#elif MR == 4
#define PUT(i) put_sums(s0##i, s1##i, s2##i, s3##i, scores + 4 * i);
    EACH_WIDE(PUT)
#else
#define PUT(i)                                                                                     \
    put_sums(s0##i, s1##i, s2##i, s3##i, scores + 8 * i);                                          \
    put_sums(s4##i, s5##i, s6##i, s7##i, scores + 8 * i + 4);
    EACH_WIDE(PUT)
#endif
#undef PUT
#undef KEY
#undef ZERO
#undef QUERY
#undef WHOLE
#undef ASK_FOR_V
#undef END
#undef ADD_PRODUCT
}

/* Those of all `tiles` of rows, scores[tile][key][row]: keys are few at a time, so that rows of K
 * and of Q stay near. A register tile past the last key repeats it. */
INLINE void score_keys(const decode_rows *restrict rows, const int tiles, const decode_keys keys,
                       float *restrict scores)
{
    for (int c = 0; c < keys.count; c += WIDE) {
        key_rows at;
#pragma unroll
        for (int i = 0; i < WIDE; i++) {
            at.k[i] = KEY_ROW(keys, min(c + i, keys.count - 1));
            at.v[i] = VALUE_ROW(keys, min(c + i, keys.count - 1));
        }
        score_tile(true, rows->q, at, scores + c * MR);
        for (int t = 1; t < tiles; t++)
            score_tile(false, rows->q + t * MR * DEPTH, at, scores + t * TILE_SCORES + c * MR);
    }
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

/* Keys that are added one after the other without a branch. Meanwhile rows of K are asked for, in
 * the order of memory and evenly: those of a key tile while all columns are multiplied. */
#define STEP 4
#define STEPS (COLUMN_TILES * (KEYS / STEP))

/* What is to be asked for in one of the STEPS. */
INLINE void ask_for_keys(const decode_keys keys, const int step)
{
#if AHEAD
    const int last = keys.count + keys.more - 1;
    for (int c = step * KEYS / STEPS; c < (step + 1) * KEYS / STEPS; c++) {
        __global const sqa_kv_stored *row = KEY_ROW(keys, min(KEYS + c, last));
#pragma unroll
        for (int line = 0; line < LINES; line++)
            PREFETCH(row + line * LINE);
    }
#endif
}

/* Adds weights times V to columns d .. d + wide * LANES - 1 of the output; `number`: of the tile of
 * columns. With `hiding`, a hidden key leaves the sum alone even if V is NaN or infinite there;
 * with `last`, columns past value_dim are zeros; with `fold`, weights and `lowest` are
 * fold_scales()'. */
INLINE void output_columns(const bool asking, const bool hiding, const bool last, const bool fold,
                           const int wide, const int number, const int d, const decode_keys keys,
                           const float *restrict weights, const float *restrict lowest,
                           const float *restrict rescale, float *restrict o)
{
#define START(r, i) vec o##r##i = (vec)(fold ? lowest[r] : 0.0f);
    EACH_TILE(START)
#define VALUES(i)                                                                                  \
    const vec x##i = i >= wide ? (vec)(0.0f)                                                       \
                     : !last || d + (i + 1) * LANES <= SQA_VALUE_DIM                               \
                         ? V_LOADN(fold, d + i * LANES, v)                                         \
                         : load_end(v, d + i * LANES, SQA_VALUE_DIM);
#define WEIGHT(r) const vec p##r = (vec)(weight[r]);
#define ADD_PRODUCT(r, i)                                                                          \
    if (i < wide)                                                                                  \
        o##r##i = hiding ? select(fma(p##r, x##i, o##r##i), o##r##i,                               \
                                  AS_IVEC(p##r) == (ivec)(SQA_HIDDEN_BITS))                        \
                         : fma(p##r, x##i, o##r##i);
#define ADD_KEY(c)                                                                                 \
    __global const sqa_kv_stored *v = VALUE_ROW(keys, c);                                          \
    const float *weight = weights + (c)*MR;                                                        \
    EACH_WIDE(VALUES)                                                                              \
    EACH_ROW(WEIGHT)                                                                               \
    EACH_TILE(ADD_PRODUCT)
    int c = 0;
    for (; c + STEP <= keys.count; c += STEP) {
        if (asking)
            ask_for_keys(keys, number * (KEYS / STEP) + c / STEP);
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
                         const int number, const int d, const int tiles, const decode_keys keys,
                         const float *restrict weights, const float *restrict lowest,
                         const float *restrict rescale, float *restrict o)
{
    output_columns(true, hiding, last, fold, wide, number, d, keys, weights, lowest, rescale, o);
    for (int t = 1; t < tiles; t++)
        output_columns(false, hiding, last, fold, wide, number, d, keys, weights + t * TILE_SCORES,
                       lowest + t * LANES, rescale + t * LANES, o + t * MR * COLUMNS);
}

INLINE void add_output(const bool hiding, const int tiles, const decode_keys keys,
                       const float *restrict weights, const float *restrict rescale,
                       float *restrict o)
{
#if FOLD
    if (!hiding) {
        float scaled[TILES * TILE_SCORES] ALIGNED, lowest[TILES * LANES] ALIGNED;
        for (int n = 0; n < COLUMN_TILES; n++) {
            const int d = n * NARROW * LANES;
            for (int t = 0; d % SQA_GROUP == 0 && t < tiles; t++)
                fold_scales(d, keys, weights + t * TILE_SCORES, scaled + t * TILE_SCORES,
                            lowest + t * LANES);
            output_tiles(false, false, true, NARROW, n, d, tiles, keys, scaled, lowest, rescale, o);
        }
        return;
    }
#endif
    int d = 0, n = 0;
    for (; n < BROAD_TILES; n++, d += (NARROW + 1) * LANES)
        output_tiles(hiding, false, false, NARROW + 1, n, d, tiles, keys, weights, rescale, rescale,
                     o);
    for (; n < COLUMN_TILES - (COLUMNS > SQA_VALUE_DIM); n++, d += NARROW * LANES)
        output_tiles(hiding, false, false, NARROW, n, d, tiles, keys, weights, rescale, rescale, o);
#if SQA_VALUE_DIM % LANES
    output_tiles(hiding, true, false, NARROW, n, d, tiles, keys, weights, rescale, rescale, o);
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
