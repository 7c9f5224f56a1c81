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

/* 0: f32, 1: f16, 2: bf16; the values of sqa_dtype. */
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
 * a vector, of 2 or 4. SQA_KV_LOAD, SQA_KV_LOADN and SQA_KV_STORE are those of K and V. n may be a
 * macro. */
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

#define SQA_STORED_0 float
#define SQA_LOAD_0(i, p) ((p)[i])
#define SQA_LOADN_0(n, i, p) vload##n(0, (p) + (i))
#define SQA_LOADN_ALIGNED_0(n, i, p) (*(__global const float##n *)((p) + (i)))
#define SQA_STORE_0(x, i, p) ((p)[i] = (x))
#define SQA_STOREN_ALIGNED_0(n, x, i, p) (*(__global float##n *)((p) + (i)) = (x))

#define SQA_STORED_1 half
#define SQA_LOAD_1(i, p) vload_half((i), (p))
#define SQA_LOADN_1(n, i, p) vload_half##n(0, (p) + (i))
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

typedef SQA_STORAGE(SQA_STORED_, SQA_DTYPE) sqa_stored;
typedef SQA_STORAGE(SQA_STORED_, SQA_KV_DTYPE) sqa_kv_stored;

#if SQA_DTYPE == 2 || (SQA_STORES_KV && SQA_KV_DTYPE == 2) ||                                      \
    (SQA_GRADIENT_BIAS && SQA_BIAS_DTYPE == 2)
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
