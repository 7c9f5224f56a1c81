/* A query and a key that it sees, by the definition: for naive_*.cl. */

/* Loops, not dot(): any dimension, in one fixed order. */
static float sqa_naive_dot(__global const sqa_stored *a, const float factor,
                           __global const sqa_stored *b, const int columns)
{
    float sum = 0.0f;
    for (int d = 0; d < columns; d++)
        sum = fma(SQA_LOAD(d, a) * factor, SQA_LOAD(d, b), sum);
    return sum;
}

#if SQA_ALIBI
#define NAIVE_ALIBI(score, h, i, j)                                                                \
    score = fma(-SQA_SLOPE(h), (float)abs(SQA_POSITION(i) - (j)), score);
#else
#define NAIVE_ALIBI(score, h, i, j)
#endif
#if SQA_EXTRA
#define NAIVE_EXTRA_ROW(b, h, i)                                                                   \
    sqa_extra_row extra_row;                                                                       \
    SQA_SET_EXTRA_ROW(extra_row, b, h, (long)(i))
#define NAIVE_EXTRA(score, j)                                                                      \
    const float extra = sqa_extra(extra_row, j);                                                   \
    if (extra == -INFINITY)                                                                        \
        continue;                                                                                  \
    score += extra;
#else
#define NAIVE_EXTRA_ROW(b, h, i)
#define NAIVE_EXTRA(score, j)
#endif

/* Within a loop: goes on with the next where the key is hidden; otherwise p, ds and product
 * are what V is weighed by, the gradient of the score, and that of the product of Q and K times
 * flow_factor. */
#define NAIVE_PAIR(b, h, i, j, query, key, output, value, lse, delta)                              \
    const sqa_shaping shaping = SQA_SHAPING;                                                       \
    const float scaled = sqa_naive_dot(query, query_factor, key, SQA_HEAD_DIM);                    \
    float score = sqa_shape(shaping, scaled);                                                      \
    NAIVE_ALIBI(score, h, i, j)                                                                    \
    NAIVE_EXTRA(score, j)                                                                          \
    const float weight = sqa_probability(SQA_POWER, score - (lse)), kept = SQA_KEPT(b, h, i, j);   \
    const float p = weight * kept;                                                                 \
    const float dp = sqa_naive_dot(output, 1.0f, value, SQA_VALUE_DIM) * kept;                     \
    const float ds = weight * (dp - (delta));                                                      \
    const float product = ds * sqa_steepness(SQA_STEEP_FACTOR, scaled) * flow_factor;

/* Sums in parts: see SQA_SUM_KEYS. */
#define NAIVE_ADD_PARTS(sum, part, columns)                                                        \
    for (int d = 0; d < (columns); d++) {                                                          \
        sum[d] += part[d];                                                                         \
        part[d] = 0.0f;                                                                            \
    }
