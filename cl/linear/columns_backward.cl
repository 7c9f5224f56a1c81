/* columns, backward: the gradients of linear attention for CPUs. The lanes of a vector are rows of
 * the state, which lies transposed: of a chunk then
 *
 *   dchi = dO S^T + W kappa           W: dO r^T of pairs, A: their scores
 *   dkappa = r G^T + W^T chi          G: the gradient of the state behind the chunk
 *   dr = kappa G + A^T dO
 *   G' = (decay of the chunk) G + chi^T dO
 *
 * are sums over what is broadcast, all but kappa G, whose lanes are tokens. A work-item has a
 * key/value head of a sequence: on the way there it keeps the state before every chunk, on the way
 * back it needs nothing else. */

INLINE vec slope_vector(const vec x)
{
#if SQA_FEATURE == 1
    const vec below = exp_of(select(x, (vec)(0.0f), x > (vec)(0.0f)));
    return select(below, (vec)(1.0f), x >= (vec)(0.0f));
#elif SQA_FEATURE == 2
    return select((vec)(1.0f), (vec)(0.0f), x <= (vec)(0.0f));
#else
    return (vec)(1.0f);
#endif
}

/* Rows of q or k, mapped; the others of a chunk are 0. */
INLINE void load_rows(__global const sqa_stored *restrict from, const long row, const int count,
                      OUT to)
{
    for (int t = 0; t < TOKENS; t++)
        for (int d = 0; d < ROW_PITCH; d += LANES) {
            const int left = t < count ? SQA_HEAD_DIM - d : 0;
            PUT(left > 0 ? load_mapped(from + t * row + d, left) : (vec)(0.0f),
                to + t * ROW_PITCH + d);
        }
}

/* Rows of v or dO times `factor`; with `last` in the column of the sums. */
INLINE void load_values(__global const sqa_stored *restrict from, const long row, const int count,
                        const float factor, const float last, OUT to)
{
    for (int t = 0; t < TOKENS; t++) {
        for (int j = 0; j < VALUE_PITCH; j += LANES) {
            const int left = t < count ? SQA_VALUE_DIM - j : 0;
            PUT(left > 0 ? load_vector(from + t * row + j, left) * (vec)(factor) : (vec)(0.0f),
                to + t * VALUE_PITCH + j);
        }
#if SQA_NORMALISE
        to[t * VALUE_PITCH + SQA_VALUE_DIM] = t < count ? last : 0.0f;
#endif
    }
}

INLINE void store_values(IN from, const int t, __global sqa_stored *restrict to)
{
    for (int j = 0; j < SQA_VALUE_DIM; j += LANES)
        store_vector(GET(from + t * VALUE_PITCH + j), to + j, SQA_VALUE_DIM - j);
}

/* A row of dchi or dkappa as that of dq or dk, by the slope of f at what `at` has. */
INLINE void store_slope(IN row, __global const sqa_stored *restrict at,
                        __global sqa_stored *restrict to)
{
    for (int d = 0; d < SQA_HEAD_DIM; d += LANES) {
        const int left = SQA_HEAD_DIM - d;
        store_vector(GET(row + d) * slope_vector(load_vector(at + d, left)), to + d, left);
    }
}

#if SQA_COPIES
INLINE void store_copy(IN row, __global const sqa_stored *restrict at, OUT to)
{
    for (int d = 0; d < SQA_HEAD_DIM; d++)
        to[d] = row[d] * slope_of(SQA_LOAD(d, at));
}
#define STORE_ROW store_copy
#else
#define STORE_ROW store_slope
#endif

/* A state that callers have, or sums, and the transposed one. */
INLINE void load_state(__global const float *restrict from, OUT to)
{
    for (int j = 0; j < SQA_VALUE_DIM; j++)
        for (int d = 0; d < SQA_HEAD_DIM; d++)
            to[j * ROW_PITCH + d] = from[d * SQA_VALUE_DIM + j];
}

INLINE void store_state(IN from, __global float *restrict to)
{
    for (int d = 0; d < SQA_HEAD_DIM; d++)
        for (int j = 0; j < SQA_VALUE_DIM; j++)
            to[d * SQA_VALUE_DIM + j] = from[j * ROW_PITCH + d];
}

INLINE void copy_sums(__global const float *restrict from, __global float *restrict to)
{
    for (int d = 0; d < SQA_HEAD_DIM; d++)
        to[d] = from[d];
}
#define SUMS_OF(state) ((state) + SQA_VALUE_DIM * ROW_PITCH)

#if SQA_DECAY
#define LOAD_DECAYS(first, count)                                                                  \
    for (int t = 0; t < CHUNK; t++)                                                                \
        for (int d = 0; d < (CHANNELS ? ROW_PITCH : LANES); d++)                                   \
            w[AT_ONE + t * ROW_PITCH + d] = t < (count) && (!CHANNELS || d < SQA_HEAD_DIM)         \
                                                ? SQA_LOG_DECAY((first) + t, d)                    \
                                                : 0.0f;                                            \
    set_decays(w);
#else
#define LOAD_DECAYS(first, count)
#endif

#if SQA_DELTA
#define LOAD_BETAS(first, count)                                                                   \
    for (int t = 0; t < (count); t++)                                                              \
        betas[t] = SQA_KV_MATRIX(batch, head, beta)[((first) + t) * beta_row];
#define CORRECT(state, count) correct(w, state, betas, count);
#else
#define LOAD_BETAS(first, count)
#define CORRECT(state, count)
#endif

#if CHANNELS
#define TURN_KEYS
#elif SQA_DELTA
#define TURN_KEYS turn_rows(w + AT_KEYS, w + AT_KEYS_TURNED);
#else
#define TURN_KEYS                                                                                  \
    if (pass == BACK)                                                                              \
        turn_rows(w + AT_KEYS, w + AT_KEYS_TURNED);
#endif

enum { THERE, BACK };

/* What is known of a chunk when the state before it is. */
#define BEGIN_CHUNK(first, count, state)                                                           \
    load_rows(k + (first)*k_row, k_row, count, w + AT_KEYS);                                       \
    load_values(v + (first)*v_row, v_row, count, 1.0f, 1.0f, w + AT_VALUES);                       \
    LOAD_DECAYS(first, count)                                                                      \
    LOAD_BETAS(first, count)                                                                       \
    TURN_KEYS                                                                                      \
    CORRECT(state, count)

/* What `streams` ask for: keys and values of chunk `next`, if there is one, and a state: the one
 * before that chunk, or, on the way there, the one it makes. */
#define NEXT_CHUNK(next)                                                                           \
    {                                                                                              \
        const long n = (next), state_at = pass == BACK ? n : n + 1;                                \
        const int there = n >= 0 && n < chunks ? (int)min((long)CHUNK, kv_length - n * CHUNK) : 0; \
        SET_STREAM(NEXT_KEYS, k + n * CHUNK * k_row, k_row, SQA_HEAD_DIM, there)                   \
        SET_STREAM(NEXT_VALUES, v + n * CHUNK * v_row, v_row, SQA_VALUE_DIM, there)                \
        SET_STREAM(NEXT_STATE, STATE_OF(state_at), 64, 64,                                         \
                   state_at >= 0 && state_at < FAR_STATES ? UP(STATE, 64) / 64 : 0)                \
    }
#define NEXT_QUERIES(h, first)                                                                     \
    {                                                                                              \
        const int there = (first) >= 0 ? (int)min((long)CHUNK, q_length - (first)) : 0;            \
        SET_STREAM(NEXT_ROWS, SQA_Q_MATRIX(batch, h) + (first)*q_row, q_row, SQA_HEAD_DIM, there)  \
        SET_STREAM(NEXT_DOUT, DOUT_ROW(h, first), dout_row, SQA_VALUE_DIM, there)                  \
    }

/* Queries of an output head, and dO, from `first` on; normalised, they have to be divided. */
#define LOAD_QUERIES(h, first, count)                                                              \
    load_rows(SQA_Q_MATRIX(batch, h) + (first)*q_row, q_row, count, w + AT_ROWS);                  \
    load_values(DOUT_ROW(h, first), dout_row, count, SQA_NORMALISE ? 1.0f : scale, 0.0f,           \
                w + AT_DOUT);
#define STORE_QUERIES(h, first, count)                                                             \
    for (int t = 0; t < (count); t++)                                                              \
        STORE_ROW(w + AT_DROWS + t * ROW_PITCH, SQA_Q_MATRIX(batch, h) + ((first) + t) * q_row,    \
                  DQ_ROW(h, (first) + t));

#if SQA_DECAY >= 2
#if CHANNELS
#define STORE_DECAY(t)                                                                             \
    for (int d = 0; d < SQA_HEAD_DIM; d++)                                                         \
        ddecay_buffer[ddecay_offset + TOKEN_ROW(t) * SQA_HEAD_DIM + d] =                           \
            w[AT_DDECAY + ((t)-first) * ROW_PITCH + d];
#else
#define STORE_DECAY(t)                                                                             \
    ddecay_buffer[ddecay_offset + TOKEN_ROW(t)] =                                                  \
        sum_of_row(w + AT_DDECAY + ((t)-first) * ROW_PITCH);
#endif
#elif SQA_DECAY
#define STORE_DECAY(t) decay_sum += sum_of_row(w + AT_DDECAY + ((t)-first) * ROW_PITCH);
#else
#define STORE_DECAY(t)
#endif

__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
sqa_columns_linear_backward(SQA_LINEAR_ARGUMENTS)
{
    const long head = get_global_id(1), batch = get_global_id(2);
    SQA_SEQUENCE(batch)
    SQA_SET_DECAY(batch, head)
    __global const sqa_stored *k = SQA_KV_MATRIX(batch, head, k);
    __global const sqa_stored *v = SQA_KV_MATRIX(batch, head, v);
    __global sqa_stored *dk = SQA_KV_MATRIX(batch, head, dk);
    __global sqa_stored *dv = SQA_KV_MATRIX(batch, head, dv);
    __global float *w = workspace + (batch * kv_heads + head) * head_floats;
    __global float *gradient = w + SCRATCH, *state = gradient + STATE;
    const long chunks = (kv_length + CHUNK - 1) / CHUNK;
    float own_weights[TOKENS];
    stream streams[STREAMS];
    for (int i = 0; i < STREAMS; i++)
        streams[i].rows = 0;
#if SQA_DELTA
    float betas[TOKENS], dbetas[TOKENS];
#endif
#if SQA_DECAY == 1
    float decay_sum = 0.0f;
#endif
    for (int i = 0; i < SCRATCH + 2 * STATE; i += LANES)
        PUT((vec)(0.0f), w + i);
#if SQA_STATE_IN
    load_state(SQA_FIRST_STATE(batch, head), state);
#if SQA_NORMALISE
    copy_sums(SQA_FIRST_SUMS(batch, head), SUMS_OF(state));
#endif
#endif
#if SQA_STATE_OUT
    load_state(SQA_STATE_AT(batch, head, dstate), gradient);
#if SQA_NORMALISE
    copy_sums(SQA_SUMS_AT(batch, head, dsums), SUMS_OF(gradient));
#endif
#endif
#if SQA_CAUSAL
#define STATE_OF(chunk) (state + (chunk)*STATE)
#define LAST_STATE (chunks - 1)
#define FAR_STATES chunks /* that lie too far apart to stay in caches */
#else
#define STATE_OF(chunk) (state + ((chunk)&1) * STATE)
#define LAST_STATE chunks
#define FAR_STATES 0
#endif
    /* The code that both passes have is there once: compiling takes its time. */
    for (int pass = THERE; pass <= BACK; pass++) {
#if !SQA_CAUSAL
        for (long first = 0; pass == BACK && first < q_length; first += CHUNK) {
            const int count = (int)min((long)CHUNK, q_length - first);
            for (long h = head * group; h < (head + 1) * group; h++) {
                LOAD_QUERIES(h, first, count)
#if SQA_NORMALISE
                float own[TOKENS];
                for (int t = 0; t < TOKENS; t++)
                    own[t] = 0.0f;
                turn_rows(w + AT_ROWS, w + AT_TURNED);
                read_state(w, STATE_OF(chunks), w + AT_TURNED, w + AT_REST);
                divide(w, scale, epsilon, count, own, own_weights);
#endif
                product(w + AT_DOUT, VALUE_PITCH, 1, count, STATE_OF(chunks), ROW_PITCH, ROW_PITCH,
                        COLUMNS, ALL, w + AT_DROWS, ROW_PITCH, 0, NULL);
                product(w + AT_DOUT, 1, VALUE_PITCH, STATE_ROWS, w + AT_ROWS, ROW_PITCH, ROW_PITCH,
                        count, ALL, gradient, ROW_PITCH, 1, NULL);
                STORE_QUERIES(h, first, count)
            }
        }
#endif
        for (long step = 0; step < (pass == BACK ? chunks : LAST_STATE); step++) {
            const long c = pass == BACK ? chunks - 1 - step : step, first = c * CHUNK;
            const int count = (int)min((long)CHUNK, kv_length - first);
            BEGIN_CHUNK(first, count, STATE_OF(c))
            NEXT_CHUNK(pass == BACK ? c - 1 : c + 1)
            if (pass == THERE) {
                advance(w, STATE_OF(c), STATE_OF(c + 1), count, streams);
                continue;
            }
            take_gradient(w, gradient, count, streams);
#if SQA_CAUSAL
#if SQA_DECAY
            begin_decays(w, STATE_OF(c), gradient);
            weaken_state(w, gradient, gradient);
#endif
            transpose(w + AT_VALUES, VALUE_PITCH, TOKENS, w + AT_VALUES_TURNED, TOKENS,
                      VALUE_PITCH);
            for (long h = head * group; h < (head + 1) * group; h++) {
                LOAD_QUERIES(h, first, count)
                NEXT_QUERIES(h + 1 < (head + 1) * group ? h + 1 : head * group,
                             h + 1 < (head + 1) * group ? first : first - CHUNK)
                set_scores(w, w + AT_ROWS, count, 1, w + AT_SCORES);
#if SQA_NORMALISE
                float own[TOKENS];
                for (int t = 0; t < count; t++) {
                    own[t] = w[AT_SCORES + t * TOKENS + t];
                    w[AT_SCORES + t * TOKENS + t] = 0.0f;
                }
                turn_rows(WEAKENED(w, w + AT_ROWS, AT_BEFORE), w + AT_TURNED);
                read_state(w, STATE_OF(c), w + AT_TURNED, w + AT_REST);
                product(w + AT_SCORES, TOKENS, 1, count, w + AT_VALUES, VALUE_PITCH, VALUE_PITCH,
                        count, UP_TO, w + AT_REST, VALUE_PITCH, 1, NULL);
                divide(w, scale, epsilon, count, own, own_weights);
                for (int t = 0; t < count; t++)
                    w[AT_SCORES + t * TOKENS + t] = own[t];
#endif
                product(w + AT_SCORES, 1, TOKENS, count, w + AT_DOUT, VALUE_PITCH, VALUE_PITCH,
                        count, FROM, w + AT_DVALUES, VALUE_PITCH, 1, NULL);
                take_rows(w, STATE_OF(c), gradient, w + AT_ROWS, w + AT_SCORES, count, 1,
                          own_weights, streams);
                STORE_QUERIES(h, first, count)
            }
#endif
#if SQA_DELTA
            correct_gradients(w, betas, count, dbetas);
            take_rows(w, STATE_OF(c), gradient, w + AT_KEYS, w + AT_OWN_SCORES, count, 0,
                      own_weights, streams);
            for (int i = 0; i < UP(count, MR) * ROW_PITCH; i += LANES)
                PUT(GET(w + AT_DKEYS + i) + GET(w + AT_DROWS + i), w + AT_DKEYS + i);
            for (int t = 0; t < count; t++)
                dbeta_buffer[dbeta_offset + TOKEN_ROW(first + t)] = dbetas[t];
#endif
#if SQA_DECAY
            end_decays(w, count);
#endif
            for (int t = 0; t < count; t++) {
                store_values(w + AT_DVALUES, t, dv + (first + t) * dv_row);
                store_slope(w + AT_DKEYS + t * ROW_PITCH, k + (first + t) * k_row,
                            dk + (first + t) * dk_row);
                STORE_DECAY(first + t)
            }
        }
    }
#if SQA_DECAY == 1
    workspace[decays_at + batch * kv_heads + head] = decay_sum;
#endif
#if SQA_STATE_IN
    store_state(gradient, SQA_STATE_AT(batch, head, dstate_in));
#if SQA_NORMALISE
    copy_sums(SUMS_OF(gradient), SQA_SUMS_AT(batch, head, dsums_in));
#endif
#endif
}
