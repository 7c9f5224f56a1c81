/* What elements go through, SQA_ACTIVATION: 0 nothing, 1 SiLU, 2 GELU by tanh, 3 GELU by erf,
 * 4 sigmoid, 5 ReLU, 6 the logarithm of the sigmoid. `vec` is a float, or a vector of LANES. */
#ifndef LANES
typedef float vec;
#define exp2_of(x) exp2(x)
#endif

#if SQA_ACTIVATION == 1 || SQA_ACTIVATION == 2 || SQA_ACTIVATION == 4 || SQA_ACTIVATION == 6
/* 1 / (1 + e^-x), by an exponential that does not overflow. */
INLINE vec sigmoid_of(const vec x)
{
    const vec e = exp2_of(fabs(x) * (vec)(-M_LOG2E_F));
    const vec larger = (vec)(1.0f) / ((vec)(1.0f) + e);
    return select(larger, e * larger, x < (vec)(0.0f));
}
#endif

#if SQA_ACTIVATION == 3
/* The normal distribution up to x. */
INLINE vec normal_below(const vec x)
{
    /* erfc(z) / 2 for z >= 0 by the polynomial 7.1.26 of Abramowitz and Stegun, within 1e-7. */
    const vec z = fabs(x) * (vec)(M_SQRT1_2_F);
    const vec t = (vec)(1.0f) / fma(z, (vec)(0.3275911f), (vec)(1.0f));
    vec p = fma(t, (vec)(0.5f * 1.061405429f), (vec)(0.5f * -1.453152027f));
    p = fma(p, t, (vec)(0.5f * 1.421413741f));
    p = fma(p, t, (vec)(0.5f * -0.284496736f));
    p = fma(p, t, (vec)(0.5f * 0.254829592f));
    const vec beyond = p * t * exp2_of(z * z * (vec)(-M_LOG2E_F));
    return select((vec)(1.0f) - beyond, beyond, x < (vec)(0.0f));
}
#endif

#if SQA_ACTIVATION == 2
/* (1 + tanh(u)) / 2 is the sigmoid of 2 u. */
INLINE vec gelu_sigmoid(const vec x)
{
    return sigmoid_of((vec)(2.0f * 0.7978845608f) * x * fma(x * x, (vec)(0.044715f), 1.0f));
}
#endif

INLINE vec activate(const vec x)
{
#if SQA_ACTIVATION == 1
    return x * sigmoid_of(x);
#elif SQA_ACTIVATION == 2
    return x * gelu_sigmoid(x);
#elif SQA_ACTIVATION == 3
    return x * normal_below(x);
#elif SQA_ACTIVATION == 4
    return sigmoid_of(x);
#elif SQA_ACTIVATION == 5
    return select(x, (vec)(0.0f), x < (vec)(0.0f)); /* NaN stays */
#elif SQA_ACTIVATION == 6
    return select(x, (vec)(0.0f), x > (vec)(0.0f)) - log1p(exp2_of(fabs(x) * (vec)(-M_LOG2E_F)));
#else
    return x;
#endif
}
