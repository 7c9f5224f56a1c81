/* rows: the matrix product for CPUs. The lanes of a vector are columns of C,
 *   C[row][columns] += A[row][l] * B[l][columns]      one broadcast, NV fma,
 * so that nothing is ever added across lanes. B is packed once (rows_pack.cl).
 *
 * A work-item has ROWS x COLUMNS of C and goes through the products DEPTH at a time: a panel
 * of B so long stays in the first-level cache for all row tiles, the block of A in the second
 * one. SPLIT divides the products among that many work-items, as in block.cl. */

#if PACK
#define A_ARGUMENTS const float *restrict a
#else
#define A_ARGUMENTS __global const float *restrict a, const long a_row, const int last
#endif

/* Adds the products of a row tile and a panel to the sums, or starts them. */
INLINE void multiply(A_ARGUMENTS, __global const float *restrict b, float *restrict sums,
                     const int depth, const bool starts)
{
#if !PACK
#define POINTER(i) __global const float *a##i = a + min(i, last) * a_row;
    EACH_ROW(POINTER)
#undef POINTER
#endif
#define START(i, j) vec c##i##_##j = (vec)(0.0f);
#define FETCH(j) const vec b##j = *(__global const vec *)(b + l * NR + j * LANES);
#define BROADCAST(i) const vec x##i = (vec)(A_ELEMENT(i, l));
#define ADD(i, j) c##i##_##j = fma(x##i, b##j, c##i##_##j);
#define STEP                                                                                       \
    EACH_VECTOR(FETCH)                                                                             \
    EACH_ROW(BROADCAST)                                                                            \
    EACH_ROW_VECTOR(ADD)
    const int uneven = depth % UNROLL;
    EACH_ROW_VECTOR(START)
    for (int l = 0; l < uneven; l++) {
        STEP
    }
#pragma unroll UNROLL
    for (int l = uneven; l < depth; l++) {
        STEP
    }
#define KEEP(i, j) STORE(c##i##_##j, sums + i * COLUMNS + j * LANES);
#define KEEP_SUM(i, j)                                                                             \
    STORE(LOAD(sums + i * COLUMNS + j * LANES) + c##i##_##j, sums + i * COLUMNS + j * LANES);
    if (starts) {
        EACH_ROW_VECTOR(KEEP)
    } else {
        EACH_ROW_VECTOR(KEEP_SUM)
    }
#undef START
#undef FETCH
#undef BROADCAST
#undef ADD
#undef STEP
#undef KEEP
#undef KEEP_SUM
}

/* Of the work-item's rows and columns, all products with one B from `first` up to `end`. `a`:
 * where row i of A begins, or its column, `packed`: where panels of B do. */
INLINE void multiply_block(__global const sqa_stored *restrict a, const long a_row, const long i,
                           const int rows, __global const float *restrict packed, const int panels,
                           const long k, const long first, const long end, float *restrict sums)
{
#if PACK
    float a_block[TILES * A_TILE] ALIGNED;
#endif
    for (long l = first; l < end; l += DEPTH) {
        const int depth = (int)min((long)DEPTH, end - l);
#if PACK
        pack_a(a_block, a, i, rows, l, depth, a_row);
#endif
        for (int panel = 0; panel < panels; panel++) {
            __global const float *b = packed + (panel * k + l) * NR;
            float *to = sums + panel * NR;
            for (int r = 0; r < rows; r += MR) {
#if PACK
                multiply(a_block + r / MR * A_TILE, b, to + r * COLUMNS, depth, l == first);
#else
                multiply(a + SQA_A_AT(i + r, l), a_row, rows - 1 - r, b, to + r * COLUMNS, depth,
                         l == first);
#endif
            }
        }
    }
    if (first >= end)
        for (int e = 0; e < ROWS * COLUMNS; e++)
            sums[e] = 0.0f;
}

#define MULTIPLY(matrix, of, sums)                                                                 \
    multiply_block(                                                                                \
        a, a_row, i, rows,                                                                         \
        packed + (((matrix) * (long)b_count + (b_count > 1 ? z : 0)) * panels + panel) * k * NR,   \
        (columns + NR - 1) / NR, k, first, end, sums)
