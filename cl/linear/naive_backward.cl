/* The gradients of linear attention by the recurrence backwards; a work-item has a key/value head
 * of a sequence. On the way there it keeps the state at every CHUNK-th token, on the way back those
 * of the CHUNK tokens that it goes through. Normalised weights make the sums a column more. */
#define CHUNK 32 /* as in src/kernels/naive_linear_backward.c */
#define ROWS SQA_HEAD_DIM
#define COLUMNS (SQA_VALUE_DIM + SQA_NORMALISE)
#define STATE ((long)ROWS * COLUMNS)

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

/* The gradient of S^T f(q) in `out`, which is that product, from a row of dO. */
static void set_product_gradient(__global const sqa_stored *dout, const float scale,
                                 const float epsilon, float *out)
{
#if SQA_NORMALISE
    const float inverse = 1.0f / fma(scale, out[SQA_VALUE_DIM], epsilon);
    float product = 0.0f;
    for (int j = 0; j < SQA_VALUE_DIM; j++) {
        const float x = SQA_LOAD(j, dout);
        product = fma(x, scale * out[j] * inverse, product);
        out[j] = scale * x * inverse;
    }
    out[SQA_VALUE_DIM] = -scale * product * inverse;
#else
    for (int j = 0; j < SQA_VALUE_DIM; j++)
        out[j] = scale * SQA_LOAD(j, dout);
#endif
}

#if !SQA_NORMALISE
#define epsilon 0.0f
#endif

/* dQ of a row, or of an output head that shares its query head with others. */
#if SQA_COPIES
#define DQ_ROW(h, i) (workspace + copies_at + ((batch * kv_heads + (h)) * q_longest + (i)) * ROWS)
#define STORE_DQ(x, d, row) ((row)[d] = (x))
#else
#define DQ_ROW(h, i)                                                                               \
    (dq_buffer + dq_offset + SQA_Q_SEQUENCE(batch, dq) + ((h) % q_heads) * dq_head + (i)*dq_row)
#define STORE_DQ(x, d, row) SQA_STORE(x, d, row)
#endif
#define DOUT_ROW(h, i)                                                                             \
    (dout_buffer + dout_offset + SQA_Q_SEQUENCE(batch, dout) + (h)*dout_head + (i)*dout_row)

/* What query i of every output head brings. */
#define TAKE_QUERIES(i, state)                                                                     \
    for (long h = head * group; h < (head + 1) * group; h++) {                                     \
        __global const sqa_stored *q = SQA_Q_MATRIX(batch, h) + (i)*q_row;                         \
        float x[ROWS], product[COLUMNS];                                                           \
        for (int d = 0; d < ROWS; d++)                                                             \
            x[d] = sqa_feature(SQA_LOAD(d, q));                                                    \
        multiply(state, x, product);                                                               \
        set_product_gradient(DOUT_ROW(h, i), scale, epsilon, product);                             \
        for (int d = 0; d < ROWS; d++) {                                                           \
            float sum = 0.0f;                                                                      \
            for (int j = 0; j < COLUMNS; j++)                                                      \
                sum = fma((state)[d * COLUMNS + j], product[j], sum);                              \
            STORE_DQ(sum * slope_of(SQA_LOAD(d, q)), d, DQ_ROW(h, i));                             \
        }                                                                                          \
        add_product(gradient, x, product);                                                         \
    }

/* Gradients of decay and beta are packed. */
#if SQA_RAGGED
#define TOKEN_ROW(t) (head * (long)kv_total + kv_begin + (t))
#else
#define TOKEN_ROW(t) ((batch * kv_heads + head) * (long)kv_longest + (t))
#endif
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
    __global float *inner = state + STATE;      /* of a chunk: before each token */
    __global float *kept = inner + CHUNK * STATE; /* before each chunk */
    float decay_sum = 0.0f;
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
        add_product(state, at.key, at.value);
        TAKE_QUERIES(t, state)
        weaken(&at, inner + (t - first) * STATE, state);
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
            float key_sum = 0.0f, channel = 0.0f;
            for (int j = 0; j < COLUMNS; j++) {
                key_sum = fma(row[j], at.value[j], key_sum);
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
    for (int d = 0; d < ROWS; d++) {
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
    for (long b = 0; b < batches; b++)
        sum += workspace[decays_at + b * kv_heads + head];
    ddecay_buffer[ddecay_offset + head] = sum;
}
#endif
