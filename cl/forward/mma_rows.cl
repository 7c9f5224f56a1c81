/* mma: what becomes of a wave's scores: blocks of 16 keys, of which a lane has HELD elements. */
#define WEIGHT_WORDS (HELD / PER_WORD)

/* What the lane has of a block's weights, rounded. */
INLINE void pack_weights(const float weights[HELD], uint words[WEIGHT_WORDS])
{
#pragma unroll EACH
    for (int w = 0; w < WEIGHT_WORDS; w++)
#if PER_WORD == 1
        words[w] = to_unit(as_uint(weights[w]));
#else
        words[w] = pack(weights[2 * w], weights[2 * w + 1]);
#endif
}

/* The row side of the block's h-th product, from what the lane has of the weights. */
INLINE void as_factor(const units own, const uint weights[WEIGHT_WORDS], const int h,
                      uint factor[FACTOR_WORDS])
{
#if PER_WORD == 1
#pragma unroll EACH
    for (int w = 0; w < FACTOR_WORDS; w++) /* see read_columns() */
        factor[w] = weights[4 * h + w % 2 * 2 + w / 2];
#else
#pragma unroll EACH
    for (int w = 0; w < WEIGHT_WORDS; w++) {
#if MATRIX_UNIT == UNIT_WMMA /* each lane brings all of a row: that of its mate, too */
        const uint other = of_mate(own, weights[w], 1);
        const bool first = MATE(LANE_OF(own)) == 0;
        factor[w] = first ? weights[w] : other;
        factor[4 + w] = first ? other : weights[w];
#else
        factor[w] = weights[w];
#endif
    }
#endif
}

/* The largest, and the sum, of what a row's lanes have. */
INLINE float largest_of_mates(const units own, float value)
{
#pragma unroll EACH
    for (int other = 1; other < MATES; other *= 2)
        value = fmax(as_float(of_mate(own, as_uint(value), other)), value);
    return value;
}

INLINE float sum_of_mates(const units own, float value)
{
#pragma unroll EACH
    for (int other = 1; other < MATES; other *= 2)
        value += as_float(of_mate(own, as_uint(value), other));
    return value;
}

typedef struct {
    int start, end; /* what the row sees by position */
#if SQA_GLOBALS
    int limit;
#endif
#if SQA_ALIBI
    int position;
    float slope;
#endif
#if SQA_EXTRA
    sqa_extra_row extra;
#endif
    float maximum, sum; /* the sum: of the lane's own keys, since the last was added to totals */
} row_state;

typedef struct {
    float output[SQA_VALUE_DIM / 16][HELD], sum[ROWS_HELD];
} row_totals;

INLINE bool sees(const row_state *row, const int key, const int shown)
{
    const bool near = key >= row->start & key < row->end;
#if SQA_GLOBALS
    return near != (shown != 0) & key < row->limit;
#else
    return near;
#endif
}

INLINE float finish_score(const row_state *row, const sqa_shaping shaping, const int key,
                          const float product)
{
    float score = sqa_shape(shaping, product);
#if SQA_ALIBI
    score = fma(-row->slope, (float)abs(row->position - key), score);
#endif
#if SQA_EXTRA
    const float extra = sqa_extra(row->extra, key);
    score = extra == -INFINITY ? SQA_HIDDEN_SCORE : score + extra;
#endif
    return score;
}

/* Turns products into scores. In tiles that hide keys (edge), SQA_HIDDEN_SCORE where a row does
 * not see the key or it is not before `end`. */
INLINE void finish_scores(const bool edge, float score[BN / 16][HELD],
                          const row_state rows[ROWS_HELD], const sqa_shaping shaping,
                          const float query_factor, const int first_key, const int mate,
                          const int end, const int shown)
{
#pragma unroll EACH
    for (int b = 0; b < BN / 16; b++)
#pragma unroll EACH
        for (int j = 0; j < HELD; j++) {
            const int key = first_key + 16 * b + PLACE(mate, j);
            const row_state *row = &rows[ROW_HELD(j)];
            score[b][j] = !edge || (key < end && sees(row, key, shown))
                              ? finish_score(row, shaping, key, score[b][j] * query_factor)
                              : SQA_HIDDEN_SCORE;
        }
}

/* The online softmax's step: rescales what the rows have to their new maxima, and makes weights
 * of scores. */
INLINE void update_rows(const bool edge, const units own, row_state rows[ROWS_HELD],
                        float output[SQA_VALUE_DIM / 16][HELD], float score[BN / 16][HELD],
                        const sqa_weighing weighing)
{
#pragma unroll EACH
    for (int r = 0; r < ROWS_HELD; r++) {
        float largest = SQA_LOWEST_SCORE;
#pragma unroll EACH
        for (int b = 0; b < BN / 16; b++)
#pragma unroll EACH
            for (int n = 0; n < HELD / ROWS_HELD; n++)
                largest = fmax(score[b][OF_ROW(r, n)], largest);
        const float maximum = fmax(largest_of_mates(own, largest), rows[r].maximum);
        const float rescale = sqa_rescale(weighing, rows[r].maximum - maximum);
        rows[r].maximum = maximum;
        rows[r].sum *= rescale;
#pragma unroll EACH
        for (int d = 0; d < SQA_VALUE_DIM / 16; d++)
#pragma unroll EACH
            for (int n = 0; n < HELD / ROWS_HELD; n++)
                output[d][OF_ROW(r, n)] *= rescale;
#pragma unroll EACH
        for (int b = 0; b < BN / 16; b++)
#pragma unroll EACH
            for (int n = 0; n < HELD / ROWS_HELD; n++) {
                const float below = score[b][OF_ROW(r, n)];
                const float weight = edge && below == SQA_HIDDEN_SCORE
                                         ? SQA_HIDDEN_WEIGHT
                                         : sqa_weight(weighing, below - maximum);
                rows[r].sum += weight;
                score[b][OF_ROW(r, n)] = weight;
            }
    }
}

/* Sums since the last time, which begin anew; relative to the maxima of now. `before` are those
 * that the totals are relative to. */
INLINE void add_totals(ASIDE row_totals *totals, row_state rows[ROWS_HELD],
                       float output[SQA_VALUE_DIM / 16][HELD], float before[ROWS_HELD],
                       const sqa_weighing weighing)
{
#pragma unroll EACH
    for (int r = 0; r < ROWS_HELD; r++) {
        const float rescale = sqa_rescale(weighing, before[r] - rows[r].maximum);
        before[r] = rows[r].maximum;
        totals->sum[r] = fma(totals->sum[r], rescale, rows[r].sum);
        rows[r].sum = 0.0f;
#pragma unroll EACH
        for (int d = 0; d < SQA_VALUE_DIM / 16; d++)
#pragma unroll EACH
            for (int n = 0; n < HELD / ROWS_HELD; n++) {
                const int j = OF_ROW(r, n);
                totals->output[d][j] = fma(totals->output[d][j], rescale, output[d][j]);
                output[d][j] = 0.0f;
            }
    }
}
