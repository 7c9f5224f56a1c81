/* stream: the matrix product of few rows, for CPUs. What it costs is to read B, which is read
 * once, in place and in order; the rows of A are copied to private f32 DEPTH products at a
 * time.
 *
 * B as it is stored: the lanes of a vector are columns of C, and NV rows of B are added to the
 * sums of all columns, which lie in the first-level cache. B transposed: lanes are products,
 * NV rows of B, which are columns of C, are multiplied with MR rows of A, and only then added
 * across lanes.
 *
 * A work-item has ROWS x COLUMNS of C; SPLIT divides the products as in block.cl. */

/* `rows` rows of A from row i on, zeros up to whole row tiles and vectors. */
INLINE void copy_a(float *restrict out, __global const sqa_stored *restrict a, const long i,
                   const int rows, const long l, const int depth, const long a_row)
{
    const int wide = (depth + LANES - 1) / LANES * LANES;
    for (int r = 0; r < (rows + MR - 1) / MR * MR; r++)
        for (int d = 0; d < wide; d++)
            out[r * DEPTH + d] = r < rows && d < depth ? SQA_LOAD(SQA_A_AT(i + r, l + d), a) : 0.0f;
}

#if SQA_TRANSPOSE_B
INLINE float sum_of(const vec x)
{
#if LANES == 16
    const float8 eight = x.lo + x.hi;
    const float4 four = eight.lo + eight.hi;
#elif LANES == 8
    const float4 four = x.lo + x.hi;
#else
    const float4 four = x;
#endif
    const float2 two = four.lo + four.hi;
    return two.x + two.y;
}

/* The products of MR rows of A with columns of C, from where their first row of B is. */
INLINE void multiply(const float *restrict a, __global const sqa_stored *restrict b,
                     const long b_row, const int columns, const int depth, float *restrict sums)
{
    const int whole = depth / LANES * LANES;
    for (int j = 0; j < columns; j += NV) {
        float own[MR * NV];
#define POINTER(v) __global const sqa_stored *b##v = b + min(j + v, columns - 1) * b_row;
#define START(i, v) vec s##i##_##v = (vec)(0.0f);
#define FETCH(v) const vec y##v = load_stored(b##v + l, l < whole, depth - l);
#define ROW(i) const vec x##i = LOAD(a + i * DEPTH + l);
#define ADD(i, v) s##i##_##v = fma(x##i, y##v, s##i##_##v);
        EACH_VECTOR(POINTER)
        EACH_ROW_VECTOR(START)
        int l = 0;
#pragma unroll UNROLL
        for (; l < whole; l += LANES) {
            EACH_VECTOR(FETCH)
            EACH_ROW(ROW)
            EACH_ROW_VECTOR(ADD)
        }
        if (l < depth) {
            EACH_VECTOR(FETCH)
            EACH_ROW(ROW)
            EACH_ROW_VECTOR(ADD)
        }
#define KEEP(i, v)                                                                                 \
    if (j + v < columns)                                                                           \
        sums[i * COLUMNS + j + v] += sum_of(s##i##_##v);
        EACH_ROW_VECTOR(KEEP)
    }
}
#else
/* Adds NV rows of B, or one, times what A has for them to the sums of one vector of columns. */
#define START(i) vec s##i = LOAD(part + i * COLUMNS + c);
#define FETCH(v) const vec y##v = load_stored(b + v * b_row + c, c + LANES <= columns, columns - c);
#define ADD(i, v) s##i = fma((vec)(a[i * DEPTH + l + v]), y##v, s##i);
#define KEEP(i) STORE(s##i, part + i * COLUMNS + c);

INLINE void multiply(const float *restrict a, __global const sqa_stored *restrict b,
                     const long b_row, const int columns, const int depth, float *restrict sums)
{
    float part[MR * COLUMNS] ALIGNED;
    const int wide = (columns + LANES - 1) / LANES * LANES;
    for (int e = 0; e < MR * COLUMNS; e++)
        part[e] = 0.0f;
    int l = 0;
    for (; l + NV <= depth; l += NV, b += NV * b_row)
        for (int c = 0; c < wide; c += LANES) {
            EACH_ROW(START)
            EACH_VECTOR(FETCH)
            EACH_ROW_VECTOR(ADD)
            EACH_ROW(KEEP)
        }
    for (; l < depth; l++, b += b_row)
        for (int c = 0; c < wide; c += LANES) {
            EACH_ROW(START)
            FETCH(0)
#define ADD_ONE(i) ADD(i, 0)
            EACH_ROW(ADD_ONE)
            EACH_ROW(KEEP)
        }
    for (int e = 0; e < MR * COLUMNS; e++)
        sums[e] += part[e];
}
#endif

/* All products of the work-item's rows and columns with one B, from `first` up to `end`. */
INLINE void multiply_block(__global const sqa_stored *restrict a, const long a_row, const long i,
                           const int rows, __global const sqa_stored *restrict b, const long b_row,
                           const long j, const int columns, const long first, const long end,
                           float *restrict sums)
{
    float a_block[ROWS * DEPTH] ALIGNED;
    for (int e = 0; e < ROWS * COLUMNS; e++)
        sums[e] = 0.0f;
    for (long l = first; l < end; l += DEPTH) {
        const int depth = (int)min((long)DEPTH, end - l);
        copy_a(a_block, a, i, rows, l, depth, a_row);
        for (int r = 0; r < rows; r += MR)
            multiply(a_block + r * DEPTH, b + SQA_B_AT(l, j), b_row, columns, depth,
                     sums + r * COLUMNS);
    }
}

#define MULTIPLY(matrix, of, sums)                                                                 \
    multiply_block(a, a_row, i, rows, of##_buffer + of##_offset + z * b_batch, b_row, j, columns,  \
                   first, end, sums)
