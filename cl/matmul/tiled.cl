/* tiled, of the matrix product: for GPUs without matrix units. A work-group of TX x TY threads has
 * BM x BN of C and goes through the products DK at a time: slices of A and B pass through local
 * memory, each fetched while the slice before is multiplied (tiled_stage.cl).
 *
 * Thread (x, y) has the vectors y, y + TY, ... of rows and x, x + TX, ... of columns, and adds up
 * the outer product of what it reads of them: TM + TN vectors for TM x TN x LANES of fma. With two
 * BUFFERS, slices take turns and one barrier a slice will do. */

/* What a thread adds up. */
typedef struct {
    vec of[TM * LANES][TN];
} thread_sums;

/* The same of all products before. Volatile: it is not needed often enough for registers. */
INLINE void add_totals(volatile thread_sums *totals, thread_sums *sums)
{
#pragma unroll
    for (int i = 0; i < TM * LANES; i++)
#pragma unroll
        for (int j = 0; j < TN; j++) {
            totals->of[i][j] += sums->of[i][j];
            sums->of[i][j] = (vec)(0.0f);
        }
}

/* Adds the products of a slice. `a`, `b`: the thread's first vectors. */
INLINE void multiply(thread_sums *sums, __local const vec *a, __local const vec *b)
{
#pragma unroll UNROLL
    for (int l = 0; l < DK; l++) {
        vec column[TN];
#pragma unroll
        for (int j = 0; j < TN; j++)
            column[j] = b[l * B_PITCH + TX * j];
#pragma unroll
        for (int i = 0; i < TM; i++) {
            const vec row = a[l * A_PITCH + TY * i];
#define ADD_ROW(n)                                                                                 \
    sums->of[i * LANES + n][j] = fma((vec)(row.s##n), column[j], sums->of[i * LANES + n][j]);
#pragma unroll
            for (int j = 0; j < TN; j++) {
                ADD_ROW(0)
                ADD_ROW(1)
                ADD_ROW(2)
                ADD_ROW(3)
            }
#undef ADD_ROW
        }
    }
}

__attribute__((reqd_work_group_size(TX, TY, 1))) SUBGROUP_ATTRIBUTE __kernel void
sqa_tiled_matmul(SQA_MATMUL_ARGUMENTS)
{
    const int x = get_local_id(0), y = get_local_id(1), thread = y * TX + x;
    const long first_row = (long)get_group_id(1) * BM, first_column = (long)get_group_id(0) * BN;
    const long z = get_group_id(2);
    __local vec a_slices[BUFFERS * A_SLICE], b_slices[BUFFERS * B_SLICE];
#if SQA_GATED
    __local vec b2_slices[BUFFERS * B_SLICE];
#endif
    const operand a = operand_of(a_buffer + a_offset + z * a_batch + SQA_A_AT(first_row, 0), a_row,
                                 (int)min((long)BM, m - first_row));
#define OPERAND_B(matrix)                                                                          \
    operand_of(matrix##_buffer + matrix##_offset + z * b_batch + SQA_B_AT(0, first_column), b_row, \
               (int)min((long)BN, n - first_column))
    const operand b = OPERAND_B(b);
    thread_sums sums, gates;
    volatile thread_sums totals, gate_totals;
#if SQA_GATED
    const operand b2 = OPERAND_B(b2);
#endif
#pragma unroll
    for (int i = 0; i < TM * LANES; i++)
#pragma unroll
        for (int j = 0; j < TN; j++) {
            sums.of[i][j] = totals.of[i][j] = (vec)(0.0f);
#if SQA_GATED
            gates.of[i][j] = gate_totals.of[i][j] = (vec)(0.0f);
#endif
        }

    staged next;
#if SQA_GATED
#define FETCH_B2(first) fetch(next.b2, SQA_TRANSPOSE_B, b2, BN, first, k, thread);
#else
#define FETCH_B2(first)
#endif
#define FETCH(first)                                                                               \
    fetch(next.a, !SQA_TRANSPOSE_A, a, BM, first, k, thread);                                      \
    fetch(next.b, SQA_TRANSPOSE_B, b, BN, first, k, thread);                                       \
    FETCH_B2(first)
    FETCH(0)
    int buffer = 0;
#pragma unroll 1
    for (int first = 0; first < k; first += DK) {
        __local vec *a_slice = a_slices + buffer * A_SLICE, *b_slice = b_slices + buffer * B_SLICE;
        if (BUFFERS == 1)
            barrier(CLK_LOCAL_MEM_FENCE); /* nobody works with the slice before any more */
        put(a_slice, !SQA_TRANSPOSE_A, next.a, BM, thread);
        put(b_slice, SQA_TRANSPOSE_B, next.b, BN, thread);
#if SQA_GATED
        __local vec *b2_slice = b2_slices + buffer * B_SLICE;
        put(b2_slice, SQA_TRANSPOSE_B, next.b2, BN, thread);
#endif
        FETCH(first + DK)             /* where it stays: compilers put no load off past a barrier */
        barrier(CLK_LOCAL_MEM_FENCE); /* the slice is there, and the one before last is free */
        multiply(&sums, a_slice + y, b_slice + x);
#if SQA_GATED
        multiply(&gates, a_slice + y, b2_slice + x);
#endif
        if ((first + DK) % SUM_PRODUCTS == 0) {
            add_totals(&totals, &sums);
#if SQA_GATED
            add_totals(&gate_totals, &gates);
#endif
        }
        buffer = BUFFERS - 1 - buffer;
    }
    add_totals(&totals, &sums);
#if SQA_GATED
    add_totals(&gate_totals, &gates);
#endif

#pragma unroll
    for (int i = 0; i < TM * LANES; i++) {
        const long row = first_row + LANES * (y + TY * (i / LANES)) + i % LANES;
#pragma unroll
        for (int j = 0; j < TN; j++) {
            const long column = first_column + LANES * (x + TX * j);
            float sum[LANES] ALIGNED, gate[LANES] ALIGNED;
            if (row >= m || column >= n)
                continue;
            STORE(totals.of[i][j], sum);
#if SQA_GATED
            STORE(gate_totals.of[i][j], gate);
#endif
            const row_end end = ROW_END(z, row, column);
            finish_vector(&end, sum, gate, 0, column + LANES <= n,
                          (int)min((long)LANES, n - column));
        }
    }
}
