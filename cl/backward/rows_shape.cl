/* rows, backward: parameters, vectors of keys, and what a work-item holds of its keys.
 *
 * Register tiles are named variables, because arrays spill: the generator
 * supplies EACH_VECTOR(M) = M(0) ... M(RV - 1), EACH_QUERY_VECTOR(M) = M(0, 0) ... */
#ifndef RV
#define RV 2
#define MC 2
#define MQ 2
#define NV 1
#define TILES 1
#define QUERIES 64
#define UNROLL 4
#define PACK (SQA_DTYPE != 0)
#define SPLIT 1
#define APART 0
#define EACH_VECTOR(M) M(0) M(1)
#define EACH_QUERY(M) M(0) M(1)
#define EACH_QUERY_VECTOR(M) M(0, 0) M(0, 1) M(1, 0) M(1, 1)
#define EACH_COLUMN(M) M(0) M(1)
#define EACH_COLUMN_VECTOR(M) M(0, 0) M(0, 1) M(1, 0) M(1, 1)
#define EACH_SUM_QUERY(M) M(0) M(1)
#define EACH_SUM_VECTOR(M) M(0)
#define EACH_SUM(M) M(0, 0) M(1, 0)
#endif

#define EXP 0 /* of rows_weight.cl */
#define COPIES (APART ? 1 : SPLIT)
#define TILE_KEYS (LANES * RV)        /* of a key tile */
#define ITEM_KEYS (TILE_KEYS * TILES) /* that a work-item holds at a time */
/* Columns of what is summed, filled up to whole register tiles with copies of the last. */
#define UP_TO(multiple, n) (((n) + (multiple)-1) / (multiple) * (multiple))
#define K_COLUMNS UP_TO(MC, SQA_HEAD_DIM)
#define V_COLUMNS UP_TO(MC, SQA_VALUE_DIM)
/* A row of dQ's sums, and of K beside it: whole vectors, the rest zeros. */
#define SUM_COLUMNS UP_TO(LANES *NV, SQA_HEAD_DIM)

/* Where rows of Q and dO lie: packed in private memory, or in place. */
#if PACK
typedef const float *row_pointer;
#else
typedef __global const sqa_stored *row_pointer;
#endif

/* The keys of a key tile, and the sums of their gradients. Whole vectors come first. */
typedef struct ALIGNED {
    float k[SQA_HEAD_DIM * TILE_KEYS];  /* transposed, times query_factor */
    float v[SQA_VALUE_DIM * TILE_KEYS]; /* transposed, times flow_factor */
#if SQA_GRADIENT_K
    float dk[K_COLUMNS * TILE_KEYS];
#endif
#if SQA_GRADIENT_V
    float dv[V_COLUMNS * TILE_KEYS];
#endif
#if SQA_GLOBALS
    int token[TILE_KEYS]; /* -1: the key is a global token */
#endif
#if SQA_BLOCKS
    int listed[TILE_KEYS]; /* -1: its block is in the list of the queries at hand */
#endif
    int first;
#if SQA_GLOBALS
    bool has_global;
#endif
#if SQA_BLOCKS
    bool some_listed, all_listed;
#endif
} key_tile;

/* Queries of one head that the keys are held against. */
typedef struct ALIGNED {
    float lse[QUERIES];   /* as a score; +infinity where a row saw nothing */
    float delta[QUERIES]; /* the row's sum of dO O, times flow_factor */
    int start[QUERIES];   /* keys each sees by position: start .. end - 1 */
    int end[QUERIES];
#if SQA_GLOBALS
    int limit[QUERIES]; /* and the global tokens before this one */
#endif
#if SQA_EXTRA
    sqa_extra_row extra[QUERIES];
#endif
    int count;        /* at most QUERIES */
    row_pointer q, g; /* Q and dO from the first of them on */
    long q_row, g_row;
#if SQA_ALIBI
    int position; /* of the first */
    float slope;
#endif
#if SQA_DROPOUT
    sqa_dropout dropout;
    uint head, number; /* of the first query */
#endif
    int is_finite; /* Q and dO; -1: not known yet */
} query_tile;
