/* elements: a work-item computes STEPS vectors of a row. SQA_GATED, SQA_RESIDUAL: 0 or 1; of
 * gradients SQA_DA, SQA_DB, SQA_ACCUMULATE; SQA_WIDE: Y and dY are f32. */
#ifndef STEPS
#define STEPS 1
#endif

/* The matrix's row. */
#define ROW_OF(name) (name##_buffer + name##_offset + z * name##_batch + row * name##_row)
/* The gradient's: it lies as the matrix it is of. */
#define GRADIENT_ROW(name)                                                                         \
    (d##name##_buffer + d##name##_offset + z * name##_batch + row * name##_row)

#if SQA_ACCUMULATE
#define PUT(x, to) store_stored((x) + load_stored(to, whole, count), to, whole, count)
#else
#define PUT(x, to) store_stored(x, to, whole, count)
#endif

#if SQA_WIDE
INLINE vec load_wide(__global const float *from, const bool whole, const int count)
{
    float some[LANES] ALIGNED;
    for (int i = 0; i < LANES; i++)
        some[i] = whole || i < count ? from[i] : 0.0f;
    return LOAD(some);
}

INLINE void store_wide(const vec x, __global float *to, const bool whole, const int count)
{
    float some[LANES] ALIGNED;
    STORE(x, some);
    for (int i = 0; i < (whole ? LANES : count); i++)
        to[i] = some[i];
}
#define LOAD_DY load_wide
#define PUT_Y(x, to) store_wide(x, to, whole, count)
#else
#define LOAD_DY load_stored
#define PUT_Y PUT
#endif

__kernel void sqa_activation(SQA_ACTIVATION_ARGUMENTS)
{
    const long begin = (long)get_global_id(0) * (STEPS * LANES);
    const long end = min(begin + STEPS * LANES, (long)dim);
    const long row = get_global_id(1), z = get_global_id(2);
#if SQA_DROPOUT
    const sqa_dropout dropout = SQA_DROPOUT_OF(z);
#endif
    for (long j = begin; j < end; j += LANES) {
        const bool whole = j + LANES <= end;
        const int count = (int)(end - j);
        const vec x = load_stored(ROW_OF(a) + j, whole, count);
#if SQA_DA || SQA_DB
        const vec dy = KEPT(LOAD_DY(ROW_OF(dy) + j, whole, count), row, j);
#endif
#if SQA_DB
        PUT(activate(x) * dy, GRADIENT_ROW(b) + j);
#endif
#if SQA_DA && SQA_GATED
        PUT(slope_of(x) * dy * load_stored(ROW_OF(b) + j, whole, count), GRADIENT_ROW(a) + j);
#elif SQA_DA
        PUT(slope_of(x) * dy, GRADIENT_ROW(a) + j);
#elif !SQA_DB
        vec y = activate(x);
#if SQA_GATED
        y *= load_stored(ROW_OF(b) + j, whole, count);
#endif
        y = KEPT(y, row, j);
#if SQA_RESIDUAL
        y += load_stored(ROW_OF(residual) + j, whole, count);
#endif
        PUT_Y(y, ROW_OF(y) + j);
#endif
    }
}
