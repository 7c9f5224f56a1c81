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
#define LOAD(p) SQA_JOIN(vload, LANES)(0, (p))
#define STORE(v, p) SQA_JOIN(vstore, LANES)((v), 0, (p))

#define ROWS (LANES * RV) /* query rows of a row tile */
/* Accumulated columns, filled up to whole register tiles with copies of the last. */
#define COLUMNS ((SQA_VALUE_DIM + MD - 1) / MD * MD)
#define INLINE static inline __attribute__((always_inline))

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
                       const row_tile *restrict tile, tile_pointer k, const long k_row, float *restrict scores, float *restrict new_maximum)
{
#define START(r) vec maximum##r = LOAD(tile->maximum + r * LANES);
#define VISIBLE(r) const ivec visible##r = LOAD(tile->visible + r * LANES);
    EACH_ROW(START)
    EACH_ROW(VISIBLE)
    for (int c = 0; c < keys; c += MC) {
#define KEY(i)                                                                                     \
    tile_pointer k##i = TILE_ROW(k, edge ? min(c + i, keys - 1) : c + i, k_row, SQA_HEAD_DIM);
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
                           row_tile *restrict tile, tile_pointer v, const long v_row,
                           const float *restrict weights,
                           const float *restrict rescale)
{
#define START(i, r)                                                                                \
    vec o##i##_##r = LOAD(tile->o + (d + i) * ROWS + r * LANES) * LOAD(rescale + r * LANES);
    EACH_COLUMN_ROW(START)
#pragma unroll UNROLL
    for (int c = 0; c < keys; c++) {
        tile_pointer value = TILE_ROW(v, c, v_row, SQA_VALUE_DIM) + d;
#define LOAD_WEIGHT(r) const vec p##r = LOAD(weights + c * ROWS + r * LANES);
#define BROADCAST(i) const vec x##i = (vec)(value[last ? min(i, SQA_VALUE_DIM - 1 - d) : i]);
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
                   tile_pointer k, const long k_row, tile_pointer v, const long v_row,
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

/* Fetches query row `lane` of a tile; past the end, and where there are no keys, a
 * zero query that sees what the last row sees. `q` is NULL there. */
static void load_row(row_tile *tile, const int lane, __global const sqa_stored *q,
                     const int visible, const float scale)
{
    for (int d = 0; d < SQA_HEAD_DIM; d++)
        tile->q[d * ROWS + lane] = q ? SQA_LOAD(d, q) * scale : 0.0f;
    for (int d = 0; d < COLUMNS; d++)
        tile->o[d * ROWS + lane] = 0.0f;
    tile->visible[lane] = visible;
    tile->maximum[lane] = -FLT_MAX;
    tile->sum[lane] = 0.0f;
}

#if SPLIT == 1
static void store_row(const row_tile *tile, const int lane, __global sqa_stored *o)
{
    const float inverse = tile->visible[lane] > 0 ? 1.0f / tile->sum[lane] : 0.0f;
    for (int d = 0; d < SQA_VALUE_DIM; d++)
        SQA_STORE(tile->o[d * ROWS + lane] * inverse, d, o);
}
#else
/* The part of one split: its own mean, to be weighted by its log-sum-exp. */
static void store_row(const row_tile *tile, const int lane, const bool any, __global float *o)
{
    const float inverse = any ? 1.0f / tile->sum[lane] : 0.0f;
    for (int d = 0; d < SQA_VALUE_DIM; d++)
        o[d] = tile->o[d * ROWS + lane] * inverse;
}
#endif

INLINE float log_sum_exp2(const row_tile *tile, const int lane)
{
    return tile->maximum[lane] + log2(tile->sum[lane]);
}

__attribute__((reqd_work_group_size(1, 1, 1)))
__kernel void sqa_rows_forward(SQA_FORWARD_ARGUMENTS SQA_SPLIT_ARGUMENTS)
{
    const long first_head = FIRST_HEAD(get_global_id(1));
    const long batch = get_global_id(2) / SPLIT;
    const int first_row = get_global_id(0) * (ROWS * TILES);
    const int tiles = min(TILES, (ROW_COUNT - first_row + ROWS - 1) / ROWS);
    __global const sqa_stored *k = SQA_K_MATRIX(batch, first_head);
    __global const sqa_stored *v = SQA_V_MATRIX(batch, first_head);

    row_tile tile[TILES];
    float scores[KEYS * ROWS] __attribute__((aligned(64)));
    for (int r = 0; r < tiles * ROWS; r++) {
        const int row = min(first_row + r, ROW_COUNT - 1);
        __global const sqa_stored *q =
            SQA_Q_MATRIX(batch, ROW_HEAD(first_head, row)) + ROW_QUERY(row) * q_row;
        load_row(&tile[r / ROWS], r % ROWS, kv_length > 0 && first_row + r < ROW_COUNT ? q : 0,
                 SQA_VISIBLE_KEYS(ROW_QUERY(row)), scale * M_LOG2E_F);
    }

    /* Rows see more keys the further down they are: the first row of a tile
     * decides what needs no mask, the last where the keys end. */
#if SPLIT == 1
    const int begin = 0;
    const int end = tile[tiles - 1].visible[ROWS - 1];
#else
    const int split = get_global_id(2) % SPLIT;
    const int begin = SQA_SPLIT_BEGIN(split);
    const int end = min(tile[tiles - 1].visible[ROWS - 1], SQA_SPLIT_BEGIN(split + 1));
#endif
#if PACK
    float k_packed[KEYS * SQA_HEAD_DIM] __attribute__((aligned(64)));
    float v_packed[KEYS * SQA_VALUE_DIM] __attribute__((aligned(64)));
#endif
    for (int first_key = begin; first_key < end; first_key += KEYS) {
        const int present = min(KEYS, end - first_key);
#if PACK
        pack(k_packed, k + first_key * k_row, k_row, present, SQA_HEAD_DIM);
        pack(v_packed, v + first_key * v_row, v_row, present, SQA_VALUE_DIM);
        tile_pointer k_tile = k_packed, v_tile = v_packed;
#else
        tile_pointer k_tile = k + first_key * k_row, v_tile = v + first_key * v_row;
#endif
        for (int t = 0; t < tiles; t++) {
            const int keys = min(present, tile[t].visible[ROWS - 1] - first_key);
            if (keys == KEYS && first_key + KEYS <= tile[t].visible[0])
                attend(false, first_key, KEYS, &tile[t], k_tile, k_row, v_tile, v_row, scores);
            else if (keys > 0)
                attend(true, first_key, keys, &tile[t], k_tile, k_row, v_tile, v_row, scores);
        }
    }

    for (int r = 0; r < min(tiles * ROWS, ROW_COUNT - first_row); r++) {
        const row_tile *from = &tile[r / ROWS];
        const int lane = r % ROWS;
        const long head = ROW_HEAD(first_head, first_row + r);
        const long query = ROW_QUERY(first_row + r);
#if SPLIT == 1
        store_row(from, lane, SQA_O_MATRIX(batch, head) + query * o_row);
#if SQA_WRITE_LSE
        SQA_LSE_ROW(batch, head)[query] =
            from->visible[lane] > 0 ? log_sum_exp2(from, lane) * M_LN2_F : -INFINITY;
#endif
#else
        const bool any = from->visible[lane] > begin && begin < end;
        const long part = SQA_SPLIT_PART(split, batch, head, query);
        store_row(from, lane, any, SQA_SPLIT_OUTPUT(part));
        *SQA_SPLIT_LSE(part) = any ? log_sum_exp2(from, lane) : -INFINITY;
#endif
    }
}
