/* mma: what a warp of 32 work-items does together. By NVIDIA's instructions (PTX ISA, mma.sync,
 * ldmatrix, shfl.sync; from sm_80 on), or, with MATRIX_UNITS 0, by definition through local memory,
 * which is slow and runs anywhere: so that what surrounds them can be tested.
 *
 * A product is of 16 rows, 16 inner elements and 8 columns. Of lane 4 g + t, words of two elements
 * each, the lower one first: the left matrix has in words 0 to 3 rows g, g + 8, g, g + 8 at
 * 2 t, 2 t + 1, the latter two 8 further on; the right one in words 0 and 1 column g at 2 t,
 * 2 t + 1, and 8 further on; the sum in floats 0 to 3 row g at columns 2 t, 2 t + 1, then row
 * g + 8. So a sum, rounded, is a left matrix of the next product as it is. */
#ifndef BM
#define BM 64
#define BN 64
#endif
#ifndef MATRIX_UNITS
#define MATRIX_UNITS 0
#endif

#define THREADS (BM / 16 * 32)
#define K_PITCH (SQA_HEAD_DIM / 8 | 1)  /* chunks of 8 elements: odd, so that rows meet no bank */
#define V_PITCH (SQA_VALUE_DIM / 8 | 1) /* twice in a row of 8 */

#if SQA_DTYPE == 2
#define ELEMENTS "bf16"
#define EXPONENT 0x7f80u
#else
#define ELEMENTS "f16"
#define EXPONENT 0x7c00u
#endif

/* The lower element of a word, or the upper one. */
INLINE float element_of(const uint word, const int which)
{
    const ushort bits = (ushort)(word >> 16 * which);
#if SQA_DTYPE == 2
    return as_float((uint)bits << 16);
#else
    return vload_half(0, (const half *)&bits);
#endif
}

#if MATRIX_UNITS
/* What there is between lanes needs no memory. */
typedef int units;
#define UNITS_OF(thread) (thread)
#define EACH 128 /* times a loop is unrolled: to its end */

INLINE void multiply(const units own, float sum[4], const uint left[4], const uint right0,
                     const uint right1)
{
    __asm__ volatile("mma.sync.aligned.m16n8k16.row.col.f32." ELEMENTS "." ELEMENTS ".f32 "
                     "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                     : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
                     : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "r"(right0),
                       "r"(right1));
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

INLINE void read_columns(const int lane, uint words[4], __local const uint4 *tile, const int pitch,
                         const int row, const int chunk)
{
    READ_MATRICES(".trans", words, tile + (row + (lane & 15)) * pitch + chunk + (lane >> 4));
}

/* What the lane with `from` in place of its last two bits has. */
INLINE uint of_quad(const units own, const uint value, const int from)
{
    uint told;
    __asm__ volatile("shfl.sync.idx.b32 %0, %1, %2, 31, -1;"
                     : "=r"(told)
                     : "r"(value), "r"((own & 28) | from));
    return told;
}

INLINE uint pack(const float low, const float high)
{
    uint word;
    __asm__("cvt.rn." ELEMENTS "x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
    return word;
}
#else
/* Six words of every work-item. */
typedef struct {
    __local uint *words;
    int thread;
} units;
#define UNITS_OF(thread)                                                                           \
    {                                                                                              \
        exchange, thread                                                                           \
    }
#define EACH 1

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

INLINE void multiply(const units own, float sum[4], const uint left[4], const uint right0,
                     const uint right1)
{
    __local uint *words = own.words + 6 * own.thread;
    __local const uint *warp = own.words + 6 * (own.thread & ~31);
    const int g = own.thread / 4 % 8, t = own.thread % 4;
    for (int i = 0; i < 4; i++)
        words[i] = left[i];
    words[4] = right0;
    words[5] = right1;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int k = 0; k < 16; k++)
        for (int j = 0; j < 4; j++) {
            const uint a = warp[6 * (4 * g + k % 8 / 2) + 2 * (k / 8) + j / 2];
            const uint b = warp[6 * (4 * (2 * t + j % 2) + k % 8 / 2) + 4 + k / 8];
            sum[j] = fma(element_of(a, k % 2), element_of(b, k % 2), sum[j]);
        }
    barrier(CLK_LOCAL_MEM_FENCE);
}

INLINE void read_rows(const int lane, uint words[4], __local const uint4 *tile, const int pitch,
                      const int row, const int chunk)
{
    for (int i = 0; i < 4; i++) {
        __local const uint4 *at = tile + (row + lane / 4 + 8 * (i / 2)) * pitch + chunk + i % 2;
        words[i] = ((__local const uint *)at)[lane % 4];
    }
}

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

INLINE uint of_quad(const units own, const uint value, const int from)
{
    own.words[own.thread] = value;
    barrier(CLK_LOCAL_MEM_FENCE);
    const uint told = own.words[(own.thread & ~3) | from];
    barrier(CLK_LOCAL_MEM_FENCE);
    return told;
}
#endif

/* The largest, and the sum, of what a row's four lanes have. */
INLINE float largest_of_quad(const units own, const float value)
{
    float found = value;
#pragma unroll EACH
    for (int i = 0; i < 4; i++)
        found = fmax(as_float(of_quad(own, as_uint(value), i)), found);
    return found;
}

INLINE float sum_of_quad(const units own, const float value)
{
    float sum = 0.0f;
#pragma unroll EACH
    for (int i = 0; i < 4; i++)
        sum += as_float(of_quad(own, as_uint(value), i));
    return sum;
}
