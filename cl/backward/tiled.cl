/* tiled, of a backward pass: for GPUs. Work-groups share tiles of Q, dO, K and V through local
 * memory, and compute every weight again from LSE (FlashAttention-2, arXiv 2307.08691,
 * algorithm 2). No sum has two owners:
 *
 *   keys     a work-group has BN keys at a time and walks the queries that see them: dK, dV
 *   queries  a work-group has BM queries and walks the keys that they see: dQ
 *
 * With SPLIT, `keys` adds up dQ as well, five products instead of seven, in a copy of its own:
 * SPLIT work-groups divide a head's keys.
 *
 * A thread has the pairs (y + TY i, x + TX j) of a tile, and of a sum the rows y + TY i and the
 * vectors x + TX j of columns. Sums over more than SQA_SUM_KEYS rows are taken in parts. */
/* The first `count` of `rows` rows, times `factor`, to local memory; zeros for those after them. */
INLINE void load_tile(__local vec *to, const int pitch, const int vecs, const matrix from,
                      const int rows, const int count, const int width, const float factor,
                      const int thread)
{
    for (int i = thread; i < rows * vecs; i += THREADS) {
        const int row = i / vecs, d = i % vecs;
        to[row * pitch + d] =
            row < count ? row_vec(from.first + row * from.row, from.aligned, d, width) * factor
                        : (vec)(0.0f);
    }
}

/* Products of a thread's rows of one tile with those of another. */
INLINE void multiply(float product[TM][TN], __local const vec *rows, __local const vec *keys,
                     const int pitch, const int vecs)
{
#pragma unroll
    for (int i = 0; i < TM; i++)
#pragma unroll
        for (int j = 0; j < TN; j++)
            product[i][j] = 0.0f;
#pragma unroll 2
    for (int d = 0; d < vecs; d++) {
        vec key[TN];
#pragma unroll
        for (int j = 0; j < TN; j++)
            key[j] = keys[TX * j * pitch + d];
#pragma unroll
        for (int i = 0; i < TM; i++) {
            const vec row = rows[TY * i * pitch + d];
#pragma unroll
            for (int j = 0; j < TN; j++)
                product[i][j] = multiply_add(row, key[j], product[i][j]);
        }
    }
}

/* What a thread knows of its queries in a tile. */
typedef struct {
    int start[TM], end[TM]; /* keys each sees by position; none of a row that is none */
#if SQA_GLOBALS
    int limit[TM];
#endif
    float lse[TM], delta[TM];
#if SQA_ALIBI
    int position[TM];
#endif
#if SQA_DROPOUT
    int number[TM];
#endif
#if SQA_EXTRA
    sqa_extra_row extra[TM];
#endif
} thread_queries;

/* Of query `first + y + TY i`, one of `count`. */
#if SQA_GLOBALS
#define SET_LIMIT(queries, i, query, seen) queries.limit[i] = (seen) ? SQA_LIMIT(query) : 0;
#else
#define SET_LIMIT(queries, i, query, seen)
#endif
#if SQA_ALIBI
#define SET_POSITION(queries, i, query) queries.position[i] = SQA_POSITION(query);
#else
#define SET_POSITION(queries, i, query)
#endif
#if SQA_DROPOUT
#define SET_NUMBER(queries, i, query) queries.number[i] = (query);
#else
#define SET_NUMBER(queries, i, query)
#endif
#if SQA_EXTRA
#define SET_EXTRA(queries, i, batch, head, query)                                                  \
    SQA_SET_EXTRA_ROW(queries.extra[i], batch, head, (long)(query))
#else
#define SET_EXTRA(queries, i, batch, head, query)
#endif
#define SET_QUERIES(queries, batch, head, first, count)                                            \
    for (int i = 0; i < TM; i++) {                                                                 \
                                                                                                   \
        const int set_query = (first) + min(y + TY * i, (count)-1);                                \
        const float set_lse = SQA_LSE_ROW(batch, head)[set_query];                                 \
        const bool set_seen = y + TY * i < (count) && !SQA_IS_DEAD(set_lse);                       \
        queries.start[i] = set_seen ? SQA_START(set_query) : 0;                                    \
        queries.end[i] = set_seen ? SQA_END(set_query) : 0;                                        \
        queries.lse[i] = SQA_LSE_AS_SCORE(set_lse);                                                \
        queries.delta[i] = SQA_DELTA_ROW(batch, head)[set_query];                                  \
        SET_LIMIT(queries, i, set_query, set_seen)                                                 \
        SET_POSITION(queries, i, set_query)                                                        \
        SET_NUMBER(queries, i, set_query)                                                          \
        SET_EXTRA(queries, i, batch, head, set_query)                                              \
    }

/* Whether a query sees key j of the thread. `shown` as in sqa_walk; `token`: the key is a
 * global one, for those who walk queries. */
INLINE bool sees(const thread_queries *queries, const int i, const int key, const int shown,
                 const bool token)
{
    const bool near = key >= queries->start[i] && key < queries->end[i];
#if SQA_GLOBALS
    return (near != (shown != 0) || (token && shown == 0)) && key < queries->limit[i];
#else
    return near;
#endif
}

/* How products become weights. Tiles of Q and K come times flow_factor each, so that their sums
 * keep their range; `factor` takes it from their products. */
typedef struct {
    sqa_shaping shaping;
    float factor, power, steep_factor, slope;
#if SQA_DROPOUT
    sqa_dropout dropout;
    uint head;
#endif
} score_kind;

/* What flows back through P, of the thread's pairs, to their tile; and P where `weighs`. Keys
 * before `end_key` only. */
INLINE void pair_up(const bool weighs, float product[TM][TN], float flow[TM][TN],
                    const thread_queries *queries, const score_kind kind, const int first_key,
                    const int end_key, const int shown, const bool token[TN],
                    __local float *weights, __local float *flows)
{
#pragma unroll
    for (int i = 0; i < TM; i++)
#pragma unroll
        for (int j = 0; j < TN; j++) {
            const int key = first_key + TX * j;
            const int at = TY * i * TILE_PITCH + TX * j;
            float p = HIDDEN_PAIR, ds = HIDDEN_PAIR;
            if (key < end_key && sees(queries, i, key, shown, token[j])) {
                const float scaled = product[i][j] * kind.factor;
                float score = sqa_shape(kind.shaping, scaled);
#if SQA_ALIBI
                score = fma(-kind.slope, (float)abs(queries->position[i] - key), score);
#endif
#if SQA_EXTRA
                const float extra = sqa_extra(queries->extra[i], key);
                score += extra;
                if (extra != -INFINITY)
#endif
                {
                    p = sqa_probability(kind.power, score - queries->lse[i]);
                    float dp = flow[i][j];
#if SQA_DROPOUT
                    const float kept =
                        sqa_kept(kind.dropout, kind.head, (uint)queries->number[i], (uint)key);
                    dp *= kept;
#else
                    const float kept = 1.0f;
#endif
                    /* Plus 0: it must not look hidden. */
                    ds = p * (dp - queries->delta[i]) * sqa_steepness(kind.steep_factor, scaled) +
                         0.0f;
                    p *= kept;
                }
            }
            if (weighs)
                weights[at] = p;
            flows[at] = ds;
        }
}

/* Adds to the sums of `rows` rows, `apart` of each other in a tile of pairs, and of `columns`
 * vectors: over `count` steps, the pair of the step and the row times the step's vectors. */
INLINE void add_products(vec *sums, const int rows, const int columns, const int count,
                         __local const float *pairs, const int apart, const int step_apart,
                         __local const vec *values, const int pitch, const int vecs, const int x)
{
    for (int step = 0; step < count; step++) {
        vec value[MOST_COLUMNS];
#pragma unroll
        for (int j = 0; j < columns; j++)
            value[j] = values[step * pitch + min(x + TX * j, vecs - 1)];
#pragma unroll
        for (int i = 0; i < rows; i++) {
            const float pair = pairs[step * step_apart + i * apart];
            if (!IS_HIDDEN(pair))
#pragma unroll
                for (int j = 0; j < columns; j++)
                    sums[i * columns + j] = fma((vec)(pair), value[j], sums[i * columns + j]);
        }
    }
}

/* Moves a thread's sums to the totals, which are needed too rarely for registers. */
INLINE void add_totals(volatile vec *totals, vec *sums, const int count)
{
#pragma unroll
    for (int i = 0; i < count; i++) {
        totals[i] += sums[i];
        sums[i] = (vec)(0.0f);
    }
}

/* A row's columns that the thread has, times `factor`, to its gradient. */
INLINE void store_row(__global sqa_stored *to, const volatile vec *totals, const int columns,
                      const int width, const float factor, const int x)
{
    const bool aligned = width % VEC == 0 && (size_t)to % (VEC * sizeof *to) == 0;
#pragma unroll
    for (int j = 0; j < columns; j++) {
        const int d = VEC * (x + TX * j);
        const vec values = totals[j] * factor;
        if (aligned && d < width)
            SQA_PUT_VEC_ALIGNED(values, d, to);
#define STORE_LANE(n)                                                                              \
    if (!aligned && d + n < width)                                                                 \
        SQA_PUT(LANE(values, n), d + n, to);
        EACH_LANE(STORE_LANE)
#undef STORE_LANE
    }
}

#define TILE_FACTOR (query_factor / flow_factor / flow_factor)
#if SQA_DROPOUT
#define SCORE_KIND(batch, head)                                                                    \
    {                                                                                              \
        SQA_SHAPING, TILE_FACTOR, SQA_POWER, SQA_STEEP_FACTOR, SCORE_SLOPE(head),                  \
            SQA_DROPOUT_OF(batch), (uint)(head)                                                    \
    }
#else
#define SCORE_KIND(batch, head)                                                                    \
    {                                                                                              \
        SQA_SHAPING, TILE_FACTOR, SQA_POWER, SQA_STEEP_FACTOR, SCORE_SLOPE(head)                   \
    }
#endif
#if SQA_ALIBI
#define SCORE_SLOPE(head) SQA_SLOPE(head)
#else
#define SCORE_SLOPE(head) 0.0f
#endif

#if SQA_GRADIENT_K || SQA_GRADIENT_V || SUMS_QUERIES
/* Key tiles of a matrix: none has keys of two blocks. */
#if SQA_BLOCKS
#define TILES_PER_BLOCK ((key_block + BN - 1) / BN)
#define FIRST_KEY(id) ((id) / TILES_PER_BLOCK * key_block + (id) % TILES_PER_BLOCK * BN)
#define END_KEY(id)                                                                                \
    min(min(FIRST_KEY(id) + BN, ((id) / TILES_PER_BLOCK + 1) * key_block), kv_length)
#define KEY_TILES ((kv_length + key_block - 1) / key_block * TILES_PER_BLOCK)
#else
#define FIRST_KEY(id) ((id)*BN)
#define END_KEY(id) min(FIRST_KEY(id) + BN, kv_length)
#define KEY_TILES ((kv_length + BN - 1) / BN)
#endif

/* How many tiles of up to `size` queries the walk takes; as walk_tiles(). */
INLINE int query_tiles(sqa_queries walk, const int size)
{
    int tiles = 0;
    while (sqa_queries_next(&walk))
        tiles += (walk.end - walk.begin + size - 1) / size;
    return tiles;
}

#if SUMS_QUERIES
/* Adds what the queries of a tile get from its keys to the sums of its first query. */
INLINE void add_to_sums(__global float *sums, const int count, const int keys,
                        __local const float *flows, __local const vec *k_tile, const int x,
                        const int y)
{
    vec dq[TM * TH];
#pragma unroll
    for (int i = 0; i < TM * TH; i++)
        dq[i] = (vec)(0.0f);
    add_products(dq, TM, TH, keys, flows + y * TILE_PITCH, TY * TILE_PITCH, 1, k_tile, HEAD_PITCH,
                 HEAD_VECS, x);
#pragma unroll
    for (int i = 0; i < TM; i++)
#pragma unroll
        for (int j = 0; j < TH; j++)
            if (y + TY * i < count && x + TX * j < HEAD_VECS) {
                __global vec *sum = (__global vec *)(sums + (y + TY * i) * SUM_COLUMNS);
                sum[x + TX * j] += dq[i * TH + j];
            }
}
#endif

__attribute__((reqd_work_group_size(TX, TY, 1))) SUBGROUP_ATTRIBUTE __kernel void
sqa_tiled_backward_keys(SQA_BACKWARD_ARGUMENTS)
{
    const int x = get_local_id(0), y = get_local_id(1), thread = y * TX + x;
    const long kv_index = get_group_id(1), batch = get_group_id(2);
    const int own = get_group_id(0), groups = get_num_groups(0);
    SQA_SEQUENCE(batch)
    const long first_head = kv_index * group;
    __local vec k_tile[BN * HEAD_PITCH], v_tile[BN * VALUE_PITCH];
    __local vec q_tile[BM * HEAD_PITCH], output_tile[BM * VALUE_PITCH];
    __local float weights[BM * TILE_PITCH], flows[BM * TILE_PITCH];
    const bool k_aligned = is_aligned(SQA_K_MATRIX(batch, first_head), k_row);
    const bool v_aligned = is_aligned(SQA_V_MATRIX(batch, first_head), v_row);
#if SUMS_QUERIES
    for (long head = first_head; head < first_head + group; head++) {
        __global float *sums = SQA_SUMS(own, head, SQA_SUM_ROW(batch, 0));
        for (long i = thread; i < (long)q_length * SUM_COLUMNS; i += THREADS)
            sums[i] = 0.0f;
    }
#endif
    /* Forth and back over the groups: under a causal mask early keys are more work. */
#pragma unroll 1
    for (int n = 0; n * groups < KEY_TILES; n++) {
        const int id = n * groups + (n % 2 ? groups - 1 - own : own);
        const int first_key = min(FIRST_KEY(id), kv_length), end_key = END_KEY(id);
        const int keys = max(end_key - first_key, 0);
        const matrix k = {SQA_K_MATRIX(batch, first_head) + first_key * k_row, k_row, k_aligned};
        const matrix v = {SQA_V_MATRIX(batch, first_head) + first_key * v_row, v_row, v_aligned};
        barrier(CLK_LOCAL_MEM_FENCE); /* nobody works with the keys before any more */
        load_tile(k_tile, HEAD_PITCH, HEAD_VECS, k, BN, keys, SQA_HEAD_DIM, flow_factor, thread);
        load_tile(v_tile, VALUE_PITCH, VALUE_VECS, v, BN, keys, SQA_VALUE_DIM, 1.0f, thread);
        bool token[TN];
#pragma unroll
        for (int j = 0; j < TN; j++) {
#if SQA_GLOBALS
            token[j] = x + TX * j < keys && SQA_IS_GLOBAL(first_key + x + TX * j);
#else
            token[j] = false;
#endif
        }
        vec dk[TK * TH], dv[TK * TD];
        volatile vec dk_total[TK * TH], dv_total[TK * TD];
#pragma unroll
        for (int i = 0; i < TK * TH; i++)
            dk[i] = dk_total[i] = (vec)(0.0f);
#pragma unroll
        for (int i = 0; i < TK * TD; i++)
            dv[i] = dv_total[i] = (vec)(0.0f);
        int summed = 0;
        for (long head = first_head; head < first_head + group; head++) {
            const score_kind kind = SCORE_KIND(batch, head);
            __global const sqa_stored *q = SQA_Q_MATRIX(batch, head);
            __global const sqa_stored *dout = SQA_DOUT_MATRIX(batch, head);
            const bool q_aligned = is_aligned(q, q_row), dout_aligned = is_aligned(dout, dout_row);
            SQA_QUERIES(walk, batch, head, min(first_key, max(kv_length - 1, 0)),
                        max(end_key - 1, 0))
            const int tiles = keys > 0 ? query_tiles(walk, BM) : 0;
            int first = 0;
#pragma unroll 1
            for (int t = 0; t < tiles; t++, first += BM) {
                if (first >= walk.end) {
                    sqa_queries_next(&walk);
                    first = walk.begin;
                }
                const int count = min(BM, walk.end - first);
                thread_queries queries;
                SET_QUERIES(queries, batch, head, first, count)
                barrier(SUM_FENCE); /* nobody works on the tile before any more */
                const matrix q_rows = {q + first * q_row, q_row, q_aligned};
                const matrix dout_rows = {dout + first * dout_row, dout_row, dout_aligned};
                load_tile(q_tile, HEAD_PITCH, HEAD_VECS, q_rows, BM, count, SQA_HEAD_DIM,
                          flow_factor, thread);
                load_tile(output_tile, VALUE_PITCH, VALUE_VECS, dout_rows, BM, count, SQA_VALUE_DIM,
                          1.0f, thread);
                barrier(CLK_LOCAL_MEM_FENCE);
                float product[TM][TN], flow[TM][TN];
                multiply(product, q_tile + y * HEAD_PITCH, k_tile + x * HEAD_PITCH, HEAD_PITCH,
                         HEAD_VECS);
                multiply(flow, output_tile + y * VALUE_PITCH, v_tile + x * VALUE_PITCH, VALUE_PITCH,
                         VALUE_VECS);
                pair_up(SQA_GRADIENT_V, product, flow, &queries, kind, first_key + x, end_key, 0,
                        token, weights + y * TILE_PITCH + x, flows + y * TILE_PITCH + x);
                barrier(CLK_LOCAL_MEM_FENCE);
#if SQA_GRADIENT_V
                add_products(dv, TK, TD, count, weights + y, TY, TILE_PITCH, output_tile,
                             VALUE_PITCH, VALUE_VECS, x);
#endif
#if SQA_GRADIENT_K
                add_products(dk, TK, TH, count, flows + y, TY, TILE_PITCH, q_tile, HEAD_PITCH,
                             HEAD_VECS, x);
#endif
#if SUMS_QUERIES
                add_to_sums(SQA_SUMS(own, head, SQA_SUM_ROW(batch, first)), count, keys, flows,
                            k_tile, x, y);
#endif
                summed += BM;
                if (summed % SQA_SUM_KEYS == 0) {
                    add_totals(dk_total, dk, TK * TH);
                    add_totals(dv_total, dv, TK * TD);
                }
            }
        }
        add_totals(dk_total, dk, TK * TH);
        add_totals(dv_total, dv, TK * TD);
#pragma unroll
        for (int i = 0; i < TK; i++) {
            const long key = first_key + y + TY * i;
            if (key >= end_key)
                continue;
#if SQA_GRADIENT_K
            store_row(SQA_DK_MATRIX(batch, kv_index) + key * dk_row, dk_total + i * TH, TH,
                      SQA_HEAD_DIM, sum_factor, x);
#endif
#if SQA_GRADIENT_V
            store_row(SQA_DV_MATRIX(batch, kv_index) + key * dv_row, dv_total + i * TD, TD,
                      SQA_VALUE_DIM, 1.0f, x);
#endif
        }
    }
}
#endif

#if SQA_GRADIENT_Q && !SUMS_QUERIES
/* Where query heads are repeated (rSQA), dQ is the sum over all of them. */
__attribute__((reqd_work_group_size(TX, TY, 1))) SUBGROUP_ATTRIBUTE __kernel void
sqa_tiled_backward_queries(SQA_BACKWARD_ARGUMENTS)
{
    const int x = get_local_id(0), y = get_local_id(1), thread = y * TX + x;
    const long q_index = get_group_id(1), batch = get_group_id(2);
    SQA_SEQUENCE(batch)
    const int first = FIRST_ROW(get_group_id(0), BM);
    const int rows = max(END_ROW(get_group_id(0), BM) - first, 0);
    __local vec k_tile[BN * HEAD_PITCH], v_tile[BN * VALUE_PITCH];
    __local vec q_tile[BM * HEAD_PITCH], output_tile[BM * VALUE_PITCH];
    __local float flows[BM * TILE_PITCH];
    __global const sqa_stored *q = SQA_Q_MATRIX(batch, q_index) + first * q_row;
    const matrix q_rows = {q, q_row, is_aligned(q, q_row)};
    load_tile(q_tile, HEAD_PITCH, HEAD_VECS, q_rows, BM, rows, SQA_HEAD_DIM, flow_factor, thread);
    bool token[TN];
#pragma unroll
    for (int j = 0; j < TN; j++)
        token[j] = false;
    vec dq[TM * TH];
    volatile vec dq_total[TM * TH];
#pragma unroll
    for (int i = 0; i < TM * TH; i++)
        dq[i] = dq_total[i] = (vec)(0.0f);
    int summed = 0;
    for (long head = q_index; head < out_heads; head += q_heads) {
        const score_kind kind = SCORE_KIND(batch, head);
        __global const sqa_stored *k = SQA_K_MATRIX(batch, head);
        __global const sqa_stored *v = SQA_V_MATRIX(batch, head);
        __global const sqa_stored *dout = SQA_DOUT_MATRIX(batch, head) + first * dout_row;
        const bool k_aligned = is_aligned(k, k_row), v_aligned = is_aligned(v, v_row);
        const matrix dout_rows = {dout, dout_row, is_aligned(dout, dout_row)};
        const int last = max(first + rows - 1, first);
        SQA_REACH(reach, first, last)
        SQA_WALK(walk, reach, 0, rows > 0 ? kv_length : 0,
                 SQA_BLOCK_LIST(batch, head, QUERY_BLOCK(get_group_id(0), BM)))
        const int tiles = rows > 0 ? walk_tiles(walk, BN) : 0;
        thread_queries queries;
        if (tiles > 0)
            SET_QUERIES(queries, batch, head, first, rows)
        barrier(CLK_LOCAL_MEM_FENCE); /* nobody works with the head before any more */
        load_tile(output_tile, VALUE_PITCH, VALUE_VECS, dout_rows, BM, rows, SQA_VALUE_DIM, 1.0f,
                  thread);
        int first_key = 0;
#pragma unroll 1
        for (int t = 0; t < tiles; t++, first_key += BN) {
            if (first_key >= walk.end) {
                sqa_walk_next(&walk);
                first_key = walk.begin;
            }
            const int keys = min(BN, walk.end - first_key);
            barrier(CLK_LOCAL_MEM_FENCE); /* nobody works on the tile before any more */
            const matrix k_rows = {k + first_key * k_row, k_row, k_aligned};
            const matrix v_rows = {v + first_key * v_row, v_row, v_aligned};
            load_tile(k_tile, HEAD_PITCH, HEAD_VECS, k_rows, BN, keys, SQA_HEAD_DIM, flow_factor,
                      thread);
            load_tile(v_tile, VALUE_PITCH, VALUE_VECS, v_rows, BN, keys, SQA_VALUE_DIM, 1.0f,
                      thread);
            barrier(CLK_LOCAL_MEM_FENCE);
            float product[TM][TN], flow[TM][TN];
            multiply(product, q_tile + y * HEAD_PITCH, k_tile + x * HEAD_PITCH, HEAD_PITCH,
                     HEAD_VECS);
            multiply(flow, output_tile + y * VALUE_PITCH, v_tile + x * VALUE_PITCH, VALUE_PITCH,
                     VALUE_VECS);
            pair_up(false, product, flow, &queries, kind, first_key + x, first_key + keys,
                    walk.shown, token, 0, flows + y * TILE_PITCH + x);
            barrier(CLK_LOCAL_MEM_FENCE);
            add_products(dq, TM, TH, keys, flows + y * TILE_PITCH, TY * TILE_PITCH, 1, k_tile,
                         HEAD_PITCH, HEAD_VECS, x);
            summed += BN;
            if (summed % SQA_SUM_KEYS == 0)
                add_totals(dq_total, dq, TM * TH);
        }
    }
    add_totals(dq_total, dq, TM * TH);
#pragma unroll
    for (int i = 0; i < TM; i++)
        if (y + TY * i < rows)
            store_row(SQA_DQ_MATRIX(batch, q_index) + (first + y + TY * i) * dq_row,
                      dq_total + i * TH, TH, SQA_HEAD_DIM, sum_factor, x);
}
#endif
