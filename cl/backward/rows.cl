/* rows, backward: the gradients of attention for CPUs. The lanes of a vector are keys.
 *
 * A work-item owns keys of one key/value head, TILES tiles of LANES * RV at a time, and walks
 * the queries of the heads that share it, QUERIES at a time. With K and V transposed once,
 *   S[query][keys]    += Q[query][d] * K^T[d][keys]        P = exp(S - LSE)
 *   dV^T[d][keys]     += dO[query][d] * P[query][keys]
 *   dP[query][keys]   += dO[query][d] * V^T[d][keys]       dS = P (dP - delta)
 *   dK^T[d][keys]     += Q[query][d] * dS[query][keys]
 *   dQ[query][d]      += dS[query][key] * K[key][d]        lanes are columns here
 * are products of a broadcast and a vector: nothing is added across lanes (the five products
 * of FlashAttention-2, arXiv 2307.08691, algorithm 2).
 *
 * dK and dV are the work-item's alone. dQ is summed in the workspace, one copy for each of the
 * SPLIT work-items that divide a head's keys; a second kernel adds the copies in order.
 *
 * With APART, dQ has SPLIT work-items of its own, which divide the queries and go through all
 * keys: one copy, and seven products instead of five, since both compute the weights.
 *
 * PACK copies each query tile of Q and dO to private f32. */

/* Copies `count` rows of `width` elements to f32. */
static void copy_rows(float *restrict out, const int out_row,
                      __global const sqa_stored *restrict in, const long row, const int count,
                      const int width)
{
    for (int r = 0; r < count; r++) {
        int d = 0;
        for (; d + 8 <= width; d += 8)
            vstore8(SQA_LOAD8(d, in + r * row), 0, out + r * out_row + d);
        for (; d < width; d++)
            out[r * out_row + d] = SQA_LOAD(d, in + r * row);
    }
}

static bool is_finite(const row_pointer in, const long row, const int count, const int width)
{
    int special = 0;
    for (int r = 0; r < count; r++)
        for (int d = 0; d < width; d++)
            special |= (as_int((float)in[r * row + d]) & 0x7f800000) == 0x7f800000;
    return !special;
}

#if SQA_GRADIENT_Q
static bool are_finite(const float *restrict x, const int count)
{
    int special = 0;
    for (int i = 0; i < count; i++)
        special |= (as_int(x[i]) & 0x7f800000) == 0x7f800000;
    return !special;
}
#endif

/* out[d][lane] = rows[lane][d] * factor; zeros from `count` rows on. */
static void transpose(float *restrict out, __global const sqa_stored *restrict in, const long row,
                      const int count, const int width, const float factor)
{
    for (int lane = 0; lane < TILE_KEYS; lane++)
        for (int d = 0; d < width; d++)
            out[d * TILE_KEYS + lane] = lane < count ? SQA_LOAD(d, in + lane * row) * factor : 0.0f;
}

/* in[d][lane] * factor to the first `count` rows. */
static void write_back(const float *restrict in, __global sqa_stored *restrict out, const long row,
                       const int count, const int width, const float factor)
{
    for (int lane = 0; lane < count; lane++)
        for (int d = 0; d < width; d++)
            SQA_PUT(in[d * TILE_KEYS + lane] * factor, d, out + lane * row);
}

#if SQA_EXTRA
/* What bias and masks add to the scores of a tile; *hides: some key is hidden. false: all
 * are. */
static bool load_extra(const key_tile *restrict tile, const query_tile *restrict queries,
                       const int kv_length, float *restrict extra, bool *hides)
{
    const int keys = min(TILE_KEYS, kv_length - tile->first);
    int4 hidden = (int4)(0), seen = (int4)(0);
    for (int c = 0; c < queries->count; c++) {
        float *to = extra + c * TILE_KEYS;
        int r = 0;
        for (; r + 4 <= keys; r += 4) {
            const float4 x = sqa_extra4(queries->extra[c], tile->first + r);
            vstore4(x, 0, to + r);
            hidden |= x == (float4)(-INFINITY);
            seen |= x != (float4)(-INFINITY);
        }
        for (; r < TILE_KEYS; r++) {
            const float x = r < keys ? sqa_extra(queries->extra[c], tile->first + r) : -INFINITY;
            to[r] = x;
            hidden.s0 |= -(r < keys && x == -INFINITY);
            seen.s0 |= -(x != -INFINITY);
        }
    }
    *hides = any(hidden);
    return any(seen);
}
#endif

/* Marks the weights of keys that a query sees not, by position or by what was added. */
static void hide_weights(const key_tile *restrict tile, const query_tile *restrict queries,
                         const float *restrict extra, float *restrict weights)
{
    for (int c = 0; c < queries->count; c++) {
        const int start = queries->start[c], end = queries->end[c];
        for (int r = 0; r < TILE_KEYS; r += LANES) {
            const ivec key = LANE_NUMBERS + (ivec)(tile->first + r);
            ivec hidden = (key < (ivec)(start)) | (key >= (ivec)(end));
#if SQA_GLOBALS
            hidden &= ~(LOAD_INTS(tile->token + r) & (key < (ivec)(queries->limit[c])));
#endif
#if SQA_BLOCKS
            hidden |= ~LOAD_INTS(tile->listed + r);
#endif
#if SQA_EXTRA
            hidden |= LOAD(extra + c * TILE_KEYS + r) == (vec)(-INFINITY);
#endif
            float *to = weights + c * TILE_KEYS + r;
            STORE(HIDE(LOAD(to), hidden), to);
        }
    }
}

/* What no weight is given has no flow. */
static void hide_flows(const int count, const float *restrict weights, float *restrict flows)
{
    for (int i = 0; i < count * TILE_KEYS; i += LANES)
        STORE(HIDE(LOAD(flows + i), IS_HIDDEN(LOAD(weights + i))), flows + i);
}

/* How much of a key tile the queries at hand see by position. */
enum { SEES_NONE, SEES_SOME, SEES_ALL };

INLINE int seen_of(const key_tile *restrict tile, const sqa_reach reach)
{
    const int first = tile->first, end = first + TILE_KEYS;
    bool none = reach.first >= end || first >= reach.last;
    bool all = reach.all_first <= first && end <= reach.all_last;
#if SQA_GLOBALS
    none = none && !(tile->has_global && first < reach.limit);
#endif
#if SQA_BLOCKS
    none = none || !tile->some_listed;
    all = all && tile->all_listed;
#endif
    return none ? SEES_NONE : all ? SEES_ALL : SEES_SOME;
}

#if SQA_DROPOUT
/* What a tile's weights are multiplied by. Its first key is a multiple of four. */
static void load_kept(const key_tile *restrict tile, const query_tile *restrict queries,
                      float *restrict kept)
{
    for (int c = 0; c < queries->count; c++)
        for (int r = 0; r < TILE_KEYS; r += 4)
            vstore4(sqa_kept4(queries->dropout, queries->head, queries->number + c,
                              (uint)(tile->first + r) / 4),
                    0, kept + c * TILE_KEYS + r);
}

/* Hidden weights stay so: -0 times what is not negative is -0. */
static void drop_weights(const int count, const float *restrict kept, float *restrict weights)
{
    for (int i = 0; i < count * TILE_KEYS; i += LANES)
        STORE(LOAD(weights + i) * LOAD(kept + i), weights + i);
}
#endif

/* Whether Q and dO are finite, so that what is hidden may be multiplied by. */
static bool is_tile_finite(query_tile *queries)
{
    if (queries->is_finite < 0)
        queries->is_finite = is_finite(queries->q, queries->q_row, queries->count, SQA_HEAD_DIM) &&
                             is_finite(queries->g, queries->g_row, queries->count, SQA_VALUE_DIM);
    return queries->is_finite;
}

/* One query tile against one key tile: adds to its dK and dV, and leaves dS in `flows`.
 * `hides`: not every query sees every key by position; *hid is set where any is hidden.
 * false: all are. */
INLINE bool attend(key_tile *restrict tile, query_tile *restrict queries, bool hides,
                   const int kv_length, const score_kind kind, float *restrict weights,
                   float *restrict extra, float *restrict slopes, float *restrict kept,
                   float *restrict flows, const bool adds_keys, bool *restrict hid)
{
#if SQA_EXTRA
    bool extra_hides;
    if (!load_extra(tile, queries, kv_length, extra, &extra_hides))
        return false;
    hides = hides || extra_hides;
#endif
    multiply(true, SQA_HEAD_DIM, queries->q, queries->q_row, tile->k, queries, tile->first, 0,
             extra, kind, slopes, 0, weights);
    if (hides)
        hide_weights(tile, queries, extra, weights);
    const bool careful = hides && !is_tile_finite(queries);
#if SQA_DROPOUT
    load_kept(tile, queries, kept);
#endif
#if SQA_GRADIENT_Q || SQA_GRADIENT_K
    multiply(false, SQA_VALUE_DIM, queries->g, queries->g_row, tile->v, queries, tile->first,
             weights, 0, kind, slopes, kept, flows);
    if (hides)
        hide_flows(queries->count, weights, flows);
#endif
    *hid = *hid || hides;
    if (!adds_keys)
        return true;
#if SQA_GRADIENT_K
    add_rows(careful, SQA_HEAD_DIM, queries->count, queries->q, queries->q_row, flows, tile->dk);
#endif
#if SQA_GRADIENT_V
#if SQA_DROPOUT
    drop_weights(queries->count, kept, weights);
#endif
    add_rows(careful, SQA_VALUE_DIM, queries->count, queries->g, queries->g_row, weights, tile->dv);
#endif
    return true;
}

/* Fetches `count` keys, zeros for the rest, and has no sums of theirs yet. */
static void load_tile(key_tile *restrict tile, const int first, const int count,
                      __global const sqa_stored *restrict k, const long k_row,
                      __global const sqa_stored *restrict v, const long v_row, const float k_factor,
                      const float v_factor)
{
    tile->first = first;
    transpose(tile->k, k, k_row, count, SQA_HEAD_DIM, k_factor);
    transpose(tile->v, v, v_row, count, SQA_VALUE_DIM, v_factor);
#if SQA_GRADIENT_K
    for (int i = 0; i < K_COLUMNS * TILE_KEYS; i++)
        tile->dk[i] = 0.0f;
#endif
#if SQA_GRADIENT_V
    for (int i = 0; i < V_COLUMNS * TILE_KEYS; i++)
        tile->dv[i] = 0.0f;
#endif
}

/* Where Q and dO of the tile's queries lie: packed, or in place. */
#if PACK
#define SET_ROWS(queries, q_rows, q_distance, g_rows, g_distance)                                  \
    copy_rows(q_packed, SQA_HEAD_DIM, q_rows, q_distance, queries.count, SQA_HEAD_DIM);            \
    copy_rows(g_packed, SQA_VALUE_DIM, g_rows, g_distance, queries.count, SQA_VALUE_DIM);          \
    queries.q = q_packed;                                                                          \
    queries.q_row = SQA_HEAD_DIM;                                                                  \
    queries.g = g_packed;                                                                          \
    queries.g_row = SQA_VALUE_DIM;
#else
#define SET_ROWS(queries, q_rows, q_distance, g_rows, g_distance)                                  \
    queries.q = q_rows;                                                                            \
    queries.q_row = q_distance;                                                                    \
    queries.g = g_rows;                                                                            \
    queries.g_row = g_distance;
#endif

/* The runs of queries that may see some of the keys; with lists of blocks, one, which is cut to
 * query blocks below. */
#if SQA_BLOCKS
#define EACH_RUN(walk, batch, head, first_key, last_key)                                           \
    const struct {                                                                                 \
        int begin, end;                                                                            \
    } walk = {SQA_FIRST_NEAR(first_key), SQA_END_NEAR(last_key)};
#else
#define EACH_RUN(walk, batch, head, first_key, last_key)                                           \
    SQA_QUERIES(walk, batch, head, first_key, last_key)                                            \
    while (sqa_queries_next(&walk))
#endif

#if SQA_BLOCKS
/* Which keys are in a list of blocks. */
static void find_listed(key_tile *tile, __global const int *list, const int count,
                        const int key_block)
{
    int listed = 0;
    for (int r = 0; r < TILE_KEYS; r++)
        tile->listed[r] = 0;
    for (int n = 0; n < count; n++) {
        const long begin = max(list[n] * (long)key_block, (long)tile->first);
        const long end = min((list[n] + 1L) * key_block, (long)tile->first + TILE_KEYS);
        for (long key = begin; key < end; key++)
            tile->listed[key - tile->first] = -1;
    }
    for (int r = 0; r < TILE_KEYS; r++)
        listed -= tile->listed[r];
    tile->some_listed = listed > 0;
    tile->all_listed = listed == TILE_KEYS;
}
#endif

/* Work-items that own keys; with APART, those that own queries come behind them. */
#define ITEMS_OF_KEYS (APART && !SQA_GRADIENT_K && !SQA_GRADIENT_V ? 0 : SPLIT)

__attribute__((reqd_work_group_size(1, 1, 1))) __kernel void
sqa_rows_backward(SQA_BACKWARD_ARGUMENTS)
{
    const long item = get_global_id(0), kv_head = get_global_id(1), batch = get_global_id(2);
    SQA_SEQUENCE(batch)
    const long first_head = kv_head * group, end_head = first_head + group;
    const bool adds_keys = !APART || item < ITEMS_OF_KEYS, adds_queries = !APART || !adds_keys;
    /* Its part of the keys, and of the queries. */
    const long part = adds_keys ? item : 0, parts = adds_keys ? SPLIT : 1;
    const long range = adds_keys ? 0 : item - ITEMS_OF_KEYS, ranges = adds_keys ? 1 : SPLIT;
    const int begin_query = (int)(range * q_length / ranges);
    const int end_query = (int)((range + 1) * q_length / ranges);
    __global const sqa_stored *k_rows = SQA_K_MATRIX(batch, first_head);
    __global const sqa_stored *v_rows = SQA_V_MATRIX(batch, first_head);
    key_tile tile[TILES];
    query_tile queries;
    const score_kind kind = {SQA_SHAPING, exponents_of(SQA_POWER, 0.0f), SQA_STEEP_FACTOR};
    float weights[QUERIES * TILE_KEYS] ALIGNED;
    float flows[TILES * QUERIES * TILE_KEYS] ALIGNED;
#if SQA_GRADIENT_Q
    float keys[ITEM_KEYS * SUM_COLUMNS] ALIGNED;
    for (long head = first_head; head < end_head && adds_queries; head++) {
        __global float *sums = SQA_SUMS(part, head, SQA_SUM_ROW(batch, begin_query));
        for (long i = 0; i < (long)(end_query - begin_query) * SUM_COLUMNS; i++)
            sums[i] = 0.0f;
    }
#endif
#if SQA_EXTRA
    float extra[QUERIES * TILE_KEYS] ALIGNED;
#else
    float *extra = 0;
#endif
#if SQA_SOFTCAP
    float slopes[QUERIES * TILE_KEYS] ALIGNED;
#else
    float *slopes = 0;
#endif
#if SQA_DROPOUT
    float kept[QUERIES * TILE_KEYS] ALIGNED;
    queries.dropout = SQA_DROPOUT_OF(batch);
#else
    float *kept = 0;
#endif
#if PACK
    float q_packed[QUERIES * SQA_HEAD_DIM] ALIGNED;
    float g_packed[QUERIES * SQA_VALUE_DIM] ALIGNED;
#endif

    /* Forth and back over the parts: under a causal mask early keys are more work. */
    for (int n = 0;; n++) {
        const long place = n % 2 ? parts - 1 - part : part;
        const int first_key = (int)min((n * parts + place) * ITEM_KEYS, (long)kv_length);
        const int key_count = min(ITEM_KEYS, kv_length - first_key);
        if (key_count <= 0)
            break;
        __global const sqa_stored *k = k_rows + first_key * k_row;
        __global const sqa_stored *v = v_rows + first_key * v_row;
        for (int t = 0; t < TILES; t++) {
            const int skipped = t * TILE_KEYS;
            const int count = clamp(key_count - skipped, 0, TILE_KEYS);
            load_tile(&tile[t], first_key + skipped, count, k + skipped * k_row, k_row,
                      v + skipped * v_row, v_row, query_factor, flow_factor);
#if SQA_GLOBALS
            tile[t].has_global = false;
            for (int r = 0; r < TILE_KEYS; r++) {
                const bool is_global = r < count && SQA_IS_GLOBAL(tile[t].first + r);
                tile[t].token[r] = -is_global;
                tile[t].has_global = tile[t].has_global || is_global;
            }
#endif
        }
#if SQA_GRADIENT_Q
        for (int i = 0; i < ITEM_KEYS * SUM_COLUMNS; i++)
            keys[i] = 0.0f;
        copy_rows(keys, SUM_COLUMNS, k, k_row, key_count, SQA_HEAD_DIM);
        const bool finite_keys = are_finite(keys, ITEM_KEYS * SUM_COLUMNS);
#endif
        const int last_key = first_key + key_count - 1;
        for (long head = first_head; head < end_head; head++) {
            __global const sqa_stored *q = SQA_Q_MATRIX(batch, head);
            __global const sqa_stored *g = SQA_DOUT_MATRIX(batch, head);
            __global const float *lse = SQA_LSE_ROW(batch, head);
            __global const float *delta = SQA_DELTA_ROW(batch, head);
#if SQA_ALIBI
            queries.slope = SQA_SLOPE(head);
#endif
#if SQA_BLOCKS
            int block = -1;
#endif
            EACH_RUN(walk, batch, head, first_key, last_key)
            for (int first = max(walk.begin, begin_query), end = min(walk.end, end_query);
                 first < end; first += queries.count) {
                queries.count = min(QUERIES, end - first);
#if SQA_BLOCKS
                queries.count = min(queries.count, query_block - first % query_block);
                if (first / query_block != block) {
                    block = first / query_block;
                    const long list = SQA_BLOCK_LIST(batch, head, block);
                    __global const int *offsets =
                        block_offsets_buffer + block_offsets_offset + list;
                    const int begin = clamp(offsets[0], 0, block_entries);
                    const int listed = clamp(offsets[1], begin, block_entries) - begin;
                    for (int t = 0; t < TILES; t++)
                        find_listed(&tile[t], block_indices_buffer + block_indices_offset + begin,
                                    listed, key_block);
                }
#endif
                SQA_REACH(reach, first, first + queries.count - 1)
                int seen[TILES], first_seen = TILES, last_seen = -1;
                for (int t = 0; t < TILES; t++) {
                    seen[t] = seen_of(&tile[t], reach);
                    if (seen[t] != SEES_NONE) {
                        first_seen = min(first_seen, t);
                        last_seen = t;
                    }
                }
                if (last_seen < 0)
                    continue;
                bool some_dead = false;
                for (int c = 0; c < queries.count; c++) {
                    const int query = first + c;
                    const bool dead = SQA_IS_DEAD(lse[query]);
                    queries.lse[c] = SQA_LSE_AS_SCORE(lse[query]);
                    queries.delta[c] = delta[query] * flow_factor;
                    queries.start[c] = SQA_START(query);
                    queries.end[c] = dead ? 0 : SQA_END(query);
                    some_dead = some_dead || dead;
#if SQA_GLOBALS
                    queries.limit[c] = dead ? 0 : SQA_LIMIT(query);
#endif
#if SQA_EXTRA
                    SQA_SET_EXTRA_ROW(queries.extra[c], batch, head, (long)query)
#endif
                }
                for (int c = queries.count; c < QUERIES && c % MC; c++)
                    queries.lse[c] = INFINITY;
#if SQA_DROPOUT
                queries.head = (uint)head;
                queries.number = (uint)first;
#endif
#if SQA_ALIBI
                queries.position = SQA_POSITION(first);
#endif
                queries.is_finite = -1;
                SET_ROWS(queries, q + first * q_row, q_row, g + first * dout_row, dout_row)
                bool hid = false;
                for (int t = first_seen; t <= last_seen; t++)
                    if (seen[t] == SEES_NONE ||
                        !attend(&tile[t], &queries, some_dead || seen[t] == SEES_SOME, kv_length,
                                kind, weights, extra, slopes, kept, flows + t * QUERIES * TILE_KEYS,
                                adds_keys, &hid)) {
                        hid = true;
                        for (int i = 0; i < QUERIES * TILE_KEYS; i++)
                            flows[t * QUERIES * TILE_KEYS + i] = -0.0f;
                    }
#if SQA_GRADIENT_Q
                if (!adds_queries)
                    continue;
                __global float *sums = SQA_SUMS(part, head, SQA_SUM_ROW(batch, first));
                if (hid && !finite_keys)
                    add_visible_queries(first_seen, last_seen, queries.count, flows, keys, sums);
                else
                    add_queries(first_seen, last_seen, queries.count, flows, keys, sums);
#endif
            }
        }
        for (int t = 0; t < TILES && adds_keys; t++) {
            const int skipped = t * TILE_KEYS;
            const int count = min(key_count - skipped, TILE_KEYS);
#if SQA_GRADIENT_K
            write_back(tile[t].dk, SQA_DK_MATRIX(batch, kv_head) + (first_key + skipped) * dk_row,
                       dk_row, count, SQA_HEAD_DIM, sum_factor);
#endif
#if SQA_GRADIENT_V
            write_back(tile[t].dv, SQA_DV_MATRIX(batch, kv_head) + (first_key + skipped) * dv_row,
                       dv_row, count, SQA_VALUE_DIM, 1.0f);
#endif
        }
    }
}
