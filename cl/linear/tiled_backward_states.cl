/* tiled, backward: the states before every chunk, then their gradients behind every chunk, which
 * are gone through one after the other, and dV. As on the way forward, a work-group has a slice of
 * columns.
 *
 *   dR = K' G + (scores of the chunk)^T dO      K', Q': weakened by the decays behind, before them
 *   G = (decay of the chunk) G + Q'^T dO        of the delta rule also of what it takes off values,
 *                                               which ask the state as queries do */

/* The slice `state`, and sums, from what callers have of them. */
#define SET_STATE(state, sums, first_of, first_sums)                                               \
    for (int i = thread; i < ROWS * COLUMNS; i += THREADS) {                                       \
        const int d = i / COLUMNS, c = i % COLUMNS;                                                \
        ((__local float *)state)[i] =                                                              \
            d < SQA_HEAD_DIM && c < columns ? (first_of)[d * SQA_VALUE_DIM + column + c] : 0.0f;   \
    }                                                                                              \
    SET_SUMS(sums, first_sums)
#define CLEAR_STATE(state, sums)                                                                   \
    for (int i = thread; i < ROWS * COLUMN_VECS; i += THREADS)                                     \
        state[i] = (vec)(0.0f);                                                                    \
    CLEAR_SUMS(sums)
#define KEEP_STATE(state, sums, to)                                                                \
    {                                                                                              \
        __global float *slice_to = (to);                                                           \
        store_slice(state, slice_to + column * ROWS, thread);                                      \
        KEEP_SUMS(sums, slice_to)                                                                  \
    }
#if SQA_NORMALISE
#define SUMS_TILE(sums) __local vec sums[HEAD_VECS];
#define SET_SUMS(sums, first_sums)                                                                 \
    for (int d = thread; d < ROWS; d += THREADS)                                                   \
        ((__local float *)sums)[d] = d < SQA_HEAD_DIM ? (first_sums)[d] : 0.0f;
#define CLEAR_SUMS(sums)                                                                           \
    for (int d = thread; d < HEAD_VECS; d += THREADS)                                              \
        sums[d] = (vec)(0.0f);
#define KEEP_SUMS(sums, to)                                                                        \
    for (int d = thread; d < ROWS && column == 0; d += THREADS)                                    \
        SUMS_OF(to)[d] = ((__local const float *)sums)[d];
#define ADD_SUMS_GRADIENT(h, first, count, weaken)                                                 \
    update_sums_gradient((__local float *)sums, (__local const float *)q_tile, count, weaken,      \
                         thread DECAY_OF DIVISORS_OF(h, first));
#else
#define SUMS_TILE(sums)
#define SET_SUMS(sums, first_sums)
#define CLEAR_SUMS(sums)
#define KEEP_SUMS(sums, to)
#define ADD_SUMS_GRADIENT(h, first, count, weaken)
#endif

/* The last chunk's state is nobody's, but that the delta rule computes what it adds. */
#if SQA_CAUSAL && !SQA_DELTA
#define TOKENS_THERE (kv_length - CHUNK)
#else
#define TOKENS_THERE kv_length
#endif

OF_A_GROUP __kernel void sqa_tiled_linear_states(SQA_LINEAR_ARGUMENTS)
{
    __local vec state[ROWS * COLUMN_VECS], v_tile[CHUNK * COLUMN_VECS];
    __local vec k_tile[CHUNK * HEAD_PITCH];
    SET_LOG_TILE
    SUMS_TILE(sums)
#if SQA_DELTA
    __local vec q_tile[CHUNK * HEAD_PITCH];
    __local float scores[SQUARE], betas[CHUNK];
#endif
    const int x = get_local_id(0), y = get_local_id(1), thread = y * TX + x;
    const long column = (long)get_group_id(0) * COLUMNS, head = get_group_id(1);
    const long batch = get_group_id(2);
    const int columns = min(COLUMNS, (int)(SQA_VALUE_DIM - column));
    SQA_SEQUENCE(batch)
    SQA_SET_DECAY(batch, head)
    SET_AREA
    __global const sqa_stored *k = SQA_KV_MATRIX(batch, head, k);
    __global const sqa_stored *v = SQA_KV_MATRIX(batch, head, v) + column;
#if SQA_STATE_IN
    SET_STATE(state, sums, SQA_FIRST_STATE(batch, head), SQA_FIRST_SUMS(batch, head))
#else
    CLEAR_STATE(state, sums)
#endif
    barrier(CLK_LOCAL_MEM_FENCE);
#if SQA_CAUSAL
    KEEP_STATE(state, sums, STATE_OF(0))
    barrier(CLK_LOCAL_MEM_FENCE);
#endif
    for (long first = 0; first < TOKENS_THERE; first += CHUNK) {
        const int count = (int)min((long)CHUNK, kv_length - first);
        load_tokens(k_tile, k + first * k_row, k_row, count, 1.0f, thread);
        load_values(v_tile, v + first * v_row, v_row, count, columns, thread);
        TAKE_LOGS(first, count)
        LOAD_BETAS(first, count)
        barrier(CLK_LOCAL_MEM_FENCE);
#if SQA_DELTA
        set_scores(scores, k_tile, k_tile, 0, x, y DECAY_OF);
        for (int i = thread; i < CHUNK * HEAD_PITCH; i += THREADS)
            if (i % HEAD_PITCH < HEAD_VECS)
                q_tile[i] = k_tile[i];
        barrier(CLK_LOCAL_MEM_FENCE);
        WEAKEN(q_tile, LOG_BEFORE)
        {
            vec known[TM * TC];
            clear_vectors(known, TM * TC);
            add_state(known, q_tile, state, x, y);
            EACH_OF_THREAD(i, TM)
            EACH_OF_THREAD(j, TC)
            v_tile[(y + TY * i) * COLUMN_VECS + x + TX * j] -= known[i * TC + j];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        solve((__local float *)v_tile, scores, betas, count, thread);
        barrier(CLK_LOCAL_MEM_FENCE);
        keep_values(v_tile, RESTS + first * VALUE_PITCH + column, betas, 1.0f, count, thread);
        barrier(CLK_LOCAL_MEM_FENCE);
#endif
        WEAKEN(k_tile, LOG_BEHIND)
        update_state(state, (__local const float *)k_tile, v_tile, count, true, x, y DECAY_OF);
#if SQA_NORMALISE
        update_sums((__local float *)sums, (__local const float *)k_tile, count, thread DECAY_OF);
#endif
        barrier(CLK_LOCAL_MEM_FENCE);
#if SQA_CAUSAL
        if (first + CHUNK < kv_length)
            KEEP_STATE(state, sums, STATE_OF(first / CHUNK + 1))
#endif
    }
#if !SQA_CAUSAL
    KEEP_STATE(state, sums, STATE_OF(0))
#endif
}

/* Rows of the slice to dV. */
INLINE void store_dvalues(const vec *values, __global sqa_stored *to, const long row,
                          const int count, const int columns, const int x, const int y)
{
#pragma unroll
    for (int i = 0; i < TM; i++)
        if (y + TY * i < count)
            store_row(to + (y + TY * i) * row, values + i * TC, 1.0f, columns, x);
}

#define LOAD_QUERIES(h, first, count)                                                              \
    load_tokens(q_tile, SQA_Q_MATRIX(batch, h) + (first)*q_row, q_row, count, 1.0f, thread);       \
    load_douts(o_tile, DOUT_ROW(h, first) + column, dout_row, count, columns, scale,               \
               thread DIVISORS_OF(h, first));

/* The slice's gradients of what keys add: of the state behind the chunk, */
#if SQA_DECAY
#define AS_THEY_WERE load_tokens(k_tile, k + first * k_row, k_row, count, 1.0f, thread);
#else
#define AS_THEY_WERE
#endif
#define TAKE_GRADIENT(values, gradient)                                                            \
    WEAKEN(k_tile, LOG_BEHIND)                                                                     \
    add_state(values, k_tile, gradient, x, y);                                                     \
    barrier(CLK_LOCAL_MEM_FENCE);                                                                  \
    AS_THEY_WERE

/* and of queries in it. */
#define TAKE_DOUT(values, count)                                                                   \
    set_scores(scores, q_tile, k_tile, 1, x, y DECAY_OF);                                          \
    barrier(CLK_LOCAL_MEM_FENCE);                                                                  \
    add_douts(values, scores, o_tile, count, x, y);

OF_A_GROUP __kernel void sqa_tiled_linear_gradients(SQA_LINEAR_ARGUMENTS)
{
    __local vec gradient[ROWS * COLUMN_VECS], o_tile[CHUNK * COLUMN_VECS];
    __local vec q_tile[CHUNK * HEAD_PITCH];
    SET_LOG_TILE
    SUMS_TILE(sums)
#if SQA_DELTA
    __local vec k_tile[CHUNK * HEAD_PITCH];
    __local float scores[SQUARE], own_scores[SQUARE], betas[CHUNK];
#endif
    const int x = get_local_id(0), y = get_local_id(1), thread = y * TX + x;
    const long column = (long)get_group_id(0) * COLUMNS, head = get_group_id(1);
    const long batch = get_group_id(2);
    const int columns = min(COLUMNS, (int)(SQA_VALUE_DIM - column));
    SQA_SEQUENCE(batch)
    SQA_SET_DECAY(batch, head)
    SET_AREA
#if SQA_DELTA
    __global const sqa_stored *k = SQA_KV_MATRIX(batch, head, k);
    __global sqa_stored *dv = SQA_KV_MATRIX(batch, head, dv) + column;
#endif
#if SQA_STATE_OUT
    SET_STATE(gradient, sums, SQA_STATE_AT(batch, head, dstate), SQA_SUMS_AT(batch, head, dsums))
#else
    CLEAR_STATE(gradient, sums)
#endif
    barrier(CLK_LOCAL_MEM_FENCE);
#if !SQA_CAUSAL
    for (long first = 0; first < q_length; first += CHUNK) {
        const int count = (int)min((long)CHUNK, q_length - first);
        for (long h = head * group; h < (head + 1) * group; h++) {
            LOAD_QUERIES(h, first, count)
            barrier(CLK_LOCAL_MEM_FENCE);
            update_state(gradient, (__local const float *)q_tile, o_tile, count, false, x,
                         y DECAY_OF);
            ADD_SUMS_GRADIENT(h, first, count, false)
            barrier(CLK_LOCAL_MEM_FENCE);
        }
    }
    KEEP_STATE(gradient, sums, GRADIENT_OF(0))
#endif
#if SQA_CAUSAL
    for (long chunk = (kv_length + CHUNK - 1) / CHUNK - 1; chunk >= 0; chunk--) {
        const long first = chunk * CHUNK;
        const int count = (int)min((long)CHUNK, kv_length - first);
        KEEP_STATE(gradient, sums, GRADIENT_OF(chunk))
        TAKE_LOGS(first, count)
#if SQA_DELTA
        vec values[TM * TC];
        clear_vectors(values, TM * TC);
        load_tokens(k_tile, k + first * k_row, k_row, count, 1.0f, thread);
        LOAD_BETAS(first, count)
        barrier(CLK_LOCAL_MEM_FENCE);
        set_scores(own_scores, k_tile, k_tile, 0, x, y DECAY_OF);
        barrier(CLK_LOCAL_MEM_FENCE);
        TAKE_GRADIENT(values, gradient)
#endif
        for (long h = head * group; h < (head + 1) * group; h++) {
            LOAD_QUERIES(h, first, count)
            barrier(CLK_LOCAL_MEM_FENCE);
#if SQA_DELTA
            TAKE_DOUT(values, count)
#endif
            WEAKEN(q_tile, LOG_BEFORE)
            update_state(gradient, (__local const float *)q_tile, o_tile, count, h == head * group,
                         x, y DECAY_OF);
            ADD_SUMS_GRADIENT(h, first, count, h == head * group)
            barrier(CLK_LOCAL_MEM_FENCE);
        }
#if SQA_DELTA
        EACH_OF_THREAD(i, TM)
        EACH_OF_THREAD(j, TC)
        o_tile[(y + TY * i) * COLUMN_VECS + x + TX * j] = values[i * TC + j];
        barrier(CLK_LOCAL_MEM_FENCE);
        solve_back((__local float *)o_tile, own_scores, betas, count, thread);
        barrier(CLK_LOCAL_MEM_FENCE);
        EACH_OF_THREAD(i, TM)
        EACH_OF_THREAD(j, TC)
        values[i * TC + j] = o_tile[(y + TY * i) * COLUMN_VECS + x + TX * j] * betas[y + TY * i];
        store_dvalues(values, dv + first * dv_row, dv_row, count, columns, x, y);
        barrier(CLK_LOCAL_MEM_FENCE);
        keep_values(o_tile, DVALUES + first * VALUE_PITCH + column, betas, -1.0f, count, thread);
        barrier(CLK_LOCAL_MEM_FENCE);
        WEAKEN(k_tile, LOG_BEFORE)
        update_state(gradient, (__local const float *)k_tile, o_tile, count, false, x, y DECAY_OF);
        barrier(CLK_LOCAL_MEM_FENCE);
#endif
    }
#endif
#if SQA_STATE_IN
    for (int i = thread; i < ROWS * COLUMNS; i += THREADS) {
        const int d = i / COLUMNS, c = i % COLUMNS;
        if (d < SQA_HEAD_DIM && c < columns)
            SQA_STATE_AT(batch, head, dstate_in)
        [d * SQA_VALUE_DIM + column + c] = ((__local const float *)gradient)[i];
    }
#if SQA_NORMALISE
    for (int d = thread; d < SQA_HEAD_DIM && column == 0; d += THREADS)
        SQA_SUMS_AT(batch, head, dsums_in)[d] = ((__local const float *)sums)[d];
#endif
#endif
}

/* dV of a chunk and a slice, but of the delta rule, whose gradients of states need it. */
#if !SQA_DELTA
OF_A_GROUP __kernel void sqa_tiled_linear_values(SQA_LINEAR_ARGUMENTS)
{
    __local vec gradient[ROWS * COLUMN_VECS], o_tile[CHUNK * COLUMN_VECS];
    __local vec k_tile[CHUNK * HEAD_PITCH], q_tile[CHUNK * HEAD_PITCH];
    SET_LOG_TILE
#if SQA_CAUSAL
    __local float scores[SQUARE];
#endif
    const int x = get_local_id(0), y = get_local_id(1), thread = y * TX + x;
    const long chunk = get_group_id(0) / SLICES, head = get_group_id(1), batch = get_group_id(2);
    const long column = get_group_id(0) % SLICES * (long)COLUMNS, first = chunk * CHUNK;
    const int columns = min(COLUMNS, (int)(SQA_VALUE_DIM - column));
    SQA_SEQUENCE(batch)
    SQA_SET_DECAY(batch, head)
    SET_AREA
    __global const sqa_stored *k = SQA_KV_MATRIX(batch, head, k);
    __global sqa_stored *dv = SQA_KV_MATRIX(batch, head, dv) + column;
    const int count = (int)clamp(kv_length - first, 0L, (long)CHUNK);
    vec values[TM * TC];
    clear_vectors(values, TM * TC);
    load_tokens(k_tile, k + first * k_row, k_row, count, 1.0f, thread);
    turn_slice(gradient, GRADIENT_OF(chunk) + column * ROWS, thread);
    TAKE_LOGS(first, count)
    barrier(CLK_LOCAL_MEM_FENCE);
    TAKE_GRADIENT(values, gradient)
#if SQA_CAUSAL
    for (long h = head * group; count > 0 && h < (head + 1) * group; h++) {
        LOAD_QUERIES(h, first, count)
        barrier(CLK_LOCAL_MEM_FENCE);
        TAKE_DOUT(values, count)
        barrier(CLK_LOCAL_MEM_FENCE);
    }
#endif
    store_dvalues(values, dv + first * dv_row, dv_row, count, columns, x, y);
}
#endif
