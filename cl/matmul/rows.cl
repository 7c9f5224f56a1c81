/* rows: the matrix product for CPUs. The lanes of a vector are columns of C,
 *   C[row][columns] += A[row][l] * B[l][columns]      one broadcast, NV fma,
 * so that nothing is ever added across lanes. B is packed once (rows_pack.cl).
 *
 * A work-item has ROWS x COLUMNS of C and goes through the products DEPTH at a time: a panel
 * of B so long stays in the first-level cache for all row tiles, the block of A in the second
 * one. SPLIT divides the products among that many work-items, whose sums sqa_combine_parts
 * adds up in order. */

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

__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void sqa_rows_matmul(SQA_MATMUL_ARGUMENTS)
{
    float sums[ROWS * COLUMNS] ALIGNED;
#if SQA_GATED
    float gates[ROWS * COLUMNS] ALIGNED;
#else
    const float *gates = sums;
#endif
    const long i = (long)get_global_id(0) * ROWS, panel = (long)get_global_id(1) * PANELS;
    const long z = (long)get_global_id(2) / SPLIT, part = (long)get_global_id(2) % SPLIT;
    const int rows = (int)min((long)ROWS, m - i), own = (int)min((long)PANELS, panels - panel);
    const long first = min((long)k, part * part_depth), end = min((long)k, first + part_depth);
    __global const sqa_stored *a = a_buffer + a_offset + z * a_batch;
    __global const float *packed = workspace + ((b_count > 1 ? z : 0) * panels + panel) * k * NR;
    multiply_block(a, a_row, i, rows, packed, own, k, first, end, sums);
#if SQA_GATED
    multiply_block(a, a_row, i, rows, packed + (long)b_count * panels * k * NR, own, k, first, end,
                   gates);
#endif
    for (int r = 0; r < rows; r++) {
#if SPLIT > 1
        __global float *to = PART_SUMS(z, i + r, part) + panel * NR;
        keep_part(to, sums + r * COLUMNS, own * NR);
#if SQA_GATED
        keep_part(to + panels * NR, gates + r * COLUMNS, own * NR);
#endif
#else
        const row_end row = ROW_END(z, i + r, panel * NR);
        finish_row(&row, sums + r * COLUMNS, gates + r * COLUMNS,
                   (int)min((long)COLUMNS, n - panel * NR));
#endif
    }
}
