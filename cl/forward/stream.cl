/* stream: attention of few queries, for GPUs. What it costs is to read K and V, which every
 * work-group does once, in place and in order, for ROWS rows: the queries of all query heads of
 * one key/value head (SHARE).
 *
 * A work-group has SPLIT_KEYS keys (split.cl), few enough that all their scores lie in local
 * memory: it reads K, takes one softmax, reads V. Keys are divided by their number, so that a row's
 * result is the same whatever batch it is in and whatever its longest sequence is (Flash-Decoding).
 *
 * Sums over threads are taken in the order of threads, through local memory. */

/* The keys at hand. */
typedef struct {
    int first, end; /* of a run: first .. end - 1 */
    int shown;      /* -1: global tokens, to be seen where they have not been yet */
    int base;       /* the split's first key */
} stream_keys;

/* Products of the threads' vectors of a tile of keys with those of all rows, to sums[pair]. */
INLINE void multiply(__local shared_rows *shared, float4 key[KEYS][KEY_VECS], const int x,
                     const int y)
{
    __local float *sums = (__local float *)shared->sums;
#pragma unroll 2
    for (int r = 0; r < ROWS; r++) {
        float sum[KEYS];
#pragma unroll
        for (int u = 0; u < KEYS; u++)
            sum[u] = 0.0f;
#pragma unroll
        for (int j = 0; j < KEY_VECS; j++) {
            const float4 q = shared->q[r * HEAD_VECS + min(x + TX * j, HEAD_VECS - 1)];
#pragma unroll
            for (int u = 0; u < KEYS; u++) {
                sum[u] = fma(q.s0, key[u][j].s0, sum[u]);
                sum[u] = fma(q.s1, key[u][j].s1, sum[u]);
                sum[u] = fma(q.s2, key[u][j].s2, sum[u]);
                sum[u] = fma(q.s3, key[u][j].s3, sum[u]);
            }
        }
#pragma unroll
        for (int u = 0; u < KEYS; u++)
            sums[(r * KEY_TILE + y + TY * u) * SUM_PITCH + x] = sum[u];
    }
}

/* Whether a row sees a key by position. */
INLINE bool sees(__local const row_facts *facts, const int key, const int shown)
{
    const bool near = key >= facts->start && key < facts->end;
#if SQA_GLOBALS
    return near != (shown != 0) && key < facts->limit;
#else
    return near;
#endif
}

/* From products of threads to the score of a row and a key that it sees by position. */
INLINE float score_of(__local const shared_rows *shared, const int pair, const sqa_shaping shaping,
                      __local const row_facts *facts, const int key)
{
    __local const float4 *of_threads = shared->sums + pair * (SUM_PITCH / 4);
    float product = 0.0f;
#pragma unroll
    for (int t = 0; t < TX / 4; t++) {
        const float4 told = of_threads[t];
        product += told.s0;
        product += told.s1;
        product += told.s2;
        product += told.s3;
    }
    float score = sqa_shape(shaping, product);
#if SQA_ALIBI
    score = fma(-facts->slope, (float)abs(facts->position - key), score);
#endif
    return score;
}

#if SQA_EXTRA
#define ADD_EXTRA(score, batch, facts, key)                                                        \
    {                                                                                              \
        sqa_extra_row extra_row;                                                                   \
        SQA_SET_EXTRA_ROW(extra_row, batch, (long)(facts)->head, (long)(facts)->query)             \
        const float extra = sqa_extra(extra_row, key);                                             \
        score = extra == -INFINITY ? SQA_HIDDEN_SCORE : score + extra;                             \
    }
#else
#define ADD_EXTRA(score, batch, facts, key)
#endif

/* One softmax of all the split's keys: scores become weights, minus zero those of hidden ones.
 * Leaves each row's maximum and the sum of its weights in *maximum, *sum of its threads. */
INLINE void weigh(__local shared_rows *shared, const sqa_weighing weighing, const int row,
                  const int own, float *maximum, float *sum)
{
    __local float *scores = (__local float *)shared->scores + row * SCORE_PITCH;
    __local float *told = (__local float *)shared->sums + row * ROW_THREADS;
    float largest = SQA_LOWEST_SCORE;
    for (int i = own; i < SPLIT_KEYS; i += ROW_THREADS)
        largest = fmax(largest, scores[i]);
    told[own] = largest;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int t = 0; t < ROW_THREADS; t++)
        largest = fmax(largest, told[t]);
    barrier(CLK_LOCAL_MEM_FENCE); /* before sums replace maxima */
    float total = 0.0f;
    for (int i = own; i < SPLIT_KEYS; i += ROW_THREADS) {
        const float score = scores[i];
        const float weight =
            score == SQA_HIDDEN_SCORE ? SQA_HIDDEN_WEIGHT : sqa_weight(weighing, score - largest);
        total += weight;
        scores[i] = weight;
    }
    told[own] = total;
    barrier(CLK_LOCAL_MEM_FENCE);
    total = 0.0f;
    for (int t = 0; t < ROW_THREADS; t++)
        total += told[t];
    *maximum = largest;
    *sum = total;
}

/* Adds a key's value to a row's columns; one that is hidden from it leaves them alone, even if V is
 * NaN or infinite there. */
INLINE void add_value(float4 output[COLUMN_VECS], const float4 value[COLUMN_VECS],
                      const float weight)
{
    if (as_int(weight) != SQA_HIDDEN_BITS)
#pragma unroll
        for (int j = 0; j < COLUMN_VECS; j++)
            output[j] = fma((float4)(weight), value[j], output[j]);
}

/* Columns d .. d + 3 of a row, as far as it has them: of a part, of the output. */
INLINE void store_part(__global float *to, const float4 values, const int d)
{
    if (SQA_VALUE_DIM % 4 == 0 && d < SQA_VALUE_DIM) {
        vstore4(values, 0, to + d);
        return;
    }
#define STORE_LANE(n)                                                                              \
    if (d + n < SQA_VALUE_DIM)                                                                     \
        to[d + n] = values.s##n;
    STORE_LANE(0)
    STORE_LANE(1)
    STORE_LANE(2)
    STORE_LANE(3)
#undef STORE_LANE
}

INLINE void store_output(__global sqa_stored *to, const float4 values, const float inverse,
                         const int d)
{
#define STORE_LANE(n)                                                                              \
    if (d + n < SQA_VALUE_DIM)                                                                     \
        SQA_STORE(sqa_output(values.s##n, inverse), d + n, to);
    STORE_LANE(0)
    STORE_LANE(1)
    STORE_LANE(2)
    STORE_LANE(3)
#undef STORE_LANE
}

__attribute__((reqd_work_group_size(TX, TY, 1))) SUBGROUP_ATTRIBUTE __kernel void
sqa_stream_forward(SQA_FORWARD_ARGUMENTS)
{
    const int x = get_local_id(0), y = get_local_id(1), thread = y * TX + x;
    const long first_head = FIRST_HEAD(get_group_id(1));
    const long batch = get_group_id(2) / splits;
    const int split = get_group_id(2) % splits;
    SQA_SEQUENCE(batch)
    const int first_row = FIRST_ROW(get_group_id(0), ROWS);
    const int count = END_ROW(get_group_id(0), ROWS) - first_row;
    /* A group past the end of its sequence goes through the motions with no rows and no keys. */
    const bool idle = count <= 0 || (split > 0 && SQA_SPLIT_BEGIN(split) >= kv_length);
    const int rows = idle ? 0 : count;
    __global const sqa_kv_stored *k = SQA_K_MATRIX(batch, first_head);
    __global const sqa_kv_stored *v = SQA_V_MATRIX(batch, first_head);
#if SQA_PAGED
#define ROW_STRIDES(m) (m##_row | m##_batch)
#else
#define ROW_STRIDES(m) m##_row
#endif
#define IS_ALIGNED(m) ((size_t)m % (4 * sizeof(sqa_kv_stored)) == 0 && ROW_STRIDES(m) % 4 == 0)
    const bool k_aligned = IS_ALIGNED(k), v_aligned = IS_ALIGNED(v);
    const sqa_weighing weighing = SQA_WEIGHING;
    const sqa_shaping shaping = SQA_SHAPING;
    __local shared_rows shared;
    __local float *scores = (__local float *)shared.scores;

    for (int r = thread; r < ROWS; r += THREADS) {
        const int row = idle ? 0 : first_row + min(r, count - 1);
        const int query = ROW_QUERY(row);
        shared.facts[r].start = SQA_START(query);
        shared.facts[r].end = r < rows ? SQA_END(query) : 0;
#if SQA_GLOBALS
        shared.facts[r].limit = r < rows ? SQA_LIMIT(query) : 0;
#endif
#if SQA_ALIBI
        shared.facts[r].position = SQA_POSITION(query);
        shared.facts[r].slope = SQA_SLOPE(ROW_HEAD(first_head, row));
#endif
        shared.facts[r].head = (int)ROW_HEAD(first_head, row);
        shared.facts[r].query = query;
    }
    const int elements = idle || kv_length == 0 ? 0 : ROWS * HEAD_VECS * 4; /* without keys, no Q */
    for (int i = thread; i < elements; i += THREADS) {
        const int row = first_row + min(i / (HEAD_VECS * 4), count - 1), d = i % (HEAD_VECS * 4);
        ((__local float *)shared.q)[i] =
            d < SQA_HEAD_DIM ? SQA_LOAD(d, SQA_Q_MATRIX(batch, ROW_HEAD(first_head, row)) +
                                               ROW_QUERY(row) * q_row) *
                                   query_factor
                             : 0.0f;
    }
    for (int i = thread; i < ROWS * SCORE_PITCH; i += THREADS)
        scores[i] = SQA_HIDDEN_SCORE;

    SQA_REACH(reach, ROW_QUERY(first_row), ROW_QUERY(first_row + max(count, 1) - 1))
    SQA_WALK(walk, reach, idle ? 0 : SQA_SPLIT_BEGIN(split), idle ? 0 : SQA_SPLIT_END(split),
             SQA_BLOCK_LIST(batch, first_head, QUERY_BLOCK(get_group_id(0), ROWS)))
    const sqa_walk begin = walk;
    const int base = SQA_SPLIT_BEGIN(split);
    const int tiles = walk_tiles(walk, KEY_TILE);
    int first = 0;
    barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll 1
    for (int t = 0; t < tiles; t++, first += KEY_TILE) {
        if (first >= walk.end) {
            sqa_walk_next(&walk);
            first = walk.begin;
        }
        float4 key[KEYS][KEY_VECS];
#pragma unroll
        for (int u = 0; u < KEYS; u++) {
            __global const sqa_kv_stored *row = k + SQA_K_AT(min(first + y + TY * u, walk.end - 1));
#pragma unroll
            for (int j = 0; j < KEY_VECS; j++)
                key[u][j] = x + TX * j < HEAD_VECS
                                ? stored_vec(row, k_aligned, x + TX * j, SQA_HEAD_DIM)
                                : (float4)(0.0f);
        }
        multiply(&shared, key, x, y);
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int pair = thread; pair < ROWS * KEY_TILE; pair += THREADS) {
            const int r = pair / KEY_TILE, at = first + pair % KEY_TILE;
            __local const row_facts *facts = shared.facts + r;
            if (at < walk.end && sees(facts, at, walk.shown)) {
                float score = score_of(&shared, pair, shaping, facts, at);
                ADD_EXTRA(score, batch, facts, at)
                scores[r * SCORE_PITCH + at - base] = score;
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }

    float maximum, sum;
    weigh(&shared, weighing, thread / ROW_THREADS, thread % ROW_THREADS, &maximum, &sum);
#if SQA_DROPOUT
    /* Hidden weights stay marked, since -0 times what is not negative is -0. */
    for (int i = thread % ROW_THREADS; i < SPLIT_KEYS; i += ROW_THREADS) {
        __local const row_facts *facts = shared.facts + thread / ROW_THREADS;
        scores[thread / ROW_THREADS * SCORE_PITCH + i] *=
            SQA_KEPT(batch, facts->head, facts->query, base + i);
    }
#endif
    barrier(CLK_LOCAL_MEM_FENCE); /* weights are there, and sums no longer read */

    const int across = thread % ACROSS, down = thread / ACROSS;
    float4 output[ROWS][COLUMN_VECS];
#pragma unroll
    for (int r = 0; r < ROWS; r++)
#pragma unroll
        for (int j = 0; j < COLUMN_VECS; j++)
            output[r][j] = (float4)(0.0f);
    for (walk = begin; sqa_walk_next(&walk);) {
        /* Weights of runs that overlap are in one place: a key's value is added once. */
        for (int at = walk.begin + down; at < walk.end; at += DOWN) {
            if (walk.shown && at >= walk.first && at < walk.last)
                continue;
            __global const sqa_kv_stored *row = v + SQA_V_AT(at);
            float4 value[COLUMN_VECS];
#pragma unroll
            for (int j = 0; j < COLUMN_VECS; j++)
                value[j] = stored_vec(row, v_aligned, min(across + ACROSS * j, VALUE_VECS - 1),
                                      SQA_VALUE_DIM);
#pragma unroll
            for (int r = 0; r < ROWS; r++)
                add_value(output[r], value, scores[r * SCORE_PITCH + at - base]);
        }
    }

    /* What was found of a row, from its first thread, where weights were; then the sums of the
     * threads that divided the keys. */
    __local float *totals = scores;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (thread % ROW_THREADS == 0) {
        totals[2 * (thread / ROW_THREADS)] = maximum;
        totals[2 * (thread / ROW_THREADS) + 1] = sum;
    }
#pragma unroll
    for (int j = 0; j < COLUMN_VECS; j++) {
        barrier(CLK_LOCAL_MEM_FENCE); /* sums are no longer read */
#pragma unroll
        for (int r = 0; r < ROWS; r++)
            shared.sums[r * THREADS + thread] = output[r][j];
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int i = thread; i < rows * ACROSS; i += THREADS) {
            const int r = i / ACROSS, column = i % ACROSS;
            const long head = shared.facts[r].head, query = shared.facts[r].query;
            float4 all = (float4)(0.0f);
            for (int d = 0; d < DOWN; d++)
                all += shared.sums[r * THREADS + d * ACROSS + column];
            const int first_column = 4 * (column + ACROSS * j);
            if (splits > 1) {
                const long part = SQA_SPLIT_PART(split, batch, head, query);
                store_part(SQA_SPLIT_OUTPUT(part), all, first_column);
                if (first_column == 0) {
                    SQA_SPLIT_TOTALS(part)[0] = totals[2 * r];
                    SQA_SPLIT_TOTALS(part)[1] = totals[2 * r + 1];
                }
                continue;
            }
            const sqa_row_end end =
                sqa_end_row(weighing, totals[2 * r], totals[2 * r + 1], SQA_SINK(head));
            store_output(SQA_O_MATRIX(batch, head) + query * o_row, all, end.inverse, first_column);
#if SQA_WRITE_LSE
            if (first_column == 0)
                SQA_LSE_ROW(batch, head)[query] = end.lse;
#endif
        }
    }
}
