/* What becomes of the product of a query and a key, and its derivative. All of it works on
 * vectors, too. With s and dp, the products of Q and K and of dO and V:
 *
 *   t = SQA_CAPPED(s * SQA_PRODUCT_FACTOR)            tanh, or what it was given
 *   score = t * SQA_CAP_FACTOR                        in units of log2 e; then ALiBi and sqa_extra()
 *   p = exp2(score - sqa_lse_units(lse))              dV += p * kept * dO
 *   ds = p * (dp * kept - delta)                      of the score: dBias, dSlopes
 *   ds * SQA_STEEPNESS(t)                             of s: dQ and dK, times the scale at the end
 *
 * where kept is SQA_KEPT(b, h, i, j), 1 without dropout (forward/dropout.cl).
 *
 * Rows of LSE = -infinity saw nothing, and whatever is in their dO must not be looked at: they
 * are to be passed over (SQA_IS_DEAD). sqa_lse_units() makes their p 0, but 0 times NaN is NaN. */
#if SQA_SOFTCAP
#define SQA_CAPPED(x) tanh(x)
#define SQA_STEEPNESS(t) (1.0f - (t) * (t))
#else
#define SQA_CAPPED(x) (x)
#define SQA_STEEPNESS(t) 1.0f
#endif

#define SQA_IS_DEAD(lse) ((lse) == -INFINITY)

INLINE float sqa_lse_units(const float lse)
{
    return SQA_IS_DEAD(lse) ? INFINITY : lse * M_LOG2E_F;
}
