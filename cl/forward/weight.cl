/* From scores to weights, and what becomes of a row in the end. */
/* The score of a hidden key, its weight, and the maximum of a row that has seen none: no finite
 * score, no power of two, and no more than any finite score. Minus zero changes no sum; a weight
 * that is too small for an f32 is plus zero, and still meets a NaN in V. */
#define SQA_HIDDEN_SCORE (-INFINITY)
#define SQA_HIDDEN_WEIGHT (-0.0f)
#define SQA_HIDDEN_BITS INT_MIN
#define SQA_LOWEST_SCORE (-FLT_MAX)

/* How differences of scores become weights: each is made smaller by `headroom` powers of two, so
 * many that all of a row together weigh no more than 1/2, and no sum of values that they weigh
 * overflows. */
typedef struct {
    float power;    /* SQA_POWER */
    float headroom; /* a whole number */
    float lift;     /* 2^headroom */
} sqa_weighing;

INLINE sqa_weighing sqa_weighing_of(const float power, const int keys)
{
    const int headroom = 33 - clz(max(keys, 1) - 1);
    const sqa_weighing w = {power, headroom, as_float((127 + headroom) << 23)};
    return w;
}
#define SQA_WEIGHING sqa_weighing_of(SQA_POWER, kv_length)

/* A device's own 2^x, where it is as exact but for results that are no normal numbers. */
#ifndef SQA_EXP2
#define SQA_EXP2 exp2
#endif

/* The weight of a key by its score minus the maximum; NaN stays NaN. */
INLINE float sqa_weight(const sqa_weighing w, const float below)
{
    return SQA_EXP2(fma(below, w.power, -w.headroom));
}

/* What sums of weights are multiplied by when the maximum rises. */
INLINE float sqa_rescale(const sqa_weighing w, const float below)
{
    return SQA_EXP2(below * w.power);
}

/* What a row's output has to be multiplied by at the end, and its log-sum-exp (natural). */
typedef struct {
    float inverse, lse;
} sqa_row_end;

/* Of a row with this maximum and this sum of weights relative to it. A key that is seen and has
 * the maximum does not weigh zero, so a sum of zero tells that none is. A sink is one more weight
 * that no value belongs to, and may be too large for scores of a small power. */
INLINE sqa_row_end sqa_end_row(const sqa_weighing w, const float maximum, const float sum,
                               const float sink)
{
    sqa_row_end end = {0.0f, -INFINITY};
    if (sum == 0.0f)
        return end;
#if SQA_SINKS
    const float power = fmax(w.power, 2.0f);
    const float own = maximum * (w.power / power), other = sink * (M_LOG2E_F / power);
    const float top = other > own ? other : own;
    const float kept = exp2((own - top) * power);
    const float all = fma(sum * w.lift, kept, exp2((other - top) * power));
    end.inverse = kept / all * w.lift;
    end.lse = fma(top, power * M_LN2_F, log(all));
#else
    end.inverse = 1.0f / sum;
    end.lse = fma(maximum, w.power * M_LN2_F, log(sum * w.lift));
#endif
    return end;
}

/* An element of the output, from the sum of weighted values. Rounding does not make infinite what
 * the values were not. */
INLINE float sqa_output(const float sum, const float inverse)
{
    const float mean = sum * inverse;
    return fabs(mean) > FLT_MAX && fabs(sum) <= FLT_MAX ? copysign(FLT_MAX, mean) : mean;
}
