/* Gradients of what joins the scores, by their definition. */

/* One work-item per element of dBias: the sum of ds over the dimensions that the bias
 * repeats, of which there are then 1 here. */
#if SQA_GRADIENT_BIAS
__kernel void sqa_naive_backward_bias(SQA_BACKWARD_ARGUMENTS)
{
    const int j = get_global_id(0);
    const int first_query = get_global_id(1);
    const long first_head = get_global_id(2) % bias_heads;
    const long first_batch = get_global_id(2) / bias_heads;
    const int last_query = bias_queries == 1 ? SQA_LONGEST : first_query + 1;
    const long last_head = bias_heads == 1 ? out_heads : first_head + 1;
    const long last_batch = bias_batches == 1 ? batches : first_batch + 1;
    float sum = 0.0f, part = 0.0f;
    int pairs = 0;
    for (long batch = first_batch; batch < last_batch; batch++) {
        SQA_SEQUENCE(batch)
        const int end = j < kv_length ? min(last_query, q_length) : 0;
        for (long head = first_head; head < last_head; head++) {
            __global const sqa_stored *q = SQA_Q_MATRIX(batch, head);
            __global const sqa_stored *key = SQA_K_MATRIX(batch, head) + j * k_row;
            __global const sqa_stored *value = SQA_V_MATRIX(batch, head) + j * v_row;
            __global const sqa_stored *dout = SQA_DOUT_MATRIX(batch, head);
            for (int i = first_query; i < end; i++) {
                const float lse = SQA_LSE_ROW(batch, head)[i];
                if (SQA_IS_DEAD(lse) || !SQA_SEES(i, j) || !SQA_LISTED(batch, head, i, j))
                    continue;
                const float delta = SQA_DELTA_ROW(batch, head)[i];
                NAIVE_EXTRA_ROW(batch, head, i)
                NAIVE_PAIR(batch, head, i, j, q + i * q_row, key, dout + i * dout_row, value,
                           SQA_LSE_AS_SCORE(lse), delta)
                part += ds;
                if (++pairs % SQA_SUM_KEYS == 0) {
                    sum += part;
                    part = 0.0f;
                }
            }
        }
    }
    __global sqa_bias_stored *dbias = dbias_buffer + dbias_offset + first_batch * dbias_batch +
                                      first_head * dbias_head + first_query * dbias_row;
    SQA_PUT_BIAS(sum + part, j, dbias);
}
#endif

/* A slope's part of a row: minus the sum of ds times the distance. Rows beyond a sequence's
 * end have none. */
#if SQA_GRADIENT_SLOPES
#define SLOPES_ROW(b, h) (workspace + ((b)*out_heads + (h)) * (long)SQA_LONGEST)
__kernel void sqa_naive_backward_slopes(SQA_BACKWARD_ARGUMENTS)
{
    const int i = get_global_id(0);
    const long head = get_global_id(1);
    const long batch = get_global_id(2);
    SQA_SEQUENCE(batch)
    float sum = 0.0f, part = 0.0f;
    int pairs = 0;
    if (i < q_length && !SQA_IS_DEAD(SQA_LSE_ROW(batch, head)[i])) {
        const float lse = SQA_LSE_AS_SCORE(SQA_LSE_ROW(batch, head)[i]);
        const float delta = SQA_DELTA_ROW(batch, head)[i];
        __global const sqa_stored *query = SQA_Q_MATRIX(batch, head) + i * q_row;
        __global const sqa_stored *k = SQA_K_MATRIX(batch, head);
        __global const sqa_stored *v = SQA_V_MATRIX(batch, head);
        __global const sqa_stored *output = SQA_DOUT_MATRIX(batch, head) + i * dout_row;
        NAIVE_EXTRA_ROW(batch, head, i)
        SQA_REACH(reach, i, i)
        SQA_WALK(walk, reach, 0, kv_length, SQA_BLOCK_LIST(batch, head, i / query_block))
        while (sqa_walk_next(&walk))
            for (int j = walk.begin; j < walk.end; j++) {
                if (walk.shown && j >= reach.first && j < reach.last)
                    continue;
                NAIVE_PAIR(batch, head, i, j, query, k + j * k_row, output, v + j * v_row, lse,
                           delta)
                part = fma(-ds, (float)abs(SQA_POSITION(i) - j), part);
                if (++pairs % SQA_SUM_KEYS == 0) {
                    sum += part;
                    part = 0.0f;
                }
            }
    }
    SLOPES_ROW(batch, head)[i] = sum + part;
}
#endif

/* One work-item per output head: the sums over batch and queries, in their order. */
#if SQA_GRADIENT_SINKS || SQA_GRADIENT_SLOPES
#define ADD_ROW(name, value)                                                                       \
    name##_part += (value);                                                                        \
    if (rows % SQA_SUM_KEYS == 0) {                                                                \
        name##_sum += name##_part;                                                                 \
        name##_part = 0.0f;                                                                        \
    }

__kernel void sqa_naive_backward_heads(SQA_BACKWARD_ARGUMENTS)
{
    const long head = get_global_id(0);
    float sink_sum = 0.0f, sink_part = 0.0f, slope_sum = 0.0f, slope_part = 0.0f;
    int rows = 0;
    for (long batch = 0; batch < batches; batch++) {
        SQA_SEQUENCE(batch)
        for (int i = 0; i < q_length; i++) {
            rows++;
#if SQA_GRADIENT_SINKS
            const float lse = SQA_LSE_ROW(batch, head)[i];
            if (!SQA_IS_DEAD(lse)) {
                const float p = sqa_probability(M_LOG2E_F, SQA_SINK(head) - lse);
                ADD_ROW(sink, -p * SQA_DELTA_ROW(batch, head)[i])
            }
#endif
#if SQA_GRADIENT_SLOPES
            ADD_ROW(slope, SLOPES_ROW(batch, head)[i])
#endif
        }
    }
#if SQA_GRADIENT_SINKS
    SQA_PUT_FLOAT(sink_sum + sink_part, head, dsinks_buffer + dsinks_offset);
#endif
#if SQA_GRADIENT_SLOPES
    SQA_PUT_FLOAT(slope_sum + slope_part, head, dslopes_buffer + dslopes_offset);
#endif
}
#endif
