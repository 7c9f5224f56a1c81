/* elements: a work-item takes ROWS positions, one after the other; what a position turns by is
 * computed once for all heads. X may be Y, so that vectors are read before they are written. */
#ifndef SQA_DIM
#define SQA_DIM 64
#endif
#ifndef SQA_ROTARY
#define SQA_ROTARY 0
#endif
#ifndef ROWS
#define ROWS 1
#endif
#define PAIRS (SQA_ROTARY / 2)
#define PADDED_PAIRS ((PAIRS + LANES - 1) / LANES * LANES)
#define LOAD_SOME(p, first, all)                                                                   \
    load_stored((p) + (first), (first) + LANES <= (all), (all) - (first))
#define STORE_SOME(v, p, first, all)                                                               \
    store_stored(v, (p) + (first), (first) + LANES <= (all), (all) - (first))

#if SQA_ROTARY
typedef SQA_JOIN(ulong, LANES) turns_vec;
#define HIGH_HALF(turns) SQA_JOIN(convert_uint, LANES)((turns) >> 32)

/* Cosine and sine of 2^-32 turns, from the nearest quarter of a turn. The polynomials are those
 * of Cephes (sinf.c) on [-pi/4, pi/4]. */
INLINE void cosine_and_sine(const ivec turns, vec *cosine, vec *sine)
{
    const ivec quarter = ((turns >> 29) + 1) >> 1;
    const vec x = AS_FLOATS(turns - (quarter << 30)) * (vec)(0x1.921fb6p-30f);
    const vec z = x * x;
    vec s = fma(z, (vec)(-1.9515295891e-4f), (vec)(8.3321608736e-3f));
    s = fma(fma(z, s, (vec)(-1.6666654611e-1f)), z * x, x);
    vec c = fma(z, (vec)(2.443315711809948e-5f), (vec)(-1.388731625493765e-3f));
    c = fma(fma(fma(z, c, (vec)(4.166664568298827e-2f)), z, (vec)(-0.5f)), z, (vec)(1.0f));
    const ivec odd = (quarter << 31) >> 31;
    const vec low = select(c, s, odd), high = select(s, c, odd);
    *cosine = AS_VEC(AS_IVEC(low) ^ (((quarter + 1) & 2) << 30));
    *sine = AS_VEC(AS_IVEC(high) ^ ((quarter & 2) << 30));
}

INLINE void angles_of(const long position, float *cosines, float *sines)
{
    for (int i = 0; i < PADDED_PAIRS; i += LANES) {
        const turns_vec each = SQA_JOIN(vload, LANES)(0, sqa_turns + i);
        vec c, s;
        cosine_and_sine(SQA_JOIN(as_int, LANES)(HIGH_HALF(each * (turns_vec)((ulong)position))), &c,
                        &s);
        STORE(c, cosines + i);
        STORE(SQA_INVERSE ? -s : s, sines + i);
    }
}

#if SQA_HALF
INLINE void turn_row(__global const sqa_stored *x, __global sqa_stored *y, const float *cosines,
                     const float *sines)
{
    for (int i = 0; i < PAIRS; i += LANES) {
        const vec a = LOAD_SOME(x, i, PAIRS), b = LOAD_SOME(x + PAIRS, i, PAIRS);
        const vec c = LOAD(cosines + i), s = LOAD(sines + i);
        STORE_SOME(a * c - b * s, y, i, PAIRS);
        STORE_SOME(a * s + b * c, y + PAIRS, i, PAIRS);
    }
}
#else
#define SWAPPED_4(v) (v).s1032
#define SWAPPED_8(v) (v).s10325476
#define SWAPPED_16(v) (v).s1032547698badcfe
#define SWAPPED SQA_JOIN(SWAPPED_, LANES)

/* Cosines and sines stand twice, the first of two sines with the other sign. */
INLINE void turn_row(__global const sqa_stored *x, __global sqa_stored *y, const float *cosines,
                     const float *sines)
{
    for (int i = 0; i < SQA_ROTARY; i += LANES) {
        const vec v = LOAD_SOME(x, i, SQA_ROTARY);
        STORE_SOME(v * LOAD(cosines + i) + SWAPPED(v) * LOAD(sines + i), y, i, SQA_ROTARY);
    }
}
#endif
#endif

__kernel void sqa_rope(SQA_ROPE_ARGUMENTS)
{
    const long first = (long)get_global_id(0) * ROWS, batch = get_global_id(1);
    const long end = min(first + ROWS, (long)rows);
    for (long row = first; row < end; row++) {
#if SQA_ROTARY
        const long position = SQA_ROPE_POSITION(batch, row);
        float cosines[2 * PADDED_PAIRS] ALIGNED, sines[2 * PADDED_PAIRS] ALIGNED;
        angles_of(position, cosines, sines);
#if !SQA_HALF
        for (int i = PAIRS - 1; i >= 0; i--) {
            cosines[2 * i] = cosines[2 * i + 1] = cosines[i];
            sines[2 * i + 1] = sines[i];
            sines[2 * i] = -sines[i];
        }
#endif
#endif
        for (long head = 0; head < heads; head++) {
            __global const sqa_stored *x =
                x_buffer + x_offset + batch * x_batch + head * x_head + row * x_row;
            __global sqa_stored *y =
                y_buffer + y_offset + batch * y_batch + head * y_head + row * y_row;
#if SQA_ROTARY
            turn_row(x, y, cosines, sines);
#endif
            for (int j = SQA_ROTARY; j < SQA_DIM; j += LANES)
                STORE_SOME(LOAD_SOME(x, j, SQA_DIM), y, j, SQA_DIM);
        }
    }
}
