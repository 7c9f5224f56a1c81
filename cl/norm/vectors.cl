/* The statistics of a row from its vectors. */
#define VECTOR_CHUNK (256 * LANES)

/* A sum by chunks, so that its error does not grow with the row's length. */
typedef struct row_sum {
    vec all, chunk;
} row_sum;
#define NO_SUM ((row_sum){(vec)(0.0f), (vec)(0.0f)})

/* Vectors come in order; j is the first element of this one. */
INLINE void add_vector(row_sum *sum, const vec v, const int j)
{
    sum->chunk += v;
    if (j % VECTOR_CHUNK == VECTOR_CHUNK - LANES) {
        sum->all += sum->chunk;
        sum->chunk = (vec)(0.0f);
    }
}

INLINE float total_of(const row_sum *sum)
{
    float lane[LANES] ALIGNED, total = 0.0f;
    STORE(sum->all + sum->chunk, lane);
    for (int i = 0; i < LANES; i++)
        total += lane[i];
    return total;
}

#define IS_WHOLE(j) ((j) + LANES <= dim)
#define LOAD_AT(p, j) load_stored((p) + (j), IS_WHOLE(j), dim - (j))
#define STORE_AT(v, p, j) store_stored(v, (p) + (j), IS_WHOLE(j), dim - (j))

INLINE float vectors_mean(__global const sqa_stored *x, const int dim)
{
#if SQA_LAYER
    row_sum sum = NO_SUM;
    for (int j = 0; j < dim; j += LANES)
        add_vector(&sum, LOAD_AT(x, j), j);
    return total_of(&sum) / dim;
#else
    return 0.0f;
#endif
}

/* What the differences from the mean are multiplied by. */
INLINE float vectors_scale(__global const sqa_stored *x, const int dim, const float mean,
                           const float eps)
{
    row_sum sum = NO_SUM;
    for (int j = 0; j < dim; j += LANES) {
        vec difference = LOAD_AT(x, j) - mean;
#if SQA_LAYER
        if (!IS_WHOLE(j))
            difference = select(difference, (vec)(0.0f), LANE_NUMBERS >= (ivec)(dim - j));
#endif
        add_vector(&sum, difference * difference, j);
    }
    return 1.0f / sqrt(total_of(&sum) / dim + eps);
}
