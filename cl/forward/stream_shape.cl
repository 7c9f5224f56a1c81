/* stream: parameters, and what a work-group shares. Elements are read in vectors of four. */
#ifndef ROWS
#define ROWS 4
#define TX 8
#define TY 8
#define KEYS 2
#define SPLIT_KEYS 256
#define ACROSS 16
#endif

#define SHARE 1
#define SPLIT 0 /* as many as a sequence takes */

#ifndef SUBGROUP_ATTRIBUTE /* pins the size of sub-groups where the device has several */
#define SUBGROUP_ATTRIBUTE
#endif

#define THREADS (TX * TY)
#define HEAD_VECS ((SQA_HEAD_DIM + 3) / 4)
#define VALUE_VECS ((SQA_VALUE_DIM + 3) / 4)

/* Of K: TX threads have a key's vectors x, x + TX, ...; TY x KEYS keys are multiplied at a time. */
#define KEY_VECS ((HEAD_VECS + TX - 1) / TX) /* of a thread */
#define KEY_TILE (TY * KEYS)

/* Of V: ACROSS threads, a power of two, have the vectors of columns; DOWN divide the keys. */
#define DOWN (THREADS / ACROSS)
#define COLUMN_VECS ((VALUE_VECS + ACROSS - 1) / ACROSS) /* of a thread */

/* Of softmax: THREADS / ROWS threads have a row. */
#define ROW_THREADS (THREADS / ROWS)

/* Rows of scores lie four floats beside a multiple of all banks, those of sums one vector. */
#define SCORE_PITCH (SPLIT_KEYS + 4)
#define SUM_PITCH (TX + 4)
#define SUM_VECS (KEY_TILE * SUM_PITCH > 4 * THREADS ? KEY_TILE * SUM_PITCH / 4 : THREADS)

/* What is asked of a row for every score. */
typedef struct {
    int start, end; /* keys the row sees by position: start .. end - 1 */
#if SQA_GLOBALS
    int limit; /* and the global tokens before this one */
#endif
#if SQA_ALIBI
    int position;
    float slope;
#endif
    int head, query;
} row_facts;

/* Of a work-group, in local memory. */
typedef struct {
    float4 q[ROWS * HEAD_VECS];            /* times query_factor */
    float4 scores[ROWS * SCORE_PITCH / 4]; /* of all keys of the split, then weights */
    float4 sums[ROWS * SUM_VECS];          /* of threads: products, maxima, values */
    row_facts facts[ROWS];
} shared_rows;

/* Vector i of a row of K or V of `width` elements; zeros past its end, where nothing is read. */
INLINE float4 stored_vec(__global const sqa_kv_stored *row, const bool aligned, const int i,
                         const int width)
{
    if (width % 4 == 0 ? 4 * i < width : 4 * i + 4 <= width)
        return aligned ? SQA_KV_LOADN_ALIGNED(4, 4 * i, row) : SQA_KV_LOADN(4, 4 * i, row);
    float4 rest = (float4)(0.0f);
    if (width % 4 > 0 && 4 * i < width)
        rest.s0 = SQA_KV_LOAD(4 * i, row);
    if (width % 4 > 1 && 4 * i + 1 < width)
        rest.s1 = SQA_KV_LOAD(4 * i + 1, row);
    if (width % 4 > 2 && 4 * i + 2 < width)
        rest.s2 = SQA_KV_LOAD(4 * i + 2, row);
    return rest;
}
