/* What a score is counted in, and how it comes from a product of Q and K.
 *
 * A score of 1 stands for SQA_POWER powers of two, itself a power of two: with log2 e in it exp
 * is exp2, and with a large one scores may be larger than the largest float. Products of Q and K
 * come so, by what Q was multiplied by (src/kernels/scale.h). Where other numbers join them the
 * power is large enough for the sum of the largest floats of all kinds. */
#define SQA_SHAPED (SQA_SOFTCAP || SQA_ALIBI || SQA_BIAS)
#if SQA_SHAPED
#define SQA_POWER 0x1p24f
#define SQA_AS_SCORE(x) ((x) * (0x1p-24f * M_LOG2E_F))
#else
#define SQA_POWER score_power
#endif

/* From a product of Q and K to a score, before ALiBi and bias. */
typedef struct {
    float factor;
#if SQA_SOFTCAP
    float cap, steepness; /* the cap as a score, and what it divides one by */
#endif
} sqa_shaping;
#if SQA_SOFTCAP
#define SQA_SHAPING                                                                                \
    {score_power * 0x1p-24f, SQA_AS_SCORE(softcap), fmin(0x1p24f * M_LN2_F / softcap, FLT_MAX)}
#elif SQA_SHAPED
#define SQA_SHAPING {score_power * 0x1p-24f}
#else
#define SQA_SHAPING {1.0f}
#endif

/* So near zero tanh(x) is x, which a large cap makes too small to be multiplied by it. */
#define SQA_STEEP 0x1p-13f

INLINE float sqa_shape(const sqa_shaping shaping, const float product)
{
#if SQA_SOFTCAP
    const float score = product * shaping.factor;
    const float x = score * shaping.steepness;
    return fabs(x) < SQA_STEEP ? score : shaping.cap * tanh(x);
#elif SQA_SHAPED
    return product * shaping.factor;
#else
    return product;
#endif
}
