/* tiled, of the matrix product: slices of A and B on their way to local memory, where each of the
 * DK products of a slice has a row: of all rows of A, or columns of B, that the work-group has.
 * Whoever multiplies reads vectors along it, whichever way the matrix is stored. */

/* The rows of A, or columns of B, of a work-group, where the first of them lies. */
typedef struct {
    __global const sqa_stored *first;
    long row;     /* elements from a row of the matrix, as it is stored, to the next */
    int count;    /* of rows or columns, at least one */
    bool aligned; /* every row begins at a multiple of LANES elements */
} operand;

INLINE operand operand_of(__global const sqa_stored *first, const long row, const int count)
{
    const bool aligned = (size_t)first % (LANES * sizeof(sqa_stored)) == 0 && row % LANES == 0;
    const operand o = {first, row, count, aligned};
    return o;
}

/* A thread's vectors of a slice, `size` wide. */
#define PARTS(size) ((DK * (size) / LANES + THREADS - 1) / THREADS)
typedef struct {
    vec a[PARTS(BM)], b[PARTS(BN)];
#if SQA_GATED
    vec b2[PARTS(BN)];
#endif
} staged;

/* Elements from `at` on, of which `left` are there; zeros after those, where nothing is read. */
INLINE vec operand_vec(__global const sqa_stored *at, const bool aligned, const int left)
{
    if (left >= LANES)
        return aligned ? SQA_LOADN_ALIGNED(LANES, 0, at) : SQA_LOADN(LANES, 0, at);
    vec some = (vec)(0.0f);
    if (left > 0)
        some.s0 = SQA_LOAD(0, at);
    if (left > 1)
        some.s1 = SQA_LOAD(1, at);
    if (left > 2)
        some.s2 = SQA_LOAD(2, at);
    return some;
}

/* Products first .. first + DK - 1, zeros from product k on. `along`: the products of a row lie
 * side by side; rows past the last repeat it, and whoever computes with them stores nothing. */
INLINE void fetch(vec *next, const bool along, const operand from, const int size, const int first,
                  const int k, const int thread)
{
#pragma unroll
    for (int p = 0; p < PARTS(size); p++) {
        const int i = thread + p * THREADS;
        const int row = along ? min(i / (DK / LANES), from.count - 1) : first + i / (size / LANES);
        const int element = along ? first + i % (DK / LANES) * LANES : i % (size / LANES) * LANES;
        const int left = along ? k - element : row < k ? from.count - element : 0;
        next[p] = operand_vec(from.first + row * from.row + element, from.aligned, left);
    }
}

INLINE void put(__local vec *to, const bool along, const vec *next, const int size,
                const int thread)
{
    __local float *elements = (__local float *)to;
    const int row = PITCH(size) * LANES;
#pragma unroll
    for (int p = 0; p < PARTS(size); p++) {
        const int i = thread + p * THREADS;
        if (DK * size / LANES % THREADS != 0 && i >= DK * size / LANES)
            continue;
        if (along) {
            __local float *column = elements + i % (DK / LANES) * LANES * row + i / (DK / LANES);
            column[0] = next[p].s0;
            column[row] = next[p].s1;
            column[2 * row] = next[p].s2;
            column[3 * row] = next[p].s3;
        } else
            to[i / (size / LANES) * PITCH(size) + i % (size / LANES)] = next[p];
    }
}
