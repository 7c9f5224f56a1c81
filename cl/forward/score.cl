/* What is added to scores between Q K^T and the softmax, and what hides keys, in whatever unit
 * SQA_AS_SCORE() brings numbers to. */
#if SQA_SLOPES
#define SQA_SLOPE(h) SQA_AS_SCORE(slopes_buffer[slopes_offset + (h)])
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
#define SQA_SLOPE(h) SQA_AS_SCORE(sqa_geometric_slope((h), out_heads))
#endif

/* Bias and masks that are stored per key: -infinity hides the key, and no finite bias does. */
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
    units = SQA_AS_SCORE(SQA_BIAS_LOAD(key, row.bias));
#endif
    return seen ? units : -INFINITY;
}

/* Of four keys. */
INLINE float4 sqa_extra4(const sqa_extra_row row, const int key)
{
    float4 units = (float4)(0.0f);
#if SQA_BIAS
    units = SQA_AS_SCORE(SQA_BIAS_LOAD4(key, row.bias));
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
/* Points `row` at what query i of output head h in batch b has. */
#define SQA_SET_EXTRA_ROW(row, b, h, i)                                                            \
    SQA_SET_BIAS_ROW(row, b, h, i) SQA_SET_MASK_ROW(row, b, h, i) SQA_SET_KEY_MASK_ROW(row, b)

/* Where a family sums weights, and with them values, key by key, the sum of so many keys
 * at most is added to that of the keys before: one f32 sum over 200,000 keys loses more
 * than is promised. */
#define SQA_SUM_KEYS 2048

#if SQA_SINKS
#define SQA_SINK(h) (sinks_buffer[sinks_offset + (h)])
#else
#define SQA_SINK(h) -INFINITY
#endif
