/* rows, forward and backward: what units.cl and weight.cl have of one number, of a vector. */
/* 2^(x * power - headroom) as a function of x, power a power of two of 2^-23 to 2^24. Adding
 * 1.5 * 2^23 + 127 - headroom, in units of x, leaves the biased exponent in the low bits. The
 * polynomial is the minimax one of degree 5 on [-1/2, 1/2] with p(0) = 1. */
typedef struct {
    float power, headroom;
    float shift; /* what is added */
    float least; /* the x whose biased exponent is 0, that of zero */
    float p1, p2, p3, p4, p5;
} exponents;

INLINE exponents exponents_of(const float power, const float headroom)
{
    const float unit = 1.0f / power, square = power * power;
    const exponents e = {power,
                         headroom,
                         (12583039.0f - headroom) * unit,
                         (headroom - 127.0f) * unit,
                         6.931469776e-1f * power,
                         2.402224208e-1f * square,
                         5.550733744e-2f * power * square,
                         9.671512688e-3f * square * square,
                         1.326472725e-3f * square * square * power};
    return e;
}

/* That, for results of at most 2^127: at most 1.6e-7 off relatively, plus zero below 2^-126.5. The
 * last step is already that of the product, since NaN must not meet integers; where x counts in
 * a unit so `coarse` that f times a small power would be subnormal, it waits for both.
 * EXP = 1: the runtime's own exp2, where that is a good one. */
INLINE vec exp2_negative(const bool coarse, const exponents e, const vec x)
{
#if EXP == 1
    return exp2(fma(x, (vec)(e.power), (vec)(-e.headroom)));
#else
    const vec bounded = AT_LEAST(x, e.least);
    const vec shifted = bounded + (vec)(e.shift);
    const vec f = bounded - (shifted - (vec)(e.shift));
    vec p = fma(f, (vec)(e.p5), (vec)(e.p4));
    p = fma(p, f, (vec)(e.p3));
    p = fma(p, f, (vec)(e.p2));
    p = fma(p, f, (vec)(e.p1));
    const vec power = AS_VEC(AS_IVEC(shifted) << 23);
    return coarse ? fma(p, f, (vec)(1.0f)) * power : fma(p, f * power, power);
#endif
}

#if SQA_SOFTCAP
/* sqa_shape() of a vector: the cap times tanh(x), which is (1 - e) / (1 + e) with
 * e = exp(-2 |x|), and near zero, where that cancels and a large cap makes x too small, what
 * is capped times the even polynomial of Cephes' tanhf; within 2 units in the last place. */
INLINE vec shape(const sqa_shaping shaping, const vec product)
{
    const vec x = product * (shaping.factor * shaping.steepness);
    const vec distance = fabs(x);
    const vec e =
        exp2_negative(false, exponents_of(1.0f, 0.0f), distance * (vec)(-2.0f * M_LOG2E_F));
    const vec far = copysign((1.0f - e) / (1.0f + e) * shaping.cap, x);
    const vec z = x * x;
    vec p = fma(z, (vec)(-5.70498872745e-3f), (vec)(2.06390887954e-2f));
    p = fma(p, z, (vec)(-5.37397155531e-2f));
    p = fma(p, z, (vec)(1.33314422036e-1f));
    p = fma(p, z, (vec)(-3.33332819422e-1f));
    return select(far, fma(p * z, product, product) * shaping.factor, distance < (vec)(0.625f));
}
#endif
