/* rows: attention for CPUs. The lanes of a vector are query rows.
 *
 * With Q transposed once per work-item (one vector of rows per head dimension),
 *   S^T[key][rows]    += K[key][d] * Q^T[d][rows]      one broadcast, RV fma
 *   O^T[column][rows] += V[key][column] * P^T[key][rows]
 * need neither K nor V packed, and the softmax statistics are plain vector
 * maxima and sums: nothing is ever added across lanes.
 *
 * A work-item owns TILES row tiles of LANES * RV rows and walks the keys KEYS at
 * a time with the online softmax of FlashAttention (arXiv 2205.14135, algorithm
 * 1). Key tiles that every row of a tile sees take a path without masks, those
 * that none sees are passed over (visible.cl). Scores are in units of log2 e.
 *
 * PACK copies each key tile of K and V to private f32 once for all row tiles.
 * SHARE puts the query heads of one key/value head side by side as rows.
 * SPLIT divides the keys among that many work-items; see split.cl.
 *
 * Register tiles are named variables, because arrays spill: the generator
 * supplies EACH_ROW(M) = M(0) ... M(RV - 1), EACH_KEY_ROW(M) = M(0, 0) ... */
#ifndef LANES
#define LANES 8
#define RV 2
#define MC 2
#define MD 2
#define TILES 1
#define KEYS 64
#define UNROLL 4
#define PACK (SQA_DTYPE != 0)
#define EXP 0
#define EACH_ROW(M) M(0) M(1)
#define EACH_KEY(M) M(0) M(1)
#define EACH_KEY_ROW(M) M(0, 0) M(0, 1) M(1, 0) M(1, 1)
#define EACH_COLUMN(M) M(0) M(1)
#define EACH_COLUMN_ROW(M) M(0, 0) M(0, 1) M(1, 0) M(1, 1)
#endif

#define SQA_JOIN_(a, b) a##b
#define SQA_JOIN(a, b) SQA_JOIN_(a, b)
typedef SQA_JOIN(float, LANES) vec;
typedef SQA_JOIN(int, LANES) ivec;
#define AS_VEC SQA_JOIN(as_float, LANES)
#define AS_IVEC SQA_JOIN(as_int, LANES)
#define AS_FLOATS SQA_JOIN(convert_float, LANES)
#define LOAD(p) SQA_JOIN(vload, LANES)(0, (p))
#define STORE(v, p) SQA_JOIN(vstore, LANES)((v), 0, (p))

#define ROWS (LANES * RV) /* query rows of a row tile */
/* Accumulated columns, filled up to whole register tiles with copies of the last. */
#define COLUMNS ((SQA_VALUE_DIM + MD - 1) / MD * MD)

/* Where a key tile lies: packed in private memory, or in place. */
#if PACK
typedef const float *tile_pointer;
#define TILE_ROW(pointer, row, distance, width) ((pointer) + (row) * (width))
#else
typedef __global const sqa_stored *tile_pointer;
#define TILE_ROW(pointer, row, distance, width) ((pointer) + (row) * (distance))
#endif

/* Comparisons with NaN are false, so that a NaN score never becomes a maximum
 * and always passes the lower bound: it reaches the row's sum as NaN. */
#define LARGER(a, b) select((b), (a), (a) > (b))
#define AT_LEAST(x, low) select((x), (vec)(low), (vec)(low) > (x))

/* 2^x for x <= 0, never zero: at most 1.6e-7 off relatively, 2^-125 below -125.
 * Adding 1.5 * 2^23 + 127 leaves the biased exponent in the low bits; the
 * polynomial is the minimax one of degree 5 on [-1/2, 1/2] with p(0) = 1.
 * EXP = 1: the runtime's own exp2, where that is a good one. */
INLINE vec exp2_negative(vec x)
{
#if EXP == 1
    return exp2(AT_LEAST(x, -125.0f));
#else
    const float shift = 12583039.0f;
    const vec bounded = AT_LEAST(x, -125.0f);
    const vec shifted = bounded + (vec)(shift);
    const vec f = bounded - (shifted - (vec)(shift));
    vec p = fma(f, (vec)(1.326472725e-3f), (vec)(9.671512688e-3f));
    p = fma(p, f, (vec)(5.550733744e-2f));
    p = fma(p, f, (vec)(2.402224208e-1f));
    p = fma(p, f, (vec)(6.931469776e-1f));
    p = fma(p, f, (vec)(1.0f));
    return p * AS_VEC(AS_IVEC(shifted) << 23);
#endif
}

#if SQA_SOFTCAP
/* (1 - e) / (1 + e) with e = exp(-2 |x|), and near zero, where that cancels, the odd
 * polynomial of Cephes' tanhf; within 2 units in the last place. */
INLINE vec tanh_of(vec x)
{
    const vec distance = fabs(x);
    const vec e = exp2_negative(distance * (vec)(-2.0f * M_LOG2E_F));
    const vec far = copysign((1.0f - e) / (1.0f + e), x);
    const vec z = x * x;
    vec p = fma(z, (vec)(-5.70498872745e-3f), (vec)(2.06390887954e-2f));
    p = fma(p, z, (vec)(-5.37397155531e-2f));
    p = fma(p, z, (vec)(1.33314422036e-1f));
    p = fma(p, z, (vec)(-3.33332819422e-1f));
    return select(far, fma(p * z, x, x), distance < (vec)(0.625f));
}
#endif

/* What a row tile carries from key tile to key tile. */
typedef struct __attribute__((aligned(64))) {
    float q[SQA_HEAD_DIM * ROWS]; /* transposed, times SQA_PRODUCT_FACTOR */
    float o[COLUMNS * ROWS];      /* transposed, not yet divided by the sum */
    float maximum[ROWS];
    float sum[ROWS];
    int start[ROWS]; /* keys each row sees by position: start .. end - 1 */
    int end[ROWS];
    sqa_reach reach; /* of all rows */
#if SQA_GLOBALS
    int limit[ROWS]; /* and the global tokens before this one */
#endif
#if SQA_ALIBI
    int position[ROWS];
    float slope[ROWS];
#endif
#if SQA_EXTRA
    sqa_extra_row extra[ROWS];
#endif
} row_tile;

/* The keys that a row tile is held against. */
typedef struct {
    int first, count; /* at most KEYS */
    int shown;        /* -1: global tokens, to be seen where they have not been yet */
    tile_pointer k, v;
    long k_row, v_row;
    float cap; /* SQA_CAP_FACTOR */
} key_tile;

#if SQA_EXTRA
/* Asks for what a row has for the keys from `first` on. Rows lie apart, where no
 * hardware expects them; and a few at a time, or the requests themselves queue. */
#if !defined(PREFETCH) && defined(__has_builtin)
#if __has_builtin(__builtin_prefetch)
#define PREFETCH(p) __builtin_prefetch((const void *)(size_t)(p))
#endif
#endif
#ifndef PREFETCH
#define PREFETCH(p)
#endif
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
#endif

/* Hidden keys are marked by a score that nothing else has: a finite bias ends above
 * it, and what overflows is infinite. */
#define HIDDEN_SCORE (-FLT_MAX)

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

/* scores[key][rows]; raises maxima to new_maximum. With `edge`, keys hidden by
 * position get HIDDEN_SCORE, and register tiles past the last key repeat it. With `extra`, what
 * lies there is added, and -infinity hides. */
INLINE void score_tile(const bool edge, const bool extra, const row_tile *restrict tile,
                       const key_tile keys, const float *restrict extra_scores,
                       float *restrict scores, float *restrict new_maximum)
{
#define START(r)                                                                                   \
    vec maximum##r = LOAD(tile->maximum + r * LANES);                                              \
    const ivec start##r = LOAD(tile->start + r * LANES), end##r = LOAD(tile->end + r * LANES);
    EACH_ROW(START)
#if SQA_GLOBALS
#define LIMIT(r) const ivec limit##r = LOAD(tile->limit + r * LANES);
    EACH_ROW(LIMIT)
#undef LIMIT
#endif
    for (int c = 0; c < keys.count; c += MC) {
#define KEY(i)                                                                                     \
    const int at##i = edge ? min(c + i, keys.count - 1) : c + i;                                   \
    tile_pointer k##i = TILE_ROW(keys.k, at##i, keys.k_row, SQA_HEAD_DIM);
#define ZERO(i, r) vec s##i##_##r = (vec)(0.0f);
        EACH_KEY(KEY)
        EACH_KEY_ROW(ZERO)
#if SQA_EXTRA
        for (int r = c * ROWS / KEYS; r < (c + MC) * ROWS / KEYS; r++)
            prefetch_extra(tile->extra[r], keys.first + KEYS);
#endif
#pragma unroll UNROLL
        for (int d = 0; d < SQA_HEAD_DIM; d++) {
#define QUERY(r) const vec q##r = LOAD(tile->q + d * ROWS + r * LANES);
#define BROADCAST(i) const vec x##i = (vec)(k##i[d]);
#define MULTIPLY(i, r) s##i##_##r = fma(x##i, q##r, s##i##_##r);
            EACH_ROW(QUERY)
            EACH_KEY(BROADCAST)
            EACH_KEY_ROW(MULTIPLY)
        }
#if SQA_SOFTCAP
#define CAP(i, r) s##i##_##r = tanh_of(s##i##_##r) * keys.cap;
        EACH_KEY_ROW(CAP)
#undef CAP
#endif
#if SQA_ALIBI
#define DISTANT(i, r)                                                                              \
    s##i##_##r = fma(-LOAD(tile->slope + r * LANES),                                               \
                     AS_FLOATS(abs(LOAD(tile->position + r * LANES) - (keys.first + at##i))),      \
                     s##i##_##r);
        EACH_KEY_ROW(DISTANT)
#undef DISTANT
#endif
#define ADD(i, r)                                                                                  \
    {                                                                                              \
        const vec x = LOAD(extra_scores + at##i * ROWS + r * LANES);                               \
        s##i##_##r = select(s##i##_##r + x, (vec)(HIDDEN_SCORE), x == (vec)(-INFINITY));           \
    }
#define HIDE(i, r)                                                                                 \
    s##i##_##r = select(s##i##_##r, (vec)(HIDDEN_SCORE), HIDDEN((ivec)(keys.first + at##i), r));
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
#undef ZERO
#undef QUERY
#undef BROADCAST
#undef MULTIPLY
#undef ADD
#undef HIDE
#undef KEEP
#undef FINISH
}

/* Turns scores into weights, updates maxima and sums, and leaves in `rescale`
 * what older output has to be multiplied by. Weights of hidden keys are zero;
 * those of visible keys never are. */
INLINE void softmax_tile(const bool hiding, const int count, row_tile *restrict tile,
                         float *restrict scores, const float *restrict new_maximum,
                         float *restrict rescale)
{
#define START(r)                                                                                   \
    const vec maximum##r = LOAD(new_maximum + r * LANES);                                          \
    const vec rescale##r = exp2_negative(LOAD(tile->maximum + r * LANES) - maximum##r);            \
    vec sum##r = (vec)(0.0f);
    EACH_ROW(START)
#pragma unroll 2
    for (int c = 0; c < count; c++) {
#define WEIGHT(r)                                                                                  \
    {                                                                                              \
        const vec s = LOAD(scores + c * ROWS + r * LANES);                                         \
        vec p = exp2_negative(s - maximum##r);                                                     \
        if (hiding)                                                                                \
            p = select(p, (vec)(0.0f), s == (vec)(HIDDEN_SCORE));                                  \
        STORE(p, scores + c * ROWS + r * LANES);                                                   \
        sum##r += p;                                                                               \
    }
        EACH_ROW(WEIGHT)
    }
#define FINISH(r)                                                                                  \
    STORE(maximum##r, tile->maximum + r * LANES);                                                  \
    STORE(rescale##r, rescale + r * LANES);                                                        \
    STORE(fma(LOAD(tile->sum + r * LANES), rescale##r, sum##r), tile->sum + r * LANES);
    EACH_ROW(FINISH)
#undef START
#undef WEIGHT
#undef FINISH
}

/* Adds the tile's contribution to columns d .. d + MD - 1 of the output. With
 * `hiding`, a zero weight leaves the sum alone even if V is NaN or infinite there;
 * with `last`, columns past value_dim repeat the last one. */
INLINE void output_columns(const bool hiding, const bool last, const int d, const key_tile keys,
                           row_tile *restrict tile, const float *restrict weights,
                           const float *restrict rescale)
{
#define START(i, r)                                                                                \
    vec o##i##_##r = LOAD(tile->o + (d + i) * ROWS + r * LANES) * LOAD(rescale + r * LANES);
    EACH_COLUMN_ROW(START)
#pragma unroll UNROLL
    for (int c = 0; c < keys.count; c++) {
        tile_pointer value = TILE_ROW(keys.v, c, keys.v_row, SQA_VALUE_DIM) + d;
#define LOAD_WEIGHT(r) const vec p##r = LOAD(weights + c * ROWS + r * LANES);
#define BROADCAST(i) const vec x##i = (vec)(value[last ? min(i, SQA_VALUE_DIM - 1 - d) : i]);
#define MULTIPLY(i, r) o##i##_##r = fma(x##i, p##r, o##i##_##r);
#define MULTIPLY_VISIBLE(i, r)                                                                     \
    o##i##_##r = select(fma(x##i, p##r, o##i##_##r), o##i##_##r, p##r == (vec)(0.0f));
        EACH_ROW(LOAD_WEIGHT)
        EACH_COLUMN(BROADCAST)
        if (hiding) {
            EACH_COLUMN_ROW(MULTIPLY_VISIBLE)
        } else {
            EACH_COLUMN_ROW(MULTIPLY)
        }
    }
#define FINISH(i, r) STORE(o##i##_##r, tile->o + (d + i) * ROWS + r * LANES);
    EACH_COLUMN_ROW(FINISH)
#undef START
#undef LOAD_WEIGHT
#undef BROADCAST
#undef MULTIPLY
#undef MULTIPLY_VISIBLE
#undef FINISH
}

/* The weights of a key tile for a row tile, and what older output is to be multiplied
 * by. `edge`: position hides some keys; `extra`: something is added to the scores;
 * `hiding`: some key is hidden, by either. */
INLINE void weigh(const bool edge, const bool extra, const bool hiding, row_tile *restrict tile,
                  const key_tile keys, const float *restrict extra_scores,
                  float *restrict weights, float *restrict rescale)
{
    float new_maximum[ROWS] __attribute__((aligned(64)));
    score_tile(edge, extra, tile, keys, extra_scores, weights, new_maximum);
    softmax_tile(hiding, keys.count, tile, weights, new_maximum, rescale);
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

#if PACK
/* Copies `rows` rows of `width` elements to f32, side by side. */
INLINE void pack(float *restrict out, __global const sqa_stored *restrict in, const long row,
                 const int rows, const int width)
{
    for (int r = 0; r < rows; r++) {
        int d = 0;
        for (; d + 8 <= width; d += 8)
            vstore8(SQA_LOAD8(d, in + r * row), 0, out + r * width + d);
        for (; d < width; d++)
            out[r * width + d] = SQA_LOAD(d, in + r * row);
    }
}
#endif

#if SQA_EXTRA
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

/* Fetches query row `lane` of a tile; past the end, and where there are no keys, a
 * zero query. `q` is NULL there. */
static void load_row(row_tile *tile, const int lane, __global const sqa_stored *q,
                     const float factor)
{
    for (int d = 0; d < SQA_HEAD_DIM; d++)
        tile->q[d * ROWS + lane] = q ? SQA_LOAD(d, q) * factor : 0.0f;
    for (int d = 0; d < COLUMNS; d++)
        tile->o[d * ROWS + lane] = 0.0f;
    tile->maximum[lane] = -FLT_MAX;
    tile->sum[lane] = 0.0f;
}

/* Cuts the keys to those that some row of the tile sees by position; false: none.
 * *edge: not every row sees all of them. */
INLINE bool cut_keys(const row_tile *tile, key_tile *keys, bool *edge)
{
    const sqa_reach reach = tile->reach;
    const int end = keys->first + keys->count;
    if (keys->shown) {
        *edge = end > reach.all_limit || (reach.first < end && keys->first < reach.last);
        /* Seen by all already, or by none as yet. */
        return keys->first < reach.limit &&
               !(reach.all_first <= keys->first && end <= reach.all_last);
    }
    const int first = max(keys->first, reach.first), last = min(end, reach.last);
    keys->k = TILE_ROW(keys->k, first - keys->first, keys->k_row, SQA_HEAD_DIM);
    keys->v = TILE_ROW(keys->v, first - keys->first, keys->v_row, SQA_VALUE_DIM);
    keys->first = first;
    keys->count = last - first;
    *edge = first < reach.all_first || last > reach.all_last;
    return keys->count > 0;
}

/* One key tile against one row tile, by the cheapest path that serves it: whole tiles
 * that hide nothing have a constant number of keys and no masks. */
INLINE void attend(row_tile *restrict tile, key_tile keys, float *restrict weights,
                   float *restrict extra)
{
    float rescale[ROWS] __attribute__((aligned(64)));
    bool edge;
    if (!cut_keys(tile, &keys, &edge))
        return;
    edge = edge || keys.count < KEYS;
#if SQA_EXTRA
    const int kind = load_extra(tile, keys, extra);
    if (kind == EXTRA_HIDES_ALL)
        return;
    const bool adds = kind != EXTRA_NONE, hides = kind == EXTRA_HIDES;
#else
    const bool adds = false, hides = false;
#endif
    if (edge || hides) {
#if SQA_EXTRA
        if (adds)
            weigh(true, true, true, tile, keys, extra, weights, rescale);
        else
#endif
            weigh(true, false, true, tile, keys, extra, weights, rescale);
        if (!is_finite(keys)) {
            add_output(true, tile, keys, weights, rescale);
            return;
        }
    } else {
        keys.count = KEYS;
#if SQA_BIAS
        if (adds)
            weigh(false, true, false, tile, keys, extra, weights, rescale);
        else
#endif
            weigh(false, false, false, tile, keys, extra, weights, rescale);
    }
    add_output(false, tile, keys, weights, rescale);
}

__attribute__((reqd_work_group_size(1, 1, 1)))
__kernel void sqa_rows_forward(SQA_FORWARD_ARGUMENTS SQA_SPLIT_ARGUMENTS)
{
    const long first_head = FIRST_HEAD(get_global_id(1));
    const long batch = get_global_id(2) / SPLIT;
    SQA_SEQUENCE(batch)
    const int first_row = FIRST_ROW(get_global_id(0), ROWS * TILES);
    const int rows = END_ROW(get_global_id(0), ROWS * TILES) - first_row;
    if (rows <= 0)
        return;
    const int tiles = (rows + ROWS - 1) / ROWS;
    __global const sqa_stored *k = SQA_K_MATRIX(batch, first_head);
    __global const sqa_stored *v = SQA_V_MATRIX(batch, first_head);

    row_tile tile[TILES];
    float weights[KEYS * ROWS] __attribute__((aligned(64)));
#if SQA_EXTRA
    float extra[KEYS * ROWS] __attribute__((aligned(64)));
#else
    float *extra = 0;
#endif
    for (int r = 0; r < tiles * ROWS; r++) {
        row_tile *to = &tile[r / ROWS];
        const int lane = r % ROWS;
        const int row = first_row + min(r, rows - 1);
        const long head = ROW_HEAD(first_head, row);
        const int query = ROW_QUERY(row);
        __global const sqa_stored *q = SQA_Q_MATRIX(batch, head) + query * q_row;
        load_row(to, lane, kv_length > 0 && r < rows ? q : 0, SQA_PRODUCT_FACTOR);
        to->start[lane] = SQA_START(query);
        to->end[lane] = SQA_END(query);
#if SQA_GLOBALS
        to->limit[lane] = SQA_LIMIT(query);
#endif
#if SQA_ALIBI
        to->position[lane] = SQA_POSITION(query);
        to->slope[lane] = SQA_SLOPE(head);
#endif
#if SQA_EXTRA
        SQA_SET_EXTRA_ROW(to->extra[lane], batch, head, (long)query)
#endif
    }
    for (int t = 0; t < tiles; t++) {
        SQA_REACH(reach, ROW_QUERY(first_row + t * ROWS),
                  ROW_QUERY(first_row + min(t * ROWS + ROWS, rows) - 1))
        tile[t].reach = reach;
    }

#if SPLIT > 1
    const int split = get_global_id(2) % SPLIT;
#endif
#if PACK
    float k_packed[KEYS * SQA_HEAD_DIM] __attribute__((aligned(64)));
    float v_packed[KEYS * SQA_VALUE_DIM] __attribute__((aligned(64)));
#endif
    SQA_REACH(reach, ROW_QUERY(first_row), ROW_QUERY(first_row + rows - 1))
    SQA_WALK(walk, reach, SQA_SPLIT_BEGIN(split), SQA_SPLIT_END(split),
             SQA_BLOCK_LIST(batch, first_head, QUERY_BLOCK(get_global_id(0), ROWS * TILES)))
    while (sqa_walk_next(&walk))
        for (int first_key = walk.begin; first_key < walk.end; first_key += KEYS) {
            key_tile keys;
            keys.first = first_key;
            keys.count = min(KEYS, walk.end - first_key);
            keys.shown = walk.shown;
            keys.k_row = k_row;
            keys.v_row = v_row;
            keys.cap = SQA_CAP_FACTOR;
#if PACK
            pack(k_packed, k + first_key * k_row, k_row, keys.count, SQA_HEAD_DIM);
            pack(v_packed, v + first_key * v_row, v_row, keys.count, SQA_VALUE_DIM);
            keys.k = k_packed;
            keys.v = v_packed;
#else
            keys.k = k + first_key * k_row;
            keys.v = v + first_key * v_row;
#endif
            for (int t = 0; t < tiles; t++)
                attend(&tile[t], keys, weights, extra);
        }

    for (int r = 0; r < rows; r++) {
        const row_tile *from = &tile[r / ROWS];
        const int lane = r % ROWS;
        const long head = ROW_HEAD(first_head, first_row + r);
        const long query = ROW_QUERY(first_row + r);
#if SPLIT == 1
        const sqa_row_end end = sqa_end_row(from->maximum[lane], from->sum[lane], SQA_SINK(head));
        __global sqa_stored *o = SQA_O_MATRIX(batch, head) + query * o_row;
        for (int d = 0; d < SQA_VALUE_DIM; d++)
            SQA_STORE(from->o[d * ROWS + lane] * end.inverse, d, o);
#if SQA_WRITE_LSE
        SQA_LSE_ROW(batch, head)[query] = end.lse;
#endif
#else
        /* The part of one split: its own mean, to be weighted by its log-sum-exp. */
        const float sum = from->sum[lane];
        const float inverse = sum == 0.0f ? 0.0f : 1.0f / sum;
        const long part = SQA_SPLIT_PART(split, batch, head, query);
        __global float *o = SQA_SPLIT_OUTPUT(part);
        for (int d = 0; d < SQA_VALUE_DIM; d++)
            o[d] = from->o[d * ROWS + lane] * inverse;
        *SQA_SPLIT_LSE(part) = sum == 0.0f ? -INFINITY : from->maximum[lane] + log2(sum);
#endif
    }
}
