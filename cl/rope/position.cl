/* Where a row stands: SQA_ROPE_POSITION(batch, row), within a kernel of rotary position embedding.
 */
#ifndef SQA_POSITIONS
#define SQA_POSITIONS 0
#endif
#ifndef SQA_RAGGED
#define SQA_RAGGED 0
#endif

#if SQA_RAGGED
/* The sequence of a row is the first that ends behind it. */
static long position_of(__global const int *lengths, __global const int *starts,
                        const int sequences, const long row)
{
    int low = 0, high = sequences - 1;
    while (low < high) {
        const int middle = (low + high) / 2;
        if (starts[middle + 1] > row)
            high = middle;
        else
            low = middle + 1;
    }
    return (long)lengths[low] - starts[low + 1] + row;
}
#define SQA_ROPE_POSITION(batch, row)                                                              \
    position_of(positions_buffer + positions_offset, starts_buffer + starts_offset, sequences, row)
#elif SQA_POSITIONS == 2
#define SQA_ROPE_POSITION(batch, row)                                                              \
    ((long)positions_buffer[positions_offset + batch] - rows + row)
#elif SQA_POSITIONS
#define SQA_ROPE_POSITION(batch, row)                                                              \
    positions_buffer[positions_offset + batch * position_batch + row]
#else
#define SQA_ROPE_POSITION(batch, row) (first_position + row)
#endif
