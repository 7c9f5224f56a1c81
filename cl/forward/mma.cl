/* mma: attention by matrix units, of f16 and bf16, and of f32 rounded to tf32. A work-group owns BM
 * query rows, each of its waves UNIT_ROWS of them, and walks the keys BN at a time with the online
 * softmax of FlashAttention-2 (arXiv 2307.08691, section 3): Q stays in registers or local memory,
 * tiles of K and V pass through the latter, and weights, rounded as V is stored, go from one
 * product to the next.
 *
 * Weights in f16 are relative to the largest, without headroom, which would make them subnormal:
 * values of f16 leave an f32 sum enough of it. Products hide nothing: where an edge tile has
 * infinities or NaN in V, they are taken out of it and added by themselves to the rows that see
 * them. All barriers are passed by all work-items.
 *
 * With ASYNC, instructions that wait for nothing copy V while scores are computed, and the next
 * tile's K while the output is. */
#if PER_WORD == 1
typedef uint stored;
#else
typedef ushort stored;
#endif
typedef __global const stored *stored_row;

/* 16 bytes of a row. */
INLINE uint4 load_chunk(const stored_row row, const bool aligned, const int chunk)
{
    if (aligned)
        return *(__global const uint4 *)(row + CHUNK * chunk);
#if PER_WORD == 1
    return vload4(chunk, row);
#else
    const ushort8 read = vload8(chunk, row);
    return (uint4)(read.s0 | (uint)read.s1 << 16, read.s2 | (uint)read.s3 << 16,
                   read.s4 | (uint)read.s5 << 16, read.s6 | (uint)read.s7 << 16);
#endif
}

/* As the unit takes it. */
INLINE uint load_word(const stored_row from)
{
#if PER_WORD == 1
    return to_unit(from[0]);
#else
    return from[0] | (uint)from[1] << 16;
#endif
}

INLINE uint finite_part(const uint word)
{
#if PER_WORD == 1
    return (word & EXPONENT) == EXPONENT ? 0 : word;
#else
    const bool low = (word & EXPONENT) == EXPONENT;
    const bool high = (word >> 16 & EXPONENT) == EXPONENT;
    return (low ? 0 : word & 0xffffu) | (high ? 0 : word & 0xffff0000u);
#endif
}

/* All of a chunk but infinities and NaN. */
INLINE uint4 finite_parts(const uint4 read, __local int *found)
{
    const uint4 part = (uint4)(finite_part(read.s0), finite_part(read.s1), finite_part(read.s2),
                               finite_part(read.s3));
    if (any(part != read))
        atomic_or(found, 1);
    return part;
}

/* Copies a tile's rows, and zeros after them; with `finite`, all but infinities and NaN, and tells
 * whether there are some. `ith` says which key and chunk is a work-item's i-th, `put` where its
 * elements go. */
#define LOAD_TILE(tile, ith, put, dim, m, at, finite, found)                                       \
    for (int tile_i = thread; tile_i < BN * (dim / CHUNK); tile_i += THREADS) {                    \
        ith(tile_i, dim / CHUNK) uint4 tile_read = (uint4)(0);                                     \
        if (tile_key < keys)                                                                       \
            tile_read =                                                                            \
                load_chunk((stored_row)m + at(first_key + tile_key), m##_aligned, tile_chunk);     \
        if (finite)                                                                                \
            tile_read = finite_parts(tile_read, found);                                            \
        put(tile, tile_key, tile_chunk, chunk_to_unit(tile_read))                                  \
    }
#if ASYNC
/* Begins to copy them: `count` rows from key `first` on, and zeros. What is not aligned is there at
 * once. */
#define BEGIN_TILE(tile, pitch, dim, m, at, first, count)                                          \
    for (int tile_i = thread; tile_i < BN * (dim / CHUNK); tile_i += THREADS) {                    \
        ROW_BY_ROW(tile_i, dim / CHUNK)                                                            \
        const stored_row tile_row = (stored_row)m + at((first) + min(tile_key, (count)-1));        \
        __local uint4 *tile_to = tile + tile_key * pitch + tile_chunk;                             \
        if (m##_aligned)                                                                           \
            BEGIN_COPY(tile_to, tile_row + CHUNK * tile_chunk, tile_key < (count));                \
        else                                                                                       \
            *tile_to = tile_key < (count) ? load_chunk(tile_row, false, tile_chunk) : (uint4)(0);  \
    }                                                                                              \
    END_COPIES;
#define BEGIN_K(first)                                                                             \
    BEGIN_TILE(k_tile, K_PITCH, SQA_HEAD_DIM, k, SQA_K_AT, first, min(BN, walk.end - (first)))

/* Of what a work-item itself has copied, of which others see nothing yet: takes out infinities and
 * NaN, if `finite`, and rounds what is left as the unit takes it. */
INLINE void finish_copies(const int thread, __local uint4 *tile, const int pitch, const int chunks,
                          const bool finite, __local int *found)
{
    for (int i = thread; i < BN * chunks; i += THREADS) {
        __local uint4 *own = tile + i / chunks * pitch + i % chunks;
        *own = chunk_to_unit(finite ? finite_parts(*own, found) : *own);
    }
}
#endif
#define ROW_BY_ROW(i, chunks) const int tile_key = (i) / (chunks), tile_chunk = (i) % (chunks);
#define PUT_K(tile, key, chunk, read) (tile)[(key)*K_PITCH + (chunk)] = read;
#if TRANSPOSED
/* Neighbours read 32 bytes of a row, and the next ones the next row's, so that they write side by
 * side. */
#define V_ITH(i, chunks)                                                                           \
    const int tile_key = (i) / 2 % BN, tile_chunk = (i) / (2 * BN) * 2 + (i) % 2;
#define PUT_V(tile, key, chunk, read)                                                              \
    put_columns((__local ushort *)(tile) + 8 * CHUNK * (chunk)*V_PITCH + (key), as_ushort8(read));

INLINE void put_columns(__local ushort *to, const ushort8 read)
{
    to[0] = read.s0;
    to[8 * V_PITCH] = read.s1;
    to[16 * V_PITCH] = read.s2;
    to[24 * V_PITCH] = read.s3;
    to[32 * V_PITCH] = read.s4;
    to[40 * V_PITCH] = read.s5;
    to[48 * V_PITCH] = read.s6;
    to[56 * V_PITCH] = read.s7;
}
#else
#define V_ITH ROW_BY_ROW
#define PUT_V(tile, key, chunk, read) (tile)[(key)*V_PITCH + (chunk)] = read;
#endif

/* Adds what a key has in V that is not finite, to the rows that it has a place among the weights
 * of. `weights`: the lane's, of that block. */
INLINE void add_unusual(const units own, float output[SQA_VALUE_DIM / 16][HELD],
                        const stored_row value, const uint weights[WEIGHT_WORDS], const int place,
                        const int mate)
{
    float weight[ROWS_HELD];
#pragma unroll EACH
    for (int r = 0; r < ROWS_HELD; r++) {
        const int held = HELD_AT(place, r);
        const uint word = of_mate(own, weights[held / PER_WORD], MATE_AT(place) ^ mate);
        weight[r] = element_of(word, held % PER_WORD);
    }
#pragma unroll EACH
    for (int d = 0; d < SQA_VALUE_DIM / 16; d++)
#pragma unroll EACH
        for (int j = 0; j < HELD; j++) {
            const float read = element_of(value[16 * d + PLACE(mate, j)], 0);
            const float w = weight[ROW_HELD(j)];
            if (!isfinite(read) && as_int(w) != SQA_HIDDEN_BITS)
                output[d][j] += w * read;
        }
}

/* Of the b-th 16 keys of the tile with Q at the s-th inner elements. */
INLINE void add_product(const units own, const int lane, float score[HELD],
                        const uint factor[FACTOR_WORDS], __local const uint4 *tile, const int b,
                        const int s)
{
    uint words[TILE_WORDS];
    read_rows(lane, words, tile, K_PITCH, 16 * b, 2 * s);
    multiply(own, score, factor, words);
}

INLINE void store_two(__global stored *to, const float first, const float second)
{
#if PER_WORD == 1
    to[0] = as_uint(first);
    to[1] = as_uint(second);
#else
    const uint word = pack(first, second);
    to[0] = (ushort)word;
    to[1] = (ushort)(word >> 16);
#endif
}

/* The tile at `key`, or where the next run begins. */
INLINE int next_tile(sqa_walk *walk, const int key)
{
    if (key < walk->end)
        return key;
    sqa_walk_next(walk);
    return walk->begin;
}

#ifndef SUBGROUP_ATTRIBUTE
#define SUBGROUP_ATTRIBUTE
#endif
SUBGROUP_ATTRIBUTE __attribute__((reqd_work_group_size(THREADS, 1, 1))) __kernel void
sqa_mma_forward(SQA_FORWARD_ARGUMENTS)
{
    const int thread = get_local_id(0), lane = thread % LANES, mate = MATE(lane);
    const long head = get_group_id(1), batch = get_group_id(2);
    SQA_SEQUENCE(batch)
    const int first_row = FIRST_ROW(get_group_id(0), BM);
    const int last_row = END_ROW(get_group_id(0), BM) - 1;
    /* A group past the end of its sequence goes through the motions with no keys. */
    const bool idle = first_row > last_row || kv_length == 0;
    const int wave_row = first_row + thread / LANES * UNIT_ROWS;
    const stored_row q = (stored_row)SQA_Q_MATRIX(batch, head);
    __global const sqa_kv_stored *k = SQA_K_MATRIX(batch, head);
    __global const sqa_kv_stored *v = SQA_V_MATRIX(batch, head);
#if SQA_PAGED
    const long k_steps = k_row | k_batch, v_steps = v_row | v_batch;
#else
    const long k_steps = k_row, v_steps = v_row;
#endif
    const bool k_aligned = (size_t)k % 16 == 0 && k_steps % CHUNK == 0;
    const bool v_aligned = (size_t)v % 16 == 0 && v_steps % CHUNK == 0;
    __local uint4 k_tile[BN * K_PITCH], v_tile[V_CHUNKS];
    __local int unusual[2]; /* in this tile and the next one */
#if SIMULATED
    __local uint exchange[SHOWN * THREADS];
#endif
    const units own = UNITS_OF(thread);

    row_state rows[ROWS_HELD];
    ASIDE row_totals totals;
    float output[SQA_VALUE_DIM / 16][HELD], before[ROWS_HELD];
#if Q_IN_LOCAL
    __local uint4 q_tile[BM * K_PITCH];
#else
    uint query[SQA_HEAD_DIM / INNER][FACTOR_WORDS];
#endif
    const sqa_shaping shaping = SQA_SHAPING;
#if SQA_DTYPE == 1
    const sqa_weighing weighing = {SQA_POWER, 0.0f, 1.0f};
#else
    const sqa_weighing weighing = SQA_WEIGHING;
#endif
#pragma unroll EACH
    for (int r = 0; r < ROWS_HELD; r++) {
        const int row = min(wave_row + OWN_ROW(lane, r), last_row);
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
    }
#if Q_IN_LOCAL
    for (int i = thread; i < BM * (SQA_HEAD_DIM / 8) && !idle; i += THREADS) {
        const int row = i / (SQA_HEAD_DIM / 8), chunk = i % (SQA_HEAD_DIM / 8);
        q_tile[row * K_PITCH + chunk] =
            load_chunk(q + min(first_row + row, last_row) * q_row, false, chunk);
    }
#else
#pragma unroll EACH
    for (int w = 0; w < FACTOR_WORDS; w++) {
        const int row = min(wave_row + OWN_ROW(lane, FACTOR_ROW(w)), last_row);
        const stored_row from = q + (idle ? 0 : row * q_row) + FACTOR_AT(mate, w);
#pragma unroll EACH
        for (int s = 0; s < SQA_HEAD_DIM / INNER; s++)
            query[s][w] = idle ? 0 : load_word(from + INNER * s);
    }
#endif
#pragma unroll EACH
    for (int d = 0; d < SQA_VALUE_DIM / 16; d++)
#pragma unroll EACH
        for (int j = 0; j < HELD; j++)
            output[d][j] = totals.output[d][j] = 0.0f;
    if (thread < 2)
        unusual[thread] = 0;

    SQA_REACH(reach, first_row, last_row)
    SQA_WALK(walk, reach, 0, idle ? 0 : kv_length,
             SQA_BLOCK_LIST(batch, head, QUERY_BLOCK(get_group_id(0), BM)))
    const int key_tiles = walk_tiles(walk, BN);
    int first_key = 0;
    if (key_tiles > 0)
        first_key = next_tile(&walk, 0);
#if ASYNC
    if (key_tiles > 0) {
        BEGIN_K(first_key)
    }
#endif
#pragma unroll 1
    for (int tile = 0; tile < key_tiles; tile++) {
        const int end = walk.end, shown = walk.shown, keys = min(BN, end - first_key);
        const bool edge = SQA_EXTRA || shown || first_key < reach.all_first ||
                          first_key + BN > min(reach.all_last, end);
#if ASYNC
        WAIT_FOR_COPIES;
        if (PER_WORD == 1)
            finish_copies(thread, k_tile, K_PITCH, SQA_HEAD_DIM / CHUNK, false, unusual);
        barrier(CLK_LOCAL_MEM_FENCE); /* K is there, and nobody works on V before any more */
        BEGIN_TILE(v_tile, V_PITCH, SQA_VALUE_DIM, v, SQA_V_AT, first_key, keys)
#else
        barrier(CLK_LOCAL_MEM_FENCE); /* nobody works on the tile before any more */
        LOAD_TILE(k_tile, ROW_BY_ROW, PUT_K, SQA_HEAD_DIM, k, SQA_K_AT, false, unusual)
        LOAD_TILE(v_tile, V_ITH, PUT_V, SQA_VALUE_DIM, v, SQA_V_AT, edge, unusual + tile % 2)
        barrier(CLK_LOCAL_MEM_FENCE);
#endif
        float score[BN / 16][HELD];
#pragma unroll EACH
        for (int b = 0; b < BN / 16; b++)
#pragma unroll EACH
            for (int j = 0; j < HELD; j++)
                score[b][j] = 0.0f;
#if Q_IN_LOCAL
        __local const uint4 *own_row =
            q_tile + (thread / LANES * UNIT_ROWS + OWN_ROW(lane, 0)) * K_PITCH;
#pragma unroll 1
        for (int s = 0; s < SQA_HEAD_DIM / 16; s++) {
            uint factor[FACTOR_WORDS];
            vstore4(own_row[2 * s], 0, factor);
            vstore4(own_row[2 * s + 1], 1, factor);
#pragma unroll EACH
            for (int b = 0; b < BN / 16; b++)
                add_product(own, lane, score[b], factor, k_tile, b, s);
        }
#else
#pragma unroll EACH
        for (int b = 0; b < BN / 16; b++)
#pragma unroll EACH
            for (int s = 0; s < SQA_HEAD_DIM / INNER; s++)
                add_product(own, lane, score[b], query[s], k_tile, b, s);
#endif
        const int next_key = tile + 1 < key_tiles ? next_tile(&walk, first_key + BN) : 0;
#if ASYNC
        WAIT_FOR_COPIES;
        if (PER_WORD == 1 || edge)
            finish_copies(thread, v_tile, V_PITCH, SQA_VALUE_DIM / CHUNK, edge, unusual + tile % 2);
        barrier(CLK_LOCAL_MEM_FENCE); /* V is there, and nobody needs this K any more */
#endif
        if (edge) {
            finish_scores(true, score, rows, shaping, query_factor, first_key, mate, end, shown);
            update_rows(true, own, rows, output, score, weighing);
        } else {
            finish_scores(false, score, rows, shaping, query_factor, first_key, mate, end, shown);
            update_rows(false, own, rows, output, score, weighing);
        }
#if ASYNC
        if (tile + 1 < key_tiles) {
            BEGIN_K(next_key)
        } /* only now, when there are registers for it again */
#endif
        uint weights[BN / 16][WEIGHT_WORDS];
#pragma unroll EACH
        for (int b = 0; b < BN / 16; b++) {
            pack_weights(score[b], weights[b]);
#pragma unroll EACH
            for (int h = 0; h < 16 / INNER; h++) {
                uint factor[FACTOR_WORDS];
                as_factor(own, weights[b], h, factor);
#pragma unroll EACH
                for (int d = 0; d < SQA_VALUE_DIM / 16; d++) {
                    uint words[TILE_WORDS];
                    READ_COLUMNS(lane, words, v_tile, 16 * b + INNER * h, 16 * d);
                    multiply(own, output[d], factor, words);
                }
            }
        }
        if (unusual[tile % 2]) {
            uint kept[BN / 16][WEIGHT_WORDS]; /* a copy, so that the original stays in registers */
#pragma unroll EACH
            for (int b = 0; b < BN / 16; b++)
#pragma unroll EACH
                for (int w = 0; w < WEIGHT_WORDS; w++)
                    kept[b][w] = weights[b][w];
#pragma unroll 1
            for (int j = 0; j < keys; j++)
                add_unusual(own, output, (stored_row)v + SQA_V_AT(first_key + j), kept[j / 16],
                            j % 16, mate);
        }
        if (thread == 0)
            unusual[(tile + 1) % 2] = 0;
        if ((tile + 1) % (SQA_SUM_KEYS / BN) == 0)
            add_totals(&totals, rows, output, before, weighing);
        first_key = next_key;
    }
    add_totals(&totals, rows, output, before, weighing);

    float sum[ROWS_HELD];
#pragma unroll EACH
    for (int r = 0; r < ROWS_HELD; r++)
        sum[r] = sum_of_mates(own, totals.sum[r]);
#pragma unroll EACH
    for (int r = 0; r < ROWS_HELD; r++) {
        const int row = wave_row + OWN_ROW(lane, r);
        if (row > last_row)
            continue;
        const sqa_row_end end = sqa_end_row(weighing, rows[r].maximum, sum[r], SQA_SINK(head));
        __global stored *to = (__global stored *)(SQA_O_MATRIX(batch, head) + (long)row * o_row);
#pragma unroll EACH
        for (int d = 0; d < SQA_VALUE_DIM / 16; d++)
#pragma unroll EACH
            for (int n = 0; n < HELD / ROWS_HELD; n += 2) {
                const int j = OF_ROW(r, n);
                store_two(to + 16 * d + PLACE(mate, j),
                          sqa_output(totals.output[d][j], end.inverse),
                          sqa_output(totals.output[d][j + 1], end.inverse));
            }
#if SQA_WRITE_LSE
        if (mate == 0)
            SQA_LSE_ROW(batch, head)[row] = end.lse;
#endif
    }
}
