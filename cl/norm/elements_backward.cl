/* elements: a work-item takes a part of the rows, one after the other, and of each vectors: once
 * for every statistic, once to write dX and to add to the part's sums of dWeight and dBias. */
#if SQA_WEIGHT
#define WEIGHTED(dy, j) (LOAD_AT(dy, j) * LOAD_AT(weight_buffer + weight_offset, j))
#else
#define WEIGHTED(dy, j) LOAD_AT(dy, j)
#endif
#if SQA_ADD_X
#define PUT_X_VECTOR(v, p, j) STORE_AT((v) + LOAD_AT(p, j), p, j)
#else
#define PUT_X_VECTOR(v, p, j) STORE_AT(v, p, j)
#endif

#if SQA_GRADIENT_WEIGHT || SQA_GRADIENT_BIAS
INLINE void add_floats(const vec v, __global float *to, const bool whole, const int count)
{
    float lane[LANES] ALIGNED;
    if (whole) {
        GLOBAL_STORE(GLOBAL_LOAD(to) + v, to);
        return;
    }
    STORE(v, lane);
    for (int i = 0; i < count; i++)
        to[i] += lane[i];
}
#define ADD_AT(v, p, j) add_floats(v, (p) + (j), IS_WHOLE(j), dim - (j))
#endif

__kernel void sqa_norm_backward(SQA_NORM_ARGUMENTS)
{
    const long part = get_global_id(0), all = (long)batches * heads * rows;
    const long end = min(all, (part + 1) * part_rows);
#if SQA_GRADIENT_WEIGHT
    for (int j = 0; j < dim; j++)
        WEIGHT_SUMS(part)[j] = 0.0f;
#endif
#if SQA_GRADIENT_BIAS
    for (int j = 0; j < dim; j++)
        BIAS_SUMS(part)[j] = 0.0f;
#endif
    for (long number = part * part_rows; number < end; number++) {
        const long matrix = number / rows, row = number % rows;
        const long batch = matrix / heads, head = matrix % heads;
        __global const sqa_stored *dy =
            dy_buffer + dy_offset + batch * dy_batch + head * dy_head + row * dy_row;
#if SQA_GRADIENT_X || SQA_GRADIENT_WEIGHT
        __global const sqa_stored *x =
            x_buffer + x_offset + batch * x_batch + head * x_head + row * x_row;
        const float mean = vectors_mean(x, dim), scale = vectors_scale(x, dim, mean, eps);
#endif
#if SQA_GRADIENT_X
        __global sqa_stored *dx =
            dx_buffer + dx_offset + batch * dx_batch + head * dx_head + row * dx_row;
        row_sum sum = NO_SUM, product = NO_SUM;
        for (int j = 0; j < dim; j += LANES) {
            const vec g = WEIGHTED(dy, j);
            add_vector(&product, g * ((LOAD_AT(x, j) - mean) * scale), j);
#if SQA_LAYER
            add_vector(&sum, g, j);
#endif
        }
        const float by_mean = total_of(&sum) / dim, by_scale = total_of(&product) / dim;
#endif
        for (int j = 0; j < dim; j += LANES) {
#if SQA_GRADIENT_X || SQA_GRADIENT_WEIGHT
            const vec normal = (LOAD_AT(x, j) - mean) * scale;
#endif
#if SQA_GRADIENT_X
            PUT_X_VECTOR(scale * (WEIGHTED(dy, j) - by_mean - normal * by_scale), dx, j);
#endif
#if SQA_GRADIENT_WEIGHT
            ADD_AT(LOAD_AT(dy, j) * normal, WEIGHT_SUMS(part), j);
#endif
#if SQA_GRADIENT_BIAS
            ADD_AT(LOAD_AT(dy, j), BIAS_SUMS(part), j);
#endif
        }
    }
}
