/* rows, of the matrix product: parameters, and what a work-item has of A, B and C.
 *
 * Register tiles are named variables, because arrays spill: the generator supplies
 * EACH_ROW(M) = M(0) ... M(MR - 1), EACH_VECTOR(M) and EACH_ROW_VECTOR(M) = M(0, 0) ... */
#ifndef LANES
#define LANES 8
#define NV 2
#define MR 2
#define TILES 4
#define PANELS 2
#define DEPTH 64
#define UNROLL 4
#define PACK (SQA_DTYPE != 0 || SQA_TRANSPOSE_A)
#define SPLIT 1
#define EACH_ROW(M) M(0) M(1)
#define EACH_VECTOR(M) M(0) M(1)
#define EACH_ROW_VECTOR(M) M(0, 0) M(0, 1) M(1, 0) M(1, 1)
#endif

#define NR (LANES * NV)       /* columns of a panel of B */
#define ROWS (MR * TILES)     /* rows of C that a work-item has */
#define COLUMNS (NR * PANELS) /* and columns */

/* A block of A: in place, where a row tile has a pointer per row; or packed as f32, DEPTH
 * products of a row side by side, whichever way A lies: of the elements of a column side by side,
 * compilers fetch four as a vector and take it apart in the very units that multiply. Rows do not
 * lie powers of two apart, which would meet in few places of a cache. */
#if PACK
#define A_ROW (DEPTH + 16)
#define A_TILE (MR * A_ROW)
#define A_ELEMENT(i, l) a[(i)*A_ROW + (l)]
#else
#define A_ELEMENT(i, l) a##i[l]
#endif
