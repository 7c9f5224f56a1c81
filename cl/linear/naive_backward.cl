/* The gradients of linear attention by the recurrence backwards; a work-item has a key/value head
 * of a sequence. On the way there it keeps the state at every CHUNK-th token, on the way back those
 * of the CHUNK tokens that it goes through. Normalised weights make the sums a column more. */
#define CHUNK 32 /* as in src/kernels/naive_linear_backward.c */
#define ROWS SQA_HEAD_DIM
#define COLUMNS (SQA_VALUE_DIM + SQA_NORMALISE)
#define STATE ((long)ROWS * COLUMNS)

/* A token: f(k), its decay, what it adds to the state, and, of the delta rule, the value
 * less what the state knew. */
typedef struct token {
    float2 decay[ROWS];
    float key[ROWS], value[COLUMNS], rest[COLUMNS], beta;
} token;

/* to = A from, which may be the same. */
static void weaken(const token *at, __global const float *from, __global float *to)
{
    for (int d = 0; d < ROWS; d++)
        for (int j = 0; j < COLUMNS; j++)
            to[d * COLUMNS + j] = sqa_weaken(from[d * COLUMNS + j], at->decay[d]);
}

/* out = S^T x. */
static void multiply(__global const float *state, const float *x, float *out)
{
    for (int j = 0; j < COLUMNS; j++)
        out[j] = 0.0f;
    for (int d = 0; d < ROWS; d++)
        for (int j = 0; j < COLUMNS; j++)
            out[j] = fma(state[d * COLUMNS + j], x[d], out[j]);
}

/* S += x y^T. */
static void add_product(__global float *state, const float *x, const float *y)
{
    for (int d = 0; d < ROWS; d++)
        for (int j = 0; j < COLUMNS; j++)
            state[d * COLUMNS + j] = fma(x[d], y[j], state[d * COLUMNS + j]);
}

/* What the token adds to the weakened state. */
static void correct(token *at, __global const float *weakened)
{
#if SQA_DELTA
    float known[COLUMNS];
    multiply(weakened, at->key, known);
    for (int j = 0; j < COLUMNS; j++) {
        at->rest[j] = at->value[j] - known[j];
        at->value[j] = at->beta * at->rest[j];
    }
#endif
}

#if SQA_DELTA
#define SET_BETA(at, t) at.beta = SQA_KV_MATRIX(batch, head, beta)[(t)*beta_row];
#else
#define SET_BETA(at, t)
#endif
#define SET_TOKEN(at, t)                                                                           \
    for (int d = 0; d < ROWS; d++)                                                                 \
        at.key[d] = sqa_feature(SQA_LOAD((t)*k_row + d, k));                                       \
    for (int d = 0; d < ROWS; d++)                                                                 \
        at.decay[d] = sqa_decay_of(SQA_LOG_DECAY(t, d));                                           \
    for (int j = 0; j < COLUMNS; j++)                                                              \
        at.value[j] = j < SQA_VALUE_DIM ? SQA_LOAD((t)*v_row + j, v) : 1.0f;                       \
    SET_BETA(at, t)

INLINE float dot(const float *x, const float *y, const int count)
{
    float sum = 0.0f;
    for (int i = 0; i < count; i++)
        sum = fma(x[i], y[i], sum);
    return sum;
}

/* From a row of dO the gradient of S^T f(q), in `out`, which is that product but for the query's
 * own token; that has the score `own`. The gradient of that score is returned: normalised, by what
 * the others say, since next to its own a row that sees little else would be rounded away. */
static float set_product_gradient(__global const sqa_stored *dout, const float scale,
                                  const float epsilon, const float own, const float *value,
                                  float *out)
{
#if SQA_NORMALISE
    const float others = fma(scale, out[SQA_VALUE_DIM], epsilon);
    const float inverse = 1.0f / fma(scale, own, others);
    float of_rest = 0.0f, of_value = 0.0f;
    for (int j = 0; j < SQA_VALUE_DIM; j++) {
        const float x = scale * inverse * SQA_LOAD(j, dout);
        of_rest = fma(x, out[j], of_rest);
        of_value = fma(x, value[j], of_value);
        out[j] = x;
    }
    out[SQA_VALUE_DIM] = -scale * inverse * fma(own, of_value, of_rest);
    return (others * of_value - scale * of_rest) * inverse;
#else
    for (int j = 0; j < SQA_VALUE_DIM; j++)
        out[j] = scale * SQA_LOAD(j, dout);
    return dot(out, value, COLUMNS);
#endif
}

#if !SQA_NORMALISE
#define epsilon 0.0f
#endif

/* What query i of every output head brings to a state, and to its own key, in `key_sums`. */
#define TAKE_QUERIES(i, state)                                                                     \
    for (long h = head * group; h < (head + 1) * group; h++) {                                     \
        __global const sqa_stored *q = SQA_Q_MATRIX(batch, h) + (i)*q_row;                         \
        float x[ROWS], product[COLUMNS];                                                           \
        for (int d = 0; d < ROWS; d++)                                                             \
            x[d] = sqa_feature(SQA_LOAD(d, q));                                                    \
        multiply(state, x, product);                                                               \
        const float own = dot(x, at.key, ROWS);                                                    \
        const float weight =                                                                       \
            set_product_gradient(DOUT_ROW(h, i), scale, epsilon, own, at.value, product);          \
        for (int d = 0; d < ROWS; d++) {                                                           \
            float sum = weight * at.key[d];                                                        \
            for (int j = 0; j < COLUMNS; j++)                                                      \
                sum = fma((state)[d * COLUMNS + j], product[j], sum);                              \
            STORE_DQ(sum * slope_of(SQA_LOAD(d, q)), d, DQ_ROW(h, i));                             \
            key_sums[d] = fma(weight, x[d], key_sums[d]);                                          \
        }                                                                                          \
        add_product(gradient, x, product);                                                         \
    }

#if SQA_DECAY == 1
#define TAKE_DECAY(t, d, x) decay_sum += (x);
#define STORE_DECAY(t)
#elif SQA_DECAY == 2
#define TAKE_DECAY(t, d, x) decay_sum += (x);
#define STORE_DECAY(t)                                                                             \
    ddecay_buffer[ddecay_offset + TOKEN_ROW(t)] = decay_sum;                                       \
    decay_sum = 0.0f;
#elif SQA_DECAY == 3
#define TAKE_DECAY(t, d, x) ddecay_buffer[ddecay_offset + TOKEN_ROW(t) * ROWS + (d)] = (x);
#define STORE_DECAY(t)
#else
#define TAKE_DECAY(t, d, x)
#define STORE_DECAY(t)
#endif

__kernel void sqa_naive_linear_backward(SQA_LINEAR_ARGUMENTS)
{
    const long head = get_global_id(1), batch = get_global_id(2);
    SQA_SEQUENCE(batch)
    SQA_SET_DECAY(batch, head)
    __global const sqa_stored *k = SQA_KV_MATRIX(batch, head, k);
    __global const sqa_stored *v = SQA_KV_MATRIX(batch, head, v);
    __global sqa_stored *dk = SQA_KV_MATRIX(batch, head, dk);
    __global sqa_stored *dv = SQA_KV_MATRIX(batch, head, dv);
    __global float *gradient = workspace + (batch * kv_heads + head) * head_floats;
    __global float *state = gradient + STATE;
    __global float *inner = state + STATE;        /* of a chunk: before each token */
    __global float *kept = inner + CHUNK * STATE; /* before each chunk */
    float decay_sum = 0.0f, key_sums[ROWS];
    token at;
    for (int d = 0; d < ROWS; d++)
        for (int j = 0; j < COLUMNS; j++) {
            const long i = d * COLUMNS + j, own = (long)d * SQA_VALUE_DIM + j;
            state[i] = gradient[i] = 0.0f;
#if SQA_STATE_IN
            state[i] = SQA_FIRST_STATE(batch, head)[min(own, (long)ROWS * SQA_VALUE_DIM - 1)];
#if SQA_NORMALISE
            if (j == SQA_VALUE_DIM)
                state[i] = SQA_FIRST_SUMS(batch, head)[d];
#endif
#endif
#if SQA_STATE_OUT
            gradient[i] =
                SQA_STATE_AT(batch, head, dstate)[min(own, (long)ROWS * SQA_VALUE_DIM - 1)];
#if SQA_NORMALISE
            if (j == SQA_VALUE_DIM)
                gradient[i] = SQA_SUMS_AT(batch, head, dsums)[d];
#endif
#endif
        }
    for (long t = 0; t < kv_length; t++) {
#if SQA_CAUSAL
        if (t % CHUNK == 0)
            for (long i = 0; i < STATE; i++)
                kept[t / CHUNK * STATE + i] = state[i];
#endif
        SET_TOKEN(at, t)
        weaken(&at, state, state);
        correct(&at, state);
        add_product(state, at.key, at.value);
    }
#if !SQA_CAUSAL
    for (int d = 0; d < ROWS; d++)
        at.key[d] = key_sums[d] = 0.0f;
    for (int j = 0; j < COLUMNS; j++)
        at.value[j] = 0.0f;
    for (long i = 0; i < q_length; i++)
        TAKE_QUERIES(i, state)
#endif
    for (long t = kv_length - 1; t >= 0; t--) {
#if SQA_CAUSAL
        const long first = t / CHUNK * CHUNK;
        if (t == kv_length - 1 || t % CHUNK == CHUNK - 1) {
            for (long i = 0; i < STATE; i++)
                inner[i] = kept[first / CHUNK * STATE + i];
            for (long s = first; s < t; s++) {
                __global float *next = inner + (s + 1 - first) * STATE;
                SET_TOKEN(at, s)
                weaken(&at, next - STATE, next);
                correct(&at, next);
                add_product(next, at.key, at.value);
            }
        }
#endif
        SET_TOKEN(at, t)
#if SQA_CAUSAL
        weaken(&at, inner + (t - first) * STATE, state);
        correct(&at, state);
#endif
        for (int d = 0; d < ROWS; d++) {
            key_sums[d] = 0.0f;
            for (int j = 0; j < COLUMNS; j++)
                key_sums[d] = fma(gradient[d * COLUMNS + j], at.value[j], key_sums[d]);
        }
#if SQA_CAUSAL
        TAKE_QUERIES(t, state)
#endif
        float added[COLUMNS]; /* the gradient of what the token adds */
        multiply(gradient, at.key, added);
#if SQA_DELTA
        float beta_sum = 0.0f;
        for (int j = 0; j < SQA_VALUE_DIM; j++)
            beta_sum = fma(added[j], at.rest[j], beta_sum);
        dbeta_buffer[dbeta_offset + TOKEN_ROW(t)] = beta_sum;
        for (int j = 0; j < SQA_VALUE_DIM; j++)
            added[j] *= at.beta;
#endif
        for (int j = 0; j < SQA_VALUE_DIM; j++)
            SQA_STORE(added[j], t * dv_row + j, dv);
        for (int d = 0; d < ROWS; d++) {
            __global float *row = gradient + d * COLUMNS;
            float key_sum = key_sums[d], channel = 0.0f;
            for (int j = 0; j < COLUMNS; j++) {
#if SQA_DELTA
                key_sum = fma(-state[d * COLUMNS + j], added[j], key_sum);
                row[j] = fma(-at.key[d], added[j], row[j]);
#endif
                channel = fma(state[d * COLUMNS + j], row[j], channel);
                row[j] = sqa_weaken(row[j], at.decay[d]);
            }
            SQA_STORE(key_sum * slope_of(SQA_LOAD(t * k_row + d, k)), t * dk_row + d, dk);
            TAKE_DECAY(t, d, channel)
        }
        STORE_DECAY(t)
    }
#if SQA_DECAY == 1
    workspace[decays_at + batch * kv_heads + head] = decay_sum;
#endif
#if SQA_STATE_IN
    for (int d = 0; d < ROWS; d++) {
        for (int j = 0; j < SQA_VALUE_DIM; j++)
            SQA_STATE_AT(batch, head, dstate_in)[d * SQA_VALUE_DIM + j] = gradient[d * COLUMNS + j];
#if SQA_NORMALISE
        SQA_SUMS_AT(batch, head, dsums_in)[d] = gradient[d * COLUMNS + SQA_VALUE_DIM];
#endif
    }
#endif
}
