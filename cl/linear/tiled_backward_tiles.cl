/* tiled, backward: what a work-group does with a chunk. Of products with rows of the state a thread
 * has the rows y + TY i and the vectors x + TX j; the last of these may be behind the row's end,
 * and are computed, but not kept. */
#define AT_VEC(j) min(x + TX * (j), HEAD_VECS - 1)
#define IS_VEC(j) (x + TX * (j) < HEAD_VECS)

INLINE vec get(__global const float *from)
{
    return *(__global const vec *)from;
}

/* COLUMNS of `count` rows of the workspace. */
INLINE void load_floats(__local vec *to, __global const float *from, const int count,
                        const int thread)
{
    for (int i = thread; i < CHUNK * COLUMN_VECS; i += THREADS) {
        const int t = i / COLUMN_VECS, c = i % COLUMN_VECS;
        to[i] = t < count ? get(from + t * VALUE_PITCH + c * VEC) : (vec)(0.0f);
    }
}

/* Columns of a state, as rows. */
INLINE void load_slice(__local vec *to, __global const float *state, const int thread)
{
    for (int i = thread; i < COLUMNS * HEAD_VECS; i += THREADS)
        to[i / HEAD_VECS * HEAD_PITCH + i % HEAD_VECS] = get(state + i * VEC);
}

/* Of the work-group's slice. */
INLINE void store_slice(__local const vec *state, __global float *to, const int thread)
{
    for (int i = thread; i < ROWS * COLUMNS; i += THREADS)
        to[i] = ((__local const float *)state)[i % ROWS * COLUMNS + i / ROWS];
}

INLINE void turn_slice(__local vec *to, __global const float *state, const int thread)
{
    for (int i = thread; i < ROWS * COLUMNS; i += THREADS)
        ((__local float *)to)[i % ROWS * COLUMNS + i / ROWS] = state[i];
}

INLINE void clear_vectors(vec *out, const int count)
{
#pragma unroll
    for (int i = 0; i < count; i++)
        out[i] = (vec)(0.0f);
}

/* Adds rows of COLUMNS numbers times a slice. */
INLINE void add_slice(vec *out, __local const vec *rows, __local const vec *slice, const int x,
                      const int y)
{
#pragma unroll 1
    for (int c = 0; c < COLUMN_VECS; c++) {
        vec row[TM];
#pragma unroll
        for (int i = 0; i < TM; i++)
            row[i] = rows[(y + TY * i) * COLUMN_VECS + c];
#define ADD_LANE(n)                                                                                \
    EACH_OF_THREAD(j, TD)                                                                          \
    {                                                                                              \
        const vec value = slice[(VEC * c + n) * HEAD_PITCH + AT_VEC(j)];                           \
        EACH_OF_THREAD(i, TM)                                                                      \
        out[i * TD + j] = fma((vec)(LANE(row[i], n)), value, out[i * TD + j]);                     \
    }
        EACH_LANE(ADD_LANE)
#undef ADD_LANE
    }
}

/* Adds to weights[t][s] what rows t and s of COLUMNS numbers have in common. */
INLINE void add_weights(float *weights, __local const vec *rows, __local const vec *values,
                        const int x, const int y)
{
#pragma unroll 1
    for (int c = 0; c < COLUMN_VECS; c++) {
        vec value[TN];
#pragma unroll
        for (int j = 0; j < TN; j++)
            value[j] = values[(x + TX * j) * COLUMN_VECS + c];
#pragma unroll
        for (int i = 0; i < TM; i++) {
            const vec row = rows[(y + TY * i) * COLUMN_VECS + c];
#pragma unroll
            for (int j = 0; j < TN; j++)
                weights[i * TN + j] = multiply_add(row, value[j], weights[i * TN + j]);
        }
    }
}

/* Adds weights of `count` tokens times their rows: those up to a row's own. A weight of 0 would not
 * hide a NaN. */
INLINE void add_earlier(vec *out, __local const float *weights, __local const vec *rows,
                        const int count, const int x, const int y)
{
#pragma unroll 2
    for (int s = 0; s < count; s++) {
        vec row[TD];
#pragma unroll
        for (int j = 0; j < TD; j++)
            row[j] = rows[s * HEAD_PITCH + AT_VEC(j)];
#pragma unroll
        for (int i = 0; i < TM; i++)
            if (s <= y + TY * i) {
                const vec weight = (vec)(weights[(y + TY * i) * SCORE_PITCH + s]);
#pragma unroll
                for (int j = 0; j < TD; j++)
                    out[i * TD + j] = fma(weight, row[j], out[i * TD + j]);
            }
    }
}

/* The same of the weights that later tokens have of a row. */
INLINE void add_later(vec *out, __local const float *weights, __local const vec *rows,
                      const int count, const int x, const int y)
{
#pragma unroll 2
    for (int t = 0; t < count; t++) {
        vec row[TD];
#pragma unroll
        for (int j = 0; j < TD; j++)
            row[j] = rows[t * HEAD_PITCH + AT_VEC(j)];
#pragma unroll
        for (int i = 0; i < TM; i++)
            if (t >= y + TY * i) {
                const vec weight = (vec)(weights[t * SCORE_PITCH + y + TY * i]);
#pragma unroll
                for (int j = 0; j < TD; j++)
                    out[i * TD + j] = fma(weight, row[j], out[i * TD + j]);
            }
    }
}

/* Adds to the slice's columns of keys scores of later queries times their dO. */
INLINE void add_douts(vec *out, __local const float *scores, __local const vec *douts,
                      const int count, const int x, const int y)
{
#pragma unroll 2
    for (int t = 0; t < count; t++) {
        vec dout[TC];
#pragma unroll
        for (int j = 0; j < TC; j++)
            dout[j] = douts[t * COLUMN_VECS + x + TX * j];
#pragma unroll
        for (int i = 0; i < TM; i++)
            if (t >= y + TY * i) {
                const vec score = (vec)(scores[t * SCORE_PITCH + y + TY * i]);
#pragma unroll
                for (int j = 0; j < TC; j++)
                    out[i * TC + j] = fma(score, dout[j], out[i * TC + j]);
            }
    }
}

/* Elements of row t times what decays leave of the chunk before it, and behind it. */
INLINE vec weaken_before(vec x, const int t, const int d DECAY_ARGUMENTS)
{
#if CHANNELS
    EACH_LANE(LOG_BEFORE_LANE)
#elif SQA_DECAY
    x *= exp(LOG_BEFORE(t, d));
#endif
    return x;
}

INLINE vec weaken_behind(vec x, const int t, const int d DECAY_ARGUMENTS)
{
#if CHANNELS
    EACH_LANE(LOG_BEHIND_LANE)
#elif SQA_DECAY
    x *= exp(LOG_BEHIND(t, d));
#endif
    return x;
}

#if SQA_NORMALISE
#define DIVISORS_ARGUMENT , __global const float *divisors
#define DIVISORS_OF(h, i) , DIVISORS(h, i)
#define ROW_FACTOR(t) divisors[(t)*DIVISOR_NUMBERS + DIVISOR_FACTOR]

/* The sums' gradient: what rows of queries bring times the gradients of their divisors. */
INLINE void update_sums_gradient(__local float *sums, __local const float *rows, const int count,
                                 const bool weaken,
                                 const int thread DECAY_ARGUMENTS DIVISORS_ARGUMENT)
{
    for (int d = thread; d < ROWS; d += THREADS) {
        float part = 0.0f;
        for (int t = 0; t < count; t++)
            part = fma(divisors[t * DIVISOR_NUMBERS + DIVISOR_LAST], rows[t * HEAD_PITCH * VEC + d],
                       part);
        sums[d] = (weaken ? sqa_weaken(sums[d], CHUNK_DECAY(d)) : sums[d]) + part;
    }
}
#else
#define DIVISORS_ARGUMENT
#define DIVISORS_OF(h, i)
#define ROW_FACTOR(t) scale
#endif

/* A slice of dO, times what it counts. */
INLINE void load_douts(__local vec *to, __global const sqa_stored *from, const long row,
                       const int count, const int columns, const float scale,
                       const int thread DIVISORS_ARGUMENT)
{
    const bool aligned = is_aligned(from, row);
    for (int i = thread; i < CHUNK * COLUMN_VECS; i += THREADS) {
        const int t = i / COLUMN_VECS, c = i % COLUMN_VECS;
        to[i] =
            t < count ? row_vec(from + t * row, aligned, c, columns) * ROW_FACTOR(t) : (vec)(0.0f);
    }
}

#if SQA_DELTA
/* What tokens have without each other becomes what they have: x[t] -= scores[t][s] beta[s] x[s] of
 * all s before t. Columns do not depend on each other, and have one thread each. */
INLINE void solve(__local float *values, __local const float *scores, __local const float *betas,
                  const int count, const int thread)
{
    for (int c = thread; c < COLUMNS; c += THREADS)
        for (int t = 1; t < count; t++) {
            float rest = values[t * COLUMNS + c];
            for (int s = 0; s < t; s++)
                rest = fma(-scores[t * SCORE_PITCH + s] * betas[s], values[s * COLUMNS + c], rest);
            values[t * COLUMNS + c] = rest;
        }
}

/* The same of gradients, from the last token to the first. */
INLINE void solve_back(__local float *values, __local const float *scores,
                       __local const float *betas, const int count, const int thread)
{
    for (int c = thread; c < COLUMNS; c += THREADS)
        for (int s = count - 2; s >= 0; s--) {
            float rest = values[s * COLUMNS + c];
            for (int t = s + 1; t < count; t++)
                rest = fma(-scores[t * SCORE_PITCH + s] * betas[t], values[t * COLUMNS + c], rest);
            values[s * COLUMNS + c] = rest;
        }
}

/* The workspace gets `count` rows of the tile, which is then times `sign` beta. */
INLINE void keep_values(__local vec *values, __global float *to, __local const float *betas,
                        const float sign, const int count, const int thread)
{
    for (int i = thread; i < CHUNK * COLUMN_VECS; i += THREADS) {
        const int t = i / COLUMN_VECS, c = i % COLUMN_VECS;
        if (t < count)
            *(__global vec *)(to + t * VALUE_PITCH + c * VEC) = values[i];
        values[i] *= sign * betas[t];
    }
}

#define LOAD_BETAS(first, count)                                                                   \
    for (int t = thread; t < CHUNK; t += THREADS)                                                  \
        betas[t] = t < (count) ? SQA_KV_MATRIX(batch, head, beta)[((first) + t) * beta_row] : 0.0f;
#else
#define LOAD_BETAS(first, count)
#endif
