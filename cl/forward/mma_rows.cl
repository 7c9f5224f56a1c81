/* mma: what becomes of a warp's scores. A lane has two rows, g and g + 8 of the warp's 16, and of
 * each the keys 8 i + 2 t and 8 i + 2 t + 1 of the tile; element j of a fragment is of row j / 2.
 */
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
    float output[SQA_VALUE_DIM / 8][4], sum[2];
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
 * not see the key or it is not before `end`. `first_key` is the lane's first. */
INLINE void finish_scores(const bool edge, float score[BN / 8][4], const row_state rows[2],
                          const sqa_shaping shaping, const float query_factor, const int first_key,
                          const int end, const int shown)
{
#pragma unroll EACH
    for (int i = 0; i < BN / 8; i++)
#pragma unroll EACH
        for (int j = 0; j < 4; j++) {
            const int key = first_key + 8 * i + j % 2;
            const row_state *row = &rows[j / 2];
            score[i][j] = !edge || (key < end && sees(row, key, shown))
                              ? finish_score(row, shaping, key, score[i][j] * query_factor)
                              : SQA_HIDDEN_SCORE;
        }
}

/* The online softmax's step: rescales what the rows have to their new maxima, and makes weights
 * of scores. */
INLINE void update_rows(const bool edge, const units own, row_state rows[2],
                        float output[SQA_VALUE_DIM / 8][4], float score[BN / 8][4],
                        const sqa_weighing weighing)
{
#pragma unroll EACH
    for (int r = 0; r < 2; r++) {
        float largest = SQA_LOWEST_SCORE;
#pragma unroll EACH
        for (int i = 0; i < BN / 8; i++)
            largest = fmax(score[i][2 * r + 1], fmax(score[i][2 * r], largest));
        const float maximum = fmax(largest_of_quad(own, largest), rows[r].maximum);
        const float rescale = sqa_rescale(weighing, rows[r].maximum - maximum);
        rows[r].maximum = maximum;
        rows[r].sum *= rescale;
#pragma unroll EACH
        for (int d = 0; d < SQA_VALUE_DIM / 8; d++) {
            output[d][2 * r] *= rescale;
            output[d][2 * r + 1] *= rescale;
        }
#pragma unroll EACH
        for (int i = 0; i < BN / 8; i++)
#pragma unroll EACH
            for (int j = 2 * r; j < 2 * r + 2; j++) {
                const float weight = edge && score[i][j] == SQA_HIDDEN_SCORE
                                         ? SQA_HIDDEN_WEIGHT
                                         : sqa_weight(weighing, score[i][j] - maximum);
                rows[r].sum += weight;
                score[i][j] = weight;
            }
    }
}

/* Sums since the last time, which begin anew; relative to the maxima of now. `before` are those
 * that the totals are relative to. */
INLINE void add_totals(volatile row_totals *totals, row_state rows[2],
                       float output[SQA_VALUE_DIM / 8][4], float before[2],
                       const sqa_weighing weighing)
{
#pragma unroll EACH
    for (int r = 0; r < 2; r++) {
        const float rescale = sqa_rescale(weighing, before[r] - rows[r].maximum);
        before[r] = rows[r].maximum;
        totals->sum[r] = fma(totals->sum[r], rescale, rows[r].sum);
        rows[r].sum = 0.0f;
#pragma unroll EACH
        for (int d = 0; d < SQA_VALUE_DIM / 8; d++)
#pragma unroll EACH
            for (int j = 2 * r; j < 2 * r + 2; j++) {
                totals->output[d][j] = fma(totals->output[d][j], rescale, output[d][j]);
                output[d][j] = 0.0f;
            }
    }
}
