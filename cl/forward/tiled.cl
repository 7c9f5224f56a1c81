/* tiled: attention for GPUs without matrix units. A work-group of TX x TY threads
 * owns BM query rows and walks the keys BN at a time with the online softmax of
 * FlashAttention (arXiv 2205.14135, algorithm 1).
 *
 * Thread (x, y) computes the scores of rows y, y + TY, ... against keys
 * x, x + TX, ... and the output of those rows in vectors x, x + TX, ... of VEC
 * columns; weights cross between the two layouts through local memory. Whatever is
 * multiplied is read in vectors: Q and K along the head dimension, weights along
 * the keys, V along the columns. Slices of K and V are staged in local memory while
 * the slice before is computed with, or read where they lie (tiled_stage.cl). Weights
 * cross all at once, or with the slice of V that they weigh (P_SLICE). A row's maximum goes across
 * its TX threads through local memory, or by shuffles inside a sub-group (SUBGROUP). SHARE: see
 * sharing.cl; SPLIT: see split.cl.
 *
 * Barriers stand where every thread passes the same number of times: at the top
 * of loops with uniform trip counts and between the two halves of a key tile. */
/* Adds what the head dimensions of slice s give to the scores of the thread's keys. */
INLINE void add_scores(products score[TM][TN], const thread_queries *queries, const slice from,
                       const int s, const int keys, const int x)
{
#pragma unroll UNROLL_VECS
    for (int d = 0; d < K_SLICE_VECS; d++) {
        if (HEAD_VECS % K_SLICE_VECS != 0 && s * K_SLICE_VECS + d >= HEAD_VECS)
            break;
        vec key[TN];
#pragma unroll
        for (int j = 0; j < TN; j++)
            key[j] = key_vec(from, STAGE ? x + TX * j : min(x + TX * j, keys - 1), d);
#pragma unroll
        for (int i = 0; i < TM; i++) {
            const vec query = query_vec(queries, i, s * K_SLICE_VECS + d);
#pragma unroll
            for (int j = 0; j < TN; j++)
                score[i][j] = add_products_of(query, key[j], score[i][j]);
        }
    }
}

/* Adds the values of slice s to the rows. `weights`: of the slice and the thread's first row.
 * Keys that only fill up a vector have no weight. */
INLINE void add_values(const bool guard, thread_rows *rows, __local const vec *weights,
                       const slice from, const int s, const int keys, const int x)
{
    const int present = guard ? min(V_SLICE_KEYS, keys - s * V_SLICE_KEYS) : V_SLICE_KEYS;
#pragma unroll UNROLL / VEC
    for (int c = 0; c < present; c += VEC) {
        float weight[VEC][TM];
#pragma unroll
        for (int i = 0; i < TM; i++) {
            const vec read = weights[TY * i * P_PITCH + c / VEC];
#define SPREAD(n) weight[n][i] = LANE(read, n);
            EACH_LANE(SPREAD)
#undef SPREAD
        }
#pragma unroll
        for (int n = 0; n < VEC; n++) {
            const int key = STAGE || !guard ? c + n : min(c + n, keys - 1);
#pragma unroll
            for (int j = 0; j < TD; j++)
                add_value(guard, rows, weight[n], j, value_vec(from, key, COLUMN_VEC(x, j)));
        }
    }
}

/* Slice s of V is in half s & 1 of `slices`, and slice s of K in half K_HALF(s). So K begins in the
 * half that nobody reads any more, and needs no barrier for it: threads behind may be busy with the
 * last slice of V, in half V_SLICES - 1 & 1; whoever is there has passed the barrier after the
 * slice before it, or, where V has one slice, the one after the scores. The weights are safe until
 * the barrier of the next tile's maxima, and that of slice 0 of K comes before it. */
#define K_HALF(s) ((s) + V_SLICES % 2 & 1)

/* The scores of a key tile. */
INLINE void score_tile(const bool clamp, float score[TM][TN], const thread_queries *queries,
                       const matrix k, __local vec *slices, const int keys, const int x,
                       const int thread)
{
    products sums[TM][TN];
#pragma unroll
    for (int i = 0; i < TM; i++)
#pragma unroll
        for (int j = 0; j < TN; j++)
            sums[i][j] = (products)(0.0f);
#if STAGE
    staged next;
    fetch_k(clamp, &next, k, keys, 0, thread);
    put_k(slices + K_HALF(0) * SLICE_SIZE, &next, thread);
#pragma unroll UNROLL_K_SLICES
    for (int s = 0; s < K_SLICES; s++) {
        if (s + 1 < K_SLICES)
            fetch_k(clamp, &next, k, keys, (s + 1) * K_SLICE_VECS, thread);
        barrier(CLK_LOCAL_MEM_FENCE); /* Q and slice s are there, slice s - 1 is free */
        add_scores(sums, queries, slices + K_HALF(s) * SLICE_SIZE, s, keys, x);
        if (s + 1 < K_SLICES)
            put_k(slices + K_HALF(s + 1) * SLICE_SIZE, &next, thread);
    }
#else
    barrier(CLK_LOCAL_MEM_FENCE);
    add_scores(sums, queries, k, 0, keys, x);
#endif
#pragma unroll
    for (int i = 0; i < TM; i++)
#pragma unroll
        for (int j = 0; j < TN; j++)
            score[i][j] = all_products(sums[i][j]);
}

/* Adds the values of a key tile to the rows. `weights`: of the thread's first row, where it puts
 * those of its own keys down. With STAGE, the first slice of V is there. `wild`: what
 * mark_wild() said of the slices. */
INLINE void value_tile(const bool edge, thread_rows *rows, const float weight[TM][TN],
                       __local vec *weights, const matrix v, __local vec *slices, __local int *wild,
                       const int first_key, const int keys, const int x, const int thread)
{
    if (!P_SLICE)
        put_weights((__local float *)weights + x, weight, 0);
#pragma unroll UNROLL_V_SLICES
    for (int s = 0; s < V_SLICES; s++) {
        __local vec *part = weights + (P_SLICE ? (s & 1) * P_SIZE : s * V_SLICE_KEYS / VEC);
        if (P_SLICE)
            put_weights((__local float *)part + x, weight, s);
#if STAGE
        staged next;
        if (s + 1 < V_SLICES)
            fetch_v(edge || !APART, &next, v, keys, (s + 1) * V_SLICE_KEYS, thread);
#endif
        barrier(CLK_LOCAL_MEM_FENCE); /* weights and slice s are there, slice s - 1 is free */
#if STAGE
        const slice from = slices + (s & 1) * SLICE_SIZE;
#else
        const slice from = v;
#endif
        /* A slice's mark says nothing of another one, so nobody has to take it back. */
        const int first = s * V_SLICE_KEYS;
        const bool guard = edge && (!CHECK_SLICES || keys < first + V_SLICE_KEYS ||
                                    wild[s & 1] == first_key + first);
        if (guard)
            add_values(true, rows, part, from, s, keys, x);
        else
            add_values(false, rows, part, from, s, keys, x);
#if STAGE
        if (s + 1 < V_SLICES) {
            put_v(slices + ((s + 1) & 1) * SLICE_SIZE, &next, thread);
            if (CHECK_SLICES && edge)
                mark_wild(wild + ((s + 1) & 1), &next, first_key + first + V_SLICE_KEYS);
        }
#endif
    }
}

/* A key tile, from scores to what the rows have of its values. */
INLINE void add_tile(const bool edge, thread_rows *rows, const thread_queries *queries,
                     const matrix k, const matrix v, const int first_key, const sqa_walk *walk,
                     __local vec *slices, __local vec *weights, __local vec *of_threads,
                     __local int *wild, const int x, const int y)
{
    const int thread = y * TX + x;
    const bool clamp = edge || !APART;
    const int keys = clamp ? min(BN, walk->end - first_key) : BN;
    float score[TM][TN], largest[TM];
    score_tile(clamp, score, queries, k, slices, keys, x, thread);
    if (edge)
        finish_scores(true, score, largest, rows, first_key + x, walk->end, walk->shown);
    else
        finish_scores(false, score, largest, rows, first_key + x, walk->end, walk->shown);
#if SQA_DROPOUT
    rows->first_key = first_key + x;
#endif
#if STAGE
    staged next;
    fetch_v(clamp, &next, v, keys, 0, thread);
#endif
    row_maxima(largest, of_threads, x, y); /* after this, no thread computes scores */
#if STAGE
    put_v(slices, &next, thread);
    if (CHECK_SLICES && edge)
        mark_wild(wild, &next, first_key);
#endif
    if (edge)
        update_rows(true, rows, score, largest);
    else
        update_rows(false, rows, score, largest);
    value_tile(edge, rows, score, weights + y * P_PITCH, v, slices, wild, first_key, keys, x,
               thread);
}

/* Writes a row's columns that the thread has: of the output, divided by the row's sum. */
#if SPLIT == 1
typedef __global sqa_stored *output_row;
#define OUTPUT(sum) sqa_output((sum), inverse)
#define STORE_OUTPUT(x, d, to) SQA_STORE((x), (d), (to))
#define STORE_OUTPUT_VEC(x, d, to) STORE_VEC_ALIGNED((x), (d), (to))
#else
typedef __global float *output_row;
#define OUTPUT(sum) (sum)
#define STORE_OUTPUT(x, d, to) ((to)[d] = (x))
#define STORE_OUTPUT_VEC(x, d, to) (*(__global vec *)((to) + (d)) = (x))
#endif
INLINE void store_row(const output_row to, const volatile vec output[TD], const float inverse,
                      const int x)
{
    const bool aligned = SQA_VALUE_DIM % VEC == 0 && (size_t)to % (VEC * sizeof *to) == 0;
#pragma unroll
    for (int j = 0; j < TD; j++) {
        const int d = VEC * (x + TX * j);
        vec values = output[j];
#define FINISH_LANE(n) LANE(values, n) = OUTPUT(LANE(values, n));
        EACH_LANE(FINISH_LANE)
#undef FINISH_LANE
        if (aligned && d < SQA_VALUE_DIM)
            STORE_OUTPUT_VEC(values, d, to);
#define STORE_LANE(n)                                                                              \
    if (!aligned && d + n < SQA_VALUE_DIM)                                                         \
        STORE_OUTPUT(LANE(values, n), d + n, to);
        EACH_LANE(STORE_LANE)
#undef STORE_LANE
    }
}

__attribute__((reqd_work_group_size(TX, TY, 1))) SUBGROUP_ATTRIBUTE __kernel void
sqa_tiled_forward(SQA_FORWARD_ARGUMENTS)
{
    const int x = get_local_id(0), y = get_local_id(1);
    const int thread = y * TX + x;
    const long first_head = FIRST_HEAD(get_group_id(1));
    const long batch = get_group_id(2) / SPLIT;
    SQA_SEQUENCE(batch)
    const int first_row = FIRST_ROW(get_group_id(0), BM);
    const int last_row = END_ROW(get_group_id(0), BM) - 1;
    /* A group past the end of its sequence goes through the motions with no keys. */
    const bool idle = first_row > last_row || kv_length == 0;
    __global const sqa_stored *q = SQA_Q_MATRIX(batch, first_head);
    __global const sqa_stored *k = SQA_K_MATRIX(batch, first_head);
    __global const sqa_stored *v = SQA_V_MATRIX(batch, first_head);
    const bool q_aligned = is_aligned(q, q_row | q_head);
#if SQA_PAGED
    const bool k_aligned = is_aligned(k, k_row | k_batch);
    const bool v_aligned = is_aligned(v, v_row | v_batch);
#define TILE_OF(m, at)                                                                             \
    {                                                                                              \
        m, m##_row, m##_aligned, key_pages, m##_batch, at                                          \
    }
#else
    const bool k_aligned = is_aligned(k, k_row);
    const bool v_aligned = is_aligned(v, v_row);
#define TILE_OF(m, at)                                                                             \
    {                                                                                              \
        m + (at)*m##_row, m##_row, m##_aligned                                                     \
    }
#endif
/* Query row r of the work-group; rows past the last repeat it and are not stored. */
#define Q_ROW(r)                                                                                   \
    (SQA_Q_MATRIX(batch, ROW_HEAD(first_head, min(first_row + (r), last_row))) +                   \
     ROW_QUERY(min(first_row + (r), last_row)) * q_row)

    __local row_facts facts[BM];
    __local vec weights[(P_SLICE ? 2 : 1) * P_SIZE];
#if STAGE
    __local vec slices[2 * SLICE_SIZE];
#else
    __local vec *slices = 0;
#endif
#if CHECK_SLICES
    __local int wild[2];
    if (thread < 2)
        wild[thread] = -1;
#else
    __local int *wild = 0;
#endif
#if SUBGROUP
    __local vec *of_threads = 0;
#elif P_SLICE /* where the first part of the weights is not */
    __local vec *of_threads = weights + P_SIZE;
#else
    __local vec of_threads[BM * TX / VEC];
#endif
#if Q_PLACE == IN_LOCAL
    __local vec q_tile[BM * Q_PITCH];
#endif

#if P_SLICE
    __local float maxima[BM * TX];
    __local float sums_of_threads[BM * TX];
#endif

    thread_rows rows;
    volatile row_totals totals;
    const sqa_shaping shaping = SQA_SHAPING;
    rows.shaping = shaping;
    rows.weighing = SQA_WEIGHING;
#if SQA_DROPOUT
    rows.dropout = SQA_DROPOUT_OF(batch);
#endif
    for (int i = thread; i < BM; i += THREADS) {
        const int row = min(first_row + i, last_row);
        const int query = ROW_QUERY(row);
        facts[i].start = SQA_START(query);
        facts[i].end = SQA_END(query);
#if SQA_GLOBALS
        facts[i].limit = SQA_LIMIT(query);
#endif
#if SQA_ALIBI
        facts[i].position = SQA_POSITION(query);
        facts[i].slope = SQA_SLOPE(ROW_HEAD(first_head, row));
#endif
#if SQA_DROPOUT
        facts[i].head = (uint)ROW_HEAD(first_head, row);
        facts[i].query = (uint)query;
#endif
    }
    rows.facts = facts + y;
#if P_SLICE
    rows.maximum = maxima + thread;
    rows.sum = sums_of_threads + thread;
#endif
#pragma unroll
    for (int i = 0; i < TM; i++) {
#if SQA_EXTRA
        const int row = min(first_row + y + TY * i, last_row);
        SQA_SET_EXTRA_ROW(rows.extra[i], batch, ROW_HEAD(first_head, row), (long)ROW_QUERY(row))
#endif
        rows.maximum[STATE(i)] = totals.maximum[i] = SQA_LOWEST_SCORE;
        rows.sum[STATE(i)] = totals.sum[i] = 0.0f;
#pragma unroll
        for (int j = 0; j < TD; j++)
            rows.output[i][j] = totals.output[i][j] = (vec)(0.0f);
    }

#if SPLIT > 1
    const int split = get_group_id(2) % SPLIT;
#endif
    SQA_REACH(reach, ROW_QUERY(first_row), ROW_QUERY(last_row))
    SQA_WALK(walk, reach, idle ? 0 : SQA_SPLIT_BEGIN(split), idle ? 0 : SQA_SPLIT_END(split),
             SQA_BLOCK_LIST(batch, first_head, QUERY_BLOCK(get_group_id(0), BM)))

    thread_queries queries;
#if Q_PLACE == IN_GLOBAL
    queries.aligned = q_aligned;
    queries.factor = query_factor;
#pragma unroll
    for (int i = 0; i < TM; i++)
        queries.row[i] = Q_ROW(y + TY * i);
#elif Q_PLACE == IN_LOCAL
    queries.first = q_tile + y * Q_PITCH;
    for (int i = idle ? BM * HEAD_VECS : thread; i < BM * HEAD_VECS; i += THREADS)
        q_tile[i / HEAD_VECS * Q_PITCH + i % HEAD_VECS] =
            row_vec(Q_ROW(i / HEAD_VECS), q_aligned, i % HEAD_VECS, SQA_HEAD_DIM) * query_factor;
#else
#pragma unroll
    for (int i = 0; i < TM; i++)
#pragma unroll
        for (int d = 0; d < HEAD_VECS; d++)
            queries.row[i][d] =
                idle ? (vec)(0.0f)
                     : row_vec(Q_ROW(y + TY * i), q_aligned, d, SQA_HEAD_DIM) * query_factor;
#endif

#if APART /* threads step from row to row only where they meet whole vectors */
    if ((K_IN_A_COLUMN && !k_aligned) || (V_IN_A_COLUMN && !v_aligned))
        reach.all_last = 0;
#endif
    const int key_tiles = walk_tiles(walk, BN);
    int first_key = 0, t = 0;
    bool edge;
/* To the tile that begins with the key `at`, or with the next run. */
#define FIND_TILE(at)                                                                              \
    first_key = (at);                                                                              \
    if (first_key >= walk.end) {                                                                   \
        sqa_walk_next(&walk);                                                                      \
        first_key = walk.begin;                                                                    \
    }                                                                                              \
    edge = SQA_EXTRA || walk.shown || first_key < reach.all_first ||                               \
           first_key + BN > min(reach.all_last, walk.end);
#define ADD_TILE(edge)                                                                             \
    {                                                                                              \
        const matrix k_tile = TILE_OF(k, first_key), v_tile = TILE_OF(v, first_key);               \
        add_tile(edge, &rows, &queries, k_tile, v_tile, first_key, &walk, slices, weights,         \
                 of_threads, wild, x, y);                                                          \
        if ((t + 1) % (SQA_SUM_KEYS / BN) == 0)                                                    \
            add_totals(&totals, &rows);                                                            \
        FIND_TILE(first_key + BN)                                                                  \
    }
    FIND_TILE(0)
    /* With APART, what edges take costs the tiles between them neither registers nor instructions.
     */
#pragma unroll 1
    while (t < key_tiles) {
#if APART
#pragma unroll 1
        for (; t < key_tiles && !edge; t++)
            ADD_TILE(false)
#pragma unroll 1
        for (; t < key_tiles && edge; t++)
            ADD_TILE(true)
#else
        ADD_TILE(edge)
        t++;
#endif
    }

    add_totals(&totals, &rows);
    barrier(CLK_LOCAL_MEM_FENCE); /* weights are no longer read */
    float sums[TM];
#pragma unroll
    for (int i = 0; i < TM; i++)
        sums[i] = totals.sum[i];
    row_sums(sums, of_threads, x, y);
#pragma unroll
    for (int i = 0; i < TM; i++) {
        const int row = first_row + y + TY * i;
        if (row > last_row)
            continue;
        const long head = ROW_HEAD(first_head, row);
        const long query = ROW_QUERY(row);
#if SPLIT == 1
        const sqa_row_end end =
            sqa_end_row(rows.weighing, totals.maximum[i], sums[i], SQA_SINK(head));
        store_row(SQA_O_MATRIX(batch, head) + query * o_row, totals.output[i], end.inverse, x);
#if SQA_WRITE_LSE
        if (x == 0)
            SQA_LSE_ROW(batch, head)[query] = end.lse;
#endif
#else
        const long part = SQA_SPLIT_PART(split, batch, head, query);
        store_row(SQA_SPLIT_OUTPUT(part), totals.output[i], 1.0f, x);
        if (x == 0) {
            SQA_SPLIT_TOTALS(part)[0] = totals.maximum[i];
            SQA_SPLIT_TOTALS(part)[1] = sums[i];
        }
#endif
    }
}
