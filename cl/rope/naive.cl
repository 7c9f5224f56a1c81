/* naive: a work-item per pair, and per element that is copied. X may be Y, so that a pair is read
 * before it is written. */
#ifndef SQA_DIM
#define SQA_DIM 64
#endif

__kernel void sqa_naive_rope(SQA_ROPE_ARGUMENTS)
{
    const int i = (int)get_global_id(0);
    const long row = get_global_id(1), batch = get_global_id(2) / heads,
               head = get_global_id(2) % heads;
    if (i >= SQA_DIM - PAIRS)
        return;
    __global const sqa_stored *x =
        x_buffer + x_offset + batch * x_batch + head * x_head + row * x_row;
    __global sqa_stored *y = y_buffer + y_offset + batch * y_batch + head * y_head + row * y_row;
#if SQA_ROTARY
    const long position = SQA_ROPE_POSITION(batch, row);
    if (i < PAIRS) {
        const float2 pair = turned_pair(x, i, position);
        SQA_STORE(pair.x, FIRST_OF_PAIR(i), y);
        SQA_STORE(pair.y, SECOND_OF_PAIR(i), y);
        return;
    }
#endif
    const int j = i + PAIRS;
    SQA_STORE(SQA_LOAD(j, x), j, y);
}
