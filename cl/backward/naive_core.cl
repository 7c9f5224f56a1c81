/* dQ, dK and dV by their definition: one work-item per row of dQ, which walks the keys that its
 * query sees; and one per row of dK and dV, which walks the queries that see its key. CHUNK
 * columns at a time (weights are computed again for each chunk). */
#ifndef CHUNK
#define CHUNK 64
#endif

#if SQA_GRADIENT_Q
/* Where query heads are repeated (rSQA), dQ is the sum over all of them. */
__kernel void sqa_naive_backward_q(SQA_BACKWARD_ARGUMENTS)
{
    const int i = get_global_id(0);
    const long q_index = get_global_id(1);
    const long batch = get_global_id(2);
    SQA_SEQUENCE(batch)
    if (i >= q_length)
        return;
    __global const sqa_stored *query = SQA_Q_MATRIX(batch, q_index) + i * q_row;
    __global sqa_stored *dq = SQA_DQ_MATRIX(batch, q_index) + i * dq_row;
    SQA_REACH(reach, i, i)
    for (int first = 0; first < SQA_HEAD_DIM; first += CHUNK) {
        const int columns = min(CHUNK, SQA_HEAD_DIM - first);
        float sum[CHUNK], part[CHUNK];
        for (int d = 0; d < CHUNK; d++)
            sum[d] = part[d] = 0.0f;
        int pairs = 0;
        for (long head = q_index; head < out_heads; head += q_heads) {
            const float lse = SQA_LSE_ROW(batch, head)[i], delta = SQA_DELTA_ROW(batch, head)[i];
            if (SQA_IS_DEAD(lse))
                continue;
            __global const sqa_stored *k = SQA_K_MATRIX(batch, head);
            __global const sqa_stored *v = SQA_V_MATRIX(batch, head);
            __global const sqa_stored *output = SQA_DOUT_MATRIX(batch, head) + i * dout_row;
            NAIVE_EXTRA_ROW(batch, head, i)
            SQA_WALK(walk, reach, 0, kv_length, SQA_BLOCK_LIST(batch, head, i / query_block))
            while (sqa_walk_next(&walk))
                for (int j = walk.begin; j < walk.end; j++) {
                    if (walk.shown && j >= reach.first && j < reach.last)
                        continue;
                    NAIVE_PAIR(batch, head, i, j, query, k + j * k_row, output, v + j * v_row,
                               SQA_LSE_AS_SCORE(lse), delta)
                    for (int d = 0; d < columns; d++)
                        part[d] = fma(product, SQA_LOAD(j * k_row + first + d, k), part[d]);
                    if (++pairs % SQA_SUM_KEYS == 0)
                        NAIVE_ADD_PARTS(sum, part, columns)
                }
        }
        for (int d = 0; d < columns; d++)
            SQA_PUT((sum[d] + part[d]) * sum_factor, first + d, dq);
    }
}
#endif

#if SQA_GRADIENT_K || SQA_GRADIENT_V
#define LARGER_DIM (SQA_HEAD_DIM > SQA_VALUE_DIM ? SQA_HEAD_DIM : SQA_VALUE_DIM)
__kernel void sqa_naive_backward_kv(SQA_BACKWARD_ARGUMENTS)
{
    const int j = get_global_id(0);
    const long kv_index = get_global_id(1);
    const long batch = get_global_id(2);
    SQA_SEQUENCE(batch)
    if (j >= kv_length)
        return;
    __global const sqa_stored *key = SQA_K_MATRIX(batch, kv_index * group) + j * k_row;
    __global const sqa_stored *value = SQA_V_MATRIX(batch, kv_index * group) + j * v_row;
    for (int first = 0; first < LARGER_DIM; first += CHUNK) {
        const int columns = clamp(SQA_HEAD_DIM - first, 0, CHUNK);
        const int value_columns = clamp(SQA_VALUE_DIM - first, 0, CHUNK);
        float sum_k[CHUNK], part_k[CHUNK], sum_v[CHUNK], part_v[CHUNK];
        for (int d = 0; d < CHUNK; d++)
            sum_k[d] = part_k[d] = sum_v[d] = part_v[d] = 0.0f;
        int pairs = 0;
        for (long head = kv_index * group; head < (kv_index + 1) * group; head++) {
            __global const sqa_stored *q = SQA_Q_MATRIX(batch, head);
            __global const sqa_stored *dout = SQA_DOUT_MATRIX(batch, head);
            SQA_QUERIES(walk, batch, head, j, j)
            while (sqa_queries_next(&walk))
                for (int i = walk.begin; i < walk.end; i++) {
                    const float lse = SQA_LSE_ROW(batch, head)[i];
                    if (SQA_IS_DEAD(lse) || !SQA_SEES(i, j))
                        continue;
                    const float delta = SQA_DELTA_ROW(batch, head)[i];
                    NAIVE_EXTRA_ROW(batch, head, i)
                    NAIVE_PAIR(batch, head, i, j, q + i * q_row, key, dout + i * dout_row, value,
                               SQA_LSE_AS_SCORE(lse), delta)
#if SQA_GRADIENT_K
                    for (int d = 0; d < columns; d++)
                        part_k[d] = fma(product, SQA_LOAD(i * q_row + first + d, q), part_k[d]);
#endif
#if SQA_GRADIENT_V
                    for (int d = 0; d < value_columns; d++)
                        part_v[d] = fma(p, SQA_LOAD(i * dout_row + first + d, dout), part_v[d]);
#endif
                    if (++pairs % SQA_SUM_KEYS == 0) {
                        NAIVE_ADD_PARTS(sum_k, part_k, columns)
                        NAIVE_ADD_PARTS(sum_v, part_v, value_columns)
                    }
                }
        }
#if SQA_GRADIENT_K
        __global sqa_stored *dk = SQA_DK_MATRIX(batch, kv_index) + j * dk_row;
        for (int d = 0; d < columns; d++)
            SQA_PUT((sum_k[d] + part_k[d]) * sum_factor, first + d, dk);
#endif
#if SQA_GRADIENT_V
        __global sqa_stored *dv = SQA_DV_MATRIX(batch, kv_index) + j * dv_row;
        for (int d = 0; d < value_columns; d++)
            SQA_PUT(sum_v[d] + part_v[d], first + d, dv);
#endif
    }
}
#endif
