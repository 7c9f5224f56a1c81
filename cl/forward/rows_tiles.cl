/* rows: one key tile against one row tile: scores, weights, output. Which variant
 * serves a tile is the kernel's business (rows.cl). */
/* Lanes of row vector r to which `key` is hidden by position. */
#if SQA_WINDOW
#define OUTSIDE(key, r) ((key) < start##r | (key) >= end##r)
#else
#define OUTSIDE(key, r) ((key) >= end##r)
#endif
#if SQA_GLOBALS
#define HIDDEN(key, r) ((OUTSIDE(key, r) ^ (ivec)(keys.shown)) | (key) >= limit##r)
#else
#define HIDDEN(key, r) OUTSIDE(key, r)
#endif

/* How many steps of a sum of products come before those that are taken UNROLL at a time.
 * The first of them is a product alone: the stores of the register tile before go on while
 * it is taken. Some cores read an fma's third operand where they read what is stored, and
 * a dozen stores among fma cost as much as fifty fma. */
#define UNEVEN(steps) (1 + ((steps)-1) % UNROLL)

/* scores[key][rows]; raises maxima to new_maximum. With `edge`, keys hidden by
 * position get SQA_HIDDEN_SCORE, and register tiles past the last key repeat it. With
 * `extra`, what lies there is added, and -infinity hides. */
INLINE void score_tile(const bool edge, const bool extra, const row_tile *restrict tile,
                       const key_tile keys, const float *restrict extra_scores,
                       float *restrict scores, float *restrict new_maximum)
{
#define START(r)                                                                                   \
    vec maximum##r = LOAD(tile->maximum + r * LANES);                                              \
    const ivec start##r = LOAD_INTS(tile->start + r * LANES);                                      \
    const ivec end##r = LOAD_INTS(tile->end + r * LANES);
    EACH_ROW(START)
#if SQA_GLOBALS
#define LIMIT(r) const ivec limit##r = LOAD_INTS(tile->limit + r * LANES);
    EACH_ROW(LIMIT)
#undef LIMIT
#endif
    for (int c = 0; c < keys.count; c += MC) {
#define KEY(i)                                                                                     \
    const int at##i = edge ? min(c + i, keys.count - 1) : c + i;                                   \
    tile_pointer k##i = TILE_ROW(keys.k, at##i, keys.k_row, SQA_HEAD_DIM);
        EACH_KEY(KEY)
#if SQA_EXTRA
        for (int r = c * ROWS / KEYS; r < (c + MC) * ROWS / KEYS; r++)
            prefetch_extra(keys.next->extra[r], keys.next_first);
#endif
#define OPERANDS                                                                                   \
    EACH_ROW(QUERY)                                                                                \
    EACH_KEY(BROADCAST)
#define QUERY(r) const vec q##r = LOAD(tile->q + d * ROWS + r * LANES);
#define BROADCAST(i) const vec x##i = (vec)(k##i[d]);
#define PRODUCT(i, r) vec s##i##_##r = x##i * q##r;
#define ADD_PRODUCT(i, r) s##i##_##r = fma(x##i, q##r, s##i##_##r);
        int d = 0;
        OPERANDS
        EACH_KEY_ROW(PRODUCT)
#pragma unroll UNROLL
        for (d = 1; d < UNEVEN(SQA_HEAD_DIM); d++) {
            OPERANDS
            EACH_KEY_ROW(ADD_PRODUCT)
        }
#pragma unroll UNROLL
        for (d = UNEVEN(SQA_HEAD_DIM); d < SQA_HEAD_DIM; d++) {
            OPERANDS
            EACH_KEY_ROW(ADD_PRODUCT)
        }
/* A bias that comes next brings its product into its own units. */
#if SQA_BIAS && !SQA_SOFTCAP && !SQA_ALIBI
#define SHAPE(i, r)                                                                                \
    if (!extra)                                                                                    \
        s##i##_##r *= keys.shaping.factor;
#define ADDED(s, x) fma(s, (vec)(keys.shaping.factor), x)
#else
#if SQA_SOFTCAP
#define SHAPE(i, r) s##i##_##r = shape(keys.shaping, s##i##_##r);
#elif SQA_SHAPED
#define SHAPE(i, r) s##i##_##r *= keys.shaping.factor;
#endif
#define ADDED(s, x) ((s) + (x))
#endif
#if SQA_SHAPED
        EACH_KEY_ROW(SHAPE)
#undef SHAPE
#endif
#if SQA_ALIBI
#define DISTANT(i, r)                                                                              \
    s##i##_##r = fma(-LOAD(tile->slope + r * LANES),                                               \
                     AS_FLOATS(abs(LOAD_INTS(tile->position + r * LANES) - (keys.first + at##i))), \
                     s##i##_##r);
        EACH_KEY_ROW(DISTANT)
#undef DISTANT
#endif
#define ADD(i, r)                                                                                  \
    {                                                                                              \
        const vec x = LOAD(extra_scores + at##i * ROWS + r * LANES);                               \
        s##i##_##r =                                                                               \
            select(ADDED(s##i##_##r, x), (vec)(SQA_HIDDEN_SCORE), x == (vec)(-INFINITY));          \
    }
#define HIDE(i, r)                                                                                 \
    s##i##_##r = select(s##i##_##r, (vec)(SQA_HIDDEN_SCORE), HIDDEN((ivec)(keys.first + at##i), r));
#define KEEP(i, r)                                                                                 \
    STORE(s##i##_##r, scores + (c + i) * ROWS + r * LANES);                                        \
    maximum##r = LARGER(s##i##_##r, maximum##r);
        if (extra) {
            EACH_KEY_ROW(ADD)
        }
        if (edge) {
            EACH_KEY_ROW(HIDE)
        }
        EACH_KEY_ROW(KEEP)
    }
#define FINISH(r) STORE(maximum##r, new_maximum + r * LANES);
    EACH_ROW(FINISH)
#undef START
#undef KEY
#undef OPERANDS
#undef QUERY
#undef BROADCAST
#undef PRODUCT
#undef ADD_PRODUCT
#undef ADD
#undef ADDED
#undef HIDE
#undef KEEP
#undef FINISH
}

/* Turns scores into weights, updates maxima and sums, and leaves in `rescale`
 * what older output has to be multiplied by. With `hiding`, those of hidden keys are
 * marked, otherwise only zero. One vector of rows after the other, since the constants
 * of exp2 are to stay in registers. */
INLINE void softmax_tile(const bool hiding, const key_tile keys, row_tile *restrict tile,
                         float *restrict scores, const float *restrict new_maximum,
                         float *restrict rescale)
{
    for (int r = 0; r < ROWS; r += LANES) {
        const vec maximum = LOAD(new_maximum + r);
        const vec raised = LOAD(tile->maximum + r) - maximum;
        const vec older = exp2_negative(SQA_SHAPED, keys.powers, raised) * (vec)(keys.lift);
        vec sum = (vec)(0.0f);
#pragma unroll 4
        for (int c = 0; c < keys.count; c++) {
            const vec s = LOAD(scores + c * ROWS + r);
            vec p = exp2_negative(SQA_SHAPED, keys.powers, s - maximum);
            if (hiding)
                p = select(p, (vec)(SQA_HIDDEN_WEIGHT), s == (vec)(SQA_HIDDEN_SCORE));
            STORE(p, scores + c * ROWS + r);
            sum += p;
        }
        STORE(maximum, tile->maximum + r);
        STORE(older, rescale + r);
        STORE(fma(LOAD(tile->sum + r), older, sum), tile->sum + r);
    }
}

#if SQA_DROPOUT
typedef SQA_JOIN(uint, LANES) uvec;
#define LOAD_UINTS(p) (*(const uvec *)(p))

/* Takes from the weights what dropout does: four keys at a time, which have their random numbers
 * together. Hidden weights stay marked, since -0 times what is not negative is -0. */
static void drop_weights(const key_tile keys, const row_tile *restrict tile,
                         float *restrict weights)
{
    const sqa_dropout dropout = keys.dropout;
    for (int r = 0; r < ROWS; r += LANES)
        for (int q = keys.first >> 2; 4 * q < keys.first + keys.count; q++) {
            uvec c0 = (uvec)((uint)q), c1 = LOAD_UINTS(tile->query + r);
            uvec c2 = LOAD_UINTS(tile->head + r), c3 = (uvec)(dropout.batch);
            SQA_PHILOX(uvec, c0, c1, c2, c3, dropout.seed)
#define DROP(i)                                                                                    \
    if (4 * q + i >= keys.first && 4 * q + i < keys.first + keys.count) {                          \
        float *to = weights + (4 * q + i - keys.first) * ROWS + r;                                 \
        const vec kept =                                                                           \
            select((vec)(dropout.factor), (vec)(0.0f), c##i < (uvec)(dropout.below));              \
        STORE(LOAD(to) * kept, to);                                                                \
    }
            DROP(0)
            DROP(1)
            DROP(2)
            DROP(3)
#undef DROP
        }
}
#endif

/* Adds the tile's contribution to columns d .. d + MD - 1 of the output, summed for
 * itself first: over 200,000 keys that loses a tenth of what one long sum does. With
 * `hiding`, a hidden key leaves the sum alone even if V is NaN or infinite there;
 * with `last`, columns past value_dim repeat the last one. */
INLINE void output_columns(const bool hiding, const bool last, const int d, const key_tile keys,
                           row_tile *restrict tile, const float *restrict weights,
                           const float *restrict rescale)
{
#define OPERANDS                                                                                   \
    tile_pointer value = TILE_ROW(keys.v, c, keys.v_row, SQA_VALUE_DIM) + d;                       \
    EACH_ROW(WEIGHT)                                                                               \
    EACH_COLUMN(BROADCAST)
#define WEIGHT(r) const vec p##r = LOAD(weights + c * ROWS + r * LANES);
#define BROADCAST(i) const vec x##i = (vec)(value[last ? min(i, SQA_VALUE_DIM - 1 - d) : i]);
#define PRODUCT(i, r) vec o##i##_##r = VISIBLE(r, x##i * p##r, (vec)(0.0f));
#define ADD_PRODUCT(i, r) o##i##_##r = VISIBLE(r, fma(x##i, p##r, o##i##_##r), o##i##_##r);
#define VISIBLE(r, sum, older)                                                                     \
    hiding ? select(sum, older, AS_IVEC(p##r) == (ivec)(SQA_HIDDEN_BITS)) : sum
    int c = 0;
    OPERANDS
    EACH_COLUMN_ROW(PRODUCT)
    const int uneven = UNEVEN(keys.count);
#pragma unroll UNROLL
    for (c = 1; c < uneven; c++) {
        OPERANDS
        EACH_COLUMN_ROW(ADD_PRODUCT)
    }
#pragma unroll UNROLL
    for (c = uneven; c < keys.count; c++) {
        OPERANDS
        EACH_COLUMN_ROW(ADD_PRODUCT)
    }
#define FINISH(i, r)                                                                               \
    STORE(fma(LOAD(tile->o + (d + i) * ROWS + r * LANES), LOAD(rescale + r * LANES), o##i##_##r),  \
          tile->o + (d + i) * ROWS + r * LANES);
    EACH_COLUMN_ROW(FINISH)
#undef OPERANDS
#undef WEIGHT
#undef BROADCAST
#undef PRODUCT
#undef ADD_PRODUCT
#undef VISIBLE
#undef FINISH
}

/* The weights of a key tile for a row tile, and what older output is to be multiplied
 * by. `edge`: position hides some keys; `extra`: something is added to the scores;
 * `hiding`: weights of hidden keys must be told from others. */
INLINE void weigh(const bool edge, const bool extra, const bool hiding, row_tile *restrict tile,
                  const key_tile keys, const float *restrict extra_scores,
                  float *restrict weights, float *restrict rescale)
{
    float new_maximum[ROWS] ALIGNED;
    score_tile(edge, extra, tile, keys, extra_scores, weights, new_maximum);
    if (hiding)
        softmax_tile(true, keys, tile, weights, new_maximum, rescale);
    else
        softmax_tile(false, keys, tile, weights, new_maximum, rescale);
}

/* Adds weights times V to the output of a row tile. */
INLINE void add_output(const bool hiding, row_tile *restrict tile, const key_tile keys,
                       const float *restrict weights, const float *restrict rescale)
{
    for (int d = 0; d < SQA_VALUE_DIM / MD * MD; d += MD)
        output_columns(hiding, false, d, keys, tile, weights, rescale);
#if SQA_VALUE_DIM % MD
    output_columns(hiding, true, SQA_VALUE_DIM / MD * MD, keys, tile, weights, rescale);
#endif
}

/* Whether V is finite in the whole key tile: a weight of zero may then be multiplied. */
static bool is_finite(const key_tile keys)
{
    int8 special = (int8)(0);
    for (int c = 0; c < keys.count; c++) {
        tile_pointer value = TILE_ROW(keys.v, c, keys.v_row, SQA_VALUE_DIM);
        int d = 0;
        for (; d + 8 <= SQA_VALUE_DIM; d += 8)
            special |= (as_int8(vload8(0, value + d)) & 0x7f800000) == 0x7f800000;
        for (; d < SQA_VALUE_DIM; d++)
            special.s0 |= -((as_int((float)value[d]) & 0x7f800000) == 0x7f800000);
    }
    return !any(special);
}
