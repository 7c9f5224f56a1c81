/* decode: scores, lines of memory that are requested meanwhile. Either lanes are elements of a row
 * of K, or, where there are enough, rows (ROW_VECTORS of them at a time). */
/* Elements d .. d + LANES - 1 of a row of `width`; zeros past its end, where nothing is read. */
INLINE vec load_end(__global const sqa_kv_stored *row, const int d, const int width)
{
    float values[LANES] ALIGNED;
    for (int i = 0; i < LANES; i++)
        values[i] = d + i < width ? SQA_KV_LOAD(d + i, row) : 0.0f;
    return LOAD(values);
}

/* Requests for the key tile after, line by line: of K and of V in turn, as evenly as can be while
 * this one is multiplied. Few requests can be under way, and memory answers two streams faster than
 * one. */
#define LINE (64 / (int)sizeof(sqa_kv_stored))
#define K_LINES ((STORED(SQA_HEAD_DIM) + LINE - 1) / LINE) /* of a row */
#define V_LINES ((STORED(SQA_VALUE_DIM) + LINE - 1) / LINE)
#define LINES (K_LINES > V_LINES ? K_LINES : V_LINES)
#define K_POSITIONS ((SQA_HEAD_DIM + LINE - 1) / LINE) /* where lines are requested */
typedef struct {
    int row, last, line; /* the next, of the rows from those at hand on */
    __global const sqa_kv_stored *k, *v;
} requests;

INLINE void request_row(requests *restrict next, const decode_keys keys, const int row)
{
    next->row = min(row, next->last);
    next->line = 0;
    next->k = KEY_ROW(keys, next->row);
    next->v = VALUE_ROW(keys, next->row);
}

INLINE requests request_keys(const decode_keys keys)
{
    requests next;
    next.last = min(keys.count + keys.more, 2 * KEYS) - 1;
    request_row(&next, keys, KEYS);
    return next;
}

INLINE void request_line(requests *restrict next, const decode_keys keys)
{
#if AHEAD
    if (next->line < K_LINES)
        PREFETCH(next->k + next->line * LINE);
    if (next->line < V_LINES)
        PREFETCH(next->v + next->line * LINE);
    if (++next->line == LINES)
        request_row(next, keys, next->row + 1);
#endif
}

#if ROW_VECTORS
/* Rows in lanes: keys c .. of a pass against all rows. No sums are left to be made across lanes,
 * and elements of K that are not stored as float are converted once. A key past the last is the
 * last again. */
#define ROW_GROUPS (ROWS / (ROW_VECTORS * LANES))
#define REQUESTS_AT_A_LINE (PASS / 2 > ROW_GROUPS ? PASS / 2 / ROW_GROUPS : 1)

/* Of register tiles from `scores` on, the rows that are in a vector. */
INLINE void put_rows(const vec x, float *restrict scores)
{
    float rows[LANES] ALIGNED;
    STORE(x, rows);
#pragma unroll
    for (int i = 0; i < LANE_KEYS; i++)
        *(row_floats *)(scores + i * TILE_SCORES) = *(const row_floats *)(rows + i * MR);
}

INLINE void score_pass(const decode_rows *restrict rows, const int tiles, const decode_keys keys,
                       const int c, requests *restrict next, float *restrict scores)
{
#define ROW_OF_K(i) __global const sqa_kv_stored *k##i = KEY_ROW(keys, min(c + i, keys.count - 1));
    EACH_PASS(ROW_OF_K)
#if SQA_KV_DTYPE == 0
#define K_ELEMENT(i) k##i[d]
#else
    float k[PASS * DEPTH] ALIGNED;
#define K_ELEMENT(i) k[i * DEPTH + d]
#define CONVERT(i) STORE(SQA_KV_LOADN(LANES, d, k##i), k + i * DEPTH + d);
#define CONVERT_END(i) STORE(load_end(k##i, d, SQA_HEAD_DIM), k + i * DEPTH + d);
    for (int d = 0; d + LANES <= SQA_HEAD_DIM; d += LANES) {
        EACH_PASS(CONVERT)
    }
#if SQA_HEAD_DIM % LANES
    const int d = SQA_HEAD_DIM / LANES * LANES;
    EACH_PASS(CONVERT_END)
#endif
#undef CONVERT
#undef CONVERT_END
#endif
#define ZERO(i) vec s##i##0 = (vec)(0.0f), s##i##1 = (vec)(0.0f);
#define ADD_PRODUCT(i)                                                                             \
    const vec x##i = (vec)(K_ELEMENT(i));                                                          \
    s##i##0 = fma(q0, x##i, s##i##0);                                                              \
    if (ROW_VECTORS > 1)                                                                           \
        s##i##1 = fma(q1, x##i, s##i##1);
#define PUT(i)                                                                                     \
    put_rows(s##i##0, to + i * MR);                                                                \
    if (ROW_VECTORS > 1)                                                                           \
        put_rows(s##i##1, to + LANE_KEYS * TILE_SCORES + i * MR);
#pragma unroll 1
    for (int r = 0; r < tiles * MR; r += ROW_VECTORS * LANES) {
        EACH_PASS(ZERO)
        for (int first = 0; first < SQA_HEAD_DIM; first += LINE) {
            for (int i = 0; i < REQUESTS_AT_A_LINE; i++)
                request_line(next, keys);
#pragma unroll 4
            for (int d = first; d < min(first + LINE, SQA_HEAD_DIM); d++) {
                const vec q0 = LOAD(rows->q + d * ROWS + r);
                const vec q1 = ROW_VECTORS > 1 ? LOAD(rows->q + d * ROWS + r + LANES) : q0;
                EACH_PASS(ADD_PRODUCT)
            }
        }
        float *restrict to = scores + r / MR * TILE_SCORES + c * MR;
        EACH_PASS(PUT)
    }
#undef ROW_OF_K
#undef K_ELEMENT
#undef ZERO
#undef ADD_PRODUCT
#undef PUT
}

INLINE void score_keys(const decode_rows *restrict rows, const int tiles, const decode_keys keys,
                       requests *restrict next, float *restrict scores)
{
    for (int c = 0; c < keys.count; c += PASS)
        score_pass(rows, tiles, keys, c, next, scores);
}
/* Lines that are requested by then. */
#define REQUESTED (KEYS / PASS * ROW_GROUPS * REQUESTS_AT_A_LINE * K_POSITIONS)
#else
/* Neighbouring lanes of a, then those of b, added up; halves of a vector stay apart, so that it
 * takes no more than two shuffles. */
INLINE float8 add_pairs(const float8 a, const float8 b)
{
    return (float8)(a.s02, b.s02, a.s46, b.s46) + (float8)(a.s13, b.s13, a.s57, b.s57);
}

#if LANES == 16
#define EIGHT(x) ((x).lo + (x).hi)
#elif LANES == 8
#define EIGHT(x) (x)
#else
#define EIGHT(x) (float8)((x), (float4)(0.0f))
#endif

/* The sums of four vectors, one after the other. */
INLINE void put_sums(const vec a, const vec b, const vec c, const vec d, float *restrict to)
{
    const float8 sums = add_pairs(add_pairs(EIGHT(a), EIGHT(b)), add_pairs(EIGHT(c), EIGHT(d)));
    *(float4 *)to = sums.lo + sums.hi;
}

/* scores[key][row], products of a register tile with keys first .. first + WIDE - 1; past the last
 * key there are more of it. With `requesting`, half of the key tile after is requested meanwhile.
 */
#define REQUESTS_AT_A_LINE (WIDE > 2 ? WIDE / 2 : 1)
INLINE void score_tile(const bool requesting, const float *restrict q, const decode_keys keys,
                       const int first, requests *restrict next, float *restrict scores)
{
#define KEY(i) __global const sqa_kv_stored *k##i = KEY_ROW(keys, min(first + i, keys.count - 1));
#define ZERO(r, i) vec s##r##i = (vec)(0.0f);
#define QUERY(r) const vec q##r = LOAD(q + r * DEPTH + d);
#define WHOLE(i) const vec x##i = SQA_KV_LOADN(LANES, d, k##i);
#define END(i) const vec x##i = load_end(k##i, d, SQA_HEAD_DIM);
#define ADD_PRODUCT(r, i) s##r##i = fma(q##r, x##i, s##r##i);
    EACH_WIDE(KEY)
    EACH_TILE(ZERO)
    int d = 0;
#pragma unroll 4
    for (; d + LANES <= SQA_HEAD_DIM; d += LANES) {
        for (int i = 0; requesting && d % LINE == 0 && i < REQUESTS_AT_A_LINE; i++)
            request_line(next, keys);
        EACH_ROW(QUERY)
        EACH_WIDE(WHOLE)
        EACH_TILE(ADD_PRODUCT)
    }
#if SQA_HEAD_DIM % LANES
    EACH_ROW(QUERY)
    EACH_WIDE(END)
    EACH_TILE(ADD_PRODUCT)
#endif
#if MR == 1
#define PUT(i, j, k, l) put_sums(s0##i, s0##j, s0##k, s0##l, scores + i);
    PUT(0, 1, 2, 3)
#if WIDE == 8
    PUT(4, 5, 6, 7)
#endif
#elif MR == 2
#define PUT(i, j) put_sums(s0##i, s1##i, s0##j, s1##j, scores + 2 * i);
    PUT(0, 1)
#if WIDE >= 4
    PUT(2, 3)
#endif
#if WIDE >= 6
    PUT(4, 5)
#endif
#if WIDE == 8
    PUT(6, 7)
#endif
#elif MR == 4
#define PUT(i) put_sums(s0##i, s1##i, s2##i, s3##i, scores + 4 * i);
    EACH_WIDE(PUT)
#else
#define PUT(i)                                                                                     \
    put_sums(s0##i, s1##i, s2##i, s3##i, scores + 8 * i);                                          \
    put_sums(s4##i, s5##i, s6##i, s7##i, scores + 8 * i + 4);
    EACH_WIDE(PUT)
#endif
#undef PUT
#undef KEY
#undef ZERO
#undef QUERY
#undef WHOLE
#undef END
#undef ADD_PRODUCT
}

/* Those of all `tiles` of rows, scores[tile][key][row]: keys are few at a time, so that rows of K
 * and of Q stay near. */
INLINE void score_keys(const decode_rows *restrict rows, const int tiles, const decode_keys keys,
                       requests *restrict next, float *restrict scores)
{
    for (int c = 0; c < keys.count; c += WIDE) {
        score_tile(true, rows->q, keys, c, next, scores + c * MR);
        for (int t = 1; t < tiles; t++)
            score_tile(false, rows->q + t * MR * DEPTH, keys, c, next,
                       scores + t * TILE_SCORES + c * MR);
    }
}
/* Lines that are requested by then. */
#define REQUESTED (KEYS / WIDE * REQUESTS_AT_A_LINE * K_POSITIONS)
#endif
