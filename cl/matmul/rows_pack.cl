/* rows: B packed once for all rows of A, as f32 panels of NR columns,
 *   packed[matrix][panel][row of op(B)][column in the panel],
 * with zeros behind the last column; and blocks of A packed to private memory. */

/* Four columns of four rows of what is stored, as rows; of a matrix that is packed to either
 * memory. */
#define TRANSPOSE(name, memory)                                                                    \
    INLINE void name(memory float *restrict out, const int out_row,                                \
                     __global const sqa_stored *restrict in, const long in_row)                    \
    {                                                                                              \
        const float4 a = SQA_LOADN(4, 0, in), b = SQA_LOADN(4, 0, in + in_row);                    \
        const float4 c = SQA_LOADN(4, 0, in + 2 * in_row), d = SQA_LOADN(4, 0, in + 3 * in_row);   \
        vstore4((float4)(a.x, b.x, c.x, d.x), 0, out);                                             \
        vstore4((float4)(a.y, b.y, c.y, d.y), 0, out + out_row);                                   \
        vstore4((float4)(a.z, b.z, c.z, d.z), 0, out + 2 * out_row);                               \
        vstore4((float4)(a.w, b.w, c.w, d.w), 0, out + 3 * out_row);                               \
    }
#if SQA_TRANSPOSE_A && PACK
TRANSPOSE(transpose_a, __private)
#endif
#if SQA_TRANSPOSE_B
TRANSPOSE(transpose_b, __global)
#endif

/* Rows of a panel from `first` on. */
INLINE void pack_panel(__global float *restrict out, __global const sqa_stored *restrict in,
                       const long column, const int columns, const long first, const int rows,
                       const long b_row)
{
#if !SQA_TRANSPOSE_B
    if (columns == NR) {
        for (int r = 0; r < rows; r++)
            for (int j = 0; j < NR; j += LANES)
                GLOBAL_STORE(SQA_LOADN(LANES, SQA_B_AT(first + r, column + j), in),
                             out + r * NR + j);
        return;
    }
#endif
    int packed = 0;
#if SQA_TRANSPOSE_B
    if (columns == NR) {
        packed = rows / 4 * 4;
        for (int j = 0; j < NR; j += 4)
            for (int r = 0; r < packed; r += 4)
                transpose_b(out + r * NR + j, NR, in + SQA_B_AT(first + r, column + j), b_row);
    }
#endif
    for (int j = 0; j < NR; j++)
        for (int r = packed; r < rows; r++)
            out[r * NR + j] = j < columns ? SQA_LOAD(SQA_B_AT(first + r, column + j), in) : 0.0f;
}

#define PACK_ROWS 64

/* A work-item per panel, PACK_ROWS rows, and matrix; those of B2 come behind those of B. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void sqa_rows_pack(SQA_MATMUL_ARGUMENTS)
{
    const long panel = get_global_id(0), first = (long)get_global_id(1) * PACK_ROWS;
    const long number = get_global_id(2), column = panel * NR;
    const int columns = (int)min((long)NR, n - column), rows = (int)min((long)PACK_ROWS, k - first);
    __global float *out = packed + (number * panels + panel) * k * NR + first * NR;
#if SQA_GATED
    if (number >= b_count) {
        pack_panel(out, b2_buffer + b2_offset + (number - b_count) * b_batch, column, columns,
                   first, rows, b_row);
        return;
    }
#endif
    pack_panel(out, b_buffer + b_offset + number * b_batch, column, columns, first, rows, b_row);
}

#if PACK
/* Columns of a transposed A that are asked for before they are packed. */
#define AHEAD 24

/* `rows` rows of A from its row i on, `depth` products from l on. The last one fills the rows that
 * are not there, up to whole row tiles. */
INLINE void pack_a(float *restrict out, __global const sqa_stored *restrict a, const long i,
                   const int rows, const long l, const int depth, const long a_row)
{
    const int whole = (rows + MR - 1) / MR * MR;
#if SQA_TRANSPOSE_A
    const int square_rows = rows / 4 * 4, square_depth = depth / 4 * 4;
    for (int d = 0; d < square_depth; d += 4) {
        __global const sqa_stored *from = a + SQA_A_AT(i, l + d);
        for (int ahead = AHEAD; ahead < AHEAD + 4; ahead++)
            for (int r = 0; r < rows; r += 64 / sizeof(sqa_stored))
                PREFETCH(from + ahead * a_row + r);
        for (int r = 0; r < square_rows; r += 4)
            transpose_a(out + r * A_ROW + d, A_ROW, from + r, a_row);
    }
    for (int r = 0; r < whole; r++)
        for (int d = r < square_rows ? square_depth : 0; d < depth; d++)
            out[r * A_ROW + d] = SQA_LOAD(SQA_A_AT(i + min(r, rows - 1), l + d), a);
#else
    for (int r = 0; r < whole; r++) {
        __global const sqa_stored *from = a + SQA_A_AT(i + min(r, rows - 1), l);
        int d = 0;
        for (; d + LANES <= depth; d += LANES)
            STORE(SQA_LOADN(LANES, d, from), out + r * A_ROW + d);
        for (; d < depth; d++)
            out[r * A_ROW + d] = SQA_LOAD(d, from);
    }
#endif
}
#endif
