/* tiled, backward: what a thread has of sums, beyond its part of the tiles. */
#ifndef SHARE
#define SHARE 0
#endif
#ifndef SPLIT
#define SPLIT 0
#endif
#define COPIES SPLIT
#define SUMS_QUERIES (SPLIT && SQA_GRADIENT_Q)
#if SUMS_QUERIES
#define SUM_FENCE (CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE)
#else
#define SUM_FENCE CLK_LOCAL_MEM_FENCE
#endif
#define HEAD_PITCH PITCH(HEAD_VECS)
#define VALUE_PITCH PITCH(VALUE_VECS)
#define TK (BN / TY)                   /* keys of a thread that owns their sums */
#define TH ((HEAD_VECS + TX - 1) / TX) /* vectors of head dimensions, likewise */
#define MOST_COLUMNS (TH > TD ? TH : TD)
#define TILE_PITCH (P_PITCH * VEC)    /* of a tile of pairs, in floats */
#define SUM_COLUMNS (HEAD_VECS * VEC) /* of a row of sums in the workspace */

/* What is hidden is -0 in a tile of pairs, which nothing else is. */
#define HIDDEN_PAIR -0.0f
#define IS_HIDDEN(x) (as_int(x) == (int)(1u << 31))
