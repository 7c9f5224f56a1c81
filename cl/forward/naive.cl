/* Attention by its definition, one work-item per output row:
 * pass 1 finds the row's maximum and sum, pass 2 the weighted mean of V, CHUNK
 * output columns at a time (the scores are computed again for each chunk). */
#ifndef CHUNK
#define CHUNK 16
#endif

/* Loops, not dot(): any head dimension, in one fixed order. */
static float sqa_naive_score(__global const sqa_stored *q, __global const sqa_stored *k, float scale)
{
    float sum = 0.0f;
    for (int d = 0; d < SQA_HEAD_DIM; d++)
        sum = fma(SQA_LOAD(d, q), SQA_LOAD(d, k), sum);
    return sum * scale;
}

__kernel void sqa_naive_forward(SQA_FORWARD_ARGUMENTS)
{
    const int row = get_global_id(0);
    const long head = get_global_id(1);
    const long batch = get_global_id(2);
    __global const sqa_stored *q = SQA_Q_MATRIX(batch, head) + row * q_row;
    __global const sqa_stored *k = SQA_K_MATRIX(batch, head);
    __global const sqa_stored *v = SQA_V_MATRIX(batch, head);
    __global sqa_stored *o = SQA_O_MATRIX(batch, head) + row * o_row;
    const int keys = SQA_VISIBLE_KEYS(row);

    /* A comparison with NaN is false: a NaN score leaves the maximum alone and
     * reaches the sum, and with it the whole row, through exp. */
    float maximum = -FLT_MAX;
    float sum = 0.0f;
    for (int j = 0; j < keys; j++) {
        const float score = sqa_naive_score(q, k + j * k_row, scale);
        if (score > maximum) {
            sum *= exp(maximum - score);
            maximum = score;
        }
        sum += exp(score - maximum);
    }
    const float inverse = keys > 0 ? 1.0f / sum : 0.0f;

    for (int first = 0; first < SQA_VALUE_DIM; first += CHUNK) {
        const int columns = min(CHUNK, SQA_VALUE_DIM - first);
        float accumulator[CHUNK];
        for (int d = 0; d < CHUNK; d++)
            accumulator[d] = 0.0f;
        for (int j = 0; j < keys; j++) {
            const float weight = exp(sqa_naive_score(q, k + j * k_row, scale) - maximum);
            for (int d = 0; d < columns; d++)
                accumulator[d] = fma(weight, SQA_LOAD(j * v_row + first + d, v), accumulator[d]);
        }
        for (int d = 0; d < columns; d++)
            SQA_STORE(accumulator[d] * inverse, first + d, o);
    }
#if SQA_WRITE_LSE
    SQA_LSE_ROW(batch, head)[row] = keys > 0 ? maximum + log(sum) : -INFINITY;
#endif
}
