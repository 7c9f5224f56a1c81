/* Dropout: which weights are dropped, by the definition in include/sqa_cl/pattern.h. It follows
 * from a pair's numbers and the seed alone, so that families, tiles and devices agree. */
#ifndef SQA_DROPOUT
#define SQA_DROPOUT 0
#endif

#if SQA_DROPOUT
/* What dropout goes by in a batch entry. */
typedef struct {
    uint2 seed;
    uint below;   /* smaller random numbers drop a weight */
    float factor; /* what other weights are multiplied by */
    uint batch;
} sqa_dropout;

INLINE sqa_dropout sqa_dropout_of(__global const uint *seed, const uint below, const float factor,
                                  const uint batch)
{
    const sqa_dropout dropout = {(uint2)(seed[0], seed[1]), below, factor, batch};
    return dropout;
}
#define SQA_DROPOUT_OF(b)                                                                          \
    sqa_dropout_of(dropout_seed_buffer + dropout_seed_offset, (uint)dropout_below, dropout_factor, \
                   (uint)(b))

/* Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): turns
 * the counter c0 .. c3, of `type` uint or a vector of them, into four random numbers. */
#define SQA_PHILOX(type, c0, c1, c2, c3, seed)                                                     \
    for (uint round = 0; round < 10; round++) {                                                    \
        const type high0 = mul_hi((type)(0xd2511f53u), c0), low0 = (type)(0xd2511f53u) * c0;       \
        const type high1 = mul_hi((type)(0xcd9e8d57u), c2), low1 = (type)(0xcd9e8d57u) * c2;       \
        c0 = high1 ^ c1 ^ (type)((seed).x + round * 0x9e3779b9u);                                  \
        c2 = high0 ^ c3 ^ (type)((seed).y + round * 0xbb67ae85u);                                  \
        c1 = low1;                                                                                 \
        c3 = low0;                                                                                 \
    }

/* What the weights of keys 4 q .. 4 q + 3 for a query of an output head are multiplied by. */
INLINE float4 sqa_kept4(const sqa_dropout dropout, const uint head, const uint query, const uint q)
{
    uint c0 = q, c1 = query, c2 = head, c3 = dropout.batch;
    SQA_PHILOX(uint, c0, c1, c2, c3, dropout.seed)
    return select((float4)(dropout.factor), (float4)(0.0f),
                  (uint4)(c0, c1, c2, c3) < (uint4)(dropout.below));
}

/* The weight of one key. */
INLINE float sqa_kept(const sqa_dropout dropout, const uint head, const uint query, const uint key)
{
    const float4 kept = sqa_kept4(dropout, head, query, key >> 2);
    return key & 2 ? (key & 1 ? kept.w : kept.z) : (key & 1 ? kept.y : kept.x);
}
#define SQA_KEPT(b, h, i, j) sqa_kept(SQA_DROPOUT_OF(b), (uint)(h), (uint)(i), (uint)(j))
#else
#define SQA_KEPT(b, h, i, j) 1.0f
#endif
