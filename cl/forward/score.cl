/* What becomes of a score between Q K^T and the softmax, and of a row after it.
 * Scores are in units of log2 e, so that exp is exp2: the product of Q and K times
 * SQA_PRODUCT_FACTOR, capped by SQA_CAP with SQA_CAP_FACTOR, minus ALiBi's slope times the distance,
 * plus sqa_extra(). */
#if SQA_SOFTCAP
#define SQA_PRODUCT_FACTOR (scale / softcap)
#define SQA_CAP_FACTOR (softcap * M_LOG2E_F)
#define SQA_CAP(s, factor) (tanh(s) * (factor))
#else
#define SQA_PRODUCT_FACTOR (scale * M_LOG2E_F)
#define SQA_CAP_FACTOR 1.0f
#define SQA_CAP(s, factor) (s)
#endif

#if SQA_SLOPES
#define SQA_SLOPE(h) (slopes_buffer[slopes_offset + (h)] * M_LOG2E_F)
#elif SQA_ALIBI
/* The slopes of ALiBi (arXiv 2108.12409, section 3): 2^(-8 (h + 1) / n) for n heads,
 * n a power of two; the heads above such a number take every other slope of twice
 * as many. */
INLINE float sqa_geometric_slope(const int head, const int heads)
{
    int power = 1;
    while (power * 2 <= heads)
        power *= 2;
    return head < power ? exp2(-8.0f * (head + 1) / power)
                        : exp2(-4.0f * (2 * (head - power) + 1) / power);
}
#define SQA_SLOPE(h) (sqa_geometric_slope((h), out_heads) * M_LOG2E_F)
#endif

/* Bias and masks that are stored per key: -infinity hides the key. */
#define SQA_EXTRA (SQA_BIAS || SQA_PAIR_MASK || SQA_KEY_MASK)
#if SQA_EXTRA
typedef struct {
#if SQA_BIAS
    __global const sqa_bias_stored *bias;
#endif
#if SQA_PAIR_MASK
    __global const uchar *mask;
#endif
#if SQA_KEY_MASK
    __global const uchar *key_mask;
#endif
} sqa_extra_row;

/* A finite bias hides nothing, however low: it stays above what marks hidden keys. */
#define SQA_LOWEST_BIAS -1e38f
INLINE float sqa_bias_units(const float bias)
{
    const float units = bias * M_LOG2E_F;
    return bias == -INFINITY ? -INFINITY : units < SQA_LOWEST_BIAS ? SQA_LOWEST_BIAS : units;
}

INLINE float sqa_extra(const sqa_extra_row row, const int key)
{
    bool seen = true;
    float units = 0.0f;
#if SQA_KEY_MASK
    seen = seen && row.key_mask[key] != 0;
#endif
#if SQA_PAIR_MASK
    seen = seen && row.mask[key] != 0;
#endif
#if SQA_BIAS
    units = sqa_bias_units(SQA_BIAS_LOAD(key, row.bias));
#endif
    return seen ? units : -INFINITY;
}

/* Of four keys. */
INLINE float4 sqa_extra4(const sqa_extra_row row, const int key)
{
    float4 units = (float4)(0.0f);
#if SQA_BIAS
    const float4 bias = SQA_BIAS_LOAD4(key, row.bias);
    units = bias * (float4)(M_LOG2E_F);
    units = select(units, (float4)(SQA_LOWEST_BIAS), units < (float4)(SQA_LOWEST_BIAS));
    units = select(units, (float4)(-INFINITY), bias == (float4)(-INFINITY));
#endif
#if SQA_KEY_MASK
    units = select(units, (float4)(-INFINITY), convert_int4(vload4(0, row.key_mask + key)) == 0);
#endif
#if SQA_PAIR_MASK
    units = select(units, (float4)(-INFINITY), convert_int4(vload4(0, row.mask + key)) == 0);
#endif
    return units;
}
#endif

#if SQA_BIAS
#define SQA_SET_BIAS_ROW(row, b, h, i)                                                             \
    row.bias = bias_buffer + bias_offset + (b)*bias_batch + (h)*bias_head + (i)*bias_row;
#else
#define SQA_SET_BIAS_ROW(row, b, h, i)
#endif
#if SQA_PAIR_MASK
#define SQA_SET_MASK_ROW(row, b, h, i)                                                             \
    row.mask = mask_buffer + mask_offset + (b)*mask_batch + (h)*mask_head + (i)*mask_row;
#else
#define SQA_SET_MASK_ROW(row, b, h, i)
#endif
#if SQA_KEY_MASK
#define SQA_SET_KEY_MASK_ROW(row, b)                                                               \
    row.key_mask = key_mask_buffer + key_mask_offset + (b) * (long)SQA_KEYS_LONGEST;
#else
#define SQA_SET_KEY_MASK_ROW(row, b)
#endif
#if SQA_RAGGED
#define SQA_KEYS_LONGEST kv_longest
#else
#define SQA_KEYS_LONGEST kv_length
#endif
/* Points `row` at what query i of output head h in batch b has. */
#define SQA_SET_EXTRA_ROW(row, b, h, i)                                                            \
    SQA_SET_BIAS_ROW(row, b, h, i) SQA_SET_MASK_ROW(row, b, h, i) SQA_SET_KEY_MASK_ROW(row, b)

/* A score that nothing but a hidden key has: a finite bias ends above it, and what
 * overflows is infinite. */
#define SQA_HIDDEN_SCORE (-FLT_MAX)

/* Where a family sums weights, and with them values, key by key, the sum of so many keys
 * at most is added to that of the keys before: one f32 sum over 200,000 keys loses more
 * than is promised. */
#define SQA_SUM_KEYS 2048

/* 2^x for x <= 0; NaN stays NaN and nothing becomes zero, which marks hidden keys. */
INLINE float sqa_weight(const float x)
{
    return exp2(x < -125.0f ? -125.0f : x);
}

/* What a row's output has to be multiplied by at the end, and its log-sum-exp (natural). */
typedef struct {
    float inverse, lse;
} sqa_row_end;

#if SQA_SINKS
#define SQA_SINK(h) (sinks_buffer[sinks_offset + (h)] * M_LOG2E_F)
#else
#define SQA_SINK(h) -INFINITY
#endif

/* Of a row with this maximum and this sum of weights relative to it. The weight of a
 * key that is seen is never zero, so a sum of zero tells that none was. A sink is
 * one more weight that no value belongs to. */
INLINE sqa_row_end sqa_end_row(const float maximum, const float sum, const float sink)
{
    sqa_row_end end = {0.0f, -INFINITY};
    if (sum == 0.0f)
        return end;
#if SQA_SINKS
    const float top = sink > maximum ? sink : maximum;
    const float kept = exp2(maximum - top);
    const float all = fma(sum, kept, exp2(sink - top));
    end.inverse = kept / all;
    end.lse = (top + log2(all)) * M_LN2_F;
#else
    end.inverse = 1.0f / sum;
    end.lse = (maximum + log2(sum)) * M_LN2_F;
#endif
    return end;
}
