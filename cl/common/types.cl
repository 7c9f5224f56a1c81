/* Storage types: how an element is kept in memory. Arithmetic is always f32, and
 * f16 needs no cl_khr_fp16: vload_half and vstore_half are core OpenCL. */
#ifndef SQA_HEAD_DIM
#define SQA_HEAD_DIM 64
#endif
#ifndef SQA_VALUE_DIM
#define SQA_VALUE_DIM SQA_HEAD_DIM
#endif
#ifndef INLINE
#define INLINE static inline __attribute__((always_inline))
#endif

/* 0: f32, 1: f16, 2: bf16, of K and V also 3: int8, 4: int4; the values of sqa_dtype. */
#ifndef SQA_DTYPE
#define SQA_DTYPE 0
#endif

/* Of K and V, in operations where they may be stored in another way than Q and O. */
#ifndef SQA_KV_DTYPE
#define SQA_KV_DTYPE SQA_DTYPE
#endif

/* SQA_LOAD(i, p): element i of p. SQA_LOADN(n, i, p): elements i .. i + n - 1 as a
 * vector; SQA_LOADN_ALIGNED wants their address to be a multiple of their size.
 * SQA_STORE(x, i, p): rounds x to element i of p, ties to even; SQA_STOREN_ALIGNED(n, x, i, p)
 * a vector, of 2 or 4. SQA_KV_LOAD and so on are those of K and V. n may be a macro.
 * Of quantised types p is in bytes and the beginning of a row; i of SQA_KV_LOADN is a multiple of
 * n, which is at most 16. */
#define SQA_STORAGE_(what, dtype) what##dtype
#define SQA_STORAGE(what, dtype) SQA_STORAGE_(what, dtype)
#define SQA_LOAD(i, p) SQA_STORAGE(SQA_LOAD_, SQA_DTYPE)(i, p)
#define SQA_LOADN(n, i, p) SQA_STORAGE(SQA_LOADN_, SQA_DTYPE)(n, i, p)
#define SQA_LOADN_ALIGNED(n, i, p) SQA_STORAGE(SQA_LOADN_ALIGNED_, SQA_DTYPE)(n, i, p)
#define SQA_STORE(x, i, p) SQA_STORAGE(SQA_STORE_, SQA_DTYPE)(x, i, p)
#define SQA_STOREN_ALIGNED(n, x, i, p) SQA_STORAGE(SQA_STOREN_ALIGNED_, SQA_DTYPE)(n, x, i, p)
#define SQA_LOAD8(i, p) SQA_LOADN(8, i, p)
#define SQA_KV_LOAD(i, p) SQA_STORAGE(SQA_LOAD_, SQA_KV_DTYPE)(i, p)
#define SQA_KV_LOADN(n, i, p) SQA_STORAGE(SQA_LOADN_, SQA_KV_DTYPE)(n, i, p)
#define SQA_KV_STORE(x, i, p) SQA_STORAGE(SQA_STORE_, SQA_KV_DTYPE)(x, i, p)
#define SQA_KV_LOADN_ALIGNED(n, i, p) SQA_STORAGE(SQA_LOADN_ALIGNED_, SQA_KV_DTYPE)(n, i, p)

#define SQA_STORED_0 float
#define SQA_LOAD_0(i, p) ((p)[i])
#define SQA_LOADN_0(n, i, p) vload##n(0, (p) + (i))
#define SQA_LOADN_ALIGNED_0(n, i, p) (*(__global const float##n *)((p) + (i)))
#define SQA_STORE_0(x, i, p) ((p)[i] = (x))
#define SQA_STOREN_ALIGNED_0(n, x, i, p) (*(__global float##n *)((p) + (i)) = (x))

/* Some runtimes convert one f16 after the other where the processor has an instruction for eight.
 */
#if !defined(SQA_HALVES_8) && defined(__F16C__) && defined(__has_builtin)
#if __has_builtin(__builtin_ia32_vcvtph2ps) && __has_builtin(__builtin_ia32_vcvtph2ps256)
#define SQA_SHORTS(n, p) vload##n(0, (__global const short *)(p))
#define SQA_FOUR_HALVES(shorts) as_float4(__builtin_ia32_vcvtph2ps(shorts))
#define SQA_HALF_AT(p) SQA_FOUR_HALVES((short8)(*(__global const short *)(p))).s0
#define SQA_HALVES_2(p) vload_half2(0, (p))
#define SQA_HALVES_4(p) SQA_FOUR_HALVES((short8)(SQA_SHORTS(4, p), (short4)(0)))
#define SQA_HALVES_8(p) as_float8(__builtin_ia32_vcvtph2ps256(SQA_SHORTS(8, p)))
#define SQA_HALVES_16(p) (float16)(SQA_HALVES_8(p), SQA_HALVES_8((p) + 8))
#endif
#endif
#ifndef SQA_HALVES_8
#define SQA_HALF_AT(p) vload_half(0, (__global const half *)(p))
#define SQA_HALVES_2(p) vload_half2(0, (p))
#define SQA_HALVES_4(p) vload_half4(0, (p))
#define SQA_HALVES_8(p) vload_half8(0, (p))
#define SQA_HALVES_16(p) vload_half16(0, (p))
#endif

#define SQA_STORED_1 half
#define SQA_LOAD_1(i, p) SQA_HALF_AT((p) + (i))
#define SQA_LOADN_1(n, i, p) SQA_HALVES_##n((p) + (i))
#define SQA_LOADN_ALIGNED_1(n, i, p) vloada_half##n(0, (p) + (i))
#define SQA_STORE_1(x, i, p) vstore_half_rte((x), (i), (p))
#define SQA_STOREN_ALIGNED_1(n, x, i, p) vstorea_half##n##_rte((x), 0, (p) + (i))

#define SQA_STORED_2 ushort /* the upper half of an f32 */
#define SQA_WIDEN(n, bits) as_float##n(convert_uint##n(bits) << 16)
#define SQA_LOAD_2(i, p) as_float((uint)(p)[i] << 16)
#define SQA_LOADN_2(n, i, p) SQA_WIDEN(n, vload##n(0, (p) + (i)))
#define SQA_LOADN_ALIGNED_2(n, i, p) SQA_WIDEN(n, *(__global const ushort##n *)((p) + (i)))
#define SQA_STORE_2(x, i, p) ((p)[i] = sqa_to_bf16(x))
#define SQA_STOREN_ALIGNED_2(n, x, i, p)                                                           \
    (*(__global ushort##n *)((p) + (i)) = SQA_TO_BF16(n, as_uint##n(x)))

/* Groups of 32 elements: an f16 scale, then as many bytes; or scale, minimum and 16 bytes, in which
 * the later half of the elements has the upper bits. Even addresses are all that can be relied on.
 */
#define SQA_GROUP 32
#define SQA_EVEN(p) ((__global const ushort *)(p))
#define SQA_BYTES_4(p) as_uchar4(vload2(0, SQA_EVEN(p)))
#define SQA_BYTES_8(p) as_uchar8(vload4(0, SQA_EVEN(p)))
#define SQA_BYTES_16(p) as_uchar16(vload8(0, SQA_EVEN(p)))

#define SQA_STORED_3 uchar
#define SQA_GROUP_BYTES_3 34
#define SQA_GROUP_AT_3(i, p) ((p) + (i) / SQA_GROUP * 34)
#define SQA_NUMBER_3(i, p) (SQA_GROUP_AT_3(i, p) + 2 + (i) % SQA_GROUP)
#define SQA_LOAD_3(i, p) ((float)as_char(*SQA_NUMBER_3(i, p)) * SQA_HALF_AT(SQA_GROUP_AT_3(i, p)))
#define SQA_LOADN_3(n, i, p)                                                                       \
    (convert_float##n(as_char##n(SQA_BYTES_##n(SQA_NUMBER_3(i, p)))) *                             \
     (float##n)(SQA_HALF_AT(SQA_GROUP_AT_3(i, p))))

#define SQA_STORED_4 uchar
#define SQA_GROUP_BYTES_4 20
#define SQA_GROUP_AT_4(i, p) ((p) + (i) / SQA_GROUP * 20)
#define SQA_NUMBER_4(i, p) (SQA_GROUP_AT_4(i, p) + 4 + (i) % 16)
#define SQA_NIBBLE_4(i) ((i) % SQA_GROUP / 16 * 4)
#define SQA_LOAD_4(i, p)                                                                           \
    fma((float)(*SQA_NUMBER_4(i, p) >> SQA_NIBBLE_4(i) & 15), SQA_HALF_AT(SQA_GROUP_AT_4(i, p)),   \
        SQA_HALF_AT(SQA_GROUP_AT_4(i, p) + 2))
#define SQA_LOADN_4(n, i, p)                                                                       \
    fma(convert_float##n(SQA_BYTES_##n(SQA_NUMBER_4(i, p)) >> (uchar)SQA_NIBBLE_4(i) & (uchar)15), \
        (float##n)(SQA_HALF_AT(SQA_GROUP_AT_4(i, p))),                                             \
        (float##n)(SQA_HALF_AT(SQA_GROUP_AT_4(i, p) + 2)))

typedef SQA_STORAGE(SQA_STORED_, SQA_DTYPE) sqa_stored;
typedef SQA_STORAGE(SQA_STORED_, SQA_KV_DTYPE) sqa_kv_stored;

#if SQA_DTYPE == 2 || SQA_KV_DTYPE == 2 || (SQA_GRADIENT_BIAS && SQA_BIAS_DTYPE == 2)
/* Of the bits of an f32, or a vector of n; NaN stays NaN. */
#define SQA_TO_BF16(n, bits)                                                                       \
    convert_ushort##n(select((bits) + 0x7fffu + ((bits) >> 16 & 1u), (bits) | 0x400000u,           \
                             ((bits)&0x7fffffffu) > 0x7f800000u) >>                                \
                      16)
static inline ushort sqa_to_bf16(float x)
{
    const uint bits = as_uint(x);
    return SQA_TO_BF16(, bits);
}
#endif
