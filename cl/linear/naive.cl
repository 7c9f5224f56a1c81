/* Linear attention by its recurrence: a work-item has a column of a state and goes through the
 * tokens one by one. What TOKENS of them add is kept apart, so that rounding does not grow with
 * the length. */
#define TOKENS 32
#define ROWS SQA_HEAD_DIM

/* A column of the state: what it was at the start of a part, and what has been added since. */
typedef struct column {
    float base[ROWS], part[ROWS];
    float2 left[ROWS]; /* of `base`, by decays since */
    float decay[ROWS];
} column;

static void begin_part(column *s)
{
    for (int d = 0; d < ROWS; d++) {
        s->base[d] = sqa_weaken(s->base[d], s->left[d]) + s->part[d];
        s->left[d] = (float2)(0.0f, 1.0f);
        s->part[d] = s->decay[d] = 0.0f;
    }
}

INLINE float element(const column *s, const int d)
{
    return sqa_weaken(s->base[d], s->left[d]) + s->part[d];
}

static float product_of(const column *s, __global const sqa_stored *x)
{
    float sum = 0.0f;
    for (int d = 0; d < ROWS; d++)
        sum = fma(sqa_feature(SQA_LOAD(d, x)), element(s, d), sum);
    return sum;
}

static void add_key(column *s, __global const sqa_stored *k, const float value)
{
    for (int d = 0; d < ROWS; d++)
        s->part[d] = fma(sqa_feature(SQA_LOAD(d, k)), value, s->part[d]);
}

#if SQA_DECAY
#define DECAY(s, token)                                                                            \
    for (int d = 0; d < ROWS; d++) {                                                               \
        const float log_decay = SQA_LOG_DECAY(token, d);                                           \
        s.part[d] = sqa_weaken(s.part[d], sqa_decay_of(log_decay));                                \
        s.decay[d] += log_decay;                                                                   \
        s.left[d] = sqa_decay_of(s.decay[d]);                                                      \
    }
#else
#define DECAY(s, token)
#endif

#if SQA_DELTA
#define VALUE(s, k, token, v)                                                                      \
    (SQA_KV_MATRIX(batch, head, beta)[(token)*beta_row] * ((v)-product_of(&s, k)))
#else
#define VALUE(s, k, token, v) (v)
#endif

/* Without normalise a work-item has one column; with it, that of the sums too. */
#if SQA_NORMALISE
#define OUTPUT(q) (scale * product_of(&s, q) / fma(scale, product_of(&z, q), epsilon))
#define ALSO_SUMS(what) what
#else
#define OUTPUT(q) (scale * product_of(&s, q))
#define ALSO_SUMS(what)
#endif

#define EACH_HEAD(query)                                                                           \
    for (long h = head * group; h < (head + 1) * group; h++)                                       \
        SQA_STORE(OUTPUT(SQA_Q_MATRIX(batch, h) + (query)*q_row), (query)*o_row + j,               \
                  SQA_O_MATRIX(batch, h));

__kernel void sqa_naive_linear(SQA_LINEAR_ARGUMENTS)
{
    const long j = get_global_id(0), head = get_global_id(1), batch = get_global_id(2);
    SQA_SEQUENCE(batch)
    SQA_SET_DECAY(batch, head)
    __global const sqa_stored *k = SQA_KV_MATRIX(batch, head, k);
    __global const sqa_stored *v = SQA_KV_MATRIX(batch, head, v);
    column s;
    ALSO_SUMS(column z;)
    for (int d = 0; d < ROWS; d++) {
#if SQA_STATE_IN
        s.base[d] = SQA_FIRST_STATE(batch, head)[d * SQA_VALUE_DIM + j];
        ALSO_SUMS(z.base[d] = SQA_FIRST_SUMS(batch, head)[d];)
#else
        s.base[d] = 0.0f;
        ALSO_SUMS(z.base[d] = 0.0f;)
#endif
        s.part[d] = s.decay[d] = 0.0f;
        s.left[d] = (float2)(0.0f, 1.0f);
        ALSO_SUMS(z.part[d] = z.decay[d] = 0.0f; z.left[d] = s.left[d];)
    }
    for (long t = 0; t < kv_length; t++) {
        if (t % TOKENS == 0) {
            begin_part(&s);
            ALSO_SUMS(begin_part(&z);)
        }
        DECAY(s, t)
        add_key(&s, k + t * k_row, VALUE(s, k + t * k_row, t, SQA_LOAD(t * v_row + j, v)));
#if SQA_NORMALISE
        DECAY(z, t)
        add_key(&z, k + t * k_row, 1.0f);
#endif
#if SQA_CAUSAL
        EACH_HEAD(t)
#endif
    }
#if !SQA_CAUSAL
    for (long i = 0; i < q_length; i++)
        EACH_HEAD(i)
#endif
#if SQA_STATE_OUT
    for (int d = 0; d < ROWS; d++)
        SQA_STATE_AT(batch, head, state)[d * SQA_VALUE_DIM + j] = element(&s, d);
#endif
}
