/* Sums of dQ in the workspace: COPIES of them, one for each of those that divide a head's keys
 * and add to them, (copy, head, row of all sequences, column). The copies are added in order, so
 * that results do not depend on who was first. */
#if COPIES && SQA_GRADIENT_Q
#if SQA_RAGGED
#define SQA_SUM_ROWS q_total
#define SQA_SUM_ROW(batch, query) (q_begin + (query))
#else
#define SQA_SUM_ROWS (get_global_size(2) * (long)q_length) /* the third size is the batch's */
#define SQA_SUM_ROW(batch, query) ((batch) * (long)q_length + (query))
#endif
#define SQA_SUMS(copy, head, row)                                                                  \
    (workspace + (((copy) * (long)out_heads + (head)) * SQA_SUM_ROWS + (row)) * SUM_COLUMNS)

/* The row of dQ from its sums: one work-item per (query, query head, batch). Where query heads
 * are repeated (rSQA), it is the sum over all of them. */
__kernel void sqa_backward_sum(SQA_BACKWARD_ARGUMENTS)
{
    const long query = get_global_id(0), head = get_global_id(1), batch = get_global_id(2);
    SQA_SEQUENCE(batch)
    if (query >= q_length)
        return;
    __global sqa_stored *dq = SQA_DQ_MATRIX(batch, head) + query * dq_row;
    for (int d = 0; d < SQA_HEAD_DIM; d++) {
        float sum = 0.0f;
        for (long output = head; output < out_heads; output += q_heads)
            for (int copy = 0; copy < COPIES; copy++)
                sum += SQA_SUMS(copy, output, SQA_SUM_ROW(batch, query))[d];
        SQA_PUT(sum * sum_factor, d, dq);
    }
}
#endif
