/* columns, backward: what decays leave between two tokens of a chunk, as in columns_decay.cl, and
 * the gradient of decays. A decay of token r weakens what tokens s < r bring to tokens t >= r:
 *
 *   of S before the chunk to G behind it,   part * <S, G>,
 *   of S to a query t of the chunk,         f(q_t) * (its dchi from S), in `later`,
 *   of a key s of the chunk to G,           f(k_s) * (its dkappa from G), in `earlier`,
 *   of a key s to a query t,                score_ts * weight_ts.
 *
 * Each is added up by itself: as a difference of sums over all tokens what strong decays leave
 * would be lost. */
#if SQA_DECAY
/* From the logarithms in `one`, 0 of tokens that are not there. */
INLINE void set_decays(OUT w)
{
    for (int d = 0; d < (CHANNELS ? ROW_PITCH : LANES); d += LANES) {
        vec sum = (vec)(0.0f), rest = (vec)(0.0f);
        for (int t = 0; t < CHUNK; t++) {
            sum += GET(w + AT_ONE + t * ROW_PITCH + d);
            PUT(exp_of(sum), w + AT_BEFORE + t * ROW_PITCH + d);
        }
        for (int t = CHUNK - 1; t >= 0; t--) {
            OUT one = w + AT_ONE + t * ROW_PITCH + d;
            const vec own = GET(one);
            PUT(exp_of(rest), w + AT_BEHIND + t * ROW_PITCH + d);
            PUT(exp_of(own), one);
            rest += own;
        }
        PUT(part_of(sum), w + AT_PART + d);
        PUT(select((vec)(0.0f), (vec)(1.0f), sum > (vec)(SQA_WEAK)), w + AT_WHOLE + d);
    }
#if !CHANNELS
    for (int d = LANES; d < ROW_PITCH; d += LANES) {
        for (int t = 0; t < CHUNK; t++) {
            PUT(GET(w + AT_BEFORE + t * ROW_PITCH), w + AT_BEFORE + t * ROW_PITCH + d);
            PUT(GET(w + AT_BEHIND + t * ROW_PITCH), w + AT_BEHIND + t * ROW_PITCH + d);
        }
        PUT(GET(w + AT_PART), w + AT_PART + d);
        PUT(GET(w + AT_WHOLE), w + AT_WHOLE + d);
    }
    for (int t = 0; t < CHUNK; t++) {
        float left = 1.0f;
        for (int s = t; s >= 0; left *= w[AT_ONE + s * ROW_PITCH], s--)
            w[AT_LEFT + t * TOKENS + s] = left;
    }
#endif
}

INLINE vec weaken(const vec x, IN w, const int d)
{
    return fma(x, GET(w + AT_PART + d), x * GET(w + AT_WHOLE + d));
}

/* to = (the chunk's decays) from, which may be the same. */
INLINE void weaken_state(IN w, __global const float *from, __global float *to)
{
    for (int j = 0; j < STATE_ROWS; j++)
        for (int d = 0; d < ROW_PITCH; d += LANES)
            PUT(weaken(GET(from + j * ROW_PITCH + d), w, d), to + j * ROW_PITCH + d);
}

INLINE void begin_decays(OUT w, IN state, IN gradient)
{
    for (int i = 0; i < ROW_MATRIX; i += LANES) {
        PUT((vec)(0.0f), w + AT_DDECAY + i);
        PUT((vec)(0.0f), w + AT_LATER + i);
    }
    for (int d = 0; d < ROW_PITCH; d += LANES) {
        vec sum = (vec)(0.0f);
        for (int j = 0; j < COLUMNS; j++)
            sum = fma(GET(state + j * ROW_PITCH + d), GET(gradient + j * ROW_PITCH + d), sum);
        PUT(weaken(sum, w, d), w + AT_CHUNK + d);
    }
}

/* What keys bring to later queries through a decay per head or token, which is the same for every
 * element, goes to the first one. */
INLINE void add_pairs(OUT w, IN scores, const int count)
{
    float pairs[TOKENS] ALIGNED;
    for (int s = 0; s < TOKENS; s++)
        pairs[s] = 0.0f;
    for (int t = count - 1; t > 0; t--) {
        float sum = 0.0f;
        for (int s = 0; s < TOKENS; s += LANES)
            STORE(fma(GET(scores + t * TOKENS + s), GET(w + AT_WEIGHTS + t * TOKENS + s),
                      LOAD(pairs + s)),
                  pairs + s);
        for (int s = 0; s < t; s++)
            sum += pairs[s];
        w[AT_DDECAY + t * ROW_PITCH] += sum;
    }
}

/* The gradients, of every element, in `ddecay`. */
INLINE void end_decays(OUT w, const int count)
{
    for (int d = 0; d < ROW_PITCH; d += LANES) {
        vec sum = GET(w + AT_CHUNK + d), rest = (vec)(0.0f);
        for (int t = 0; t < count; t++) {
            OUT to = w + AT_DDECAY + t * ROW_PITCH + d;
            PUT(GET(to) + sum, to);
            sum += GET(w + AT_EARLIER + t * ROW_PITCH + d);
        }
        for (int t = count - 1; t >= 0; t--) {
            OUT to = w + AT_DDECAY + t * ROW_PITCH + d;
            rest += GET(w + AT_LATER + t * ROW_PITCH + d);
            PUT(GET(to) + rest, to);
        }
    }
}

INLINE float sum_of_row(IN row)
{
    float sum = 0.0f;
    for (int d = 0; d < SQA_HEAD_DIM; d++)
        sum += row[d];
    return sum;
}
#endif

/* to = from times what decays leave, of all rows of a chunk. */
INLINE void scale_rows(__global const float *from, IN factors, __global float *to)
{
    for (int i = 0; i < ROW_MATRIX; i += LANES)
        PUT(GET(from + i) * GET(factors + i), to + i);
}
#if SQA_DECAY
#define WEAKENED(w, rows, when) (scale_rows(rows, (w) + (when), (w) + AT_WEAK), (w) + AT_WEAK)
#else
#define WEAKENED(w, rows, when) (rows)
#endif
