/* Dropout of a vector of a row: the definition's numbers, LANES / 4 counters at a time. */
#if SQA_DROPOUT
typedef SQA_JOIN(uint, LANES) uvec;
#if LANES == 4
typedef uint counters;
#define COUNTERS_FROM(q) (q)
#define NUMBERS_OF(a, b, c, d) ((uvec)(a, b, c, d))
#elif LANES == 8
typedef uint2 counters;
#define COUNTERS_FROM(q) ((counters)(q, (q) + 1))
#define NUMBERS_OF(a, b, c, d) ((uvec)(a.x, b.x, c.x, d.x, a.y, b.y, c.y, d.y))
#else
typedef uint4 counters;
#define COUNTERS_FROM(q) ((counters)(q, (q) + 1, (q) + 2, (q) + 3))
#define NUMBERS_OF(a, b, c, d)                                                                     \
    ((uvec)(a.x, b.x, c.x, d.x, a.y, b.y, c.y, d.y, a.z, b.z, c.z, d.z, a.w, b.w, c.w, d.w))
#endif

/* What columns j .. j + LANES - 1 of a row are multiplied by. */
INLINE vec kept_lanes(const sqa_dropout dropout, const uint row, const uint j)
{
    counters c0 = COUNTERS_FROM(j / 4), c1 = (counters)(row);
    counters c2 = (counters)(0), c3 = (counters)(dropout.batch);
    SQA_PHILOX(counters, c0, c1, c2, c3, dropout.seed)
    return select((vec)(dropout.factor), (vec)(0.0f),
                  NUMBERS_OF(c0, c1, c2, c3) < (uvec)(dropout.below));
}
#define KEPT(x, row, j) ((x)*kept_lanes(dropout, (uint)(row), (uint)(j)))
#else
#define KEPT(x, row, j) (x)
#endif
