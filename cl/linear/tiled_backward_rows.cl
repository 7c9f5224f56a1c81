/* tiled, backward: what rows that ask a state, queries or, of the delta rule, keys, get of it, and
 * the gradients of their weights; and where dO is divided, what it is divided by. */

/* What `count` rows bring and `keys` add, a slice at a time: into `a_tile` and `r_tile`. */
#if SQA_DELTA
#define LOAD_VALUES(column)                                                                        \
    load_floats(r_tile, RESTS + first * VALUE_PITCH + (column), keys, thread);
#else
#define LOAD_VALUES(column)                                                                        \
    load_values(r_tile, v + first * v_row + (column), v_row, keys,                                 \
                min(COLUMNS, SQA_VALUE_DIM - (column)), thread);
#endif
#define LOAD_DOUT(h, column)                                                                       \
    load_values(a_tile, DOUT_ROW(h, first) + (column), dout_row, queries,                          \
                min(COLUMNS, SQA_VALUE_DIM - (column)), thread);

/* rows = dO S^T, and with causal weights = dO R^T of all pairs, by what LOAD(h, column) loads. */
#if SQA_CAUSAL
#define LOAD_PAIRS(column) LOAD_VALUES(column)
#define ADD_PAIRS add_weights(weights, a_tile, r_tile, x, y);
#else
#define LOAD_PAIRS(column)
#define ADD_PAIRS
#endif
#define TAKE_SLICES(rows, weights, h, state, LOAD)                                                 \
    clear_vectors(rows, OWN_VECTORS);                                                              \
    EACH_OF_THREAD(i, OWN_PAIRS) weights[i] = 0.0f;                                                \
    _Pragma("unroll 1") for (int column = 0; column < SQA_VALUE_DIM; column += COLUMNS)            \
    {                                                                                              \
        LOAD(h, column)                                                                            \
        LOAD_PAIRS(column)                                                                         \
        load_slice(s_tile, (state) + (long)column * ROWS, thread);                                 \
        barrier(CLK_LOCAL_MEM_FENCE);                                                              \
        ADD_PAIRS                                                                                  \
        add_slice(rows, a_tile, s_tile, x, y);                                                     \
        barrier(CLK_LOCAL_MEM_FENCE);                                                              \
    }

/* A work-item's place, and the chunk's. */
#define BEGIN_CHUNK                                                                                \
    const int x = get_local_id(0), y = get_local_id(1), thread = y * TX + x;                       \
    const long chunk = get_group_id(0), head = get_group_id(1), batch = get_group_id(2);           \
    const long first = chunk * CHUNK;                                                              \
    SQA_SEQUENCE(batch)                                                                            \
    SQA_SET_DECAY(batch, head)                                                                     \
    SET_AREA                                                                                       \
    __global const sqa_stored *k = SQA_KV_MATRIX(batch, head, k);                                  \
    __global const sqa_stored *v = SQA_KV_MATRIX(batch, head, v);                                  \
    const int keys = (int)clamp(kv_length - first, 0L, (long)CHUNK);                               \
    const int queries = (int)clamp(q_length - first, 0L, (long)CHUNK);                             \
    __global const float *state = STATE_OF(chunk);

/* Normalised: a row's divisor, and what follows from it. */
#if SQA_NORMALISE
/* A row's sums over what it sees but its own key, of which a thread has parts: its dO times what it
 * gets, and the sum of weights. */
#define ADD_STATE_PARTS                                                                            \
    EACH_OF_THREAD(i, TM)                                                                          \
    {                                                                                              \
        const int t = y + TY * i;                                                                  \
        float of_rest = 0.0f, sum = 0.0f;                                                          \
        EACH_OF_THREAD(j, TD)                                                                      \
        if (IS_VEC(j)) {                                                                           \
            const int d = VEC * (x + TX * j);                                                      \
            const vec row = weaken_before(q_tile[t * HEAD_PITCH + x + TX * j], t, d DECAY_OF);     \
            of_rest = multiply_add(row, rows[i * TD + j], of_rest);                                \
            sum = multiply_add(row, get(SUMS_OF(state) + d), sum);                                 \
        }                                                                                          \
        parts[t * TX + x] = (float2)(of_rest, sum);                                                \
    }
#if SQA_CAUSAL
#define ADD_PAIR_PARTS                                                                             \
    set_scores(scores, q_tile, k_tile, 1, x, y DECAY_OF);                                          \
    EACH_OF_THREAD(i, TM)                                                                          \
    EACH_OF_THREAD(j, TN)                                                                          \
    {                                                                                              \
        const int t = y + TY * i, s = x + TX * j;                                                  \
        if (s < t)                                                                                 \
            parts[t * TX + x] +=                                                                   \
                (float2)(weights[i * TN + j], 1.0f) * scores[t * SCORE_PITCH + s];                 \
        else if (s == t)                                                                           \
            own[t] = (float2)(weights[i * TN + j], scores[t * SCORE_PITCH + s]);                   \
    }
#else
#define ADD_PAIR_PARTS
#endif

/* By what the others say, not as a difference from the own key's, next to which a row that sees
 * little else would be rounded away. */
INLINE void set_divisor(__global float *out, __local const float2 *parts, const float2 own,
                        const float scale, const float epsilon)
{
    float2 rest = (float2)(0.0f);
    for (int i = 0; i < TX; i++)
        rest += parts[i];
    const float others = fma(scale, rest.y, epsilon);
    const float inverse = 1.0f / fma(scale, own.y, others), factor = scale * inverse;
    const float of_rest = factor * rest.x, of_value = factor * own.x;
    out[DIVISOR_FACTOR] = factor;
    out[DIVISOR_LAST] = -factor * fma(own.y, of_value, of_rest);
    out[DIVISOR_OWN] = (others * of_value - scale * of_rest) * inverse;
}

OF_A_GROUP __kernel void sqa_tiled_linear_divisors(SQA_LINEAR_ARGUMENTS)
{
    __local vec k_tile[CHUNK * HEAD_PITCH], q_tile[CHUNK * HEAD_PITCH];
    __local vec a_tile[CHUNK * COLUMN_VECS], r_tile[CHUNK * COLUMN_VECS];
    __local vec s_tile[COLUMNS * HEAD_PITCH];
    __local float2 parts[CHUNK * TX], own[CHUNK];
    SET_LOG_TILE
#if SQA_CAUSAL
    __local float scores[SQUARE];
#endif
    BEGIN_CHUNK
    load_tokens(k_tile, k + first * k_row, k_row, keys, 1.0f, thread);
    TAKE_LOGS(first, keys)
    for (int t = thread; t < CHUNK; t += THREADS)
        own[t] = (float2)(0.0f);
    for (long h = head * group; queries > 0 && h < (head + 1) * group; h++) {
        vec rows[OWN_VECTORS];
        float weights[OWN_PAIRS];
        load_tokens(q_tile, SQA_Q_MATRIX(batch, h) + first * q_row, q_row, queries, 1.0f, thread);
        TAKE_SLICES(rows, weights, h, state, LOAD_DOUT)
        ADD_STATE_PARTS
        ADD_PAIR_PARTS
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int t = thread; t < queries; t += THREADS)
            set_divisor(DIVISORS(h, first + t), parts + t * TX, own[t], scale, epsilon);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
}

#define ROW_LAST(t) divisors[(t)*DIVISOR_NUMBERS + DIVISOR_LAST]
#define ROW_OWN(t) divisors[(t)*DIVISOR_NUMBERS + DIVISOR_OWN]
#else
#define ROW_LAST(t) 0.0f
#endif
