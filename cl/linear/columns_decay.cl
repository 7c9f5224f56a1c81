/* columns: what decays leave of a state between two tokens of a chunk. Products of factors of
 * neighbours, and exponentials of sums from one end: a difference of sums would lose the weak
 * decays behind a strong one. */
#if SQA_DECAY && !CHANNELS
#define DECAY_ARGUMENTS , const decay_factors *decay
#define DECAY_OF , &decay

typedef struct {
    float one[TOKENS] ALIGNED;    /* a token's own, */
    float before[TOKENS] ALIGNED; /* of those up to it, */
    float behind[TOKENS] ALIGNED; /* and of those behind it in the chunk */
    float2 chunk;                 /* of the whole chunk, as sqa_decay_of() */
} decay_factors;

/* Tokens that are not there do not decay. */
INLINE void set_decay(decay_factors *decay, const float *logs)
{
    float sum = 0.0f, rest = 0.0f;
    for (int t = 0; t < TOKENS; t++) {
        sum += logs[t];
        decay->before[t] = sum;
    }
    for (int t = TOKENS - 1; t >= 0; t--) {
        decay->behind[t] = rest;
        rest += logs[t];
    }
    for (int t = 0; t < TOKENS; t += LANES) {
        STORE(exp_of(LOAD(logs + t)), decay->one + t);
        STORE(exp_of(LOAD(decay->before + t)), decay->before + t);
        STORE(exp_of(LOAD(decay->behind + t)), decay->behind + t);
    }
    decay->chunk = sqa_decay_of(sum);
}
#elif CHANNELS
#define DECAY_ARGUMENTS , const decay_factors *decay
#define DECAY_OF , &decay

typedef struct {
    float one[CHUNK * PITCH] ALIGNED;
    float before[CHUNK * PITCH] ALIGNED;
    float behind[CHUNK * PITCH] ALIGNED;
    float part[PITCH] ALIGNED, whole[PITCH] ALIGNED; /* of the chunk, as sqa_decay_of() */
} decay_factors;

/* `logs` of a token after the other; `count` tokens decay. */
INLINE void set_decay(decay_factors *decay, __global const float *logs, const long row,
                      const int count)
{
    for (int d = 0; d < VECTORS; d += LANES) {
        float some[LANES] ALIGNED;
        vec sum = (vec)(0.0f), rest = (vec)(0.0f);
        for (int t = 0; t < CHUNK; t++) {
            for (int i = 0; i < LANES; i++)
                some[i] = t < count && d + i < SQA_HEAD_DIM ? logs[t * row + d + i] : 0.0f;
            sum += LOAD(some);
            STORE(LOAD(some), decay->one + t * PITCH + d);
            STORE(exp_of(sum), decay->before + t * PITCH + d);
        }
        for (int t = CHUNK - 1; t >= 0; t--) {
            const vec own = LOAD(decay->one + t * PITCH + d);
            STORE(exp_of(rest), decay->behind + t * PITCH + d);
            STORE(exp_of(own), decay->one + t * PITCH + d);
            rest += own;
        }
        STORE(part_of(sum), decay->part + d);
        STORE(select((vec)(0.0f), (vec)(1.0f), sum > (vec)(SQA_WEAK)), decay->whole + d);
    }
    for (int d = VECTORS; d < PITCH; d++)
        decay->part[d] = decay->whole[d] = 0.0f;
}
#else
#define DECAY_ARGUMENTS
#define DECAY_OF
#endif

/* Rows of a chunk times what decays leave before or behind each token. */
#if CHANNELS
#define WEAKEN(rows, when)                                                                         \
    for (int i = 0; i < CHUNK; i++)                                                                \
        for (int d = 0; d < VECTORS; d += LANES)                                                   \
            STORE(LOAD((rows) + i * PITCH + d) * LOAD(decay.when + i * PITCH + d),                 \
                  (rows) + i * PITCH + d);
#elif SQA_DECAY
#define WEAKEN(rows, when)                                                                         \
    for (int i = 0; i < CHUNK; i++)                                                                \
        for (int d = 0; d < VECTORS; d += LANES)                                                   \
            STORE(LOAD((rows) + i * PITCH + d) * (vec)(decay.when[i]), (rows) + i * PITCH + d);
#else
#define WEAKEN(rows, when)
#endif
