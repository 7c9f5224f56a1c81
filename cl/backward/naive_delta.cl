/* delta = rowsum(dO * O), one work-item per row; 0 of a row that saw nothing, whose O and dO
 * are not looked at. */
__kernel void sqa_naive_delta(SQA_DELTA_ARGUMENTS)
{
    const long row = get_global_id(0);
    const long head = get_global_id(1);
    const long batch = get_global_id(2);
    const long at = (batch * heads + head) * rows + row;
    __global const sqa_stored *o =
        o_buffer + o_offset + batch * o_batch + head * o_head + row * o_row;
    __global const sqa_stored *dout =
        dout_buffer + dout_offset + batch * dout_batch + head * dout_head + row * dout_row;
    float sum = 0.0f;
    if (lse_buffer[lse_offset + at] != -INFINITY)
        for (int d = 0; d < SQA_VALUE_DIM; d++)
            sum = fma(SQA_LOAD(d, dout), SQA_LOAD(d, o), sum);
    delta_buffer[delta_offset + at] = sum;
}
