/* decode: attention of few queries, for CPUs. What it costs is to read K and V.
 *
 * Rows are the queries of all query heads of one key/value head (SHARE), so that K and V are read
 * once for them, in place and in order. Lanes are elements of a row of K, or rows where there are
 * enough (decode_scores.cl), then the rows of a register tile, key after key, then columns of V
 * (decode_tiles.cl); a single query fills them as well as many do.
 *
 * Keys are divided by split_keys, a number of keys: a row's result is the same whatever batch it
 * is in, however many cores there are, and whatever the longest sequence of a batch (split.cl). */
/* Fetches row r; where there is none, or are no keys, a zero query that sees nothing. */
INLINE void load_query(decode_rows *restrict rows, const int r, __global const sqa_stored *q,
                       const float factor)
{
    for (int d = 0; d < DEPTH; d++)
        rows->q[Q_AT(r, d)] = q && d < SQA_HEAD_DIM ? SQA_LOAD(d, q) * factor : 0.0f;
    for (int d = 0; d < COLUMNS; d++)
        rows->o[r * COLUMNS + d] = 0.0f;
    FILL_LANES(rows->sum, r, 0.0f)
    FILL_LANES(rows->maximum, r, SQA_LOWEST_SCORE)
}

#if SQA_PAGED
/* Where keys first .. first + count - 1 lie. A page is looked up once. */
INLINE void find_keys(const sqa_pages pages, const int first, const int count,
                      const long page_stride, const long row, long *restrict at)
{
    int number = first / pages.size, within = first - number * pages.size;
    for (int c = 0; c < count; number++, within = 0) {
        const long page = sqa_page_at(pages, number, page_stride);
        for (; c < count && within < pages.size; c++, within++)
            at[c] = page + within * row;
    }
}
#endif

/* Whether rows of that reach see all keys of a key tile. */
INLINE bool see_all(const sqa_reach reach, const decode_keys keys)
{
    const int end = keys.first + keys.count;
    if (keys.shown)
        return end <= reach.all_limit && (end <= reach.first || keys.first >= reach.last);
    return keys.first >= reach.all_first && end <= reach.all_last;
}

/* All rows against a key tile. */
INLINE void attend(decode_rows *restrict rows, const int tiles, const decode_keys keys,
                   float *restrict weights)
{
    float rescale[TILES * LANES] ALIGNED;
    bool all = true;
    requests next = request_keys(keys);
    score_keys(rows, tiles, keys, &next, weights);
    for (int t = 0; t < tiles; t++) {
        const bool edge = !see_all(rows->reach[t], keys);
        float *restrict here = weights + t * TILE_SCORES;
        STORE(weigh_keys(edge || keys.count % LANE_KEYS != 0, rows, t, keys, here),
              rescale + t * LANES);
        all = all && !edge;
    }
    if ((!all || SQA_EXTRA) && !is_finite(keys))
        add_output(true, tiles, keys, &next, weights, rescale, rows->o);
    else
        add_output(false, tiles, keys, &next, weights, rescale, rows->o);
}

__attribute__((reqd_work_group_size(1, 1, 1))) __kernel void
sqa_decode_forward(SQA_FORWARD_ARGUMENTS)
{
    const long first_head = FIRST_HEAD(get_global_id(1));
    const long batch = get_global_id(2) / splits;
    const int split = get_global_id(2) % splits;
    SQA_SEQUENCE(batch)
    const int first_row = FIRST_ROW(get_global_id(0), ROWS);
    const int count = END_ROW(get_global_id(0), ROWS) - first_row;
    if (count <= 0 || (split > 0 && SQA_SPLIT_BEGIN(split) >= kv_length))
        return;
    const int tiles = (count + MR - 1) / MR;
    __global const sqa_kv_stored *k = SQA_K_MATRIX(batch, first_head);
    __global const sqa_kv_stored *v = SQA_V_MATRIX(batch, first_head);

    decode_rows rows;
    float weights[TILES * TILE_SCORES] ALIGNED;
    for (int r = 0; r < ROWS; r++) {
        const int row = first_row + min(r, count - 1);
        const long head = ROW_HEAD(first_head, row);
        const int query = ROW_QUERY(row);
        __global const sqa_stored *q = SQA_Q_MATRIX(batch, head) + query * q_row;
        load_query(&rows, r, kv_length > 0 && r < count ? q : 0, query_factor);
        FILL_LANES(rows.start, r, SQA_START(query))
        FILL_LANES(rows.end, r, SQA_END(query))
#if SQA_GLOBALS
        FILL_LANES(rows.limit, r, SQA_LIMIT(query))
#endif
#if SQA_ALIBI
        FILL_LANES(rows.position, r, SQA_POSITION(query))
        FILL_LANES(rows.slope, r, SQA_SLOPE(head))
#endif
#if SQA_DROPOUT
        rows.head[r] = (uint)head;
        rows.query[r] = (uint)query;
#endif
#if SQA_EXTRA
        SQA_SET_EXTRA_ROW(rows.extra[r], batch, head, (long)query)
#endif
    }
    for (int t = 0; t < tiles; t++) {
        SQA_REACH(reach, ROW_QUERY(first_row + t * MR),
                  ROW_QUERY(first_row + min(t * MR + MR, count) - 1))
        rows.reach[t] = reach;
    }

    SQA_REACH(reach, ROW_QUERY(first_row), ROW_QUERY(first_row + count - 1))
    SQA_WALK(walk, reach, SQA_SPLIT_BEGIN(split), SQA_SPLIT_END(split),
             SQA_BLOCK_LIST(batch, first_head, QUERY_BLOCK(get_global_id(0), ROWS)))
    const sqa_weighing weighing = SQA_WEIGHING;
    const sqa_shaping shaping = SQA_SHAPING;
    decode_keys keys;
#if SQA_PAGED
    long k_at[2 * KEYS], v_at[2 * KEYS];
    keys.k = k;
    keys.v = v;
    keys.k_at = k_at;
    keys.v_at = v_at;
#else
    keys.k_row = k_row;
    keys.v_row = v_row;
#endif
    keys.shaping = shaping;
    keys.powers = exponents_of(weighing.power, weighing.headroom);
    keys.lift = weighing.lift;
#if SQA_DROPOUT
    keys.dropout = SQA_DROPOUT_OF(batch);
#endif
    while (sqa_walk_next(&walk))
        for (int first = walk.begin; first < walk.end; first += KEYS) {
            keys.first = first;
            keys.count = min(KEYS, walk.end - first);
            keys.more = walk.end - first - keys.count;
            keys.shown = walk.shown;
#if SQA_PAGED
            const int found = min(2 * KEYS, walk.end - first);
            find_keys(key_pages, first, found, k_batch, k_row, k_at);
            find_keys(key_pages, first, found, v_batch, v_row, v_at);
#else
            keys.k = k + first * k_row;
            keys.v = v + first * v_row;
#endif
            attend(&rows, tiles, keys, weights);
        }

    for (int r = 0; r < count; r++) {
        const long head = ROW_HEAD(first_head, first_row + r);
        const long query = ROW_QUERY(first_row + r);
        const float *from = rows.o + r * COLUMNS;
        const float maximum = rows.maximum[r / MR * LANES + r % MR];
        float sum = 0.0f;
        EACH_LANE(lane, r)
        sum += rows.sum[lane];
        if (splits > 1) {
            const long part = SQA_SPLIT_PART(split, batch, head, query);
            __global float *o = SQA_SPLIT_OUTPUT(part);
            for (int d = 0; sum != 0.0f && d < SQA_VALUE_DIM; d++)
                o[d] = from[d];
            SQA_SPLIT_TOTALS(part)[0] = maximum;
            SQA_SPLIT_TOTALS(part)[1] = sum;
            continue;
        }
        const sqa_row_end end = sqa_end_row(weighing, maximum, sum, SQA_SINK(head));
        __global sqa_stored *o = SQA_O_MATRIX(batch, head) + query * o_row;
        for (int d = 0; d < SQA_VALUE_DIM; d++)
            SQA_STORE(sqa_output(from[d], end.inverse), d, o);
#if SQA_WRITE_LSE
        SQA_LSE_ROW(batch, head)[query] = end.lse;
#endif
    }
}
