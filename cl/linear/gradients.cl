/* What the gradients of linear attention have in common, whatever family they are of: where they
 * go, and the sums over what several work-items have. */
/* The derivative of f at x. */
INLINE float slope_of(const float x)
{
#if SQA_FEATURE == 1
    return x >= 0.0f ? 1.0f : x < 0.0f ? exp(x) : x;
#elif SQA_FEATURE == 2
    return x <= 0.0f ? 0.0f : 1.0f;
#else
    return 1.0f;
#endif
}

/* dQ of a row, or of an output head that shares its query head with others. */
#if SQA_COPIES
#define DQ_ROW(h, i)                                                                               \
    (workspace + copies_at + ((batch * kv_heads + (h)) * q_longest + (i)) * SQA_HEAD_DIM)
#define STORE_DQ(x, d, row) ((row)[d] = (x))
#else
#define DQ_ROW(h, i)                                                                               \
    (dq_buffer + dq_offset + SQA_Q_SEQUENCE(batch, dq) + ((h) % q_heads) * dq_head + (i)*dq_row)
#define STORE_DQ(x, d, row) SQA_STORE(x, d, row)
#endif
#define DOUT_ROW(h, i)                                                                             \
    (dout_buffer + dout_offset + SQA_Q_SEQUENCE(batch, dout) + (h)*dout_head + (i)*dout_row)

/* Gradients of decay and beta are packed. */
#if SQA_RAGGED
#define TOKEN_ROW(t) (head * (long)kv_total + kv_begin + (t))
#else
#define TOKEN_ROW(t) ((batch * kv_heads + head) * (long)kv_longest + (t))
#endif

/* dQ of a query head from those of the output heads that read it, a work-item per row. */
#if SQA_COPIES
__kernel void sqa_linear_sum_copies(SQA_LINEAR_ARGUMENTS)
{
    const long i = get_global_id(0), q_number = get_global_id(1), batch = get_global_id(2);
    SQA_SEQUENCE(batch)
    if (i >= q_length)
        return;
    __global sqa_stored *dq =
        dq_buffer + dq_offset + SQA_Q_SEQUENCE(batch, dq) + q_number * dq_head + i * dq_row;
    for (int d = 0; d < SQA_HEAD_DIM; d++) {
        float sum = 0.0f;
        for (long h = q_number; h < kv_heads; h += q_heads)
            sum += DQ_ROW(h, i)[d];
        SQA_STORE(sum, d, dq);
    }
}
#endif

/* Of decays per head, the sums of all sequences. */
#if SQA_DECAY == 1
__kernel void sqa_linear_sum_decays(SQA_LINEAR_ARGUMENTS)
{
    const long head = get_global_id(1);
    float sum = 0.0f;
    for (long b = 0; b < batches; b++) {
        float of_sequence = 0.0f;
        for (long part = 0; part < decay_parts; part++)
            of_sequence += workspace[decays_at + (b * kv_heads + head) * decay_parts + part];
        sum += of_sequence;
    }
    ddecay_buffer[ddecay_offset + head] = sum;
}
#endif
