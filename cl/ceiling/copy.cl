/* The copy ceiling: reads and writes every vector of a buffer once.
 *
 * Work-item i takes the vectors i * spacing, i * spacing + step, ...: one stretch
 * of its own for each (spacing = stretch, step = 1), as CPUs like it, or side by
 * side with its neighbours (spacing = 1, step = all work-items), as GPUs do. */
#ifndef WIDTH
#define WIDTH 4
#endif
#ifndef COPY_KERNEL
#define COPY_KERNEL copy_ceiling
#endif

#ifndef COPY_MACROS
#define COPY_MACROS
#define COPY_JOIN_(a, b) a##b
#define COPY_JOIN(a, b) COPY_JOIN_(a, b)
#endif

__kernel void COPY_KERNEL(__global const COPY_JOIN(float, WIDTH) *restrict from,
                          __global COPY_JOIN(float, WIDTH) *restrict to, uint spacing, uint step,
                          uint vectors_per_item)
{
    const uint first = (uint)get_global_id(0) * spacing;
    for (uint n = 0; n < vectors_per_item; n++)
        to[first + n * step] = from[first + n * step];
}
