/* The read ceiling: adds up every vector of a buffer once.
 *
 * Work-items take vectors as those of copy.cl do, each from CHAINS places at a time that lie
 * `vectors` of its steps apart: memory answers several streams faster than one, and no addition
 * waits for the one before. Every work-item writes one vector, so that none is left out. */
#ifndef WIDTH
#define WIDTH 4
#endif
#ifndef CHAINS
#define CHAINS 4
#endif
#ifndef READ_KERNEL
#define READ_KERNEL read_ceiling
#endif

#ifndef READ_MACROS
#define READ_MACROS
#define READ_JOIN_(a, b) a##b
#define READ_JOIN(a, b) READ_JOIN_(a, b)

#define READ_EACH_2(M) M(0) M(1)
#define READ_EACH_4(M) READ_EACH_2(M) M(2) M(3)
#define READ_EACH_8(M) READ_EACH_4(M) M(4) M(5) M(6) M(7)
#define READ_EACH(M) READ_JOIN(READ_EACH_, CHAINS)(M)

#define READ_DECLARE(i)                                                                            \
    READ_JOIN(float, WIDTH) sum##i = 0.0f;                                                         \
    const uint at##i = (uint)get_global_id(0) * spacing + i##u * vectors * step;
#define READ_ADD(i) sum##i += from[at##i + n * step];
#define READ_COLLECT(i) +sum##i
#endif

__kernel void READ_KERNEL(__global const READ_JOIN(float, WIDTH) *restrict from,
                          __global READ_JOIN(float, WIDTH) *restrict to, uint spacing, uint step,
                          uint vectors)
{
    READ_EACH(READ_DECLARE)
    for (uint n = 0; n < vectors; n++) {
        READ_EACH(READ_ADD)
    }
    to[get_global_id(0)] = READ_EACH(READ_COLLECT);
}
