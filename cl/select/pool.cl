/* Mean pooling: the rows of a block of Q or K become one, in f32.
 *
 * A work-group has columns of one block: work-item (column, slice) adds up POOL of
 * them over every SLICES-th row, then the slices meet in local memory. What is added
 * up are distances from the block's first row: the mean of equal rows is that very row,
 * however many they are, and blocks of equal keys tie. (An infinite first row is no
 * origin; zero is.) They are made smaller by a power of two first, so that no sum of finite
 * ones overflows.
 *
 * Key means are transposed, so that choose.cl reads neighbouring blocks as a vector:
 *   Q  workspace[0 ..]        (batch, matrix, query block, column)
 *   K  workspace[keys_at ..]  (batch, key/value head, column, key block)
 * with `padded` key blocks, zero beyond those there are. A matrix is what is read
 * against one key/value head: the sum of `matrix_heads` output heads. */
#ifndef POOL
#define POOL 4
#endif
#ifndef SLICES
#define SLICES 4
#endif

#if POOL == 1
typedef float pool_vec;
#define POOL_LOAD(i, p) SQA_LOAD(i, p)
#define POOL_GET(p) (*(p))
#define POOL_SET(x, p) (*(p) = (x))
#else
#define POOL_JOIN_(a, b) a##b
#define POOL_JOIN(a, b) POOL_JOIN_(a, b)
typedef POOL_JOIN(float, POOL) pool_vec;
#define POOL_LOAD(i, p) SQA_LOADN(POOL, i, p)
#define POOL_GET(p) POOL_JOIN(vload, POOL)(0, (p))
#define POOL_SET(x, p) POOL_JOIN(vstore, POOL)((x), 0, (p))
#endif

#if SLICES > 1
#define POOL_SLICES __local float slices[SLICES * SQA_HEAD_DIM];
#define POOL_SLICES_ARGUMENT , slices

/* Added up in one fixed order. */
static pool_vec pool_meet(const pool_vec part, __local float *slices)
{
    const int column = (int)get_global_id(0) * POOL;
    pool_vec sum = (pool_vec)(0.0f);
    POOL_SET(part, slices + get_local_id(1) * SQA_HEAD_DIM + column);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int s = 0; s < SLICES; s++)
        sum += POOL_GET(slices + s * SQA_HEAD_DIM + column);
    barrier(CLK_LOCAL_MEM_FENCE);
    return sum;
}
#define POOL_MEET(part) pool_meet(part, slices)
#else
#define POOL_SLICES
#define POOL_SLICES_ARGUMENT
#define POOL_MEET(part) (part)
#endif

/* The work-item's columns of the mean of `count` rows, `row` elements apart. */
#if SLICES > 1
static pool_vec pool_mean(__global const sqa_stored *block, const long row, const int count,
                          __local float *slices)
#else
static pool_vec pool_mean(__global const sqa_stored *block, const long row, const int count)
#endif
{
    __global const sqa_stored *columns = block + get_global_id(0) * POOL;
    const pool_vec first = POOL_LOAD(0, columns);
    const pool_vec origin = select((pool_vec)(0.0f), first, isfinite(first));
    const pool_vec share = (pool_vec)(as_float((clz(count) + 94) << 23));
    const pool_vec away = -origin * share;
    pool_vec part = (pool_vec)(0.0f);
#pragma unroll 4
    for (int i = get_local_id(1); i < count; i += SLICES)
        part += fma(POOL_LOAD(i * row, columns), share, away);
    /* The first row and the mean may be further apart than the largest float. */
    const pool_vec half_way = POOL_MEET(part) / (2.0f * (float)count * share);
    return fma(half_way, (pool_vec)(2.0f), origin);
}

/* Rows of block number `block` of a sequence. */
static int pool_count(const long block, const int size, const int length)
{
    return (int)clamp(length - block * size, 0L, (long)size);
}

__kernel void sqa_pool_queries(SQA_POOL_QUERIES_ARGUMENTS)
{
    POOL_SLICES
    const long block = get_group_id(1), matrix = get_group_id(2) % matrices;
    const long batch = get_group_id(2) / matrices;
    const int count = pool_count(block, query_block, q_length);
    __global const sqa_stored *rows =
        q_buffer + q_offset + batch * q_batch + block * query_block * q_row;
    pool_vec sum = (pool_vec)(0.0f);
    for (int i = 0; i < matrix_heads; i++) {
        const long head = (matrix * matrix_heads + i) % q_heads;
        sum += pool_mean(rows + head * q_head, q_row, count POOL_SLICES_ARGUMENT) * query_factor;
    }
    if (get_local_id(1) == 0)
        POOL_SET(sum, workspace + (get_group_id(2) * query_blocks + block) * SQA_HEAD_DIM +
                          get_global_id(0) * POOL);
}

__kernel void sqa_pool_keys(SQA_POOL_KEYS_ARGUMENTS)
{
    POOL_SLICES
    const long block = get_group_id(1), head = get_group_id(2) % kv_heads;
    const long batch = get_group_id(2) / kv_heads;
    const int count = pool_count(block, key_block, kv_length);
    __global const sqa_stored *rows =
        k_buffer + k_offset + batch * k_batch + head * k_head + block * key_block * k_row;
    float mean[POOL];
    POOL_SET(pool_mean(rows, k_row, count POOL_SLICES_ARGUMENT), mean);
    if (get_local_id(1) != 0)
        return;
    __global float *column =
        workspace + keys_at + (get_group_id(2) * SQA_HEAD_DIM + get_global_id(0) * POOL) * padded;
    const int end = block + 1 == get_num_groups(1) ? padded : block + 1;
    for (int i = 0; i < POOL; i++, column += padded) {
        column[block] = mean[i];
        for (int beyond = block + 1; beyond < end; beyond++)
            column[beyond] = 0.0f;
    }
}
