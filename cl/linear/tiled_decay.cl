/* tiled: decays. What is left of a token at a later one of the chunk is the exponential of a
 * difference of sums of logarithms, from the chunk's first token on. A sum is two floats, which
 * together lose next to nothing: one alone would lose weak decays behind a strong one. */
#if SQA_DECAY
#define DECAY_ARGUMENTS , __local const float2 *logs
#define DECAY_OF , logs
#define LOG_COLUMNS (CHANNELS ? ROWS : 1)
#define LOG_AT(t, d) logs[(t)*LOG_COLUMNS + (CHANNELS ? (d) : 0)]

/* Of a token with such a decay nothing is left. Infinite ones would have no difference; NaN stays
 * what it is. */
#define NOTHING_LEFT -200.0f

/* By the exact sum of two floats (Knuth, The Art of Computer Programming 2, 4.2.2). */
INLINE float2 add_log(const float2 sum, const float log_decay)
{
    const float x = log_decay < NOTHING_LEFT ? NOTHING_LEFT : log_decay;
    const float high = sum.x + x, added = high - sum.x;
    return (float2)(high, sum.y + ((sum.x - (high - added)) + (x - added)));
}

INLINE float log_since(const float2 later, const float2 earlier)
{
    return (later.x - earlier.x) + (later.y - earlier.y);
}

/* logs of a chunk of `count` tokens from `first` on; those that are not there do not decay. */
#define SET_LOGS(first, count)                                                                     \
    for (int d = thread; d < LOG_COLUMNS; d += THREADS) {                                          \
        float2 sum = (float2)(0.0f, 0.0f);                                                         \
        for (int t = 0; t < CHUNK; t++) {                                                          \
            if (t < (count) && d < SQA_HEAD_DIM)                                                   \
                sum = add_log(sum, SQA_LOG_DECAY((first) + t, d));                                 \
            LOG_AT(t, d) = sum;                                                                    \
        }                                                                                          \
    }

/* Up to token t, behind it, and of the whole chunk. */
#define LOG_BEFORE(t, d) (LOG_AT(t, d).x + LOG_AT(t, d).y)
#define LOG_BEHIND(t, d) log_since(LOG_AT(CHUNK - 1, d), LOG_AT(t, d))
#define CHUNK_DECAY(d) sqa_decay_of(LOG_BEFORE(CHUNK - 1, d))
#define WEAKEN_STATE(values, decay) fma(values, (vec)((decay).x), (values) * (decay).y)

/* Rows of a chunk times what decays leave, LOG_BEFORE or LOG_BEHIND. */
#define WEAKEN(tile, log_of)                                                                       \
    for (int i = thread; i < CHUNK * HEAD_VECS; i += THREADS) {                                    \
        const int t = i / HEAD_VECS, d = i % HEAD_VECS * VEC;                                      \
        vec x = tile[t * HEAD_PITCH + d / VEC];                                                    \
        EACH_LANE(log_of##_LANE)                                                                   \
        tile[t * HEAD_PITCH + d / VEC] = x;                                                        \
    }                                                                                              \
    barrier(CLK_LOCAL_MEM_FENCE);
#define LOG_BEFORE_LANE(n) LANE(x, n) *= exp(LOG_BEFORE(t, d + n));
#define LOG_BEHIND_LANE(n) LANE(x, n) *= exp(LOG_BEHIND(t, d + n));
#else
#define DECAY_ARGUMENTS
#define DECAY_OF
#define CHUNK_DECAY(d) (float2)(0.0f, 1.0f)
#define WEAKEN_STATE(values, decay) (values)
#define WEAKEN(tile, log_of)
#endif
