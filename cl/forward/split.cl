/* Splitting the keys of a row among SPLIT work-items or work-groups, for when
 * rows alone do not fill the device. Each writes the mean over its keys and their
 * log-sum-exp (base 2) to the workspace; a second kernel weighs them together
 * (Flash-Decoding). Part = (split, batch, head, query), in that order. */
#ifndef SPLIT
#define SPLIT 1
#endif

#if SPLIT == 1
/* All keys; a split has those from BEGIN to END. */
#define SQA_SPLIT_BEGIN(split) 0
#define SQA_SPLIT_END(split) kv_length
#else
/* First key of a split; a multiple of the key tile, so that only the last is ragged. */
#define SQA_SPLIT_BEGIN(split) min((split) * split_keys, kv_length)
#define SQA_SPLIT_END(split) SQA_SPLIT_BEGIN((split) + 1)
#define SQA_SPLIT_PART(split, batch, head, query)                                                  \
    ((((split) * (long)split_batches + (batch)) * out_heads + (head)) * SQA_LONGEST + (query))
#define SQA_SPLIT_OUTPUT(part) (workspace + (part)*SQA_VALUE_DIM)
#define SQA_SPLIT_LSE(part)                                                                        \
    (workspace + SPLIT * (long)split_batches * out_heads * SQA_LONGEST * SQA_VALUE_DIM + (part))

/* One work-item per (query, head, batch). */
__kernel void sqa_split_combine(SQA_FORWARD_ARGUMENTS)
{
    const long query = get_global_id(0);
    const long head = get_global_id(1);
    const long batch = get_global_id(2);
    SQA_SEQUENCE(batch)
    if (query >= q_length)
        return;
    /* A split that shows the row no key has lse = -inf and so no weight; NaN, which no
     * comparison holds for, stays NaN. */
    float maximum = -FLT_MAX;
    for (int s = 0; s < SPLIT; s++) {
        const float lse = *SQA_SPLIT_LSE(SQA_SPLIT_PART(s, batch, head, query));
        maximum = lse > maximum ? lse : maximum;
    }
    float weights[SPLIT];
    float sum = 0.0f;
    for (int s = 0; s < SPLIT; s++) {
        weights[s] = exp2(*SQA_SPLIT_LSE(SQA_SPLIT_PART(s, batch, head, query)) - maximum);
        sum += weights[s];
    }
    const sqa_row_end end = sqa_end_row(maximum, sum, SQA_SINK(head));
    __global sqa_stored *o = SQA_O_MATRIX(batch, head) + query * o_row;
    for (int d = 0; d < SQA_VALUE_DIM; d++) {
        float mean = 0.0f;
        for (int s = 0; s < SPLIT; s++)
            mean = fma(weights[s], SQA_SPLIT_OUTPUT(SQA_SPLIT_PART(s, batch, head, query))[d], mean);
        SQA_STORE(mean * end.inverse, d, o);
    }
#if SQA_WRITE_LSE
    SQA_LSE_ROW(batch, head)[query] = end.lse;
#endif
}
#endif
