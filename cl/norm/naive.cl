/* naive: a work-item per row. X may be Y. */
__kernel void sqa_naive_norm(SQA_NORM_ARGUMENTS)
{
    const long row = get_global_id(0), head = get_global_id(1), batch = get_global_id(2);
    if (row >= rows)
        return;
    __global const sqa_stored *x =
        x_buffer + x_offset + batch * x_batch + head * x_head + row * x_row;
    __global sqa_stored *y = y_buffer + y_offset + batch * y_batch + head * y_head + row * y_row;
    const float mean = SQA_MEAN(x, dim), scale = scale_of(x, dim, mean, eps);
    for (int j = 0; j < dim; j++) {
        float v = (SQA_LOAD(j, x) - mean) * scale;
#if SQA_WEIGHT
        v *= SQA_LOAD(j, weight_buffer + weight_offset);
#endif
#if SQA_BIAS
        v += SQA_LOAD(j, bias_buffer + bias_offset);
#endif
        SQA_STORE(v, j, y);
    }
}
