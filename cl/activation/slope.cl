/* The derivative of an activation. */
INLINE vec slope_of(const vec x)
{
    const vec one = (vec)(1.0f);
#if SQA_ACTIVATION == 1
    const vec s = sigmoid_of(x);
    return fma(x * s, one - s, s);
#elif SQA_ACTIVATION == 2
    const vec s = gelu_sigmoid(x);
    const vec inner = (vec)(2.0f * 0.7978845608f) * fma(x * x, (vec)(3.0f * 0.044715f), one);
    return fma(x * s * (one - s), inner, s);
#elif SQA_ACTIVATION == 3
    const vec density = (vec)(0.3989422804f) * exp2_of(x * x * (vec)(-0.5f * M_LOG2E_F));
    return fma(x, density, normal_below(x));
#elif SQA_ACTIVATION == 4
    const vec s = sigmoid_of(x);
    return s * (one - s);
#elif SQA_ACTIVATION == 5
    return select((vec)(0.0f), one, x > (vec)(0.0f));
#elif SQA_ACTIVATION == 6
    return sigmoid_of(-x);
#else
    return one;
#endif
}
