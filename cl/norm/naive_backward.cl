/* naive: dX by a work-item per row, which leaves its statistics for the sums; dWeight and dBias by
 * one per column and part of the rows. */
#if SQA_WEIGHT
#define WEIGHTED(j) (SQA_LOAD(j, dy) * SQA_LOAD(j, weight_buffer + weight_offset))
#else
#define WEIGHTED(j) SQA_LOAD(j, dy)
#endif

#if SQA_GRADIENT_X || SQA_GRADIENT_WEIGHT
__kernel void sqa_naive_norm_rows(SQA_NORM_ARGUMENTS)
{
    const long row = get_global_id(0), head = get_global_id(1), batch = get_global_id(2);
    if (row >= rows)
        return;
    __global const sqa_stored *x =
        x_buffer + x_offset + batch * x_batch + head * x_head + row * x_row;
    const float mean = SQA_MEAN(x, dim), scale = scale_of(x, dim, mean, eps);
#if SQA_GRADIENT_WEIGHT
    const long number = (batch * heads + head) * rows + row;
    workspace[2 * number] = mean;
    workspace[2 * number + 1] = scale;
#endif
#if SQA_GRADIENT_X
    __global const sqa_stored *dy =
        dy_buffer + dy_offset + batch * dy_batch + head * dy_head + row * dy_row;
    __global sqa_stored *dx =
        dx_buffer + dx_offset + batch * dx_batch + head * dx_head + row * dx_row;
    float sum = 0.0f, product = 0.0f;
    for (int first = 0; first < dim; first += CHUNK) {
        const int end = min(dim, first + CHUNK);
        float sum_part = 0.0f, product_part = 0.0f;
        for (int j = first; j < end; j++) {
            const float g = WEIGHTED(j);
            sum_part += g;
            product_part = fma(g, (SQA_LOAD(j, x) - mean) * scale, product_part);
        }
        sum += sum_part;
        product += product_part;
    }
#if SQA_LAYER
    const float by_mean = sum / dim;
#else
    const float by_mean = 0.0f;
#endif
    const float by_scale = product / dim;
    for (int j = 0; j < dim; j++) {
        const float normal = (SQA_LOAD(j, x) - mean) * scale;
        PUT_X(scale * (WEIGHTED(j) - by_mean - normal * by_scale), j, dx);
    }
#endif
}
#endif

#if SQA_GRADIENT_WEIGHT || SQA_GRADIENT_BIAS
__kernel void sqa_naive_norm_parts(SQA_NORM_ARGUMENTS)
{
    const int j = (int)get_global_id(0);
    const long part = get_global_id(1), all = (long)batches * heads * rows;
    const long end = min(all, (part + 1) * part_rows);
    if (j >= dim)
        return;
    float weight_sum = 0.0f, bias_sum = 0.0f;
    for (long number = part * part_rows; number < end; number++) {
        const long matrix = number / rows, row = number % rows;
        const long batch = matrix / heads, head = matrix % heads;
        const float g =
            SQA_LOAD(dy_offset + batch * dy_batch + head * dy_head + row * dy_row + j, dy_buffer);
        bias_sum += g;
#if SQA_GRADIENT_WEIGHT
        const float x =
            SQA_LOAD(x_offset + batch * x_batch + head * x_head + row * x_row + j, x_buffer);
        const float normal = (x - workspace[2 * number]) * workspace[2 * number + 1];
        weight_sum = fma(g, normal, weight_sum);
#endif
    }
#if SQA_GRADIENT_WEIGHT
    WEIGHT_SUMS(part)[j] = weight_sum;
#endif
#if SQA_GRADIENT_BIAS
    BIAS_SUMS(part)[j] = bias_sum;
#endif
}
#endif
