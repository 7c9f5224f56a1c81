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
 * 1). Key tiles that every row of a tile sees take a path without masks. Scores
 * are in units of log2 e, so that exp is exp2.
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
#define LOAD(p) SQA_JOIN(vload, LANES)(0, (p))
#define STORE(v, p) SQA_JOIN(vstore, LANES)((v), 0, (p))

#define ROWS (LANES * RV) /* query rows of a row tile */
/* Accumulated columns, filled up to whole register tiles with copies of the last. */
#define COLUMNS ((SQA_VALUE_DIM + MD - 1) / MD * MD)
#define INLINE static inline __attribute__((always_inline))

/* Comparisons with NaN are false, so that a NaN score never becomes a maximum
 * and always passes the lower bound: it reaches the row's sum as NaN. */
#define LARGER(a, b) select((b), (a), (a) > (b))
#define AT_LEAST(x, low) select((x), (vec)(low), (vec)(low) > (x))

/* 2^x for x <= 0, never zero: at most 5e-8 off relatively, 2^-125 below -125.
 * Adding 1.5 * 2^23 + 127 leaves the biased exponent in the low bits. */
INLINE vec exp2_negative(vec x)
{
    const float shift = 12583039.0f;
    const vec bounded = AT_LEAST(x, -125.0f);
    const vec shifted = bounded + (vec)(shift);
    const vec f = bounded - (shifted - (vec)(shift));
    vec p = fma(f, (vec)(0.0013333558f), (vec)(0.0096181291f));
    p = fma(p, f, (vec)(0.0555041087f));
    p = fma(p, f, (vec)(0.2402265070f));
    p = fma(p, f, (vec)(0.6931471806f));
    p = fma(p, f, (vec)(1.0f));
    return p * AS_VEC(AS_IVEC(shifted) << 23);
}

/* What a row tile carries from key tile to key tile. */
typedef struct __attribute__((aligned(64))) {
    float q[SQA_HEAD_DIM * ROWS]; /* transposed, times scale * log2 e */
    float o[COLUMNS * ROWS];      /* transposed, not yet divided by the sum */
    float maximum[ROWS];
    float sum[ROWS];
    int visible[ROWS]; /* keys each row sees, counted from the first */
} row_tile;

/* scores[key][rows] for `keys` keys; raises maxima to new_maximum. With `edge`,
 * hidden keys get -FLT_MAX, and no key after the last is read. */
INLINE void score_tile(const bool edge, const int first_key, const int keys,
                       const row_tile *restrict tile, __global const sqa_stored *restrict k,
                       const long k_row, float *restrict scores, float *restrict new_maximum)
{
#define START(r) vec maximum##r = LOAD(tile->maximum + r * LANES);
#define VISIBLE(r) const ivec visible##r = LOAD(tile->visible + r * LANES);
    EACH_ROW(START)
    EACH_ROW(VISIBLE)
    for (int c = 0; c < keys; c += MC) {
#define KEY(i) __global const sqa_stored *k##i = k + (edge ? min(c + i, keys - 1) : c + i) * k_row;
#define ZERO(i, r) vec s##i##_##r = (vec)(0.0f);
        EACH_KEY(KEY)
        EACH_KEY_ROW(ZERO)
#pragma unroll UNROLL
        for (int d = 0; d < SQA_HEAD_DIM; d++) {
#define QUERY(r) const vec q##r = LOAD(tile->q + d * ROWS + r * LANES);
#define BROADCAST(i) const vec x##i = (vec)(k##i[d]);
#define MULTIPLY(i, r) s##i##_##r = fma(x##i, q##r, s##i##_##r);
            EACH_ROW(QUERY)
            EACH_KEY(BROADCAST)
            EACH_KEY_ROW(MULTIPLY)
        }
#define HIDE(i, r)                                                                                 \
    s##i##_##r = select(s##i##_##r, (vec)(-FLT_MAX), (ivec)(first_key + c + i) >= visible##r);
#define KEEP(i, r)                                                                                 \
    STORE(s##i##_##r, scores + (c + i) * ROWS + r * LANES);                                        \
    maximum##r = LARGER(s##i##_##r, maximum##r);
        if (edge) {
            EACH_KEY_ROW(HIDE)
        }
        EACH_KEY_ROW(KEEP)
    }
#define FINISH(r) STORE(maximum##r, new_maximum + r * LANES);
    EACH_ROW(FINISH)
#undef START
#undef VISIBLE
#undef KEY
#undef ZERO
#undef QUERY
#undef BROADCAST
#undef MULTIPLY
#undef HIDE
#undef KEEP
#undef FINISH
}

/* Turns scores into weights, updates maxima and sums, and leaves in `rescale`
 * what older output has to be multiplied by. Weights of hidden keys are zero;
 * those of visible keys never are. */
INLINE void softmax_tile(const bool edge, const int first_key, const int keys,
                         row_tile *restrict tile, float *restrict scores,
                         const float *restrict new_maximum, float *restrict rescale)
{
#define START(r)                                                                                   \
    const vec maximum##r = LOAD(new_maximum + r * LANES);                                          \
    const vec rescale##r = exp2_negative(LOAD(tile->maximum + r * LANES) - maximum##r);            \
    const ivec visible##r = LOAD(tile->visible + r * LANES);                                       \
    vec sum##r = (vec)(0.0f);
    EACH_ROW(START)
#pragma unroll 2
    for (int c = 0; c < keys; c++) {
#define WEIGHT(r)                                                                                  \
    {                                                                                              \
        vec p = exp2_negative(LOAD(scores + c * ROWS + r * LANES) - maximum##r);                   \
        if (edge)                                                                                  \
            p = select(p, (vec)(0.0f), (ivec)(first_key + c) >= visible##r);                       \
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
 * `edge`, a zero weight leaves the sum alone even if V is NaN or infinite there;
 * with `last`, columns past value_dim repeat the last one. */
INLINE void output_columns(const bool edge, const bool last, const int d, const int keys,
                           row_tile *restrict tile, __global const sqa_stored *restrict v,
                           const long v_row, const float *restrict weights,
                           const float *restrict rescale)
{
#define START(i, r)                                                                                \
    vec o##i##_##r = LOAD(tile->o + (d + i) * ROWS + r * LANES) * LOAD(rescale + r * LANES);
    EACH_COLUMN_ROW(START)
#pragma unroll UNROLL
    for (int c = 0; c < keys; c++) {
#define LOAD_WEIGHT(r) const vec p##r = LOAD(weights + c * ROWS + r * LANES);
#define BROADCAST(i)                                                                               \
    const vec x##i = (vec)(v[c * v_row + (last ? min(d + i, SQA_VALUE_DIM - 1) : d + i)]);
#define MULTIPLY(i, r) o##i##_##r = fma(x##i, p##r, o##i##_##r);
#define MULTIPLY_VISIBLE(i, r)                                                                     \
    o##i##_##r = select(fma(x##i, p##r, o##i##_##r), o##i##_##r, p##r == (vec)(0.0f));
        EACH_ROW(LOAD_WEIGHT)
        EACH_COLUMN(BROADCAST)
        if (edge) {
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

/* One key tile against one row tile. */
INLINE void attend(const bool edge, const int first_key, const int keys, row_tile *restrict tile,
                   __global const sqa_stored *restrict k, const long k_row,
                   __global const sqa_stored *restrict v, const long v_row,
                   float *restrict scores)
{
    float new_maximum[ROWS] __attribute__((aligned(64)));
    float rescale[ROWS] __attribute__((aligned(64)));
    score_tile(edge, first_key, keys, tile, k, k_row, scores, new_maximum);
    softmax_tile(edge, first_key, keys, tile, scores, new_maximum, rescale);
    for (int d = 0; d < SQA_VALUE_DIM / MD * MD; d += MD)
        output_columns(edge, false, d, keys, tile, v, v_row, scores, rescale);
#if SQA_VALUE_DIM % MD
    output_columns(edge, true, SQA_VALUE_DIM / MD * MD, keys, tile, v, v_row, scores, rescale);
#endif
}

/* Rows past the last are zero queries that see what the last row sees. */
static void load_tile(row_tile *tile, __global const sqa_stored *q, const long q_row,
                      const int first_row, const int q_length, const int kv_length,
                      const int diagonal, const float scale)
{
    for (int r = 0; r < ROWS; r++) {
        const bool inside = first_row + r < q_length;
        for (int d = 0; d < SQA_HEAD_DIM; d++)
            tile->q[d * ROWS + r] = inside ? q[r * q_row + d] * scale : 0.0f;
        tile->visible[r] = SQA_VISIBLE_KEYS(min(first_row + r, q_length - 1));
        tile->maximum[r] = -FLT_MAX;
        tile->sum[r] = 0.0f;
    }
    for (int i = 0; i < COLUMNS * ROWS; i++)
        tile->o[i] = 0.0f;
}

static void store_tile(const row_tile *tile, __global sqa_stored *o, const long o_row,
                       const int rows)
{
    for (int r = 0; r < rows; r++) {
        const float inverse = tile->visible[r] > 0 ? 1.0f / tile->sum[r] : 0.0f;
        for (int d = 0; d < SQA_VALUE_DIM; d++)
            o[r * o_row + d] = tile->o[d * ROWS + r] * inverse;
    }
}

#if SQA_WRITE_LSE
static void store_lse(const row_tile *tile, __global float *lse, const int rows)
{
    for (int r = 0; r < rows; r++)
        lse[r] = tile->visible[r] > 0 ? (tile->maximum[r] + log2(tile->sum[r])) * M_LN2_F
                                      : -INFINITY;
}
#endif

__attribute__((reqd_work_group_size(1, 1, 1)))
__kernel void sqa_rows_forward(SQA_FORWARD_ARGUMENTS)
{
    const int block = get_global_id(0);
    const long head = get_global_id(1);
    const long batch = get_global_id(2);
    const int first_row = block * (ROWS * TILES);
    const int tiles = min(TILES, (q_length - first_row + ROWS - 1) / ROWS);
    __global const sqa_stored *q = SQA_Q_MATRIX(batch, head) + first_row * q_row;
    __global const sqa_stored *k = SQA_K_MATRIX(batch, head);
    __global const sqa_stored *v = SQA_V_MATRIX(batch, head);
    __global sqa_stored *o = SQA_O_MATRIX(batch, head) + first_row * o_row;

    row_tile tile[TILES];
    float scores[KEYS * ROWS] __attribute__((aligned(64)));
    for (int t = 0; t < tiles; t++)
        load_tile(&tile[t], q + t * ROWS * q_row, q_row, first_row + t * ROWS, q_length, kv_length,
                  diagonal, scale * M_LOG2E_F);

    /* Rows see more keys the further down they are: the first row of a tile
     * decides what needs no mask, the last where the keys end. */
    const int end = tile[tiles - 1].visible[ROWS - 1];
    for (int first_key = 0; first_key < end; first_key += KEYS) {
        __global const sqa_stored *k_tile = k + first_key * k_row;
        __global const sqa_stored *v_tile = v + first_key * v_row;
        for (int t = 0; t < tiles; t++) {
            const int keys = min(KEYS, tile[t].visible[ROWS - 1] - first_key);
            if (keys == KEYS && first_key + KEYS <= tile[t].visible[0])
                attend(false, first_key, KEYS, &tile[t], k_tile, k_row, v_tile, v_row, scores);
            else if (keys > 0)
                attend(true, first_key, keys, &tile[t], k_tile, k_row, v_tile, v_row, scores);
        }
    }

    for (int t = 0; t < tiles; t++) {
        const int row = t * ROWS;
        const int rows = min(ROWS, q_length - first_row - row);
        store_tile(&tile[t], o + row * o_row, o_row, rows);
#if SQA_WRITE_LSE
        store_lse(&tile[t], SQA_LSE_ROW(batch, head) + first_row + row, rows);
#endif
    }
}
