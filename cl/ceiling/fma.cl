/* The multiply-add ceiling: nothing but independent chains of fma in registers.
 *
 * WIDTH lanes per vector and CHAINS accumulators per work-item: enough chains
 * hide the latency of the unit, too many spill. Which is best depends on the
 * device, so the caller builds a few and keeps the fastest. Multiplicand and
 * addend are arguments and every chain starts elsewhere, so that no compiler can
 * fold, merge or drop one. */
#ifndef WIDTH
#define WIDTH 8
#endif
#ifndef CHAINS
#define CHAINS 10 /* 4, 8, 10, 12 or 16 */
#endif
#ifndef FMA_KERNEL
#define FMA_KERNEL fma_ceiling
#endif

#ifndef FMA_MACROS
#define FMA_MACROS
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

#define EACH_4(M) M(0) M(1) M(2) M(3)
#define EACH_8(M) EACH_4(M) M(4) M(5) M(6) M(7)
#define EACH_10(M) EACH_8(M) M(8) M(9)
#define EACH_12(M) EACH_10(M) M(10) M(11)
#define EACH_16(M) EACH_12(M) M(12) M(13) M(14) M(15)
#define EACH(M) JOIN(EACH_, CHAINS)(M)

#define float1 float
#define SUM_1(v) (v)
#define SUM_2(v) ((v).x + (v).y)
#define SUM_4(v) (SUM_2((v).lo) + SUM_2((v).hi))
#define SUM_8(v) (SUM_4((v).lo) + SUM_4((v).hi))
#define SUM_16(v) (SUM_8((v).lo) + SUM_8((v).hi))

#define DECLARE(i) VECTOR x##i = (VECTOR)(start + (float)(i));
#define STEP(i) x##i = fma(x##i, m, b);
#define COLLECT(i) sum += x##i;
#endif

#define VECTOR JOIN(float, WIDTH)

/* 2 * WIDTH * CHAINS * 4 * rounds floating-point operations per work-item. */
__kernel void FMA_KERNEL(__global float *out, int rounds, float multiplicand, float addend)
{
    const VECTOR m = (VECTOR)(multiplicand);
    const VECTOR b = (VECTOR)(addend);
    const float start = (float)get_local_id(0);
    EACH(DECLARE)
    for (int round = 0; round < rounds; round++) {
        EACH(STEP)
        EACH(STEP)
        EACH(STEP)
        EACH(STEP)
    }
    VECTOR sum = (VECTOR)(0.0f);
    EACH(COLLECT)
    out[get_global_id(0)] = JOIN(SUM_, WIDTH)(sum);
}

#undef VECTOR
