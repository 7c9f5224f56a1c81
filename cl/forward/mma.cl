/* mma: attention by matrix units, f16 and bf16. A work-group owns BM query rows, each of its warps
 * 16 of them, and walks the keys BN at a time with the online softmax of FlashAttention-2 (arXiv
 * 2307.08691, section 3): Q stays in registers, tiles of K and V pass through local memory, and
 * weights, rounded as V is stored, go from one product to the next without leaving the lane.
 *
 * Weights in f16 are relative to the largest, without headroom, which would make them subnormal:
 * values of f16 leave an f32 sum enough of it. Products hide nothing: where an edge tile has
 * infinities or NaN in V, they are taken out of it and added by themselves to the rows that see
 * them. All barriers are passed by all work-items. */
typedef __global const ushort *stored_row;

/* Eight elements from where the row begins. */
INLINE uint4 load_chunk(const stored_row row, const bool aligned, const int chunk)
{
    if (aligned)
        return *(__global const uint4 *)(row + 8 * chunk);
    const ushort8 read = vload8(chunk, row);
    return (uint4)(read.s0 | (uint)read.s1 << 16, read.s2 | (uint)read.s3 << 16,
                   read.s4 | (uint)read.s5 << 16, read.s6 | (uint)read.s7 << 16);
}

INLINE uint finite_part(const uint word)
{
    const bool low = (word & EXPONENT) == EXPONENT;
    const bool high = (word >> 16 & EXPONENT) == EXPONENT;
    return (low ? 0 : word & 0xffffu) | (high ? 0 : word & 0xffff0000u);
}

/* Copies a tile's rows, and zeros after them; with `finite`, all but infinities and NaN, and tells
 * whether there are some. */
#define LOAD_TILE(tile, pitch, dim, m, at, finite, found)                                          \
    for (int tile_i = thread; tile_i < BN * (dim / 8); tile_i += THREADS) {                        \
        const int tile_key = tile_i / (dim / 8), tile_chunk = tile_i % (dim / 8);                  \
        uint4 tile_read = (uint4)(0);                                                              \
        if (tile_key < keys)                                                                       \
            tile_read =                                                                            \
                load_chunk((stored_row)m + at(first_key + tile_key), m##_aligned, tile_chunk);     \
        if (finite) {                                                                              \
            const uint4 tile_part = (uint4)(finite_part(tile_read.s0), finite_part(tile_read.s1),  \
                                            finite_part(tile_read.s2), finite_part(tile_read.s3)); \
            if (any(tile_part != tile_read))                                                       \
                atomic_or(found, 1);                                                               \
            tile_read = tile_part;                                                                 \
        }                                                                                          \
        (tile)[tile_key * (pitch) + tile_chunk] = tile_read;                                       \
    }

/* Adds what key `key` of the tile has in V that is not finite. `weights`: the lane's word. */
INLINE void add_unusual(const units own, float output[SQA_VALUE_DIM / 8][4], const stored_row value,
                        const uint weights[2], const int from, const int which, const int t)
{
    float weight[2];
#pragma unroll EACH
    for (int r = 0; r < 2; r++)
        weight[r] = element_of(of_quad(own, weights[r], from), which);
#pragma unroll EACH
    for (int d = 0; d < SQA_VALUE_DIM / 8; d++)
#pragma unroll EACH
        for (int j = 0; j < 4; j++) {
            const float read = element_of(value[8 * d + 2 * t + j % 2], 0);
            const float w = weight[j / 2];
            if (!isfinite(read) && as_int(w) != SQA_HIDDEN_BITS)
                output[d][j] += w * read;
        }
}

__attribute__((reqd_work_group_size(THREADS, 1, 1))) __kernel void
sqa_mma_forward(SQA_FORWARD_ARGUMENTS)
{
    const int thread = get_local_id(0), lane = thread % 32, g = lane / 4, t = lane % 4;
    const long head = get_group_id(1), batch = get_group_id(2);
    SQA_SEQUENCE(batch)
    const int first_row = FIRST_ROW(get_group_id(0), BM);
    const int last_row = END_ROW(get_group_id(0), BM) - 1;
    /* A group past the end of its sequence goes through the motions with no keys. */
    const bool idle = first_row > last_row || kv_length == 0;
    const int own_row = first_row + thread / 32 * 16 + g;
    const stored_row q = (stored_row)SQA_Q_MATRIX(batch, head);
    __global const sqa_kv_stored *k = SQA_K_MATRIX(batch, head);
    __global const sqa_kv_stored *v = SQA_V_MATRIX(batch, head);
#if SQA_PAGED
    const long k_steps = k_row | k_batch, v_steps = v_row | v_batch;
#else
    const long k_steps = k_row, v_steps = v_row;
#endif
    const bool k_aligned = (size_t)k % 16 == 0 && k_steps % 8 == 0;
    const bool v_aligned = (size_t)v % 16 == 0 && v_steps % 8 == 0;
    __local uint4 k_tile[BN * K_PITCH], v_tile[BN * V_PITCH];
    __local int unusual[2]; /* in this tile and the next one */
#if !MATRIX_UNITS
    __local uint exchange[6 * THREADS];
#endif
    const units own = UNITS_OF(thread);

    row_state rows[2];
    volatile row_totals totals;
    float output[SQA_VALUE_DIM / 8][4], before[2];
    uint query[SQA_HEAD_DIM / 16][4];
    const sqa_shaping shaping = SQA_SHAPING;
#if SQA_DTYPE == 2
    const sqa_weighing weighing = SQA_WEIGHING;
#else
    const sqa_weighing weighing = {SQA_POWER, 0.0f, 1.0f};
#endif
#pragma unroll EACH
    for (int r = 0; r < 2; r++) {
        const int row = min(own_row + 8 * r, last_row);
        rows[r].start = SQA_START(row);
        rows[r].end = SQA_END(row);
#if SQA_GLOBALS
        rows[r].limit = SQA_LIMIT(row);
#endif
#if SQA_ALIBI
        rows[r].position = SQA_POSITION(row);
        rows[r].slope = SQA_SLOPE(head);
#endif
#if SQA_EXTRA
        SQA_SET_EXTRA_ROW(rows[r].extra, batch, head, (long)row)
#endif
        rows[r].maximum = before[r] = SQA_LOWEST_SCORE;
        rows[r].sum = totals.sum[r] = 0.0f;
        const stored_row from = q + (idle ? 0 : row * q_row);
#pragma unroll EACH
        for (int s = 0; s < SQA_HEAD_DIM / 16; s++)
#pragma unroll EACH
            for (int e = 0; e < 2; e++) {
                const int at = 16 * s + 8 * e + 2 * t;
                query[s][2 * e + r] = idle ? 0 : from[at] | (uint)from[at + 1] << 16;
            }
    }
#pragma unroll EACH
    for (int d = 0; d < SQA_VALUE_DIM / 8; d++)
#pragma unroll EACH
        for (int j = 0; j < 4; j++)
            output[d][j] = totals.output[d][j] = 0.0f;
    if (thread < 2)
        unusual[thread] = 0;

    SQA_REACH(reach, first_row, last_row)
    SQA_WALK(walk, reach, 0, idle ? 0 : kv_length,
             SQA_BLOCK_LIST(batch, head, QUERY_BLOCK(get_group_id(0), BM)))
    const int key_tiles = walk_tiles(walk, BN);
    int first_key = 0;
#pragma unroll 1
    for (int tile = 0; tile < key_tiles; tile++, first_key += BN) {
        if (first_key >= walk.end) {
            sqa_walk_next(&walk);
            first_key = walk.begin;
        }
        const int keys = min(BN, walk.end - first_key);
        const bool edge = SQA_EXTRA || walk.shown || first_key < reach.all_first ||
                          first_key + BN > min(reach.all_last, walk.end);
        barrier(CLK_LOCAL_MEM_FENCE); /* nobody works on the tile before any more */
        LOAD_TILE(k_tile, K_PITCH, SQA_HEAD_DIM, k, SQA_K_AT, false, unusual)
        LOAD_TILE(v_tile, V_PITCH, SQA_VALUE_DIM, v, SQA_V_AT, edge, unusual + tile % 2)
        barrier(CLK_LOCAL_MEM_FENCE);
        float score[BN / 8][4];
#pragma unroll EACH
        for (int i = 0; i < BN / 8; i += 2) {
#pragma unroll EACH
            for (int j = 0; j < 4; j++)
                score[i][j] = score[i + 1][j] = 0.0f;
#pragma unroll EACH
            for (int s = 0; s < SQA_HEAD_DIM / 16; s++) {
                uint words[4];
                read_rows(lane, words, k_tile, K_PITCH, 8 * i, 2 * s);
                multiply(own, score[i], query[s], words[0], words[1]);
                multiply(own, score[i + 1], query[s], words[2], words[3]);
            }
        }
        if (edge) {
            finish_scores(true, score, rows, shaping, query_factor, first_key + 2 * t, walk.end,
                          walk.shown);
            update_rows(true, own, rows, output, score, weighing);
        } else {
            finish_scores(false, score, rows, shaping, query_factor, first_key + 2 * t, walk.end,
                          walk.shown);
            update_rows(false, own, rows, output, score, weighing);
        }
        uint weights[BN / 8][2];
#pragma unroll EACH
        for (int i = 0; i < BN / 8; i++)
#pragma unroll EACH
            for (int r = 0; r < 2; r++)
                weights[i][r] = pack(score[i][2 * r], score[i][2 * r + 1]);
#pragma unroll EACH
        for (int i = 0; i < BN / 8; i += 2) {
            const uint left[4] = {weights[i][0], weights[i][1], weights[i + 1][0],
                                  weights[i + 1][1]};
#pragma unroll EACH
            for (int d = 0; d < SQA_VALUE_DIM / 8; d += 2) {
                uint words[4];
                read_columns(lane, words, v_tile, V_PITCH, 8 * i, d);
                multiply(own, output[d], left, words[0], words[1]);
                multiply(own, output[d + 1], left, words[2], words[3]);
            }
        }
        if (unusual[tile % 2]) {
            uint kept[BN / 8][2]; /* a copy, so that the original stays in registers */
#pragma unroll EACH
            for (int i = 0; i < BN / 8; i++)
#pragma unroll EACH
                for (int r = 0; r < 2; r++)
                    kept[i][r] = weights[i][r];
#pragma unroll 1
            for (int j = 0; j < keys; j++)
                add_unusual(own, output, (stored_row)v + SQA_V_AT(first_key + j), kept[j / 8],
                            j % 8 / 2, j % 2, t);
        }
        if (thread == 0)
            unusual[(tile + 1) % 2] = 0;
        if ((tile + 1) % (SQA_SUM_KEYS / BN) == 0)
            add_totals(&totals, rows, output, before, weighing);
    }
    add_totals(&totals, rows, output, before, weighing);

    float sum[2];
#pragma unroll EACH
    for (int r = 0; r < 2; r++)
        sum[r] = sum_of_quad(own, totals.sum[r]);
#pragma unroll EACH
    for (int r = 0; r < 2; r++) {
        const int row = own_row + 8 * r;
        if (row > last_row)
            continue;
        const sqa_row_end end = sqa_end_row(weighing, rows[r].maximum, sum[r], SQA_SINK(head));
        __global ushort *to =
            (__global ushort *)(SQA_O_MATRIX(batch, head) + (long)row * o_row) + 2 * t;
#pragma unroll EACH
        for (int d = 0; d < SQA_VALUE_DIM / 8; d++) {
            const uint word = pack(sqa_output(totals.output[d][2 * r], end.inverse),
                                   sqa_output(totals.output[d][2 * r + 1], end.inverse));
            to[8 * d] = (ushort)word;
            to[8 * d + 1] = (ushort)(word >> 16);
        }
#if SQA_WRITE_LSE
        if (t == 0)
            SQA_LSE_ROW(batch, head)[row] = end.lse;
#endif
    }
}
