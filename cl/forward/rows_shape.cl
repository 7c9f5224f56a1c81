/* rows: parameters, and where key tiles lie.
 *
 * Register tiles are named variables, because arrays spill: the generator
 * supplies EACH_ROW(M) = M(0) ... M(RV - 1), EACH_KEY_ROW(M) = M(0, 0) ... */
#ifndef RV
#define RV 2
#define MC 2
#define MD 2
#define TILES 1
#define KEYS 64
#define UNROLL 4
#define PACK (SQA_KV_DTYPE != 0 || SQA_PAGED)
#define EXP 0
#define EACH_ROW(M) M(0) M(1)
#define EACH_KEY(M) M(0) M(1)
#define EACH_KEY_ROW(M) M(0, 0) M(0, 1) M(1, 0) M(1, 1)
#define EACH_COLUMN(M) M(0) M(1)
#define EACH_COLUMN_ROW(M) M(0, 0) M(0, 1) M(1, 0) M(1, 1)
#endif

#define ROWS (LANES * RV) /* query rows of a row tile */
/* Accumulated columns, filled up to whole register tiles with copies of the last. */
#define COLUMNS ((SQA_VALUE_DIM + MD - 1) / MD * MD)

/* Where a key tile lies: packed in private memory, or in place. */
#if PACK
typedef const float *tile_pointer;
#define TILE_ROW(pointer, row, distance, width) ((pointer) + (row) * (width))
#else
typedef __global const sqa_kv_stored *tile_pointer;
#define TILE_ROW(pointer, row, distance, width) ((pointer) + (row) * (distance))
#endif

/* Comparisons with NaN are false, so that a NaN score never becomes a maximum
 * and always passes AT_LEAST: it reaches the row's sum as NaN. */
#define LARGER(a, b) select((b), (a), (a) > (b))
