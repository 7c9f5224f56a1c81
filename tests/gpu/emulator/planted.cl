/* Kernels for test_emulator.py: `sound` turns a work-group's 64 numbers round by way of local
 * memory, and the others have a fault each that a device would not tell of. */
#define ITEM                                                                                       \
    const int item = get_local_id(0);                                                              \
    const int at = get_group_id(0) * 64 + item

__kernel void sound(__global const float *in, __global float *out, int count)
{
    ITEM;
    __local float turned[64];
    turned[63 - item] = at < count ? in[at] : 0.0f;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (at < count)
        out[at] = turned[item];
}

__kernel void without_barrier(__global const float *in, __global float *out, int count)
{
    ITEM;
    __local volatile float turned[64];
    turned[63 - item] = at < count ? in[at] : 0.0f;
    if (at < count)
        out[at] = turned[item];
}

__kernel void two_writers(__global const float *in, __global float *out, int count)
{
    ITEM;
    __local float turned[64];
    turned[(63 - item) & ~1] = at < count ? in[at] : 0.0f;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (at < count)
        out[at] = turned[item & ~1];
}

__kernel void divergent_barrier(__global const float *in, __global float *out, int count)
{
    ITEM;
    __local float turned[64];
    turned[63 - item] = at < count ? in[at] : 0.0f;
    if (in[at % 8] > 0.0f)
        barrier(CLK_LOCAL_MEM_FENCE);
    if (at < count)
        out[at] = turned[item];
}

__kernel void early_end(__global const float *in, __global float *out, int count)
{
    ITEM;
    __local float turned[64];
    if (at >= count)
        return;
    turned[63 - item] = in[at];
    barrier(CLK_LOCAL_MEM_FENCE);
    out[at] = turned[item];
}

__kernel void store_past_the_end(__global const float *in, __global float *out, int count)
{
    ITEM;
    __local float turned[64];
    turned[63 - item] = at < count ? in[at] : 0.0f;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (at <= count)
        out[at] = turned[item];
}

__kernel void load_past_the_end(__global const float *in, __global float *out, int count)
{
    ITEM;
    __local float turned[64];
    turned[63 - item] = in[at];
    barrier(CLK_LOCAL_MEM_FENCE);
    if (at < count)
        out[at] = turned[item];
}

__kernel void past_local_memory(__global const float *in, __global float *out, int count)
{
    ITEM;
    __local float turned[64];
    turned[64 - item] = at < count ? in[at] : 0.0f;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (at < count)
        out[at] = turned[item];
}

__kernel void misaligned(__global const float *in, __global float *out, int count)
{
    ITEM;
    const float4 four = *(__global const float4 *)(in + item % 8);
    if (at < count)
        out[at] = four.x + four.y + four.z + four.w;
}

__kernel void wrong_row(__global const float *in, __global float *out, int count)
{
    ITEM;
    __local float turned[64];
    turned[63 - item] = at < count ? in[at] : 0.0f;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (at < count)
        out[at] = turned[item ^ 1];
}

/* By copies that go on by themselves: cp.async of the PTX ISA. */
#define BEGIN_COPY                                                                                 \
    __local float turned[64];                                                                      \
    __asm__ volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;"                                \
                     :                                                                             \
                     : "r"((uint)(size_t)&turned[63 - item]), "l"(in + min(at, count - 1)),        \
                       "r"(at < count ? 4 : 0)                                                     \
                     : "memory");                                                                  \
    __asm__ volatile("cp.async.commit_group;" ::: "memory")
#define WAIT(all_but) __asm__ volatile("cp.async.wait_group " all_but ";" ::: "memory")

__kernel void copied(__global const float *in, __global float *out, int count)
{
    ITEM;
    BEGIN_COPY;
    WAIT("0");
    barrier(CLK_LOCAL_MEM_FENCE);
    if (at < count)
        out[at] = turned[item];
}

__kernel void copied_without_wait(__global const float *in, __global float *out, int count)
{
    ITEM;
    BEGIN_COPY;
    WAIT("1");
    barrier(CLK_LOCAL_MEM_FENCE);
    if (at < count)
        out[at] = turned[item];
}

__kernel void copied_without_barrier(__global const float *in, __global float *out, int count)
{
    ITEM;
    BEGIN_COPY;
    WAIT("0");
    if (at < count)
        out[at] = turned[item];
}

__kernel void copied_past_the_end(__global const float *in, __global float *out, int count)
{
    ITEM;
    __local float turned[64];
    __asm__ volatile(
        "cp.async.ca.shared.global [%0], [%1], 4;" ::"r"((uint)(size_t)&turned[63 - item]),
        "l"(in + at)
        : "memory");
    __asm__ volatile("cp.async.wait_all;" ::: "memory");
    barrier(CLK_LOCAL_MEM_FENCE);
    if (at < count)
        out[at] = turned[item];
}

/* Not planted: what integers and conversions come to. 12 words an item. */
__kernel void arithmetic(__global const uint *in, __global uint *out, int count)
{
    const int item = get_local_id(0);
    const uint a = in[2 * item], b = in[2 * item + 1];
    const ulong both = (ulong)a << 32 | b;
    __global uint *o = out + 12 * item;
    o[0] = a / b;
    o[1] = (uint)((int)a % (int)(b >> 20 | 1));
    o[2] = (uint)(both / (b | 1));
    o[3] = rotate(a, b & 31);
    o[4] = popcount(a) + 100 * clz(b);
    o[5] = mul_hi((int)a, (int)b);
    o[6] = (uint)((long)both >> (a & 63));
    o[7] = as_uint((float)(int)a);
    o[8] = as_uint(1.0f / (float)b);
    o[9] = max((int)a, (int)b) ^ min(a, b);
    o[10] = both * 0x123456789abcdeful >> 32;
    o[11] = a > b ? (both > (ulong)count << 40) : (a ^ (uchar)b);
}
