/* Dropout: which weights are dropped, by the definition in include/sqa_cl/pattern.h. It follows
 * from a pair's numbers and the seed alone, so that families, tiles and devices agree. */
#ifndef SQA_DROPOUT
#define SQA_DROPOUT 0
#endif

#if SQA_DROPOUT
/* Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): four
 * random numbers from a counter and a key. */
INLINE uint4 sqa_philox(uint4 counter, uint2 key)
{
    for (int round = 0; round < 10; round++) {
        const uint high0 = mul_hi(0xd2511f53u, counter.x), low0 = 0xd2511f53u * counter.x;
        const uint high1 = mul_hi(0xcd9e8d57u, counter.z), low1 = 0xcd9e8d57u * counter.z;
        counter = (uint4)(high1 ^ counter.y ^ key.x, low1, high0 ^ counter.w ^ key.y, low0);
        key += (uint2)(0x9e3779b9u, 0xbb67ae85u);
    }
    return counter;
}

/* What the weights of keys 4 q .. 4 q + 3 are multiplied by. */
INLINE float4 sqa_kept4(const uint2 seed, const uint below, const float factor, const uint batch,
                        const uint head, const uint query, const uint q)
{
    const uint4 numbers = sqa_philox((uint4)(q, query, head, batch), seed);
    return select((float4)(factor), (float4)(0.0f), numbers < (uint4)(below));
}

#define SQA_DROPOUT_SEED                                                                           \
    (uint2)(dropout_seed_buffer[dropout_seed_offset], dropout_seed_buffer[dropout_seed_offset + 1])
#define SQA_KEPT4(b, h, i, q)                                                                      \
    sqa_kept4(SQA_DROPOUT_SEED, (uint)dropout_below, dropout_factor, (uint)(b), (uint)(h),         \
              (uint)(i), (uint)(q))

INLINE float sqa_kept_of(const float4 kept, const int j)
{
    return j & 2 ? (j & 1 ? kept.w : kept.z) : (j & 1 ? kept.y : kept.x);
}
/* What the weight of key j for query i of output head h in batch b is multiplied by. */
#define SQA_KEPT(b, h, i, j) sqa_kept_of(SQA_KEPT4(b, h, i, (j) >> 2), (j))
#else
#define SQA_KEPT(b, h, i, j) 1.0f
#endif
