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
    const int even = depth / UNROLL * UNROLL;
    EACH_ROW_VECTOR(START)
    for (int first = 0; first < even; first += UNROLL) {
#pragma unroll
        for (int l = first; l < first + UNROLL; l++) {
            STEP
        }
    }
    for (int l = even; l < depth; l++) {
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

/* While a row tile is multiplied, shares of what comes next are asked for, into the second-level
 * cache: of the next panel, since panels come from afar once for each work-item, ... */
INLINE void ask_panel(__global const float *restrict next, const int tile)
{
    enum { SHARE = (DEPTH * NR + TILES - 1) / TILES };
    for (int e = 0; e < SHARE; e += 16)
        PREFETCH_FAR(next + tile * SHARE + e);
}

#if PACK && SQA_TRANSPOSE_A
/* ... and of the columns of A that are packed then the first AHEAD. All of them, often powers of
 * two apart, would drive each other out. */
INLINE void ask_columns(__global const sqa_stored *restrict next, const long a_row, const int tile,
                        const int rows)
{
    for (int d = tile; d < AHEAD; d += TILES)
        for (int r = 0; r < rows; r += 64 / sizeof(sqa_stored))
            PREFETCH_FAR(next + d * a_row + r);
}
#elif PACK
/* ... and of the rows of A that are packed then. */
INLINE void ask_rows(__global const sqa_stored *restrict next, const long a_row, const int panel,
                     const int tile, const int rows)
{
    enum { SHARE = DEPTH / PANELS };
    for (int r = tile * MR; r < min(rows, (tile + 1) * MR); r++)
        for (int d = 0; d < SHARE; d += 64 / sizeof(sqa_stored))
            PREFETCH_FAR(next + r * a_row + panel * SHARE + d);
}
#endif

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
            __global const float *next =
                panel + 1 < panels ? b + k * NR : packed + (l + DEPTH) * NR;
            for (int r = 0; r < rows; r += MR) {
                ask_panel(next, r / MR);
#if PACK && SQA_TRANSPOSE_A
                if (panel + 1 == panels)
                    ask_columns(a + SQA_A_AT(i, l + DEPTH), a_row, r / MR, rows);
#elif PACK
                ask_rows(a + SQA_A_AT(i, l + DEPTH), a_row, panel, r / MR, rows);
#endif
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
