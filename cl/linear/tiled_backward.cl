/* tiled, backward: the gradients of linear attention for GPUs (arXiv 2312.06635, section 4; the
 * delta rule: 2406.06484, section 3). States before every chunk (S) and gradients of states behind
 * every chunk (G) go from one chunk to the next; what then is left of the chunks is computed of all
 * at the same time:
 *
 *   dchi = (dO S^T, weakened by the decays before) + W kappa       W: dO R^T of pairs
 *   dkappa = (R G^T, weakened by the decays behind) + W^T chi
 *
 * A decay of token r weakens what tokens s < r bring to tokens t >= r, and its gradient has parts
 * of S to G, S to a query of the chunk, a key of the chunk to G, and of the pairs in the chunk.
 * Each is added up by itself: as a difference of sums over all tokens what strong decays leave
 * would be lost. */

#if SQA_DELTA
#define PASSES ((head + 1) * group + 1) /* the last one is that of keys */
#define OWN_KEYS(h) ((h) == (head + 1) * group)
#define LOAD_ROWS(h, column)                                                                       \
    if (OWN_KEYS(h))                                                                               \
        load_floats(a_tile, DVALUES + first * VALUE_PITCH + (column), keys, thread);               \
    else                                                                                           \
        LOAD_DOUT(h, column)
#define FACTOR_OF(h, t) (OWN_KEYS(h) ? -betas[t] : scale)
#define VALUE_FACTOR(s) betas[s]
#else
#define PASSES ((head + 1) * group)
#define OWN_KEYS(h) false
#define LOAD_ROWS(h, column) LOAD_DOUT(h, column)
#define FACTOR_OF(h, t) ((t) < queries ? ROW_FACTOR(t) : 0.0f)
#define VALUE_FACTOR(s) 1.0f
#endif

/* Gradients of decays. Of one per channel a chunk's rows, keys and gradients are local tiles, and a
 * thread has channels; of others, numbers of a token, and their sums. */
#if CHANNELS
#define DECAY_TILES                                                                                \
    __local float of_chunk[ROWS];                                                                  \
    __local vec row_tile[CHUNK * HEAD_PITCH], key_tile[CHUNK * HEAD_PITCH];                        \
    __local float decay_tile[CHUNK * ROWS];
#elif SQA_DECAY
#define DECAY_TILES                                                                                \
    __local float of_chunk[ROWS], later[CHUNK * TX], earlier[CHUNK * TX], of_token[CHUNK];         \
    __local float scores[SQUARE], pairs[SQUARE];
#else
#define DECAY_TILES
#endif

#if SQA_DECAY
/* What S has in common with G, through the chunk's decays. */
INLINE void set_of_chunk(__local float *of_chunk, __global const float *state,
                         __global const float *gradient, const int thread DECAY_ARGUMENTS)
{
    for (int d = thread; d < ROWS; d += THREADS) {
        float sum = 0.0f;
#pragma unroll 1
        for (int c = 0; c < VALUE_PITCH + SQA_NORMALISE; c++)
            sum = fma(state[(long)c * ROWS + d], gradient[(long)c * ROWS + d], sum);
        of_chunk[d] = sqa_weaken(sum, CHUNK_DECAY(d));
    }
}

INLINE void add_common(__local float *to, const vec *a, __local const vec *b, const int x,
                       const int y)
{
#pragma unroll
    for (int i = 0; i < TM; i++) {
        const int t = y + TY * i;
        float sum = to[t * TX + x];
#pragma unroll
        for (int j = 0; j < TD; j++)
            if (IS_VEC(j))
                sum = multiply_add(a[i * TD + j], b[t * HEAD_PITCH + x + TX * j], sum);
        to[t * TX + x] = sum;
    }
}
#endif

#if CHANNELS
INLINE void put_rows(__local vec *to, const vec *rows, const int x, const int y)
{
#pragma unroll
    for (int i = 0; i < TM; i++)
#pragma unroll
        for (int j = 0; j < TD; j++)
            if (IS_VEC(j))
                to[(y + TY * i) * HEAD_PITCH + x + TX * j] = rows[i * TD + j];
}

INLINE void add_tile(vec *rows, __local const vec *tile, const int x, const int y)
{
#pragma unroll
    for (int i = 0; i < TM; i++)
#pragma unroll
        for (int j = 0; j < TD; j++)
            rows[i * TD + j] += tile[(y + TY * i) * HEAD_PITCH + AT_VEC(j)];
}

#define AT_ELEMENT(t, d) ((t)*HEAD_PITCH * VEC + (d))

/* What S has in common with G, and keys with G, of every decay between. */
INLINE void begin_decays(__local float *decays, __local const float *of_chunk,
                         __local const float *keys, __local const float *dkeys, const int thread)
{
    for (int d = thread; d < ROWS; d += THREADS) {
        float sum = of_chunk[d];
#pragma unroll 1
        for (int t = 0; t < CHUNK; t++) {
            decays[t * ROWS + d] = sum;
            sum = fma(keys[AT_ELEMENT(t, d)], dkeys[AT_ELEMENT(t, d)], sum);
        }
    }
}

/* The pairs of the chunk, through the decays of each channel: to gradients of rows and of keys, and
 * of decays. */
INLINE void take_pairs(__local float *decays, __local const float *rows, __local const float *keys,
                       __local float *drows, __local float *dkeys, __local const float *weights,
                       const int own, const int count, const int thread DECAY_ARGUMENTS)
{
    for (int d = thread; d < ROWS; d += THREADS) {
        float later = 0.0f;
#pragma unroll 1
        for (int t = count - 1; t >= 0; t--) {
            later = fma(rows[AT_ELEMENT(t, d)], drows[AT_ELEMENT(t, d)], later);
            decays[t * ROWS + d] += later;
        }
        for (int s = 0; s < count; s++) {
            const float key = keys[AT_ELEMENT(s, d)];
            const float2 log = LOG_AT(s, d);
            float dkey = 0.0f;
            later = 0.0f;
#pragma unroll 1
            for (int t = count - 1; t > s - own; t--) {
                const float row = rows[AT_ELEMENT(t, d)];
                const float left = t > s ? exp(log_since(LOG_AT(t, d), log)) : 1.0f;
                const float weight = weights[t * SCORE_PITCH + s] * left;
                drows[AT_ELEMENT(t, d)] = fma(weight, key, drows[AT_ELEMENT(t, d)]);
                dkey = fma(weight, row, dkey);
                if (t > s) {
                    later = fma(weight * key, row, later);
                    decays[t * ROWS + d] += later;
                }
            }
            dkeys[AT_ELEMENT(s, d)] += dkey;
        }
    }
}
#elif SQA_DECAY
/* The gradient of the decay of token r. */
INLINE float decay_gradient(const int r, __local const float *of_chunk,
                            __local const float *earlier, __local const float *later,
                            __local const float *pairs, const int count)
{
    float sum = 0.0f;
#pragma unroll 1
    for (int d = 0; d < ROWS; d++)
        sum += of_chunk[d];
    for (int i = 0; i < r * TX; i++)
        sum += earlier[i];
    for (int i = r * TX; i < count * TX; i++)
        sum += later[i];
    for (int t = r; t < count; t++)
        for (int s = 0; s < r; s++)
            sum += pairs[t * SCORE_PITCH + s];
    return sum;
}
#endif

/* Elements of a row's gradient, by the slope of f at what `at` has. */
INLINE vec through_slope(vec x, __global const sqa_stored *at, const int d)
{
#if SQA_FEATURE
#define SLOPE_LANE(n)                                                                              \
    if (d + n < SQA_HEAD_DIM)                                                                      \
        LANE(x, n) *= slope_of(SQA_LOAD(d + n, at));
    EACH_LANE(SLOPE_LANE)
#undef SLOPE_LANE
#endif
    return x;
}
#define STORE_EACH(STORE, value)                                                                   \
    {                                                                                              \
        const vec stored = (value);                                                                \
        EACH_LANE(STORE)                                                                           \
    }
#define STORE_DQ_LANE(n)                                                                           \
    if (d + n < SQA_HEAD_DIM)                                                                      \
        STORE_DQ(LANE(stored, n), d + n, DQ_ROW(h, first + t));
#define STORE_DK_LANE(n)                                                                           \
    if (d + n < SQA_HEAD_DIM)                                                                      \
        SQA_STORE(LANE(stored, n), d + n, dk + (first + t) * dk_row);

OF_A_GROUP __kernel void sqa_tiled_linear_chunks(SQA_LINEAR_ARGUMENTS)
{
    __local vec k_tile[CHUNK * HEAD_PITCH], q_tile[CHUNK * HEAD_PITCH];
    __local vec a_tile[CHUNK * COLUMN_VECS], r_tile[CHUNK * COLUMN_VECS];
    __local vec s_tile[COLUMNS * HEAD_PITCH];
    SET_LOG_TILE
    DECAY_TILES
#if SQA_CAUSAL
    __local float weight_tile[SQUARE];
#endif
#if SQA_DELTA
    __local float betas[CHUNK];
#endif
    BEGIN_CHUNK
    __global const float *gradient = GRADIENT_OF(chunk);
    __global sqa_stored *dk = SQA_KV_MATRIX(batch, head, dk);
    vec dkeys[OWN_VECTORS];
    clear_vectors(dkeys, OWN_VECTORS);
    load_tokens(k_tile, k + first * k_row, k_row, keys, 1.0f, thread);
    TAKE_LOGS(first, keys)
    LOAD_BETAS(first, keys)
    barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll 1
    for (int column = 0; keys > 0 && column < SQA_VALUE_DIM; column += COLUMNS) {
        LOAD_VALUES(column)
        load_slice(s_tile, gradient + (long)column * ROWS, thread);
        barrier(CLK_LOCAL_MEM_FENCE);
        add_slice(dkeys, r_tile, s_tile, x, y);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    EACH_OF_THREAD(i, TM)
    EACH_OF_THREAD(j, TD)
    {
        const int t = y + TY * i, d = VEC * AT_VEC(j);
        vec sum = dkeys[i * TD + j] * VALUE_FACTOR(t);
#if SQA_NORMALISE
        if (t < keys)
            sum += get(SUMS_OF(gradient) + d);
#endif
        dkeys[i * TD + j] = weaken_behind(sum, t, d DECAY_OF);
    }
#if SQA_DECAY
    if (keys > 0)
        set_of_chunk(of_chunk, state, gradient, thread DECAY_OF);
#if CHANNELS
    put_rows(key_tile, dkeys, x, y);
    clear_vectors(dkeys, OWN_VECTORS);
    barrier(CLK_LOCAL_MEM_FENCE);
    begin_decays(decay_tile, of_chunk, (__local const float *)k_tile,
                 (__local const float *)key_tile, thread);
#else
    EACH_OF_THREAD(i, TM)
    {
        earlier[(y + TY * i) * TX + x] = later[(y + TY * i) * TX + x] = 0.0f;
        EACH_OF_THREAD(j, TN)
        pairs[(y + TY * i) * SCORE_PITCH + x + TX * j] = 0.0f;
    }
    add_common(earlier, dkeys, k_tile, x, y);
#endif
#endif
    for (long h = head * group; queries > 0 && h < PASSES; h++) {
        vec rows[OWN_VECTORS];
        float weights[OWN_PAIRS];
#if SQA_NORMALISE
        __global const float *divisors = DIVISORS(h, first);
#endif
        if (OWN_KEYS(h))
            load_tokens(q_tile, k + first * k_row, k_row, keys, 1.0f, thread);
        else
            load_tokens(q_tile, SQA_Q_MATRIX(batch, h) + first * q_row, q_row, queries, 1.0f,
                        thread);
        TAKE_SLICES(rows, weights, h, state, LOAD_ROWS)
        EACH_OF_THREAD(i, TM)
        EACH_OF_THREAD(j, TD)
        {
            const int t = y + TY * i, d = VEC * AT_VEC(j);
            vec sum = rows[i * TD + j] * FACTOR_OF(h, t);
#if SQA_NORMALISE
            if (t < queries)
                sum = fma((vec)(ROW_LAST(t)), get(SUMS_OF(state) + d), sum);
#endif
            rows[i * TD + j] = weaken_before(sum, t, d DECAY_OF);
        }
#if SQA_CAUSAL
        const int own = OWN_KEYS(h) ? 0 : 1;
#if SQA_DECAY && !CHANNELS
        add_common(later, rows, q_tile, x, y);
        set_scores(scores, q_tile, k_tile, own, x, y DECAY_OF);
#endif
        EACH_OF_THREAD(i, TM)
        EACH_OF_THREAD(j, TN)
        {
            const int t = y + TY * i, s = x + TX * j, at = t * SCORE_PITCH + s;
            float weight = 0.0f;
            if (s < t + own && t < queries)
                weight = fma(weights[i * TN + j] * FACTOR_OF(h, t), VALUE_FACTOR(s), ROW_LAST(t));
#if SQA_NORMALISE
            if (s == t && t < queries)
                weight = ROW_OWN(t);
#endif
#if SQA_DELTA
            if (OWN_KEYS(h) && s == t && t < keys)
                dbeta_buffer[dbeta_offset + TOKEN_ROW(first + t)] = weights[i * TN + j];
#endif
#if SQA_DECAY && !CHANNELS
            if (s < t) {
                pairs[at] = fma(scores[at], weight, pairs[at]);
                weight *= exp(log_since(LOG_AT(t, 0), LOG_AT(s, 0)));
            }
#endif
            weight_tile[at] = weight;
        }
#if CHANNELS
        put_rows(row_tile, rows, x, y);
        barrier(CLK_LOCAL_MEM_FENCE);
        take_pairs(decay_tile, (__local const float *)q_tile, (__local const float *)k_tile,
                   (__local float *)row_tile, (__local float *)key_tile, weight_tile, own, queries,
                   thread DECAY_OF);
        barrier(CLK_LOCAL_MEM_FENCE);
        clear_vectors(rows, OWN_VECTORS);
        add_tile(rows, row_tile, x, y);
#else
        barrier(CLK_LOCAL_MEM_FENCE);
        add_earlier(rows, weight_tile, k_tile, queries, x, y);
        add_later(dkeys, weight_tile, q_tile, queries, x, y);
#endif
#endif
        EACH_OF_THREAD(i, TM)
        EACH_OF_THREAD(j, TD)
        {
            const int t = y + TY * i, d = VEC * (x + TX * j);
            if (OWN_KEYS(h))
                dkeys[i * TD + j] += rows[i * TD + j];
            else if (t < queries && IS_VEC(j))
                STORE_EACH(STORE_DQ_LANE,
                           through_slope(rows[i * TD + j],
                                         SQA_Q_MATRIX(batch, h) + (first + t) * q_row, d))
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
#if CHANNELS
    add_tile(dkeys, key_tile, x, y);
#endif
    EACH_OF_THREAD(i, TM)
    EACH_OF_THREAD(j, TD)
    {
        const int t = y + TY * i, d = VEC * (x + TX * j);
        if (t < keys && IS_VEC(j))
            STORE_EACH(STORE_DK_LANE, through_slope(dkeys[i * TD + j], k + (first + t) * k_row, d))
    }
#if CHANNELS
    for (int i = thread; i < keys * SQA_HEAD_DIM; i += THREADS) {
        const int t = i / SQA_HEAD_DIM, d = i % SQA_HEAD_DIM;
        ddecay_buffer[ddecay_offset + TOKEN_ROW(first + t) * SQA_HEAD_DIM + d] =
            decay_tile[t * ROWS + d];
    }
#elif SQA_DECAY
    for (int t = thread; t < keys; t += THREADS) {
        of_token[t] = decay_gradient(t, of_chunk, earlier, later, pairs, keys);
#if SQA_DECAY == 2
        ddecay_buffer[ddecay_offset + TOKEN_ROW(first + t)] = of_token[t];
#endif
    }
#if SQA_DECAY == 1
    barrier(CLK_LOCAL_MEM_FENCE);
    float sum = 0.0f;
    for (int t = 0; t < keys && thread == 0; t++)
        sum += of_token[t];
    if (thread == 0)
        workspace[decays_at + (batch * kv_heads + head) * decay_parts + chunk] = sum;
#endif
#endif
}
