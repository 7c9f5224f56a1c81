/* columns, backward: a chunk of tokens. Its `rows` are queries, or, of the delta rule, keys, which
 * ask the state too. */

/* out = rows S^T of a transposed state, from the rows' own transposed. */
INLINE void read_state(OUT w, IN state, IN turned, OUT out)
{
    product(state, ROW_PITCH, 1, STATE_ROWS, turned, TOKENS, TOKENS, SQA_HEAD_DIM, ALL,
            w + AT_COLUMNS, TOKENS, 0, NULL);
    transpose(w + AT_COLUMNS, TOKENS, VALUE_PITCH, out, VALUE_PITCH, TOKENS);
}

INLINE void turn_rows(IN rows, OUT turned)
{
    transpose(rows, ROW_PITCH, TOKENS, turned, TOKENS, ROW_PITCH);
}

/* Of keys that the row does not see, 0. */
INLINE void hide(OUT square, const int t, const int seen)
{
    for (int s = 0; s < TOKENS; s += LANES) {
        const ivec hidden = LANE_NUMBERS + (ivec)(s) >= (ivec)(seen);
        PUT(select(GET(square + t * TOKENS + s), (vec)(0.0f), hidden), square + t * TOKENS + s);
    }
}

INLINE void weaken_square(IN w, OUT square, const int t)
{
#if SQA_DECAY && !CHANNELS
    for (int s = 0; s < TOKENS; s += LANES)
        PUT(GET(square + t * TOKENS + s) * GET(w + AT_LEFT + t * TOKENS + s),
            square + t * TOKENS + s);
#endif
}

/* scores[t][s] = row t . key s through the decays between them, of s < t + `own`. */
#if CHANNELS
INLINE void set_scores(OUT w, IN rows, const int count, const int own, OUT scores)
{
    for (int i = 0; i < SQUARE; i++)
        scores[i] = 0.0f;
    for (int s = 0; s < count; s++) {
        float key[ROW_PITCH] ALIGNED;
        for (int d = 0; d < ROW_PITCH; d += LANES)
            STORE(GET(w + AT_KEYS + s * ROW_PITCH + d), key + d);
        for (int t = s; t < count; t++) {
            vec sum = (vec)(0.0f);
            for (int d = 0; d < ROW_PITCH; d += LANES) {
                const vec left = t > s ? GET(w + AT_ONE + t * ROW_PITCH + d) : (vec)(1.0f);
                STORE(LOAD(key + d) * left, key + d);
                sum = fma(GET(rows + t * ROW_PITCH + d), LOAD(key + d), sum);
            }
            if (s < t + own)
                scores[t * TOKENS + s] = sum_of(sum);
        }
    }
}
#else
INLINE void set_scores(OUT w, IN rows, const int count, const int own, OUT scores)
{
    product(rows, ROW_PITCH, 1, count, w + AT_KEYS_TURNED, TOKENS, TOKENS, SQA_HEAD_DIM, LOWER,
            scores, TOKENS, 0, NULL);
    for (int t = 0; t < UP(count, MR); t++) {
        weaken_square(w, scores, t);
        hide(scores, t, t + own);
    }
}
#endif

/* The delta rule: what every token adds to the state, in `values`, and what is left of its value
 * where beta is taken off, in `rest`. */
#if SQA_DELTA
INLINE void correct(OUT w, IN state, const float *betas, const int count)
{
    turn_rows(WEAKENED(w, w + AT_KEYS, AT_BEFORE), w + AT_TURNED);
    read_state(w, state, w + AT_TURNED, w + AT_KNOWN);
    set_scores(w, w + AT_KEYS, count, 0, w + AT_OWN_SCORES);
    for (int t = 0; t < count; t++)
        for (int j = 0; j < VALUE_PITCH; j += LANES) {
            const int at = t * VALUE_PITCH + j;
            vec rest = GET(w + AT_VALUES + at) - GET(w + AT_KNOWN + at);
            for (int s = 0; s < t; s++)
                rest = fma((vec)(-w[AT_OWN_SCORES + t * TOKENS + s]),
                           GET(w + AT_VALUES + s * VALUE_PITCH + j), rest);
            PUT(rest, w + AT_REST + at);
            PUT((vec)(betas[t]) * rest, w + AT_VALUES + at);
        }
}

/* From the gradients of what tokens add those of values, with the sign that what is taken off them
 * has, in `dout`; and of beta. */
INLINE void correct_gradients(OUT w, const float *betas, const int count, float *dbetas)
{
    for (int i = 0; i < VALUE_MATRIX; i += LANES)
        PUT((vec)(0.0f), w + AT_DOUT + i);
    for (int t = count - 1; t >= 0; t--) {
        vec product = (vec)(0.0f);
        for (int j = 0; j < VALUE_PITCH; j += LANES) {
            const int at = t * VALUE_PITCH + j;
            vec sum = GET(w + AT_DVALUES + at);
            for (int s = t + 1; s < count; s++)
                sum = fma((vec)(w[AT_OWN_SCORES + s * TOKENS + t]),
                          GET(w + AT_DOUT + s * VALUE_PITCH + j), sum);
            product = fma(sum, GET(w + AT_REST + at), product);
            PUT((vec)(betas[t]) * sum, w + AT_DVALUES + at);
            PUT((vec)(-betas[t]) * sum, w + AT_DOUT + at);
        }
        dbetas[t] = sum_of(product);
    }
}
#endif

/* Normalised: dO, over its divisor, times `scale`, and the divisor's gradient in the last column.
 * `rest` is what the rows get of the state and of other keys than their own; a row's own key weighs
 * `own`, and has the weight's gradient `own_weights`: by what the others say, since next to its own
 * a row that sees little else would be rounded away. */
#if SQA_NORMALISE
INLINE void divide(OUT w, const float scale, const float epsilon, const int count, const float *own,
                   float *own_weights)
{
    for (int t = 0; t < count; t++) {
        __global const float *rest = w + AT_REST + t * VALUE_PITCH;
        __global const float *values = w + AT_VALUES + t * VALUE_PITCH;
        OUT dout = w + AT_DOUT + t * VALUE_PITCH;
        const float others = fma(scale, rest[SQA_VALUE_DIM], epsilon);
        const float inverse = 1.0f / fma(scale, own[t], others);
        vec of_rest = (vec)(0.0f), of_value = (vec)(0.0f);
        dout[SQA_VALUE_DIM] = 0.0f;
        for (int j = 0; j < VALUE_PITCH; j += LANES) {
            const vec x = GET(dout + j) * (vec)(scale * inverse);
            of_rest = fma(x, GET(rest + j), of_rest);
            of_value = fma(x, GET(values + j), of_value);
            PUT(x, dout + j);
        }
        const float share = sum_of(of_rest), value = sum_of(of_value);
        own_weights[t] = (others * value - scale * share) * inverse;
        dout[SQA_VALUE_DIM] = -scale * inverse * fma(own[t], value, share);
    }
}
#endif

/* Gradients of weights to those of rows and keys, within the chunk. */
#if CHANNELS
INLINE void add_chunk(OUT w, IN rows, const int count)
{
    for (int s = 0; s < count; s++)
        for (int d = 0; d < ROW_PITCH; d += LANES) {
            float parts[TOKENS * LANES] ALIGNED;
            const vec key = GET(w + AT_KEYS + s * ROW_PITCH + d);
            vec left = (vec)(1.0f), sum = (vec)(0.0f), later = (vec)(0.0f);
            for (int t = s; t < count; t++) {
                const int at = t * ROW_PITCH + d;
                const vec weight = (vec)(w[AT_WEIGHTS + t * TOKENS + s]);
                const vec row = GET(rows + at);
                if (t > s)
                    left *= GET(w + AT_ONE + at);
                PUT(fma(weight, left * key, GET(w + AT_DROWS + at)), w + AT_DROWS + at);
                sum = fma(weight, left * row, sum);
                STORE(weight * row * (left * key), parts + t * LANES);
            }
            PUT(GET(w + AT_DKEYS + s * ROW_PITCH + d) + sum, w + AT_DKEYS + s * ROW_PITCH + d);
            for (int t = count - 1; t > s; t--) {
                OUT to = w + AT_DDECAY + t * ROW_PITCH + d;
                later += LOAD(parts + t * LANES);
                PUT(GET(to) + later, to);
            }
        }
}
#else
INLINE void add_chunk(OUT w, IN rows, const int count)
{
    product(w + AT_WEIGHTS, TOKENS, 1, count, w + AT_KEYS, ROW_PITCH, ROW_PITCH, count, UP_TO,
            w + AT_DROWS, ROW_PITCH, 1, NULL);
    product(w + AT_WEIGHTS, 1, TOKENS, count, rows, ROW_PITCH, ROW_PITCH, count, FROM, w + AT_DKEYS,
            ROW_PITCH, 1, NULL);
}
#endif

/* What rows with the gradient `dout` of what they get bring to `drows`, keys and G; of keys they
 * see s < t + `own`. */
INLINE void take_rows(OUT w, IN state, OUT gradient, IN rows, IN scores, const int count,
                      const int own, const float *own_weights, stream *streams)
{
    product(w + AT_DOUT, VALUE_PITCH, 1, count, w + AT_VALUES_TURNED, TOKENS, TOKENS, COLUMNS,
            LOWER, w + AT_WEIGHTS, TOKENS, 0, NULL);
    for (int t = 0; t < UP(count, MR); t++)
        hide(w + AT_WEIGHTS, t, t + own);
#if SQA_NORMALISE
    for (int t = 0; t < count; t++)
        w[AT_WEIGHTS + t * TOKENS + t] = own_weights[t];
#endif
    product(w + AT_DOUT, VALUE_PITCH, 1, count, state, ROW_PITCH, ROW_PITCH, COLUMNS, ALL,
            w + AT_DROWS, ROW_PITCH, 0, streams);
#if SQA_DECAY
    for (int i = 0; i < UP(count, MR) * ROW_PITCH; i += LANES) {
        const vec x = GET(w + AT_DROWS + i) * GET(w + AT_BEFORE + i);
        PUT(x, w + AT_DROWS + i);
        PUT(fma(x, GET(rows + i), GET(w + AT_LATER + i)), w + AT_LATER + i);
    }
#if !CHANNELS
    add_pairs(w, scores, count);
    for (int t = 0; t < UP(count, MR); t++)
        weaken_square(w, w + AT_WEIGHTS, t);
#endif
#endif
    add_chunk(w, rows, count);
    product(w + AT_DOUT, 1, VALUE_PITCH, STATE_ROWS, WEAKENED(w, rows, AT_BEFORE), ROW_PITCH,
            ROW_PITCH, count, ALL, gradient, ROW_PITCH, 1, streams);
}

/* What G brings to the chunk's keys and to what they add. */
INLINE void take_gradient(OUT w, IN gradient, const int count, stream *streams)
{
    turn_rows(WEAKENED(w, w + AT_KEYS, AT_BEHIND), w + AT_TURNED);
    read_state(w, gradient, w + AT_TURNED, w + AT_DVALUES);
    product(w + AT_VALUES, VALUE_PITCH, 1, count, gradient, ROW_PITCH, ROW_PITCH, COLUMNS, ALL,
            w + AT_DKEYS, ROW_PITCH, 0, streams);
#if SQA_DECAY
    for (int i = 0; i < UP(count, MR) * ROW_PITCH; i += LANES) {
        const vec x = GET(w + AT_DKEYS + i) * GET(w + AT_BEHIND + i);
        PUT(x, w + AT_DKEYS + i);
        PUT(x * GET(w + AT_KEYS + i), w + AT_EARLIER + i);
    }
#endif
}

/* The state after the chunk. */
INLINE void advance(OUT w, __global const float *before, __global float *after, const int count,
                    stream *streams)
{
#if SQA_DECAY
    weaken_state(w, before, after);
#else
    for (int i = 0; i < STATE; i += LANES)
        PUT(GET(before + i), after + i);
#endif
    product(w + AT_VALUES, 1, VALUE_PITCH, STATE_ROWS, WEAKENED(w, w + AT_KEYS, AT_BEHIND),
            ROW_PITCH, ROW_PITCH, count, ALL, after, ROW_PITCH, 1, streams);
}
