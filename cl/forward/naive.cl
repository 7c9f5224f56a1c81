/* Attention by its definition, one work-item per output row:
 * pass 1 finds the row's maximum and sum, pass 2 the weighted mean of V, CHUNK
 * output columns at a time (the scores are computed again for each chunk). */
#ifndef CHUNK
#define CHUNK 16
#endif

/* Loops, not dot(): any head dimension, in one fixed order. */
static float sqa_naive_product(__global const sqa_stored *q, const float query_factor,
                               __global const sqa_kv_stored *k)
{
    float sum = 0.0f;
    for (int d = 0; d < SQA_HEAD_DIM; d++)
        sum = fma(SQA_LOAD(d, q) * query_factor, SQA_KV_LOAD(d, k), sum);
    return sum;
}

/* The body once for each key j that the row sees, with its score. */
#define EACH_KEY(j, score, body)                                                                   \
    {                                                                                              \
        SQA_WALK(walk, reach, 0, kv_length, list)                                                  \
        while (sqa_walk_next(&walk))                                                               \
            for (int j = walk.begin; j < walk.end; j++) {                                          \
                if (walk.shown && j >= reach.first && j < reach.last)                              \
                    continue;                                                                      \
                float score =                                                                      \
                    sqa_shape(shaping, sqa_naive_product(q, query_factor, k + SQA_K_AT(j)));       \
                ADD_ALIBI(score, j)                                                                \
                ADD_EXTRA(score, j)                                                                \
                body                                                                               \
            }                                                                                      \
    }

#if SQA_ALIBI
#define ADD_ALIBI(score, j) score = fma(-slope, (float)abs(SQA_POSITION(row) - (j)), score);
#else
#define ADD_ALIBI(score, j)
#endif
#if SQA_EXTRA
#define ADD_EXTRA(score, j)                                                                        \
    const float extra = sqa_extra(extra_row, j);                                                   \
    if (extra == -INFINITY)                                                                        \
        continue;                                                                                  \
    score += extra;
#else
#define ADD_EXTRA(score, j)
#endif

__kernel void sqa_naive_forward(SQA_FORWARD_ARGUMENTS)
{
    const int row = get_global_id(0);
    const long head = get_global_id(1);
    const long batch = get_global_id(2);
    SQA_SEQUENCE(batch)
    if (row >= q_length)
        return;
    __global const sqa_stored *q = SQA_Q_MATRIX(batch, head) + row * q_row;
    __global const sqa_kv_stored *k = SQA_K_MATRIX(batch, head);
    __global const sqa_kv_stored *v = SQA_V_MATRIX(batch, head);
    __global sqa_stored *o = SQA_O_MATRIX(batch, head) + row * o_row;
    const long list = SQA_BLOCK_LIST(batch, head, row / query_block);
    SQA_REACH(reach, row, row)
    const sqa_shaping shaping = SQA_SHAPING;
    const sqa_weighing weighing = SQA_WEIGHING;
#if SQA_ALIBI
    const float slope = SQA_SLOPE(head);
#endif
#if SQA_EXTRA
    sqa_extra_row extra_row;
    SQA_SET_EXTRA_ROW(extra_row, batch, head, (long)row)
#endif

    /* A comparison with NaN is false: a NaN score leaves the maximum alone and
     * reaches the sum, and with it the whole row, through the weight. */
    float maximum = SQA_LOWEST_SCORE;
    float sum = 0.0f, part = 0.0f; /* part: of the last keys, at most SQA_SUM_KEYS */
    int keys = 0;
    EACH_KEY(j, score, {
        if (score > maximum) {
            const float rescale = sqa_rescale(weighing, maximum - score);
            sum *= rescale;
            part *= rescale;
            maximum = score;
        }
        part += sqa_weight(weighing, score - maximum);
        if (++keys % SQA_SUM_KEYS == 0) {
            sum += part;
            part = 0.0f;
        }
    })
    sum += part;
    const sqa_row_end end = sqa_end_row(weighing, maximum, sum, SQA_SINK(head));

    for (int first = 0; first < SQA_VALUE_DIM; first += CHUNK) {
        const int columns = min(CHUNK, SQA_VALUE_DIM - first);
        float output[CHUNK], output_part[CHUNK];
        for (int d = 0; d < CHUNK; d++)
            output[d] = output_part[d] = 0.0f;
        keys = 0;
        EACH_KEY(j, score, {
            const float weight =
                sqa_weight(weighing, score - maximum) * SQA_KEPT(batch, head, row, j);
            __global const sqa_kv_stored *value = v + SQA_V_AT(j);
            for (int d = 0; d < columns; d++)
                output_part[d] = fma(weight, SQA_KV_LOAD(first + d, value), output_part[d]);
            if (++keys % SQA_SUM_KEYS == 0)
                for (int d = 0; d < columns; d++) {
                    output[d] += output_part[d];
                    output_part[d] = 0.0f;
                }
        })
        for (int d = 0; d < columns; d++)
            SQA_STORE(sqa_output(output[d] + output_part[d], end.inverse), first + d, o);
    }
#if SQA_WRITE_LSE
    SQA_LSE_ROW(batch, head)[row] = end.lse;
#endif
}
