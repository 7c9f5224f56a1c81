/* rows: what is carried from key tile to key tile. */
/* Of a row tile. Whole vectors come first. */
typedef struct ALIGNED {
    float q[SQA_HEAD_DIM * ROWS]; /* transposed, times query_factor */
    float o[COLUMNS * ROWS];      /* transposed, not yet divided by the sum */
    float maximum[ROWS];
    float sum[ROWS];
    int start[ROWS]; /* keys each row sees by position: start .. end - 1 */
    int end[ROWS];
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
    sqa_reach reach; /* of all rows */
} row_tile;

/* The keys that a row tile is held against. */
typedef struct {
    int first, count; /* at most KEYS */
    int shown;        /* -1: global tokens, to be seen where they have not been yet */
    tile_pointer k, v;
    long k_row, v_row;
    sqa_shaping shaping;
    exponents powers; /* of weights */
    float lift; /* as in sqa_weighing */
#if SQA_DROPOUT
    sqa_dropout dropout;
#endif
#if SQA_EXTRA
    const row_tile *next; /* the row tile after this one, and the first key it is held against */
    int next_first;
#endif
} key_tile;
