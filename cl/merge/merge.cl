/* Two parts of attention into one: COLUMNS columns of a row to a work-item. Rows of all heads and
 * batch entries are numbered as in LSE, which the first work-item of a row writes. */
#ifndef COLUMNS
#define COLUMNS 16
#endif

/* exp(lse - top), where equal infinities are no difference; NaN stays NaN. */
static float part_of(const float lse, const float top)
{
    return lse == top ? 1.0f : exp(lse - top);
}

__kernel void sqa_merge_parts(SQA_MERGE_ARGUMENTS)
{
    const int first = (int)get_global_id(0) * COLUMNS;
    const long query = get_global_id(1);
    const long head = get_global_id(2) % heads, batch = get_global_id(2) / heads;
    const long row = get_global_id(2) * (long)length + query;
    const float lse_a = a_lse_buffer[a_lse_offset + row];
    const float lse_b = b_lse_buffer[b_lse_offset + row];
    const bool has_a = lse_a != -INFINITY, has_b = lse_b != -INFINITY;
    const float top = fmax(lse_a, lse_b);
    const float of_a = has_a ? part_of(lse_a, top) : 0.0f;
    const float of_b = has_b ? part_of(lse_b, top) : 0.0f;
    const float sum = of_a + of_b;
    const bool any = has_a || has_b;
    __global const sqa_stored *a =
        a_buffer + a_offset + batch * a_batch + head * a_head + query * a_row;
    __global const sqa_stored *b =
        b_buffer + b_offset + batch * b_batch + head * b_head + query * b_row;
    __global sqa_stored *o = o_buffer + o_offset + batch * o_batch + head * o_head + query * o_row;
    for (int d = first; d < min(first + COLUMNS, dim); d++) {
        float x = 0.0f;
        if (has_a)
            x = of_a / sum * SQA_LOAD(d, a);
        if (has_b)
            x = fma(of_b / sum, SQA_LOAD(d, b), x);
        SQA_STORE(x, d, o);
    }
    if (first == 0)
        lse_buffer[lse_offset + row] = any ? top + log(sum) : -INFINITY;
}
