/* tiled: linear attention for GPUs. A work-group has COLUMNS of a state in local memory, which do
 * not depend on the others, and goes through its head's tokens, CHUNK at a time (arXiv 2312.06635,
 * section 4; the delta rule: 2406.06484, section 3):
 *
 *   O = Q' S + (scores of the chunk) R      Q', K': weakened by the decays before, behind them
 *   S = (decay of the chunk) S + K'^T R     R: V, or what the delta rule makes of it */

#if SQA_NORMALISE
#define FACTOR(t, seen)                                                                            \
    inverse_of(q_tile + (t)*HEAD_PITCH, sums, scores + (t)*SCORE_PITCH, seen, epsilon)
#else
#define FACTOR(t, seen) 1.0f
#endif

/* Outputs of `count` queries from `first` on, in q_tile, which see the chunk's keys up to their
 * own (SEEN 1), or none. */
#define OUTPUTS(h, first, count, SEEN)                                                             \
    {                                                                                              \
        vec out[TM * TC];                                                                          \
        _Pragma("unroll") for (int i = 0; i < TM * TC; i++) out[i] = (vec)(0.0f);                  \
        add_state(out, q_tile, state, x, y);                                                       \
        if (SEEN)                                                                                  \
            add_values(out, scores, v_tile, count, x, y);                                          \
        _Pragma("unroll") for (int i = 0; i < TM; i++)                                             \
        {                                                                                          \
            const int t = y + TY * i;                                                              \
            if (t < (count))                                                                       \
                store_row(SQA_O_MATRIX(batch, h) + ((first) + t) * o_row + column, out + i * TC,   \
                          FACTOR(t, SEEN ? t + 1 : 0), columns, x);                                \
        }                                                                                          \
    }

__attribute__((reqd_work_group_size(TX, TY, 1))) SUBGROUP_ATTRIBUTE __kernel void
sqa_tiled_linear(SQA_LINEAR_ARGUMENTS)
{
    __local vec state[ROWS * COLUMN_VECS], v_tile[CHUNK * COLUMN_VECS];
    __local vec k_tile[CHUNK * HEAD_PITCH], q_tile[CHUNK * HEAD_PITCH];
    __local float scores[SCORE_ROWS * SCORE_PITCH];
#if SQA_DECAY
    __local float2 logs[CHUNK * LOG_COLUMNS];
#endif
    const int x = get_local_id(0), y = get_local_id(1), thread = y * TX + x;
    const long column = (long)get_group_id(0) * COLUMNS, head = get_group_id(1);
    const long batch = get_group_id(2);
    const int columns = min(COLUMNS, (int)(SQA_VALUE_DIM - column));
    SQA_SEQUENCE(batch)
    SQA_SET_DECAY(batch, head)
    __global const sqa_stored *k = SQA_KV_MATRIX(batch, head, k);
    __global const sqa_stored *v = SQA_KV_MATRIX(batch, head, v) + column;
    for (int i = thread; i < ROWS * COLUMNS; i += THREADS) {
        float start = 0.0f;
#if SQA_STATE_IN
        const int d = i / COLUMNS, c = i % COLUMNS;
        if (d < SQA_HEAD_DIM && c < columns)
            start = SQA_FIRST_STATE(batch, head)[d * SQA_VALUE_DIM + column + c];
#endif
        ((__local float *)state)[i] = start;
    }
#if SQA_NORMALISE
    __local vec sums[HEAD_VECS];
    for (int d = thread; d < ROWS; d += THREADS) {
        float start = 0.0f;
#if SQA_STATE_IN
        if (d < SQA_HEAD_DIM)
            start = SQA_FIRST_SUMS(batch, head)[d];
#endif
        ((__local float *)sums)[d] = start;
    }
#endif
    for (long first = 0; first < kv_length; first += CHUNK) {
        const int count = (int)min((long)CHUNK, kv_length - first);
        load_tokens(k_tile, k + first * k_row, k_row, count, 1.0f, thread);
        load_values(v_tile, v + first * v_row, v_row, count, columns, thread);
#if SQA_DECAY
        SET_LOGS(first, count)
#endif
        barrier(CLK_LOCAL_MEM_FENCE);
#if SQA_DELTA
        __global const float *beta = SQA_KV_MATRIX(batch, head, beta) + first * beta_row;
        set_scores(scores, k_tile, k_tile, 0, x, y DECAY_OF);
        for (int i = thread; i < CHUNK * HEAD_VECS; i += THREADS) {
            const int at = i / HEAD_VECS * HEAD_PITCH + i % HEAD_VECS;
            q_tile[at] = k_tile[at];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        WEAKEN(q_tile, LOG_BEFORE)
        {
            vec known[TM * TC];
#pragma unroll
            for (int i = 0; i < TM * TC; i++)
                known[i] = (vec)(0.0f);
            add_state(known, q_tile, state, x, y);
#pragma unroll
            for (int i = 0; i < TM; i++)
#pragma unroll
                for (int j = 0; j < TC; j++) {
                    const int t = y + TY * i, at = t * COLUMN_VECS + x + TX * j;
                    if (t < count)
                        v_tile[at] = (v_tile[at] - known[i * TC + j]) * beta[t * beta_row];
                }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        correct((__local float *)v_tile, scores, beta, beta_row, count, thread);
        barrier(CLK_LOCAL_MEM_FENCE);
#endif
#if SQA_CAUSAL
        for (long h = head * group; h < (head + 1) * group; h++) {
            load_tokens(q_tile, SQA_Q_MATRIX(batch, h) + first * q_row, q_row, count, scale,
                        thread);
            barrier(CLK_LOCAL_MEM_FENCE);
            set_scores(scores, q_tile, k_tile, 1, x, y DECAY_OF);
            barrier(CLK_LOCAL_MEM_FENCE);
            WEAKEN(q_tile, LOG_BEFORE)
            OUTPUTS(h, first, count, 1)
            barrier(CLK_LOCAL_MEM_FENCE);
        }
#endif
        WEAKEN(k_tile, LOG_BEHIND)
        update_state(state, (__local const float *)k_tile, v_tile, count, true, x, y DECAY_OF);
#if SQA_NORMALISE
        update_sums((__local float *)sums, (__local const float *)k_tile, count, thread DECAY_OF);
#endif
        barrier(CLK_LOCAL_MEM_FENCE); /* nobody works with the chunk any more */
    }
#if !SQA_CAUSAL
    for (long first = 0; first < q_length; first += CHUNK) {
        const int count = (int)min((long)CHUNK, q_length - first);
        for (long h = head * group; h < (head + 1) * group; h++) {
            load_tokens(q_tile, SQA_Q_MATRIX(batch, h) + first * q_row, q_row, count, scale,
                        thread);
            barrier(CLK_LOCAL_MEM_FENCE);
            OUTPUTS(h, first, count, 0)
            barrier(CLK_LOCAL_MEM_FENCE);
        }
    }
#endif
#if SQA_STATE_OUT
    barrier(CLK_LOCAL_MEM_FENCE); /* a sequence without tokens has seen none since the start */
    for (int i = thread; i < ROWS * COLUMNS; i += THREADS) { /* as read: it may be the same */
        const int d = i / COLUMNS, c = i % COLUMNS;
        if (d < SQA_HEAD_DIM && c < columns)
            SQA_STATE_AT(batch, head, state)
        [d * SQA_VALUE_DIM + column + c] = ((__local const float *)state)[i];
    }
#endif
}
