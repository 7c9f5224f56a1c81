/* decode: parameters, and where rows and keys lie.
 *
 * A register tile has accumulators of MR rows by WIDE keys, or by WIDE vectors of columns. They are
 * named variables, because arrays spill: the generator supplies EACH_ROW(M) = M(0) ... M(MR - 1),
 * EACH_TILE(M) = M(row, key or vector) ... Where there are rows for it, scores have vectors of rows
 * instead, ROW_VECTORS of them for each of PASS keys: EACH_PASS(M) = M(0) ... M(PASS - 1). */
#ifndef MR
#define MR 4
#define WIDE 2
#define TILES 1
#define KEYS 32
#define AHEAD 1
#define EXP 0
#define ROW_VECTORS 0
#define PASS 8
#define EACH_ROW(M) M(0) M(1) M(2) M(3)
#define EACH_WIDE(M) M(0) M(1)
#define EACH_TILE(M) M(0, 0) M(0, 1) M(1, 0) M(1, 1) M(2, 0) M(2, 1) M(3, 0) M(3, 1)
#endif

#define SHARE 1
#define SPLIT 0 /* as many as a sequence takes */

#define ROWS (MR * TILES)              /* query rows of a work-item */
#define LANE_KEYS (LANES / MR)         /* keys of a vector of scores, which has all rows of each */
#define TILE_SCORES ((KEYS + 32) * MR) /* of a register tile; PASS - 1 keys may be too many */

/* A number of each row of a register tile. */
#if MR == 1
typedef float row_floats;
#else
typedef SQA_JOIN(float, MR) row_floats;
#endif

/* Elements of a row of Q and of O here: filled up to whole vectors. */
#define DEPTH ((SQA_HEAD_DIM + LANES - 1) / LANES * LANES)
#define VECTORS ((SQA_VALUE_DIM + LANES - 1) / LANES)
#define COLUMNS (VECTORS * LANES)

/* Columns are divided evenly among as few register tiles as do: BROAD_TILES of NARROW + 1 vectors,
 * then those of NARROW. */
#define COLUMN_TILES ((VECTORS + WIDE - 1) / WIDE)
#define NARROW (VECTORS / COLUMN_TILES)
#define BROAD_TILES (VECTORS % COLUMN_TILES)

/* Whether weights are multiplied with a group's scale instead of its elements: where no register
 * tile has columns of two groups, nor of a part of one. */
#define FOLD                                                                                       \
    (SQA_KV_DTYPE >= 3 && SQA_VALUE_DIM % SQA_GROUP == 0 && BROAD_TILES == 0 &&                    \
     SQA_GROUP % (NARROW * LANES) == 0)

#if ROW_VECTORS
#define Q_AT(r, d) ((d)*ROWS + (r))
#else
#define Q_AT(r, d) ((r)*DEPTH + (d))
#endif

/* What d elements of a row of K or V take. */
#if SQA_KV_DTYPE >= 3
#define STORED(d) SQA_STORAGE(SQA_GROUP_AT_, SQA_KV_DTYPE)(d, 0)
#else
#define STORED(d) (d)
#endif

/* An element is its NUMBERS times SCALE, of int4 plus MINIMUM. */
#define SCALE_AT(d, row) SQA_HALF_AT(SQA_STORAGE(SQA_GROUP_AT_, SQA_KV_DTYPE)(d, row))
#if SQA_KV_DTYPE == 4
#define NUMBERS(n, d, row)                                                                         \
    SQA_JOIN(convert_float, n)                                                                     \
    (SQA_JOIN(SQA_BYTES_, n)(SQA_NUMBER_4(d, row)) >> (uchar)SQA_NIBBLE_4(d) & (uchar)15)
#define MINIMUM_AT(d, row) SQA_HALF_AT(SQA_GROUP_AT_4(d, row) + 2)
#else
#define NUMBERS(n, d, row)                                                                         \
    SQA_JOIN(convert_float, n)                                                                     \
    (SQA_JOIN(as_char, n)(SQA_JOIN(SQA_BYTES_, n)(SQA_NUMBER_3(d, row))))
#endif

/* Comparisons with NaN are false, so that a NaN score never becomes a maximum. */
#define LARGER(a, b) select((b), (a), (a) > (b))

/* Of a work-item. What a row has to be beside its scores for is there LANE_KEYS times. */
typedef struct ALIGNED {
    float q[ROWS * DEPTH];    /* at Q_AT(row, element), times query_factor; zeros at a row's end */
    float o[ROWS * COLUMNS];  /* not yet divided by the sum */
    float sum[TILES * LANES]; /* of weights, lane by lane */
    float maximum[TILES * LANES];
    int start[TILES * LANES]; /* keys a row sees by position: start .. end - 1 */
    int end[TILES * LANES];
#if SQA_GLOBALS
    int limit[TILES * LANES]; /* and the global tokens before this one */
#endif
#if SQA_ALIBI
    int position[TILES * LANES];
    float slope[TILES * LANES];
#endif
#if SQA_DROPOUT
    uint head[ROWS], query[ROWS];
#endif
#if SQA_EXTRA
    sqa_extra_row extra[ROWS];
#endif
    sqa_reach reach[TILES]; /* of the rows of a register tile */
} decode_rows;

/* The lanes of row r in such a list; x in all of them. */
#define EACH_LANE(lane, r)                                                                         \
    for (int lane = (r) / MR * LANES + (r) % MR; lane < ((r) / MR + 1) * LANES; lane += MR)
#define FILL_LANES(list, r, x)                                                                     \
    EACH_LANE(lane, r)                                                                             \
    (list)[lane] = (x);

/* The keys that rows are held against. */
typedef struct {
    int first, count; /* at most KEYS */
    int more;         /* keys of the run after these */
    int shown;        /* -1: global tokens, to be seen where they have not been yet */
    __global const sqa_kv_stored *k, *v;
#if SQA_PAGED
    const long *k_at, *v_at; /* where each lies, and those that are asked for ahead */
#else
    long k_row, v_row;
#endif
    sqa_shaping shaping;
    exponents powers; /* of weights */
    float lift;       /* as in sqa_weighing */
#if SQA_DROPOUT
    sqa_dropout dropout;
#endif
} decode_keys;

/* Key c of them. */
#if SQA_PAGED
#define KEY_ROW(keys, c) ((keys).k + (keys).k_at[c])
#define VALUE_ROW(keys, c) ((keys).v + (keys).v_at[c])
#else
#define KEY_ROW(keys, c) ((keys).k + (c) * (keys).k_row)
#define VALUE_ROW(keys, c) ((keys).v + (c) * (keys).v_row)
#endif
