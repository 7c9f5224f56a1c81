/* mma: matrix units by instructions, and what lanes of a wave tell each other.
 *
 *   multiply(own, sum, factor, tile)   adds a product
 *   of_mate(own, value, other)         what the lane's mate has whose number differs in these bits
 *   pack(low, high)                    both rounded, in a word; not of tf32 */
#if !SIMULATED
/* What there is between lanes needs no memory. */
typedef int units;
#define UNITS_OF(thread) (thread)
#define LANE_OF(own) ((own) % LANES)

#if MATRIX_UNIT == UNIT_MMA
#if PER_WORD == 1
#define PRODUCT "m16n8k8"
#else
#define PRODUCT "m16n8k16"
#endif
#define MULTIPLY(sum, factor, tile)                                                                \
    __asm__ volatile("mma.sync.aligned." PRODUCT ".row.col.f32." ELEMENTS "." ELEMENTS ".f32 "     \
                     "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"                       \
                     : "+f"((sum)[0]), "+f"((sum)[1]), "+f"((sum)[2]), "+f"((sum)[3])              \
                     : "r"((factor)[0]), "r"((factor)[1]), "r"((factor)[2]), "r"((factor)[3]),     \
                       "r"((tile)[0]), "r"((tile)[1]))

INLINE void multiply(const units own, float sum[HELD], const uint factor[FACTOR_WORDS],
                     const uint tile[TILE_WORDS])
{
    MULTIPLY(sum, factor, tile);
    MULTIPLY(sum + 4, factor, tile + 2);
}

/* Two right matrices side by side, whose columns are rows of the tile (keys of K), and whose
 * columns are columns of it (of V). The address of local memory is that within it. */
#define READ_MATRICES(transposed, words, from)                                                     \
    __asm__ volatile("ldmatrix.sync.aligned.m8n8.x4" transposed ".shared.b16 {%0,%1,%2,%3}, [%4];" \
                     : "=r"((words)[0]), "=r"((words)[1]), "=r"((words)[2]), "=r"((words)[3])      \
                     : "r"((uint)(size_t)(from))                                                   \
                     : "memory")

INLINE void read_rows(const int lane, uint words[4], __local const uint4 *tile, const int pitch,
                      const int row, const int chunk)
{
    READ_MATRICES("", words,
                  tile + (row + (lane & 7) + (lane >> 4) * 8) * pitch + chunk + (lane >> 3 & 1));
}

#if PER_WORD == 2
INLINE void read_columns(const int lane, uint words[4], __local const uint4 *tile, const int pitch,
                         const int row, const int chunk)
{
    READ_MATRICES(".trans", words, tile + (row + (lane & 15)) * pitch + chunk + (lane >> 4));
}
#endif

/* Copies 16 bytes to local memory, or zeros, past the first-level cache (PTX ISA, cp.async). A
 * work-item waits for its own. */
#define BEGIN_COPY(to, from, there)                                                                \
    __asm__ volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"                               \
                     :                                                                             \
                     : "r"((uint)(size_t)(to)), "l"(from), "r"((there) ? 16 : 0)                   \
                     : "memory")
#define END_COPIES __asm__ volatile("cp.async.commit_group;" ::: "memory")
#define WAIT_FOR_COPIES __asm__ volatile("cp.async.wait_group 0;" ::: "memory")

INLINE uint of_mate(const units own, const uint value, const int other)
{
    uint told;
    __asm__ volatile("shfl.sync.bfly.b32 %0, %1, %2, 31, -1;"
                     : "=r"(told)
                     : "r"(value), "r"(other));
    return told;
}

#if PER_WORD == 2
INLINE uint pack(const float low, const float high)
{
    uint word;
    __asm__("cvt.rn." ELEMENTS "x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
    return word;
}
#endif
#else
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
#if MATRIX_UNIT == UNIT_DPAS8
#define MAD_ARGUMENTS int8, int8, float8
#else
#define MAD_ARGUMENTS short8, int8, float8
#endif
#if MATRIX_UNIT == UNIT_DPAS8 || MATRIX_UNIT == UNIT_DPAS16
/* As the extension declares them; not all of its compilers do. */
float8 __attribute__((overloadable)) intel_sub_group_f16_f16_matrix_mad_k16(MAD_ARGUMENTS);
float8 __attribute__((overloadable)) intel_sub_group_bf16_bf16_matrix_mad_k16(MAD_ARGUMENTS);
#endif

INLINE uint pack(const float low, const float high)
{
#if SQA_DTYPE == 2
    return sqa_to_bf16(low) | (uint)sqa_to_bf16(high) << 16;
#else
    return as_uint((half2)((half)low, (half)high)); /* to the nearest, as conversions are */
#endif
}

INLINE void multiply(const units own, float sum[HELD], const uint factor[FACTOR_WORDS],
                     const uint tile[TILE_WORDS])
{
#if MATRIX_UNIT == UNIT_MFMA
    const uint2 left = vload2(0, tile), right = vload2(0, factor);
#if SQA_DTYPE == 2
    const float4 result = __builtin_amdgcn_mfma_f32_16x16x16bf16_1k(
        as_short4(left), as_short4(right), vload4(0, sum), 0, 0, 0);
#else
    const float4 result = __builtin_amdgcn_mfma_f32_16x16x16f16(as_half4(left), as_half4(right),
                                                                vload4(0, sum), 0, 0, 0);
#endif
    vstore4(result, 0, sum);
#elif MATRIX_UNIT == UNIT_WMMA
    const uint8 left = vload8(0, tile), right = vload8(0, factor);
#if SQA_DTYPE == 2
    const float8 result = __builtin_amdgcn_wmma_f32_16x16x16_bf16_w32(
        as_short16(left), as_short16(right), vload8(0, sum));
#else
    const float8 result = __builtin_amdgcn_wmma_f32_16x16x16_f16_w32(
        as_half16(left), as_half16(right), vload8(0, sum));
#endif
    vstore8(result, 0, sum);
#else
    const int8 right = as_int8(vload8(0, factor));
#pragma unroll EACH
    for (int p = 0; p < 2; p++) {
#if MATRIX_UNIT == UNIT_DPAS8
        const int8 left = as_int8(vload8(p, tile));
#else
        const short8 left = as_short8(vload4(p, tile));
#endif
#if SQA_DTYPE == 2
        vstore8(intel_sub_group_bf16_bf16_matrix_mad_k16(left, right, vload8(p, sum)), p, sum);
#else
        vstore8(intel_sub_group_f16_f16_matrix_mad_k16(left, right, vload8(p, sum)), p, sum);
#endif
    }
#endif
}

INLINE uint of_mate(const units own, const uint value, const int other)
{
#if MATRIX_UNIT == UNIT_MFMA
    return (uint)__builtin_amdgcn_ds_bpermute(4 * MATE_LANE(own % LANES, other), (int)value);
#elif MATRIX_UNIT == UNIT_WMMA /* from the same lane of the other half */
    return other
               ? __builtin_amdgcn_permlanex16(value, value, 0x76543210u, 0xfedcba98u, false, false)
               : value;
#else
    return value; /* there are no mates */
#endif
}
#endif
#endif
