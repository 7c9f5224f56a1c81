/* stream: parameters, and what a work-item has of C. The generator supplies EACH_ROW(M) = M(0)
 * ... M(MR - 1), EACH_VECTOR(M) over NV and EACH_ROW_VECTOR(M) = M(0, 0) ... */
#ifndef LANES
#define LANES 8
#define MR 2
#define NV 2
#define TILES 2
#define COLUMNS 64
#define DEPTH 256
#define UNROLL 2
#define SPLIT 1
#define EACH_ROW(M) M(0) M(1)
#define EACH_VECTOR(M) M(0) M(1)
#define EACH_ROW_VECTOR(M) M(0, 0) M(0, 1) M(1, 0) M(1, 1)
#endif

#define ROWS (MR * TILES)
#define NR COLUMNS /* one panel */
#define PANELS 1
