/* mma: matrix units by definition, through local memory, which is slow and runs anywhere: so that
 * the kernel can be tested, and with it where it thinks that a unit has its elements. Per unit, the
 * maps below say where its documents have them: element (i, k) of the left matrix, (k, j) of the
 * right one and (i, j) of the sum.
 *
 *   SUM_I, SUM_J(lane, e)      of the sum's element e of a lane
 *   LEFT_LANE, LEFT_WORD, LEFT_PART     who has (i, k), in which word and half of it
 *   RIGHT_LANE, RIGHT_WORD     who has (k, j); in part k % PER_WORD
 * `p` is which of two products e belongs to. */
#if SIMULATED
#if MATRIX_UNIT == UNIT_MMA /* PTX ISA, matrix fragments for mma.m16n8k16 and m16n8k8 */
#define PRODUCT_SUMS 4
#define SUM_I(lane, e) ((lane) / 4 + 8 * ((e) / 2))
#define SUM_J(lane, e) ((lane) % 4 * 2 + (e) % 2)
#define LEFT_LANE(lane, i, k) (4 * ((i) % 8) + (k) / PER_WORD % 4)
#define LEFT_WORD(p, i, k) (2 * ((k) / CHUNK) + (i) / 8)
#define LEFT_PART(i, k) ((k) % PER_WORD)
#define RIGHT_LANE(lane, j, k) (4 * (j) + (k) / PER_WORD % 4)
#define RIGHT_WORD(p, k) (FACTOR_WORDS + 2 * (p) + (k) / CHUNK)
#elif MATRIX_UNIT == UNIT_MFMA /* AMD matrix instruction calculator, v_mfma_f32_16x16x16f16 */
#define PRODUCT_SUMS 4
#define SUM_I(lane, e) (4 * ((lane) / 16) + (e))
#define SUM_J(lane, e) ((lane) % 16)
#define LEFT_LANE(lane, i, k) ((i) + 16 * ((k) / 4))
#define LEFT_WORD(p, i, k) (FACTOR_WORDS + (k) % 4 / 2)
#define LEFT_PART(i, k) ((k) % 2)
#define RIGHT_LANE(lane, j, k) ((j) + 16 * ((k) / 4))
#define RIGHT_WORD(p, k) ((k) % 4 / 2)
#elif MATRIX_UNIT == UNIT_WMMA /* same, v_wmma_f32_16x16x16_f16; each half brings all */
#define PRODUCT_SUMS 8
#define SUM_I(lane, e) (2 * (e) + (lane) / 16)
#define SUM_J(lane, e) ((lane) % 16)
#define LEFT_LANE(lane, i, k) ((i) + ((lane)&16))
#define LEFT_WORD(p, i, k) (FACTOR_WORDS + (k) / 2)
#define LEFT_PART(i, k) ((k) % 2)
#define RIGHT_LANE(lane, j, k) ((j) + ((lane)&16))
#define RIGHT_WORD(p, k) ((k) / 2)
#else /* cl_intel_subgroup_matrix_multiply_accumulate: columns over the sub-group */
#define PRODUCT_SUMS 8
#define SUM_I(lane, e) (e)
#define SUM_J(lane, e) (lane)
#define RIGHT_LANE(lane, j, k) (j)
#define RIGHT_WORD(p, k) ((k) / 2)
#if MATRIX_UNIT == UNIT_DPAS8
#define LEFT_LANE(lane, i, k) ((k) / 2)
#define LEFT_WORD(p, i, k) (FACTOR_WORDS + 8 * (p) + (i))
#define LEFT_PART(i, k) ((k) % 2)
#else
#define LEFT_LANE(lane, i, k) (k)
#define LEFT_WORD(p, i, k) (FACTOR_WORDS + 4 * (p) + (i) / 2)
#define LEFT_PART(i, k) ((i) % 2)
#endif
#endif

/* Words that every work-item shows the others of its wave. */
#define SHOWN (FACTOR_WORDS + TILE_WORDS)
typedef struct {
    __local uint *words;
    int thread;
} units;
#define UNITS_OF(thread)                                                                           \
    {                                                                                              \
        exchange, thread                                                                           \
    }
#define LANE_OF(own) ((own).thread % LANES)

#if PER_WORD == 1
#define UNIT_ELEMENT(word, part) as_float((word)&0xffffe000u) /* the rest is not looked at */
#else
#define UNIT_ELEMENT(word, part) element_of(word, part)

INLINE ushort to_bits(const float x)
{
#if SQA_DTYPE == 2
    return sqa_to_bf16(x);
#else
    ushort bits;
    vstore_half_rte(x, 0, (half *)&bits);
    return bits;
#endif
}

INLINE uint pack(const float low, const float high)
{
    return to_bits(low) | (uint)to_bits(high) << 16;
}
#endif

INLINE void multiply(const units own, float sum[HELD], const uint factor[FACTOR_WORDS],
                     const uint tile[TILE_WORDS])
{
    __local uint *words = own.words + SHOWN * own.thread;
    const int lane = LANE_OF(own);
    __local const uint *wave = words - SHOWN * lane;
    for (int w = 0; w < FACTOR_WORDS; w++)
        words[w] = factor[w];
    for (int w = 0; w < TILE_WORDS; w++)
        words[FACTOR_WORDS + w] = tile[w];
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int e = 0; e < HELD; e++) {
        const int p = e / PRODUCT_SUMS;
        const int i = SUM_I(lane, e % PRODUCT_SUMS), j = SUM_J(lane, e % PRODUCT_SUMS);
        for (int k = 0; k < INNER; k++) {
            const uint a = wave[SHOWN * LEFT_LANE(lane, i, k) + LEFT_WORD(p, i, k)];
            const uint b = wave[SHOWN * RIGHT_LANE(lane, j, k) + RIGHT_WORD(p, k)];
            sum[e] = fma(UNIT_ELEMENT(a, LEFT_PART(i, k)), UNIT_ELEMENT(b, k % PER_WORD), sum[e]);
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

INLINE uint of_mate(const units own, const uint value, const int other)
{
    const int lane = LANE_OF(own);
    __local uint *words = own.words + SHOWN * own.thread;
    words[0] = value;
    barrier(CLK_LOCAL_MEM_FENCE);
    const uint told = words[SHOWN * (MATE_LANE(lane, other) - lane)];
    barrier(CLK_LOCAL_MEM_FENCE);
    return told;
}

#if !TRANSPOSED
#define BEGIN_COPY(to, from, there) (*(to) = (there) ? *(__global const uint4 *)(from) : (uint4)(0))
#define END_COPIES
#define WAIT_FOR_COPIES

INLINE void read_rows(const int lane, uint words[4], __local const uint4 *tile, const int pitch,
                      const int row, const int chunk)
{
    for (int i = 0; i < 4; i++) {
        __local const uint4 *at = tile + (row + lane / 4 + 8 * (i / 2)) * pitch + chunk + i % 2;
        words[i] = ((__local const uint *)at)[lane % 4];
    }
}

#if PER_WORD == 2
INLINE void read_columns(const int lane, uint words[4], __local const uint4 *tile, const int pitch,
                         const int row, const int chunk)
{
    for (int i = 0; i < 4; i++) {
        __local const ushort *at =
            (__local const ushort *)(tile + (row + 2 * (lane % 4) + 8 * (i % 2)) * pitch + chunk +
                                     i / 2) +
            lane / 4;
        words[i] = at[0] | (uint)at[8 * pitch] << 16;
    }
}
#endif
#endif
#endif
