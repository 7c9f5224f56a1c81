/* columns: linear attention for CPUs. The lanes of a vector are columns of the state, which do not
 * depend on each other, so that nothing is ever added across lanes. A work-item has COLUMNS of
 * them and goes through its head's tokens, CHUNK at a time:
 *
 *   O = Q' S + (scores of the chunk) R      Q', K': weakened by the decays before, behind them
 *   S = (decay of the chunk) S + K'^T R     R: V, or what the delta rule makes of it
 *
 * What a chunk adds is added up apart from the state, whose rounding then does not grow with the
 * number of tokens. */

/* A tile of MR rows and a panel: sums of x[row][l] y[l][columns], and, where a chunk has scores, of
 * z[row][l] w[l][columns]: of `tokens` of them, and up to `last` of those that begin with the first
 * row's own, which each row takes up to its own. A score of 0 would not hide a NaN. */
INLINE void multiply(const float *restrict x, const float *restrict y, const int depth,
                     const float *restrict z, const float *restrict w, const int tokens,
                     const int last, float *restrict out)
{
#define START(i, j) vec c##i##_##j = (vec)(0.0f);
#define FETCH(j) const vec y##j = LOAD(from + j * LANES);
#define ADD(i, j) c##i##_##j = fma(x##i, y##j, c##i##_##j);
#define KEEP(i, j) STORE(c##i##_##j, out + i * NR + j * LANES);
    EACH_ROW_VECTOR(START)
#pragma unroll 4
    for (int l = 0; l < depth; l++) {
        const float *from = y + l * NR;
#define BROADCAST(i) const vec x##i = (vec)(x[i * PITCH + l]);
        EACH_VECTOR(FETCH)
        EACH_ROW(BROADCAST)
        EACH_ROW_VECTOR(ADD)
#undef BROADCAST
    }
    for (int l = 0; l < tokens; l++) {
        const float *from = w + l * NR;
#define BROADCAST(i) const vec x##i = (vec)(z[i * SCORES + l]);
        EACH_VECTOR(FETCH)
        EACH_ROW(BROADCAST)
        EACH_ROW_VECTOR(ADD)
    }
    for (int l = tokens; l < last; l++) {
        const float *from = w + l * NR;
#define ADD_SEEN(i, j)                                                                             \
    if ((i) >= l - tokens)                                                                         \
        ADD(i, j)
        EACH_VECTOR(FETCH)
        EACH_ROW(BROADCAST)
        EACH_ROW_VECTOR(ADD_SEEN)
#undef ADD_SEEN
#undef BROADCAST
    }
    EACH_ROW_VECTOR(KEEP)
#undef KEEP
}

/* A tile of MR rows of the state, and the chunk. */
#if CHANNELS
#define PART(i) decay->part[row + i]
#define WHOLE(i) decay->whole[row + i]
#else
#define PART(i) decay->chunk.x
#define WHOLE(i) decay->chunk.y
#endif
INLINE void update(const float *restrict keys, const float *restrict values, const int count,
                   const int row, float *restrict state DECAY_ARGUMENTS)
{
    EACH_ROW_VECTOR(START)
#pragma unroll 2
    for (int l = 0; l < count; l++) {
        const float *from = values + l * NR;
#define BROADCAST(i) const vec x##i = (vec)(keys[l * PITCH + i]);
        EACH_VECTOR(FETCH)
        EACH_ROW(BROADCAST)
        EACH_ROW_VECTOR(ADD)
#undef BROADCAST
    }
#if SQA_DECAY
#define KEEP(i, j)                                                                                 \
    {                                                                                              \
        const vec s = LOAD(state + i * NR + j * LANES);                                            \
        STORE(fma(s, (vec)(PART(i)), s * (vec)(WHOLE(i))) + c##i##_##j,                            \
              state + i * NR + j * LANES);                                                         \
    }
#else
#define KEEP(i, j)                                                                                 \
    STORE(LOAD(state + i * NR + j * LANES) + c##i##_##j, state + i * NR + j * LANES);
#endif
    EACH_ROW_VECTOR(KEEP)
#undef START
#undef FETCH
#undef ADD
#undef KEEP
}

/* A row of a tile times `factor` to O, as many columns as there are. */
INLINE void store_row(const float *restrict row, const float factor, const int columns,
                      __global sqa_stored *restrict o)
{
    for (int j = 0; j < NR && j < columns; j += LANES)
        store_vector(LOAD(row + j) * (vec)(factor), o + j, columns - j);
}

/* One over the normalised weights' sum. */
#if SQA_NORMALISE
INLINE float inverse_of(const float *restrict q, const float *restrict sums,
                        const float *restrict scores, const int tokens, const float epsilon)
{
    vec product = (vec)(0.0f);
    float sum = epsilon;
    for (int d = 0; d < VECTORS; d += LANES)
        product = fma(LOAD(q + d), LOAD(sums + d), product);
    for (int s = 0; s < tokens; s++)
        sum += scores[s];
    return 1.0f / (sum + sum_of(product));
}

INLINE void add_sums(const float *restrict keys, const int count,
                     float *restrict sums DECAY_ARGUMENTS)
{
    for (int d = 0; d < VECTORS; d += LANES) {
        vec part = (vec)(0.0f), sum = LOAD(sums + d);
        for (int t = 0; t < count; t++)
            part += LOAD(keys + t * PITCH + d);
#if CHANNELS
        sum = fma(sum, LOAD(decay->part + d), sum * LOAD(decay->whole + d));
#elif SQA_DECAY
        sum = fma(sum, (vec)(decay->chunk.x), sum * (vec)(decay->chunk.y));
#endif
        STORE(sum + part, sums + d);
    }
}
#define FACTOR(t, tokens)                                                                          \
    inverse_of(queries + (t)*PITCH, sums, scores + (t)*SCORES, tokens, epsilon)
#else
#define FACTOR(t, tokens) 1.0f
#endif

/* The delta rule: values become R, row after row, of a panel. `weakened` are keys times the
 * decays up to them, `scores` those of keys with the keys before them. */
#if SQA_DELTA
INLINE void correct(const float *restrict weakened, const float *restrict scores,
                    const float *restrict state, __global const float *restrict beta,
                    const long beta_row, const int count, float *restrict values)
{
    float tile[MR * NR] ALIGNED;
    for (int t = 0; t < count; t += MR) {
        multiply(weakened + t * PITCH, state, SQA_HEAD_DIM, scores + t * SCORES, values, t, t,
                 tile);
        for (int i = t; i < min(count, t + MR); i++)
            for (int j = 0; j < NR; j += LANES) {
                vec known = LOAD(tile + (i - t) * NR + j);
                for (int s = t; s < i; s++)
                    known = fma((vec)(scores[i * SCORES + s]), LOAD(values + s * NR + j), known);
                STORE((vec)(beta[i * beta_row]) * (LOAD(values + i * NR + j) - known),
                      values + i * NR + j);
            }
    }
}
#endif

/* State, and sums, of before and of after. */
INLINE void load_state(__global const float *restrict from, const int columns, float *restrict state)
{
    for (int p = 0; p < PANELS; p++)
        for (int d = 0; d < SQA_HEAD_DIM; d++)
            for (int j = 0; j < NR; j++)
                state[(p * ROWS + d) * NR + j] =
                    p * NR + j < columns ? from[d * SQA_VALUE_DIM + p * NR + j] : 0.0f;
}

INLINE void store_state(const float *restrict state, const int columns, __global float *restrict to)
{
    for (int p = 0; p < PANELS; p++)
        for (int d = 0; d < SQA_HEAD_DIM; d++)
            for (int j = 0; j < NR && p * NR + j < columns; j++)
                to[d * SQA_VALUE_DIM + p * NR + j] = state[(p * ROWS + d) * NR + j];
}

/* Outputs of `count` queries from `first` on, in `queries`, which see the chunk's keys up to their
 * own (SEEN 1), or none. */
#define OUTPUTS(h, first, count, SEEN)                                                             \
    for (int t = 0; t < (count); t += MR) {                                                        \
        __global sqa_stored *o = SQA_O_MATRIX(batch, h) + ((first) + t) * o_row + column;          \
        const int seen = SEEN ? min(t + MR, CHUNK) : 0;                                            \
        float factor[MR];                                                                          \
        ask_ahead(SQA_Q_MATRIX(batch, h) + ((first) + CHUNK) * q_row, q_row, SQA_HEAD_DIM, t,      \
                  (int)min((long)t + MR, q_length - (first)-CHUNK));                               \
        for (int i = 0; i < MR; i++)                                                               \
            factor[i] = FACTOR(t + i, seen);                                                       \
        for (int p = 0; p < PANELS; p++) {                                                         \
            multiply(queries + t * PITCH, state + p * ROWS * NR, SQA_HEAD_DIM,                     \
                     scores + t * SCORES, values + p * CHUNK * NR, SEEN ? t : 0, seen, tile);      \
            for (int i = 0; i < min(MR, (count)-t); i++)                                           \
                store_row(tile + i * NR, factor[i], columns - p * NR, o + i * o_row + p * NR);     \
        }                                                                                          \
    }

__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
sqa_columns_linear(SQA_LINEAR_ARGUMENTS)
{
    float state[PANELS * ROWS * NR] ALIGNED;
    float keys[TOKENS * PITCH] ALIGNED, queries[TOKENS * PITCH] ALIGNED;
    float values[PANELS * CHUNK * NR] ALIGNED, tile[MR * NR] ALIGNED;
    float scores[CHUNK * SCORES] ALIGNED;
    const long column = (long)get_global_id(0) * COLUMNS, head = get_global_id(1);
    const long batch = get_global_id(2);
    const int columns = min(COLUMNS, (int)(SQA_VALUE_DIM - column));
    SQA_SEQUENCE(batch)
    SQA_SET_DECAY(batch, head)
    __global const sqa_stored *k = SQA_KV_MATRIX(batch, head, k);
    __global const sqa_stored *v = SQA_KV_MATRIX(batch, head, v) + column;
    for (int i = 0; i < PANELS * ROWS * NR; i++)
        state[i] = 0.0f;
#if SQA_STATE_IN
    load_state(SQA_FIRST_STATE(batch, head) + column, columns, state);
#endif
#if SQA_NORMALISE
    float sums[PITCH] ALIGNED;
    for (int d = 0; d < PITCH; d++)
        sums[d] = 0.0f;
#if SQA_STATE_IN
    for (int d = 0; d < SQA_HEAD_DIM; d++)
        sums[d] = SQA_FIRST_SUMS(batch, head)[d];
#endif
#endif
    for (long first = 0; first < kv_length; first += CHUNK) {
        const int count = (int)min((long)CHUNK, kv_length - first);
        load_rows(k + first * k_row, k_row, count, 1.0f, keys);
        load_values(v + first * v_row, v_row, count, columns, values);
#if CHANNELS
        decay_factors decay;
        set_decay(&decay, decays + first * decay_row, decay_row, count);
#elif SQA_DECAY
        decay_factors decay;
        float logs[TOKENS] ALIGNED;
        for (int t = 0; t < TOKENS; t++)
            logs[t] = t < count ? SQA_LOG_DECAY(first + t, 0) : 0.0f;
        set_decay(&decay, logs);
#endif
#if SQA_DELTA
        set_scores(keys, keys, count, 0, scores DECAY_OF);
        for (int i = 0; i < CHUNK * PITCH; i += LANES)
            STORE(LOAD(keys + i), queries + i);
        WEAKEN(queries, before)
        for (int p = 0; p < PANELS; p++)
            correct(queries, scores, state + p * ROWS * NR,
                    SQA_KV_MATRIX(batch, head, beta) + first * beta_row, beta_row, count,
                    values + p * CHUNK * NR);
#endif
#if SQA_CAUSAL
        for (long h = head * group; h < (head + 1) * group; h++) {
            load_rows(SQA_Q_MATRIX(batch, h) + first * q_row, q_row, count, scale, queries);
            set_scores(queries, keys, count, 1, scores DECAY_OF);
            WEAKEN(queries, before)
            OUTPUTS(h, first, count, 1)
        }
#endif
        WEAKEN(keys, behind)
        const int next = (int)min((long)CHUNK, kv_length - first - CHUNK);
        for (int p = 0; p < PANELS; p++)
            for (int d = 0; d < SQA_HEAD_DIM; d += MR) {
                const int from = ((p * ROWS + d) * CHUNK) / (PANELS * ROWS);
                const int end = min(next, ((p * ROWS + d + MR) * CHUNK) / (PANELS * ROWS));
                ask_ahead(k + (first + CHUNK) * k_row, k_row, SQA_HEAD_DIM, from, end);
                ask_ahead(v + (first + CHUNK) * v_row, v_row, columns, from, end);
                update(keys + d, values + p * CHUNK * NR, count, d,
                       state + (p * ROWS + d) * NR DECAY_OF);
            }
#if SQA_NORMALISE
        add_sums(keys, count, sums DECAY_OF);
#endif
    }
#if !SQA_CAUSAL
    for (long first = 0; first < q_length; first += CHUNK) {
        const int count = (int)min((long)CHUNK, q_length - first);
        for (long h = head * group; h < (head + 1) * group; h++) {
            load_rows(SQA_Q_MATRIX(batch, h) + first * q_row, q_row, count, scale, queries);
            OUTPUTS(h, first, count, 0)
        }
    }
#endif
#if SQA_STATE_OUT
    store_state(state, columns, SQA_STATE_AT(batch, head, state) + column);
#endif
}
