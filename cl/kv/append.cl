/* Keys and values of new tokens into a cache's pages: a work-item per pair of a key that is turned,
 * per element that is copied; per group of a cache that is quantised; per block of a key that goes
 * through a Hadamard matrix. A sequence whose tokens do not all fit gets none. */
#ifndef SQA_HEAD_DIM
#define SQA_HEAD_DIM 64
#define SQA_VALUE_DIM 64
#endif
#ifndef SQA_RAGGED
#define SQA_RAGGED 0
#endif
#ifndef SQA_AT_END
#define SQA_AT_END 0
#endif

#define QUANTISED (SQA_KV_DTYPE >= 3)
#define GROUP_BYTES SQA_STORAGE(SQA_GROUP_BYTES_, SQA_KV_DTYPE)

#if SQA_HADAMARD || QUANTISED
/* Elements of a key that one work-item takes. */
#if SQA_HADAMARD
#define PART SQA_HADAMARD
#else
#define PART SQA_GROUP
#endif
#define KEY_PARTS (SQA_HEAD_DIM / PART)

INLINE void fetch_key(__global const sqa_stored *k, const int first, const long position,
                      float *restrict out)
{
    for (int i = 0; i < PART; i++) {
        const int d = first + i;
#if SQA_ROTARY
        if (d < SQA_ROTARY) {
            const float2 pair = turned_pair(k, PAIR_OF(d), position);
            out[i] = IS_FIRST(d) ? pair.x : pair.y;
            continue;
        }
#endif
        out[i] = SQA_LOAD(d, k);
    }
}

INLINE void put_key(const int i, const long position, __global const sqa_stored *k,
                    __global sqa_kv_stored *key)
{
    const int first = i * PART;
    float part[PART];
    fetch_key(k, first, position, part);
#if SQA_HADAMARD
    multiply_block(part);
#endif
#if QUANTISED
    for (int d = 0; d < PART; d += SQA_GROUP)
        put_group(part + d, key + (first + d) / SQA_GROUP * GROUP_BYTES);
#else
    for (int d = 0; d < PART; d++)
        SQA_KV_STORE(part[d], first + d, key);
#endif
}
#else
#define KEY_PARTS (SQA_HEAD_DIM - PAIRS)

INLINE void put_key(const int i, const long position, __global const sqa_stored *k,
                    __global sqa_kv_stored *key)
{
#if SQA_ROTARY
    if (i < PAIRS) {
        const float2 pair = turned_pair(k, i, position);
        SQA_KV_STORE(pair.x, FIRST_OF_PAIR(i), key);
        SQA_KV_STORE(pair.y, SECOND_OF_PAIR(i), key);
        return;
    }
#endif
    SQA_KV_STORE(SQA_LOAD(i + PAIRS, k), i + PAIRS, key);
}
#endif

#if QUANTISED
#define VALUE_PARTS (SQA_VALUE_DIM / SQA_GROUP)
#else
#define VALUE_PARTS SQA_VALUE_DIM
#endif

INLINE void put_value(const int i, __global const sqa_stored *v, __global sqa_kv_stored *value)
{
#if QUANTISED
    float group[SQA_GROUP];
    for (int d = 0; d < SQA_GROUP; d++)
        group[d] = SQA_LOAD(i * SQA_GROUP + d, v);
    put_group(group, value + i * GROUP_BYTES);
#else
    SQA_KV_STORE(SQA_LOAD(i, v), i, value);
#endif
}

INLINE void put_token(const int i, const long position, __global const sqa_stored *k,
                      __global const sqa_stored *v, __global sqa_kv_stored *key,
                      __global sqa_kv_stored *value)
{
    if (i >= KEY_PARTS)
        put_value(i - KEY_PARTS, v, value);
    else
        put_key(i, position, k, key);
}

__kernel void sqa_kv_append(SQA_KV_APPEND_ARGUMENTS)
{
    const int i = (int)get_global_id(0);
    const long batch = get_global_id(2) / kv_heads, head = get_global_id(2) % kv_heads;
    const long row = get_global_id(1);
#if SQA_RAGGED
    const int first = clamp(starts_buffer[starts_offset + batch], 0, total);
    const int count = clamp(starts_buffer[starts_offset + batch + 1], first, total) - first;
#else
    const int first = 0, count = length;
#endif
    const long given = positions_buffer[positions_offset + batch];
    const long begin = SQA_AT_END ? given - count : given, position = begin + row;
    if (i >= KEY_PARTS + VALUE_PARTS || row >= count || begin < 0 || begin + count > capacity)
        return;
    const long table_row = (capacity + page_size - 1) / page_size;
    const int page = table_buffer[table_offset + batch * table_row + position / page_size];
    if (page < 0 || page >= pages)
        return;
    const long within = position % page_size;
    put_token(i, position,
              k_buffer + k_offset + batch * k_batch + head * k_head + (first + row) * k_row,
              v_buffer + v_offset + batch * v_batch + head * v_head + (first + row) * v_row,
              k_cache_buffer + k_cache_offset + page * k_cache_batch + head * k_cache_head +
                  within * k_cache_row,
              v_cache_buffer + v_cache_offset + page * v_cache_batch + head * v_cache_head +
                  within * v_cache_row);
}
