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

/* 0, 1, ... LANES - 1. */
#define LANE_NUMBERS_4 0, 1, 2, 3
#define LANE_NUMBERS_8 LANE_NUMBERS_4, 4, 5, 6, 7
#define LANE_NUMBERS_16 LANE_NUMBERS_8, 8, 9, 10, 11, 12, 13, 14, 15
#define LANE_NUMBERS ((ivec)(SQA_JOIN(LANE_NUMBERS_, LANES)))

/* Comparisons with NaN are false, so that NaN passes the lower bound. */
#define AT_LEAST(x, low) select((x), (vec)(low), (vec)(low) > (x))
