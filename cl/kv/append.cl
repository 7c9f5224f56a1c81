/* Keys and values of new tokens into a cache's pages: a work-item per pair of a key that is turned,
 * per element that is copied; per group of a cache that is quantised. A sequence whose tokens do
 * not all fit gets none. */
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

#if SQA_KV_DTYPE >= 3
#define WIDTH ((SQA_HEAD_DIM + SQA_VALUE_DIM) / SQA_GROUP)

INLINE void fetch_key(__global const sqa_stored *k, const int first, const long position,
                      float *restrict out)
{
    for (int i = 0; i < SQA_GROUP; i++) {
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

INLINE void put_token(const int i, const long position, __global const sqa_stored *k,
                      __global const sqa_stored *v, __global sqa_kv_stored *key,
                      __global sqa_kv_stored *value)
{
    const int keys = SQA_HEAD_DIM / SQA_GROUP;
    float group[SQA_GROUP];
    if (i < keys) {
        fetch_key(k, i * SQA_GROUP, position, group);
        put_group(group, key + i * SQA_STORAGE(SQA_GROUP_BYTES_, SQA_KV_DTYPE));
        return;
    }
    for (int d = 0; d < SQA_GROUP; d++)
        group[d] = SQA_LOAD((i - keys) * SQA_GROUP + d, v);
    put_group(group, value + (i - keys) * SQA_STORAGE(SQA_GROUP_BYTES_, SQA_KV_DTYPE));
}
#else
#define WIDTH (SQA_HEAD_DIM - PAIRS + SQA_VALUE_DIM)

INLINE void put_token(const int i, const long position, __global const sqa_stored *k,
                      __global const sqa_stored *v, __global sqa_kv_stored *key,
                      __global sqa_kv_stored *value)
{
#if SQA_ROTARY
    if (i < PAIRS) {
        const float2 pair = turned_pair(k, i, position);
        SQA_KV_STORE(pair.x, FIRST_OF_PAIR(i), key);
        SQA_KV_STORE(pair.y, SECOND_OF_PAIR(i), key);
        return;
    }
#endif
    const int d = i + PAIRS;
    if (d < SQA_HEAD_DIM)
        SQA_KV_STORE(SQA_LOAD(d, k), d, key);
    else
        SQA_KV_STORE(SQA_LOAD(d - SQA_HEAD_DIM, v), d - SQA_HEAD_DIM, value);
}
#endif

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
    if (i >= WIDTH || row >= count || begin < 0 || begin + count > capacity)
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
