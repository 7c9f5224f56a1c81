/* What threads of a work-group compute in: vectors of VEC elements, and rows of tensors in them. */
#ifndef VEC
#define VEC 4
#endif

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

/* LANE(v, n): element n of a vector. EACH_LANE(M): M(0) ... M(VEC - 1). LOAD_VEC(i, p):
 * elements i .. i + VEC - 1 of p, stored as the tensors are; STORE_VEC_ALIGNED(x, i, p)
 * stores them. */
#if VEC == 1
typedef float vec;
#define LANE(v, n) (v)
#define EACH_LANE(M) M(0)
#define LOAD_VEC(i, p) SQA_LOAD(i, p)
#define LOAD_VEC_ALIGNED(i, p) SQA_LOAD(i, p)
#define STORE_VEC_ALIGNED(x, i, p) SQA_STORE(x, i, p)
#else
typedef JOIN(float, VEC) vec;
#define LOAD_VEC(i, p) SQA_LOADN(VEC, i, p)
#define LOAD_VEC_ALIGNED(i, p) SQA_LOADN_ALIGNED(VEC, i, p)
#define STORE_VEC_ALIGNED(x, i, p) SQA_STOREN_ALIGNED(VEC, x, i, p)
#define LANE(v, n) (v).s##n
#if VEC == 2
#define EACH_LANE(M) M(0) M(1)
#else
#define EACH_LANE(M) M(0) M(1) M(2) M(3)
#endif
#endif

/* sum + a[0] b[0] + ... */
INLINE float multiply_add(const vec a, const vec b, float sum)
{
#define ADD_LANE(n) sum = fma(LANE(a, n), LANE(b, n), sum);
    EACH_LANE(ADD_LANE)
#undef ADD_LANE
    return sum;
}

#ifndef PAIRED_FLOATS /* one instruction multiplies two neighbours, but no others together */
#define PAIRED_FLOATS 0
#endif

/* A sum of products of vectors: of even and odd elements apart where that pairs neighbours. */
#if PAIRED_FLOATS && VEC > 1
typedef float2 products;

INLINE products add_products_of(const vec a, const vec b, products sum)
{
    sum = fma(a.s01, b.s01, sum);
#if VEC == 4
    sum = fma(a.s23, b.s23, sum);
#endif
    return sum;
}

INLINE float all_products(const products sum)
{
    return sum.s0 + sum.s1;
}
#else
typedef float products;

INLINE products add_products_of(const vec a, const vec b, const products sum)
{
    return multiply_add(a, b, sum);
}

INLINE float all_products(const products sum)
{
    return sum;
}
#endif

INLINE bool is_aligned(__global const sqa_stored *first, const long stride)
{
    return (size_t)first % (VEC * sizeof(sqa_stored)) == 0 && stride % VEC == 0;
}

/* Vector i of a row of `width` elements; zeros past its end, where nothing is read. */
INLINE vec row_vec(__global const sqa_stored *row, const bool aligned, const int i, const int width)
{
    if (width % VEC == 0 ? VEC * i < width : VEC * i + VEC <= width)
        return aligned ? LOAD_VEC_ALIGNED(VEC * i, row) : LOAD_VEC(VEC * i, row);
    vec rest = (vec)(0.0f);
#define LOAD_LANE(n)                                                                               \
    if (width % VEC > n && VEC * i + n < width)                                                    \
        LANE(rest, n) = SQA_LOAD(VEC * i + n, row);
    EACH_LANE(LOAD_LANE)
#undef LOAD_LANE
    return rest;
}
