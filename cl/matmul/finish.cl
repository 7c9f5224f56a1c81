/* What becomes of sums: the epilogue of a product in vectors, from private memory to C.
 * Matrices are pointers to where a row begins. */
typedef struct {
    __global sqa_stored *c;
#if SQA_RESIDUAL
    __global const sqa_stored *residual;
#endif
#if SQA_BIAS
    __global const sqa_stored *bias;
#if SQA_GATED
    __global const sqa_stored *bias2;
#endif
#endif
    float alpha;
#if SQA_BETA
    float beta;
#endif
} row_end;

INLINE void finish_vector(const row_end *end, const float *sums, const float *gates, const int j,
                          const bool whole, const int count)
{
    vec x = LOAD(sums + j) * (vec)(end->alpha);
#if SQA_BETA
    x = fma((vec)(end->beta), load_stored(end->c + j, whole, count), x);
#endif
#if SQA_BIAS
    x += load_stored(end->bias + j, whole, count);
#endif
    x = activate(x);
#if SQA_GATED
    vec gate = LOAD(gates + j) * (vec)(end->alpha);
#if SQA_BIAS
    gate += load_stored(end->bias2 + j, whole, count);
#endif
    x *= gate;
#endif
#if SQA_RESIDUAL
    x += load_stored(end->residual + j, whole, count);
#endif
    store_stored(x, end->c + j, whole, count);
}

/* A stretch of a row: `count` sums, and with a gate as many of the other product. */
INLINE void finish_row(const row_end *end, const float *sums, const float *gates, const int count)
{
    int j = 0;
    for (; j + LANES <= count; j += LANES)
        finish_vector(end, sums, gates, j, true, LANES);
    if (j < count)
        finish_vector(end, sums, gates, j, false, count - j);
}

/* Where the kernel's arguments have row i of matrix z, from column j on. */
#if SQA_RESIDUAL
#define RESIDUAL_ROW(z, i, j)                                                                      \
    .residual = residual_buffer + residual_offset + (z)*residual_batch + (i)*residual_row + (j),
#else
#define RESIDUAL_ROW(z, i, j)
#endif
#if SQA_BIAS && SQA_GATED
#define BIAS_ROW(j)                                                                                \
    .bias = bias_buffer + bias_offset + (j), .bias2 = bias2_buffer + bias2_offset + (j),
#elif SQA_BIAS
#define BIAS_ROW(j) .bias = bias_buffer + bias_offset + (j),
#else
#define BIAS_ROW(j)
#endif
#if SQA_BETA
#define BETA_OF_ROW .beta = beta,
#else
#define BETA_OF_ROW
#endif
#define ROW_END(z, i, j)                                                                           \
    {                                                                                              \
        .c = c_buffer + c_offset + (z)*c_batch + (i)*c_row + (j),                                  \
        RESIDUAL_ROW(z, i, j) BIAS_ROW(j) BETA_OF_ROW.alpha = alpha                                \
    }
