/* rows, backward: one key tile against one query tile. Weights P and what flows back through
 * them, dS, lie as [query][key]. */

/* What is hidden is -0 there, which nothing else is: P is no less than +0, and dS has +0
 * added. */
#define HIDE(x, hidden) select((x) + (vec)(0.0f), (vec)(-0.0f), hidden)
#define IS_HIDDEN(x) (AS_IVEC(x) == (ivec)(1 << 31))

#define AT_MOST(x, high) select((x), (vec)(high), (vec)(high) < (x))

/* How products become weights. */
typedef struct {
    sqa_shaping shaping;
    exponents powers;
    float steep_factor;
} score_kind;

#if SQA_SOFTCAP
/* sqa_steepness() of a vector. */
INLINE vec steepness(const float factor, const vec product)
{
    const vec e = exp2_negative(false, exponents_of(1.0f, 0.0f), -fabs(product * factor));
    return 4.0f * e / ((1.0f + e) * (1.0f + e));
}
#endif

/* How many steps of a sum of products come before those that are taken UNROLL at a time. The
 * first is a product alone. */
#define UNEVEN(steps) (1 + ((steps)-1) % UNROLL)

/* [query][key] from rows[query][d] and columns[d][key], MC queries at a time; past the last
 * query, that one again.
 * `weighs`: P = exp(S - LSE) to `out`, S being the products with all that is done to scores.
 * Not `weighs`: dS = P (dP - delta), dP being the products.
 * `slopes`: dS/dS of the softcap. `extra`: what is added to scores, by query and key. `kept`:
 * what dropout multiplies weights by, likewise. */
INLINE void multiply(const bool weighs, const int dim, const row_pointer rows, const long row,
                     const float *restrict columns, const query_tile *restrict queries,
                     const int first_key, const float *restrict weights,
                     const float *restrict extra, const score_kind kind, float *restrict slopes,
                     const float *restrict kept, float *restrict out)
{
    const float most = SQA_MOST_POWER / kind.powers.power;
    for (int c = 0; c < queries->count; c += MC) {
#define QUERY(i) const row_pointer row##i = rows + min(c + i, queries->count - 1) * row;
        EACH_QUERY(QUERY)
#define OPERANDS                                                                                   \
    EACH_VECTOR(KEY)                                                                               \
    EACH_QUERY(BROADCAST)
#define KEY(r) const vec k##r = LOAD(columns + d * TILE_KEYS + r * LANES);
#define BROADCAST(i) const vec x##i = (vec)(row##i[d]);
#define PRODUCT(i, r) vec s##i##_##r = x##i * k##r;
#define ADD_PRODUCT(i, r) s##i##_##r = fma(x##i, k##r, s##i##_##r);
        int d = 0;
        OPERANDS
        EACH_QUERY_VECTOR(PRODUCT)
#pragma unroll UNROLL
        for (d = 1; d < UNEVEN(dim); d++) {
            OPERANDS
            EACH_QUERY_VECTOR(ADD_PRODUCT)
        }
#pragma unroll UNROLL
        for (d = UNEVEN(dim); d < dim; d++) {
            OPERANDS
            EACH_QUERY_VECTOR(ADD_PRODUCT)
        }
#define AT(i, r) ((c + i) * TILE_KEYS + r * LANES)
#if SQA_SOFTCAP
#define SHAPE(i, r)                                                                                \
    STORE(steepness(kind.steep_factor, s##i##_##r), slopes + AT(i, r));                            \
    s##i##_##r = shape(kind.shaping, s##i##_##r);
#define TIMES_SLOPE(i, r) *LOAD(slopes + AT(i, r))
#else
#if SQA_SHAPED
#define SHAPE(i, r) s##i##_##r *= kind.shaping.factor;
#else
#define SHAPE(i, r)
#endif
#define TIMES_SLOPE(i, r)
#endif
#if SQA_ALIBI
#define DISTANT(i, r)                                                                              \
    s##i##_##r = fma((vec)(-queries->slope),                                                       \
                     AS_FLOATS(abs((ivec)(queries->position + c + i - first_key - r * LANES) -     \
                                   LANE_NUMBERS)),                                                 \
                     s##i##_##r);
#else
#define DISTANT(i, r)
#endif
#if SQA_EXTRA
#define ADD_EXTRA(i, r) s##i##_##r += LOAD(extra + AT(i, r));
#else
#define ADD_EXTRA(i, r)
#endif
#define WEIGH(i, r)                                                                                \
    SHAPE(i, r)                                                                                    \
    DISTANT(i, r)                                                                                  \
    ADD_EXTRA(i, r)                                                                                \
    STORE(exp2_negative(SQA_SHAPED, kind.powers,                                                   \
                        AT_MOST(s##i##_##r - (vec)(queries->lse[c + i]), most)),                   \
          out + AT(i, r));
#if SQA_DROPOUT
#define TIMES_KEPT(i, r) *LOAD(kept + AT(i, r))
#else
#define TIMES_KEPT(i, r)
#endif
#define FLOW(i, r)                                                                                 \
    STORE(LOAD(weights + AT(i, r)) * (s##i##_##r TIMES_KEPT(i, r) - (vec)(queries->delta[c + i]))  \
              TIMES_SLOPE(i, r),                                                                   \
          out + AT(i, r));
        if (weighs) {
            EACH_QUERY_VECTOR(WEIGH)
        } else {
            EACH_QUERY_VECTOR(FLOW)
        }
    }
#undef QUERY
#undef OPERANDS
#undef KEY
#undef BROADCAST
#undef PRODUCT
#undef ADD_PRODUCT
}

/* sums[d][key] += rows[query][d] * scores[query][key], MC columns at a time; the tile for
 * itself first, since one sum over all queries loses more. Columns past the last repeat it. */
INLINE void add_columns(const bool last, const int d, const int dim, const int count,
                        const row_pointer rows, const long row, const float *restrict scores,
                        float *restrict sums)
{
#define OPERANDS                                                                                   \
    const row_pointer query = rows + c * row + d;                                                  \
    EACH_VECTOR(SCORE)                                                                             \
    EACH_COLUMN(BROADCAST)
#define SCORE(r) const vec p##r = LOAD(scores + c * TILE_KEYS + r * LANES);
#define BROADCAST(i) const vec x##i = (vec)(query[last ? min(i, dim - 1 - d) : i]);
#define PRODUCT(i, r) vec s##i##_##r = x##i * p##r;
#define ADD_PRODUCT(i, r) s##i##_##r = fma(x##i, p##r, s##i##_##r);
    int c = 0;
    OPERANDS
    EACH_COLUMN_VECTOR(PRODUCT)
    const int uneven = UNEVEN(count);
#pragma unroll UNROLL
    for (c = 1; c < uneven; c++) {
        OPERANDS
        EACH_COLUMN_VECTOR(ADD_PRODUCT)
    }
#pragma unroll UNROLL
    for (c = uneven; c < count; c++) {
        OPERANDS
        EACH_COLUMN_VECTOR(ADD_PRODUCT)
    }
#define FINISH(i, r)                                                                               \
    STORE(LOAD(sums + (d + i) * TILE_KEYS + r * LANES) + s##i##_##r,                               \
          sums + (d + i) * TILE_KEYS + r * LANES);
    EACH_COLUMN_VECTOR(FINISH)
#undef OPERANDS
#undef SCORE
#undef BROADCAST
#undef PRODUCT
#undef ADD_PRODUCT
#undef FINISH
}

/* The same, bit for bit, where rows may be NaN or infinite: what is hidden leaves the sums
 * alone. */
static void add_visible(const int dim, const int count, const row_pointer rows, const long row,
                        const float *restrict scores, float *restrict sums)
{
    for (int d = 0; d < dim; d++)
        for (int r = 0; r < TILE_KEYS; r += LANES) {
            vec sum = (vec)(0.0f);
            for (int c = 0; c < count; c++) {
                const vec p = LOAD(scores + c * TILE_KEYS + r);
                sum = select(fma((vec)(rows[c * row + d]), p, sum), sum, IS_HIDDEN(p));
            }
            STORE(LOAD(sums + d * TILE_KEYS + r) + sum, sums + d * TILE_KEYS + r);
        }
}

INLINE void add_rows(const bool hiding, const int dim, const int count, const row_pointer rows,
                     const long row, const float *restrict scores, float *restrict sums)
{
    if (hiding) {
        add_visible(dim, count, rows, row, scores, sums);
        return;
    }
    for (int d = 0; d < dim / MC * MC; d += MC)
        add_columns(false, d, dim, count, rows, row, scores, sums);
    if (dim % MC)
        add_columns(true, dim / MC * MC, dim, count, rows, row, scores, sums);
}

#if SQA_GRADIENT_Q
/* dQ[query][d] += dS[query][key] K[key][d] over the key tiles, MQ queries and NV vectors of d
 * at a time. */
INLINE void add_queries(const int first_tile, const int last_tile, const int count,
                        const float *restrict flows, const float *restrict keys,
                        __global float *restrict dq)
{
    for (int c = 0; c < count; c += MQ)
        for (int d = 0; d < SUM_COLUMNS; d += LANES * NV) {
#define ZERO(i, j) vec s##i##_##j = (vec)(0.0f);
#define KEY(j) const vec k##j = LOAD(key + j * LANES);
#define BROADCAST(i) const vec x##i = (vec)(flow[i * TILE_KEYS]);
#define ADD_PRODUCT(i, j) s##i##_##j = fma(x##i, k##j, s##i##_##j);
            EACH_SUM(ZERO)
            for (int t = first_tile; t <= last_tile; t++) {
                const float *restrict flow = flows + (t * QUERIES + c) * TILE_KEYS;
                const float *restrict key = keys + t * TILE_KEYS * SUM_COLUMNS + d;
#pragma unroll UNROLL
                for (int r = 0; r < TILE_KEYS; r++, flow++, key += SUM_COLUMNS) {
                    EACH_SUM_VECTOR(KEY)
                    EACH_SUM_QUERY(BROADCAST)
                    EACH_SUM(ADD_PRODUCT)
                }
            }
            __global float *restrict to = dq + c * SUM_COLUMNS + d;
#define FINISH(i, j)                                                                               \
    if (c + i < count)                                                                             \
        GLOBAL_STORE(GLOBAL_LOAD(to + i * SUM_COLUMNS + j * LANES) + s##i##_##j,                   \
                     to + i * SUM_COLUMNS + j * LANES);
            EACH_SUM(FINISH)
#undef ZERO
#undef KEY
#undef BROADCAST
#undef ADD_PRODUCT
#undef FINISH
        }
}

/* The same, bit for bit, where keys may be NaN or infinite. */
static void add_visible_queries(const int first_tile, const int last_tile, const int count,
                                const float *restrict flows, const float *restrict keys,
                                __global float *restrict dq)
{
    for (int c = 0; c < count; c++)
        for (int d = 0; d < SQA_HEAD_DIM; d++) {
            float sum = 0.0f;
            for (int key = first_tile * TILE_KEYS; key < (last_tile + 1) * TILE_KEYS; key++) {
                const float flow =
                    flows[(key / TILE_KEYS * QUERIES + c) * TILE_KEYS + key % TILE_KEYS];
                if (as_int(flow) != 1 << 31)
                    sum = fma(flow, keys[key * SUM_COLUMNS + d], sum);
            }
            dq[c * SUM_COLUMNS + d] += sum;
        }
}
#endif
