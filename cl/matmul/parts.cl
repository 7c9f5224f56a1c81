/* Sums that SPLIT work-items divide among them: each keeps its own, and a second step adds them
 * up in their order. A row of C has `panels` panels of NR columns; a work-item ROWS rows of
 * PANELS panels. */
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
