/* naive: a work-item per pair, and per element that is copied, or per row. X may be Y, so that what
 * a work-item writes it has read before. */
#ifndef SQA_DIM
#define SQA_DIM 64
#endif

#if SQA_HADAMARD
INLINE void multiply_blocks(float *row)
{
    for (int first = 0; first < SQA_DIM; first += SQA_HADAMARD)
        multiply_block(row + first);
}

INLINE void turn_row(__global const sqa_stored *x, __global sqa_stored *y, const long position)
{
    float row[SQA_DIM];
    for (int j = 0; j < SQA_DIM; j++)
        row[j] = SQA_LOAD(j, x);
#if SQA_INVERSE
    multiply_blocks(row);
#endif
#if SQA_ROTARY
    for (int i = 0; i < PAIRS; i++) {
        const float2 pair = turned(row[FIRST_OF_PAIR(i)], row[SECOND_OF_PAIR(i)], i, position);
        row[FIRST_OF_PAIR(i)] = pair.x;
        row[SECOND_OF_PAIR(i)] = pair.y;
    }
#endif
#if !SQA_INVERSE
    multiply_blocks(row);
#endif
    for (int j = 0; j < SQA_DIM; j++)
        SQA_STORE(row[j], j, y);
}
#endif

__kernel void sqa_naive_rope(SQA_ROPE_ARGUMENTS)
{
    const int i = (int)get_global_id(0);
    const long row = get_global_id(1), batch = get_global_id(2) / heads,
               head = get_global_id(2) % heads;
    if (i >= (SQA_HADAMARD ? 1 : SQA_DIM - PAIRS))
        return;
    __global const sqa_stored *x =
        x_buffer + x_offset + batch * x_batch + head * x_head + row * x_row;
    __global sqa_stored *y = y_buffer + y_offset + batch * y_batch + head * y_head + row * y_row;
#if SQA_HADAMARD
    turn_row(x, y, SQA_ROPE_POSITION(batch, row));
#else
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
#endif
}
