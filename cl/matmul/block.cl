/* The kernels of families whose work-items have a block of C each: ROWS rows of PANELS panels,
 * NR columns each. MULTIPLY(matrix, of, sums) multiplies the block's rows of A with its columns
 * of B (matrix 0, of = b) or B2 (1, b2), products first .. end - 1.
 *
 * SPLIT work-items divide the products of a block among them: each keeps its own sums, and a
 * second step adds them up in their order. */
#if SPLIT > 1
/* Where a part keeps the sums of row i of matrix z, a row of whole panels per matrix B. */
#define PART_SUMS(z, i, part)                                                                      \
    (workspace + parts_at + (((z)*m + (i)) * SPLIT + (part)) * (1 + SQA_GATED) * panels * NR)

INLINE void keep_part(__global float *restrict to, const float *restrict sums, const int columns)
{
    for (int c = 0; c < columns; c += LANES)
        *(__global vec *)(to + c) = LOAD(sums + c);
}

INLINE void add_part(const bool starts, __global const float *restrict from, float *restrict sums,
                     const int columns)
{
    for (int c = 0; c < columns; c += LANES) {
        const vec x = *(__global const vec *)(from + c);
        STORE(starts ? x : LOAD(sums + c) + x, sums + c);
    }
}
#endif

/* The blocks that the edges of C cut short come first: PoCL begins with as many neighbours for a
 * core as all the others get, who would wait for it if those were the largest. */
#define BLOCK_FROM_END(dimension) (get_global_size(dimension) - 1 - get_global_id(dimension))

__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void sqa_block_matmul(SQA_MATMUL_ARGUMENTS)
{
    float sums[ROWS * COLUMNS] ALIGNED;
#if SQA_GATED
    float gates[ROWS * COLUMNS] ALIGNED;
#else
    const float *gates = sums;
#endif
    const long i = (long)BLOCK_FROM_END(0) * ROWS, panel = (long)BLOCK_FROM_END(1) * PANELS;
    const long z = (long)get_global_id(2) / SPLIT, part = (long)get_global_id(2) % SPLIT;
    const long j = panel * NR;
    const int rows = (int)min((long)ROWS, m - i), columns = (int)min((long)COLUMNS, n - j);
    const long first = min((long)k, part * part_depth), end = min((long)k, first + part_depth);
    __global const sqa_stored *a = a_buffer + a_offset + z * a_batch;
    MULTIPLY(0, b, sums);
#if SQA_GATED
    MULTIPLY(1, b2, gates);
#endif
    for (int r = 0; r < rows; r++) {
#if SPLIT > 1
        const int wide = (columns + NR - 1) / NR * NR;
        __global float *to = PART_SUMS(z, i + r, part) + j;
        keep_part(to, sums + r * COLUMNS, wide);
#if SQA_GATED
        keep_part(to + panels * NR, gates + r * COLUMNS, wide);
#endif
#else
        const row_end row = ROW_END(z, i + r, j);
        finish_row(&row, sums + r * COLUMNS, gates + r * COLUMNS, columns);
#endif
    }
}

#if SPLIT > 1
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void sqa_combine_parts(SQA_MATMUL_ARGUMENTS)
{
    float sums[COLUMNS] ALIGNED;
#if SQA_GATED
    float gates[COLUMNS] ALIGNED;
#else
    const float *gates = sums;
#endif
    const long first = (long)get_global_id(0) * ROWS, panel = (long)get_global_id(1) * PANELS;
    const long z = get_global_id(2);
    const int own = (int)min((long)PANELS, panels - panel);
    for (long i = first; i < min(first + ROWS, (long)m); i++) {
        for (int part = 0; part < SPLIT; part++) {
            __global const float *from = PART_SUMS(z, i, part) + panel * NR;
            add_part(part == 0, from, sums, own * NR);
#if SQA_GATED
            add_part(part == 0, from + panels * NR, gates, own * NR);
#endif
        }
        const row_end row = ROW_END(z, i, panel * NR);
        finish_row(&row, sums, gates, (int)min((long)COLUMNS, n - panel * NR));
    }
}
#endif
