/* The read ceiling: adds up every vector of a buffer once.
 *
 * Work-items take vectors as those of copy.cl do. Two sums, so that no addition waits for
 * the one before; every work-item writes one vector, so that none is left out. */
#ifndef WIDTH
#define WIDTH 4
#endif
#ifndef READ_KERNEL
#define READ_KERNEL read_ceiling
#endif

#ifndef READ_MACROS
#define READ_MACROS
#define READ_JOIN_(a, b) a##b
#define READ_JOIN(a, b) READ_JOIN_(a, b)
#endif

__kernel void READ_KERNEL(__global const READ_JOIN(float, WIDTH) *restrict from,
                          __global READ_JOIN(float, WIDTH) *restrict to, uint spacing, uint step,
                          uint vectors_per_item)
{
    const uint first = (uint)get_global_id(0) * spacing;
    READ_JOIN(float, WIDTH) even = 0.0f, odd = 0.0f;
    uint n = 0;
    for (; n + 1 < vectors_per_item; n += 2) {
        even += from[first + n * step];
        odd += from[first + (n + 1) * step];
    }
    if (n < vectors_per_item)
        even += from[first + n * step];
    to[get_global_id(0)] = even + odd;
}
