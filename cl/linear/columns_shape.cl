/* columns: parameters, and what a work-item has of a state.
 *
 * Register tiles are named variables, because arrays spill: the generator supplies
 * EACH_ROW(M) = M(0) ... M(MR - 1), EACH_VECTOR(M) and EACH_ROW_VECTOR(M) = M(0, 0) ... */
#ifndef LANES
#define LANES 8
#define NV 2
#define MR 2
#define CHUNK 4
#define PANELS 1
#define EACH_ROW(M) M(0) M(1)
#define EACH_VECTOR(M) M(0) M(1)
#define EACH_ROW_VECTOR(M) M(0, 0) M(0, 1) M(1, 0) M(1, 1)
#endif

#define NR (LANES * NV)       /* columns of a panel */
#define COLUMNS (NR * PANELS) /* of the state, that a work-item has */
#define UP(x, to) (((x) + (to)-1) / (to) * (to))
#define VECTORS UP(SQA_HEAD_DIM, LANES) /* elements of q and k in whole vectors, */
#define ROWS UP(SQA_HEAD_DIM, MR)       /* and rows of the state in whole tiles; */
#define PITCH UP(VECTORS > ROWS ? VECTORS : ROWS, LANES) /* what lies behind the last is 0 */
#define TOKENS UP(CHUNK, LANES) /* of a chunk, in whole vectors */

#define CHANNELS (SQA_DECAY == 3)
