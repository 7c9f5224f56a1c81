/* elements: a work-item takes ROWS rows, one after the other, and of each vectors, once for every
 * statistic and once to write. A row that the cache holds is read from memory once. X may be Y. */
#ifndef ROWS
#define ROWS 1
#endif

__kernel void sqa_norm(SQA_NORM_ARGUMENTS)
{
    const long first = (long)get_global_id(0) * ROWS, head = get_global_id(1),
               batch = get_global_id(2);
    const long end = min(first + ROWS, (long)rows);
    for (long row = first; row < end; row++) {
        __global const sqa_stored *x =
            x_buffer + x_offset + batch * x_batch + head * x_head + row * x_row;
        __global sqa_stored *y =
            y_buffer + y_offset + batch * y_batch + head * y_head + row * y_row;
        const float mean = vectors_mean(x, dim), scale = vectors_scale(x, dim, mean, eps);
        for (int j = 0; j < dim; j += LANES) {
            vec v = (LOAD_AT(x, j) - mean) * scale;
#if SQA_WEIGHT
            v *= LOAD_AT(weight_buffer + weight_offset, j);
#endif
#if SQA_BIAS
            v += LOAD_AT(bias_buffer + bias_offset, j);
#endif
            STORE_AT(v, y, j);
        }
    }
}
