/* decode: parameters, and the lists that name its register tiles.
 *
 * Eight accumulators at a time: MR rows by WIDE keys, or by WIDE vectors of columns. They are
 * named variables, because arrays spill: EACH_TILE(M) = M(number, row, key or column) ... */
#ifndef MR
#define MR 4
#define TILES 1
#define KEYS 32
#define AHEAD 1
#define EXP 0
#endif

#define SHARE 1
#define SPLIT 0 /* as many as a sequence takes */

#define ROWS (MR * TILES) /* query rows of a work-item */
#define WIDE (8 / MR)

/* Elements of a row of Q and of O here: filled up to whole vectors, whole register tiles. */
#define DEPTH ((SQA_HEAD_DIM + LANES - 1) / LANES * LANES)
#define TILE_COLUMNS (WIDE * LANES)
#define COLUMNS ((SQA_VALUE_DIM + TILE_COLUMNS - 1) / TILE_COLUMNS * TILE_COLUMNS)

/* Whether weights are multiplied with a group's scale instead of its elements: where no register
 * tile has columns of two groups, nor of a part of one. */
#define FOLD (SQA_KV_DTYPE >= 3 && SQA_VALUE_DIM % SQA_GROUP == 0 && SQA_GROUP % TILE_COLUMNS == 0)

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

#define EACH_OF_1(M) M(0)
#define EACH_OF_2(M) EACH_OF_1(M) M(1)
#define EACH_OF_4(M) EACH_OF_2(M) M(2) M(3)
#define EACH_OF_8(M) EACH_OF_4(M) M(4) M(5) M(6) M(7)
#if MR == 1
#define EACH_ROW EACH_OF_1
#define EACH_WIDE EACH_OF_8
#define EACH_TILE(M)                                                                               \
    M(0, 0, 0) M(1, 0, 1) M(2, 0, 2) M(3, 0, 3) M(4, 0, 4) M(5, 0, 5) M(6, 0, 6) M(7, 0, 7)
#elif MR == 2
#define EACH_ROW EACH_OF_2
#define EACH_WIDE EACH_OF_4
#define EACH_TILE(M)                                                                               \
    M(0, 0, 0) M(1, 0, 1) M(2, 0, 2) M(3, 0, 3) M(4, 1, 0) M(5, 1, 1) M(6, 1, 2) M(7, 1, 3)
#elif MR == 4
#define EACH_ROW EACH_OF_4
#define EACH_WIDE EACH_OF_2
#define EACH_TILE(M)                                                                               \
    M(0, 0, 0) M(1, 0, 1) M(2, 1, 0) M(3, 1, 1) M(4, 2, 0) M(5, 2, 1) M(6, 3, 0) M(7, 3, 1)
#else
#define EACH_ROW EACH_OF_8
#define EACH_WIDE EACH_OF_1
#define EACH_TILE(M)                                                                               \
    M(0, 0, 0) M(1, 1, 0) M(2, 2, 0) M(3, 3, 0) M(4, 4, 0) M(5, 5, 0) M(6, 6, 0) M(7, 7, 0)
#endif

/* Comparisons with NaN are false, so that a NaN score never becomes a maximum. */
#define LARGER(a, b) select((b), (a), (a) > (b))

/* Of a work-item. */
typedef struct ALIGNED {
    float q[ROWS * DEPTH];   /* times query_factor; zeros where a row is filled up */
    float o[ROWS * COLUMNS]; /* not yet divided by the sum */
    float sum[ROWS * LANES]; /* of weights, lane by lane */
    float maximum[ROWS];
    int start[ROWS], end[ROWS]; /* keys each row sees by position: start .. end - 1 */
#if SQA_GLOBALS
    int limit[ROWS]; /* and the global tokens before this one */
#endif
#if SQA_ALIBI
    int position[ROWS];
    float slope[ROWS];
#endif
#if SQA_DROPOUT
    uint head[ROWS], query[ROWS];
#endif
#if SQA_EXTRA
    sqa_extra_row extra[ROWS];
#endif
    sqa_reach reach[TILES]; /* of the rows of a register tile */
} decode_rows;

/* The keys that rows are held against. */
typedef struct {
    int first, count; /* at most KEYS */
    int more;         /* keys of the run after these */
    int shown;        /* -1: global tokens, to be seen where they have not been yet */
    __global const sqa_kv_stored *k, *v;
#if SQA_PAGED
    const long *k_at, *v_at; /* where each lies; of K, those that are asked for ahead, too */
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
