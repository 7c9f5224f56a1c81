/* tiled: what a work-group does with a chunk. A thread has the rows y + TY i and the columns, or
 * vectors of them, x + TX j. */

/* `count` tokens of q or k, mapped, times `factor`; the others of the chunk are 0, as what is
 * behind the last element is, whatever the map makes of it. */
INLINE void load_tokens(__local vec *to, __global const sqa_stored *from, const long row,
                        const int count, const float factor, const int thread)
{
    const bool aligned = is_aligned(from, row);
    for (int i = thread; i < CHUNK * HEAD_VECS; i += THREADS) {
        const int t = i / HEAD_VECS, d = i % HEAD_VECS;
        vec x = (vec)(0.0f);
        if (t < count) {
            x = row_vec(from + t * row, aligned, d, SQA_HEAD_DIM);
#define MAP_LANE(n)                                                                                \
    LANE(x, n) = VEC * d + n < SQA_HEAD_DIM ? sqa_feature(LANE(x, n)) * factor : 0.0f;
            EACH_LANE(MAP_LANE)
#undef MAP_LANE
        }
        to[t * HEAD_PITCH + d] = x;
    }
}

INLINE void load_values(__local vec *to, __global const sqa_stored *from, const long row,
                        const int count, const int columns, const int thread)
{
    const bool aligned = is_aligned(from, row);
    for (int i = thread; i < CHUNK * COLUMN_VECS; i += THREADS) {
        const int t = i / COLUMN_VECS, c = i % COLUMN_VECS;
        to[i] = t < count ? row_vec(from + t * row, aligned, c, columns) : (vec)(0.0f);
    }
}

/* scores[t][s] = row t . key s, through the decays between them, of s < t + `own`; the others are
 * not set. */
INLINE void set_scores(__local float *scores, __local const vec *rows, __local const vec *keys,
                       const int own, const int x, const int y DECAY_ARGUMENTS)
{
    float sum[TM][TN];
#pragma unroll
    for (int i = 0; i < TM; i++)
#pragma unroll
        for (int j = 0; j < TN; j++)
            sum[i][j] = 0.0f;
#pragma unroll 1
    for (int d = 0; d < HEAD_VECS; d++) {
        vec key[TN];
#pragma unroll
        for (int j = 0; j < TN; j++)
            key[j] = keys[(x + TX * j) * HEAD_PITCH + d];
#pragma unroll
        for (int i = 0; i < TM; i++) {
            const vec row = rows[(y + TY * i) * HEAD_PITCH + d];
#pragma unroll
            for (int j = 0; j < TN; j++) {
#if CHANNELS
                const int t = y + TY * i, s = x + TX * j;
                vec left = row;
#define LEFT_LANE(n)                                                                               \
    LANE(left, n) *= exp(log_since(LOG_AT(t, VEC * d + n), LOG_AT(s, VEC * d + n)));
                if (s < t)
                    EACH_LANE(LEFT_LANE)
#undef LEFT_LANE
                sum[i][j] = multiply_add(left, key[j], sum[i][j]);
#else
                sum[i][j] = multiply_add(row, key[j], sum[i][j]);
#endif
            }
        }
    }
#pragma unroll
    for (int i = 0; i < TM; i++)
#pragma unroll
        for (int j = 0; j < TN; j++) {
            const int t = y + TY * i, s = x + TX * j;
            if (s >= t + own)
                continue;
#if SQA_DECAY && !CHANNELS
            sum[i][j] *= exp(log_since(LOG_AT(t, 0), LOG_AT(s, 0)));
#endif
            scores[t * SCORE_PITCH + s] = sum[i][j];
        }
}

/* Adds rows times the state. */
INLINE void add_state(vec *out, __local const vec *rows, __local const vec *state, const int x,
                      const int y)
{
#pragma unroll 1 /* Intel's compiler would unroll all of it, and spill */
    for (int d = 0; d < HEAD_VECS; d++) {
        vec row[TM];
#pragma unroll
        for (int i = 0; i < TM; i++)
            row[i] = rows[(y + TY * i) * HEAD_PITCH + d];
#define ADD_LANE(n)                                                                                \
    _Pragma("unroll") for (int j = 0; j < TC; j++)                                                 \
    {                                                                                              \
        const vec value = state[(VEC * d + n) * COLUMN_VECS + x + TX * j];                         \
        _Pragma("unroll") for (int i = 0; i < TM; i++) out[i * TC + j] =                           \
            fma((vec)(LANE(row[i], n)), value, out[i * TC + j]);                                   \
    }
        EACH_LANE(ADD_LANE)
#undef ADD_LANE
    }
}

/* Adds scores of `count` keys times their values. A row takes them up to its own: a score of 0
 * would not hide a NaN. */
INLINE void add_values(vec *out, __local const float *scores, __local const vec *values,
                       const int count, const int x, const int y)
{
    for (int s = 0; s < count; s++) {
        vec value[TC];
#pragma unroll
        for (int j = 0; j < TC; j++)
            value[j] = values[s * COLUMN_VECS + x + TX * j];
#pragma unroll
        for (int i = 0; i < TM; i++)
            if (s <= y + TY * i) {
                const vec score = (vec)(scores[(y + TY * i) * SCORE_PITCH + s]);
#pragma unroll
                for (int j = 0; j < TC; j++)
                    out[i * TC + j] = fma(score, value[j], out[i * TC + j]);
            }
    }
}

/* One over the normalised weights' sum, of a row with scores of `seen` keys. */
INLINE float inverse_of(__local const vec *row, __local const vec *sums,
                        __local const float *scores, const int seen, const float least)
{
    float sum = least;
    for (int s = 0; s < seen; s++)
        sum += scores[s];
    float product = 0.0f;
    for (int d = 0; d < HEAD_VECS; d++)
        product = multiply_add(row[d], sums[d], product);
    return 1.0f / (sum + product);
}

/* A row's columns that the thread has, times `factor`, to O. */
INLINE void store_row(__global sqa_stored *o, const vec *out, const float factor, const int columns,
                      const int x)
{
#pragma unroll
    for (int j = 0; j < TC; j++) {
        const int c = VEC * (x + TX * j);
#define STORE_LANE(n)                                                                              \
    if (c + n < columns)                                                                           \
        SQA_STORE(LANE(out[j], n) * factor, c + n, o);
        EACH_LANE(STORE_LANE)
#undef STORE_LANE
    }
}

/* The state after a chunk of `count` tokens; with `weaken` it has been through their decays. What
 * they add is added up apart from it, whose rounding then does not grow with the number of tokens.
 */
INLINE void update_state(__local vec *state, __local const float *keys, __local const vec *values,
                         const int count, const bool weaken, const int x,
                         const int y DECAY_ARGUMENTS)
{
    for (int first = y; first < ROWS; first += TR * TY) {
        vec sum[TR * TC];
#pragma unroll
        for (int i = 0; i < TR * TC; i++)
            sum[i] = (vec)(0.0f);
        for (int s = 0; s < count; s++) {
            vec value[TC];
#pragma unroll
            for (int j = 0; j < TC; j++)
                value[j] = values[s * COLUMN_VECS + x + TX * j];
#pragma unroll
            for (int i = 0; i < TR; i++) {
                const int d = min(first + TY * i, ROWS - 1);
                const vec key = (vec)(keys[s * HEAD_PITCH * VEC + d]);
#pragma unroll
                for (int j = 0; j < TC; j++)
                    sum[i * TC + j] = fma(key, value[j], sum[i * TC + j]);
            }
        }
#pragma unroll
        for (int i = 0; i < TR; i++) {
            const int d = first + TY * i;
            if (d >= ROWS)
                continue;
            const float2 decay = CHUNK_DECAY(d);
#pragma unroll
            for (int j = 0; j < TC; j++) {
                const int at = d * COLUMN_VECS + x + TX * j;
                state[at] = (weaken ? WEAKEN_STATE(state[at], decay) : state[at]) + sum[i * TC + j];
            }
        }
    }
}

#if SQA_NORMALISE
INLINE void update_sums(__local float *sums, __local const float *keys, const int count,
                        const int thread DECAY_ARGUMENTS)
{
    for (int d = thread; d < ROWS; d += THREADS) {
        float part = 0.0f;
        for (int s = 0; s < count; s++)
            part += keys[s * HEAD_PITCH * VEC + d];
        sums[d] = sqa_weaken(sums[d], CHUNK_DECAY(d)) + part;
    }
}
#endif

#if SQA_DELTA
/* The delta rule: values become R. `known` has beta (v - A S k), without the chunk's own tokens,
 * which are taken in here: a column does not depend on any other, and has one thread. */
INLINE void correct(__local float *known, __local const float *scores, __global const float *beta,
                    const long beta_row, const int count, const int thread)
{
    for (int c = thread; c < COLUMNS; c += THREADS)
        for (int t = 1; t < count; t++) {
            float sum = 0.0f;
            for (int s = 0; s < t; s++)
                sum = fma(scores[t * SCORE_PITCH + s], known[s * COLUMNS + c], sum);
            known[t * COLUMNS + c] = fma(-beta[t * beta_row], sum, known[t * COLUMNS + c]);
        }
}
#endif
