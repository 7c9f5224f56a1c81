/* Vectors of LANES floats, for families that compute in them. */
#ifndef LANES
#define LANES 8
#endif

#define SQA_JOIN_(a, b) a##b
#define SQA_JOIN(a, b) SQA_JOIN_(a, b)
typedef SQA_JOIN(float, LANES) vec;
typedef SQA_JOIN(int, LANES) ivec;
#define AS_VEC SQA_JOIN(as_float, LANES)
#define AS_IVEC SQA_JOIN(as_int, LANES)
#define AS_FLOATS SQA_JOIN(convert_float, LANES)
/* Of private arrays, which are aligned: vload and vstore, which must not rely on that,
 * become two halves on some runtimes, and a load right after waits for both. */
#define LOAD(p) (*(const vec *)(p))
#define LOAD_INTS(p) (*(const ivec *)(p))
#define STORE(v, p) (*(vec *)(p) = (v))
#define ALIGNED __attribute__((aligned(64)))
#define GLOBAL_LOAD(p) SQA_JOIN(vload, LANES)(0, (p))
#define GLOBAL_STORE(v, p) SQA_JOIN(vstore, LANES)((v), 0, (p))

/* Asks for a line of the first-level cache ahead, or of the second-level one (FAR), where the
 * compiler can. */
#if !defined(PREFETCH) && defined(__has_builtin)
#if __has_builtin(__builtin_prefetch)
#define PREFETCH(p) __builtin_prefetch((const void *)(size_t)(p))
#define PREFETCH_FAR(p) __builtin_prefetch((const void *)(size_t)(p), 0, 2)
#endif
#endif
#ifndef PREFETCH
#define PREFETCH(p)
#endif
#ifndef PREFETCH_FAR
#define PREFETCH_FAR(p)
#endif

/* 0, 1, ... LANES - 1. */
#define LANE_NUMBERS_4 0, 1, 2, 3
#define LANE_NUMBERS_8 LANE_NUMBERS_4, 4, 5, 6, 7
#define LANE_NUMBERS_16 LANE_NUMBERS_8, 8, 9, 10, 11, 12, 13, 14, 15
#define LANE_NUMBERS ((ivec)(SQA_JOIN(LANE_NUMBERS_, LANES)))

/* Comparisons with NaN are false, so that NaN passes the lower bound. */
#define AT_LEAST(x, low) select((x), (vec)(low), (vec)(low) > (x))

/* 2^x for x < 128: at most 1.6e-7 off relatively, 0 below -126.5.
 * Adding 1.5 * 2^23 + 127 leaves the biased exponent in the low bits, which is 0, and with it
 * the power, for the lower bound; the polynomial is the minimax one of degree 5 on [-1/2, 1/2]
 * with p(0) = 1. Its last step is already that of the product, since NaN must not meet
 * integers. */
INLINE vec exp2_of(vec x)
{
    const float shift = 12583039.0f;
    const vec bounded = AT_LEAST(x, -127.0f);
    const vec shifted = bounded + (vec)(shift);
    const vec f = bounded - (shifted - (vec)(shift));
    vec p = fma(f, (vec)(1.326472725e-3f), (vec)(9.671512688e-3f));
    p = fma(p, f, (vec)(5.550733744e-2f));
    p = fma(p, f, (vec)(2.402224208e-1f));
    p = fma(p, f, (vec)(6.931469776e-1f));
    const vec power = AS_VEC(AS_IVEC(shifted) << 23);
    return fma(p, f * power, power);
}
