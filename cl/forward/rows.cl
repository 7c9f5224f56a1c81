/* rows: attention for CPUs. The lanes of a vector are query rows.
 *
 * With Q transposed once per work-item (one vector of rows per head dimension),
 *   S^T[key][rows]    += K[key][d] * Q^T[d][rows]      one broadcast, RV fma
 *   O^T[column][rows] += V[key][column] * P^T[key][rows]
 * need neither K nor V packed, and the softmax statistics are plain vector
 * maxima and sums: nothing is ever added across lanes.
 *
 * A work-item owns TILES row tiles of LANES * RV rows and walks the keys KEYS at
 * a time with the online softmax of FlashAttention (arXiv 2205.14135, algorithm
 * 1). Key tiles that every row of a tile sees take a path without masks, those
 * that none sees are passed over (visible.cl).
 *
 * PACK copies each key tile of K and V to private f32 once for all row tiles.
 * SHARE puts the query heads of one key/value head side by side as rows.
 * SPLIT divides the keys among that many work-items; see split.cl. */
#if PACK
/* Copies a row of `width` elements to f32. */
INLINE void pack(float *restrict out, __global const sqa_kv_stored *restrict in, const int width)
{
    int d = 0;
    for (; d + 8 <= width; d += 8)
        vstore8(SQA_KV_LOADN(8, d, in), 0, out + d);
    for (; d < width; d++)
        out[d] = SQA_KV_LOAD(d, in);
}
#endif

/* Fetches query row `lane` of a tile; past the end, and where there are no keys, a
 * zero query. `q` is NULL there. */
static void load_row(row_tile *tile, const int lane, __global const sqa_stored *q,
                     const float factor)
{
    for (int d = 0; d < SQA_HEAD_DIM; d++)
        tile->q[d * ROWS + lane] = q ? SQA_LOAD(d, q) * factor : 0.0f;
    for (int d = 0; d < COLUMNS; d++)
        tile->o[d * ROWS + lane] = 0.0f;
    tile->maximum[lane] = SQA_LOWEST_SCORE;
    tile->sum[lane] = 0.0f;
}

/* Cuts the keys to those that some row of the tile sees by position; false: none.
 * *edge: not every row sees all of them. */
INLINE bool cut_keys(const row_tile *tile, key_tile *keys, bool *edge)
{
    const sqa_reach reach = tile->reach;
    const int end = keys->first + keys->count;
    if (keys->shown) {
        *edge = end > reach.all_limit || (reach.first < end && keys->first < reach.last);
        /* Seen by all already, or by none as yet. */
        return keys->first < reach.limit &&
               !(reach.all_first <= keys->first && end <= reach.all_last);
    }
    const int first = max(keys->first, reach.first), last = min(end, reach.last);
    keys->k = TILE_ROW(keys->k, first - keys->first, keys->k_row, SQA_HEAD_DIM);
    keys->v = TILE_ROW(keys->v, first - keys->first, keys->v_row, SQA_VALUE_DIM);
    keys->first = first;
    keys->count = last - first;
    *edge = first < reach.all_first || last > reach.all_last;
    return keys->count > 0;
}

/* One key tile against one row tile, by the cheapest path that serves it: whole tiles
 * that hide nothing have a constant number of keys and no masks. */
INLINE void attend(row_tile *restrict tile, key_tile keys, float *restrict weights,
                   float *restrict extra)
{
    float rescale[ROWS] ALIGNED;
    bool edge;
    if (!cut_keys(tile, &keys, &edge))
        return;
    edge = edge || keys.count < KEYS;
#if SQA_EXTRA
    const int kind = load_extra(tile, keys, extra);
    if (kind == EXTRA_HIDES_ALL)
        return;
    const bool adds = kind != EXTRA_NONE, hides = kind == EXTRA_HIDES;
#else
    const bool adds = false, hides = false;
#endif
    if (edge || hides) {
        const bool hiding = !is_finite(keys);
#if SQA_EXTRA
        if (adds)
            weigh(true, true, hiding, tile, keys, extra, weights, rescale);
        else
#endif
            weigh(true, false, hiding, tile, keys, extra, weights, rescale);
        if (hiding) {
#if SQA_DROPOUT
            drop_weights(keys, tile, weights);
#endif
            add_output(true, tile, keys, weights, rescale);
            return;
        }
    } else {
        keys.count = KEYS;
#if SQA_BIAS
        if (adds)
            weigh(false, true, false, tile, keys, extra, weights, rescale);
        else
#endif
            weigh(false, false, false, tile, keys, extra, weights, rescale);
    }
#if SQA_DROPOUT
    drop_weights(keys, tile, weights);
#endif
    add_output(false, tile, keys, weights, rescale);
}

__attribute__((reqd_work_group_size(1, 1, 1))) __kernel void sqa_rows_forward(SQA_FORWARD_ARGUMENTS)
{
    const long first_head = FIRST_HEAD(get_global_id(1));
    const long batch = get_global_id(2) / SPLIT;
    SQA_SEQUENCE(batch)
    const int first_row = FIRST_ROW(get_global_id(0), ROWS * TILES);
    const int rows = END_ROW(get_global_id(0), ROWS * TILES) - first_row;
    if (rows <= 0)
        return;
    const int tiles = (rows + ROWS - 1) / ROWS;
    __global const sqa_kv_stored *k = SQA_K_MATRIX(batch, first_head);
    __global const sqa_kv_stored *v = SQA_V_MATRIX(batch, first_head);

    row_tile tile[TILES];
    float weights[KEYS * ROWS] ALIGNED;
#if SQA_EXTRA
    float extra[KEYS * ROWS] ALIGNED;
#else
    float *extra = 0;
#endif
    for (int r = 0; r < tiles * ROWS; r++) {
        row_tile *to = &tile[r / ROWS];
        const int lane = r % ROWS;
        const int row = first_row + min(r, rows - 1);
        const long head = ROW_HEAD(first_head, row);
        const int query = ROW_QUERY(row);
        __global const sqa_stored *q = SQA_Q_MATRIX(batch, head) + query * q_row;
        load_row(to, lane, kv_length > 0 && r < rows ? q : 0, query_factor);
        to->start[lane] = SQA_START(query);
        to->end[lane] = SQA_END(query);
#if SQA_GLOBALS
        to->limit[lane] = SQA_LIMIT(query);
#endif
#if SQA_ALIBI
        to->position[lane] = SQA_POSITION(query);
        to->slope[lane] = SQA_SLOPE(head);
#endif
#if SQA_DROPOUT
        to->head[lane] = (uint)head;
        to->query[lane] = (uint)query;
#endif
#if SQA_EXTRA
        SQA_SET_EXTRA_ROW(to->extra[lane], batch, head, (long)query)
#endif
    }
    for (int t = 0; t < tiles; t++) {
        SQA_REACH(reach, ROW_QUERY(first_row + t * ROWS),
                  ROW_QUERY(first_row + min(t * ROWS + ROWS, rows) - 1))
        tile[t].reach = reach;
    }

#if SPLIT > 1
    const int split = get_global_id(2) % SPLIT;
#endif
#if PACK
    float k_packed[KEYS * SQA_HEAD_DIM] ALIGNED;
    float v_packed[KEYS * SQA_VALUE_DIM] ALIGNED;
#endif
    SQA_REACH(reach, ROW_QUERY(first_row), ROW_QUERY(first_row + rows - 1))
    SQA_WALK(walk, reach, SQA_SPLIT_BEGIN(split), SQA_SPLIT_END(split),
             SQA_BLOCK_LIST(batch, first_head, QUERY_BLOCK(get_global_id(0), ROWS * TILES)))
    const sqa_shaping shaping = SQA_SHAPING;
    const sqa_weighing weighing = SQA_WEIGHING;
    const exponents powers = exponents_of(weighing.power, weighing.headroom);
#if SQA_DROPOUT
    const sqa_dropout dropout = SQA_DROPOUT_OF(batch);
#endif
    while (sqa_walk_next(&walk))
        for (int first_key = walk.begin; first_key < walk.end; first_key += KEYS) {
            key_tile keys;
            keys.first = first_key;
            keys.count = min(KEYS, walk.end - first_key);
            keys.shown = walk.shown;
            keys.k_row = k_row;
            keys.v_row = v_row;
            keys.shaping = shaping;
            keys.powers = powers;
            keys.lift = weighing.lift;
#if SQA_DROPOUT
            keys.dropout = dropout;
#endif
#if PACK
            for (int c = 0; c < keys.count; c++)
                pack(k_packed + c * SQA_HEAD_DIM, k + SQA_K_AT(first_key + c), SQA_HEAD_DIM);
            for (int c = 0; c < keys.count; c++)
                pack(v_packed + c * SQA_VALUE_DIM, v + SQA_V_AT(first_key + c), SQA_VALUE_DIM);
            keys.k = k_packed;
            keys.v = v_packed;
#else
            keys.k = k + first_key * k_row;
            keys.v = v + first_key * v_row;
#endif
            for (int t = 0; t < tiles; t++) {
#if SQA_EXTRA
                keys.next = &tile[t + 1 < tiles ? t + 1 : 0];
                keys.next_first = t + 1 < tiles ? first_key : first_key + KEYS;
#endif
                attend(&tile[t], keys, weights, extra);
            }
        }

    for (int r = 0; r < rows; r++) {
        const row_tile *from = &tile[r / ROWS];
        const int lane = r % ROWS;
        const long head = ROW_HEAD(first_head, first_row + r);
        const long query = ROW_QUERY(first_row + r);
#if SPLIT == 1
        const sqa_row_end end =
            sqa_end_row(weighing, from->maximum[lane], from->sum[lane], SQA_SINK(head));
        __global sqa_stored *o = SQA_O_MATRIX(batch, head) + query * o_row;
        for (int d = 0; d < SQA_VALUE_DIM; d++)
            SQA_STORE(sqa_output(from->o[d * ROWS + lane], end.inverse), d, o);
#if SQA_WRITE_LSE
        SQA_LSE_ROW(batch, head)[query] = end.lse;
#endif
#else
        const long part = SQA_SPLIT_PART(split, batch, head, query);
        __global float *o = SQA_SPLIT_OUTPUT(part);
        for (int d = 0; d < SQA_VALUE_DIM; d++)
            o[d] = from->o[d * ROWS + lane];
        SQA_SPLIT_TOTALS(part)[0] = from->maximum[lane];
        SQA_SPLIT_TOTALS(part)[1] = from->sum[lane];
#endif
    }
}
