/* What becomes of the product of a query and a key, and its derivative. With s, the product of Q
 * and K times query_factor (src/kernels/scale.h), and dp, that of dO and V:
 *
 *   score = sqa_shape(shaping, s)                     forward/units.cl; then ALiBi and sqa_extra()
 *   p = sqa_probability(SQA_POWER, score - SQA_LSE_AS_SCORE(lse))        dV += p * kept * dO
 *   ds = p * (dp * kept - delta)                      of the score: dBias, dSlopes
 *   ds * sqa_steepness(SQA_STEEP_FACTOR, s)           of s: dQ and dK, times the scale: flow_factor
 *                                                     before it is added up, sum_factor after
 *
 * where kept is SQA_KEPT(b, h, i, j), 1 without dropout (common/dropout.cl).
 *
 * Rows of LSE = -infinity saw nothing, and whatever is in their dO must not be looked at: they
 * are to be passed over (SQA_IS_DEAD). Their p is 0, but 0 times NaN is NaN. */
#define SQA_IS_DEAD(lse) ((lse) == -INFINITY)

#if SQA_SHAPED
#define SQA_LSE_UNIT SQA_AS_SCORE(1.0f)
#else
#define SQA_LSE_UNIT (M_LOG2E_F / score_power)
#endif
#define SQA_LSE_AS_SCORE(lse) sqa_lse_as_score((lse), SQA_LSE_UNIT)

INLINE float sqa_lse_as_score(const float lse, const float unit)
{
    return SQA_IS_DEAD(lse) ? INFINITY : lse * unit;
}

/* P, of a score minus LSE. More than 1 only where LSE is not of these scores, or so large that
 * its rounding counts; never infinite. NaN stays NaN. */
#define SQA_MOST_POWER 127.0f
INLINE float sqa_probability(const float power, const float above)
{
    const float x = above * power;
    return exp2(x > SQA_MOST_POWER ? SQA_MOST_POWER : x);
}

/* The derivative of the softcap, 1 - tanh(x)^2, without cancellation 4 e / (1 + e)^2 with
 * e = exp(-2 |x|); x is the product times half of SQA_STEEP_FACTOR and ln 2. */
#if SQA_SOFTCAP
#define SQA_STEEP_FACTOR fmin(2.0f * score_power / softcap, FLT_MAX)
#else
#define SQA_STEEP_FACTOR 0.0f
#endif
INLINE float sqa_steepness(const float factor, const float product)
{
#if SQA_SOFTCAP
    const float e = exp2(-fabs(product * factor));
    return 4.0f * e / ((1.0f + e) * (1.0f + e));
#else
    return 1.0f;
#endif
}
