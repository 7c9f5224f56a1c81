/* Which keys a query sees by its position, and which keys the rows of a work-group
 * have to be shown at all.
 *
 * By position a query sees the keys SQA_START(i) .. SQA_END(i) - 1, and the global
 * tokens before SQA_LIMIT(i). A work-group walks runs of keys (sqa_walk): first
 * those between the least start and the greatest end of its rows, then the global
 * tokens, which each row takes only where it has not seen them already; or, with
 * block lists, the listed blocks. Work is what the runs are long. Masks that are
 * stored byte by byte are not looked at here (score.cl). */
#define SQA_POSITION(i) ((int)(i) + diagonal)

#if SQA_CAUSAL
#define SQA_LIMIT(i) clamp(SQA_POSITION(i) + 1, 0, kv_length)
#else
#define SQA_LIMIT(i) kv_length
#endif

#if SQA_WINDOW
/* In 64 bits: a window may be as wide as an int. */
#define SQA_NEAR_START(i) (int)clamp(SQA_POSITION(i) - (long)window_left, 0L, (long)kv_length)
#define SQA_NEAR_END(i) (int)clamp(SQA_POSITION(i) + (long)window_right + 1, 0L, (long)SQA_LIMIT(i))
#endif

#if SQA_GLOBAL_LIST
/* Whether `position` is in the ascending list. */
INLINE bool sqa_in_list(__global const int *list, const int count, const int position)
{
    int low = 0, high = count;
    while (low < high) {
        const int middle = (low + high) / 2;
        if (list[middle] < position)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && list[low] == position;
}
#define SQA_IS_GLOBAL(position) sqa_in_list(globals_buffer + globals_offset, global_count, position)
#elif SQA_GLOBALS
#define SQA_IS_GLOBAL(position) ((position) >= 0 && (position) < global_count)
#endif

#if SQA_GLOBALS
#define SQA_START(i) (SQA_IS_GLOBAL(SQA_POSITION(i)) ? 0 : SQA_NEAR_START(i))
#define SQA_END(i) (SQA_IS_GLOBAL(SQA_POSITION(i)) ? SQA_LIMIT(i) : SQA_NEAR_END(i))
#elif SQA_WINDOW
#define SQA_START(i) SQA_NEAR_START(i)
#define SQA_END(i) SQA_NEAR_END(i)
#else
#define SQA_START(i) 0
#define SQA_END(i) SQA_LIMIT(i)
#endif

/* What several rows see by position. */
typedef struct {
    int first, last;         /* keys some row may see: first .. last - 1 */
    int all_first, all_last; /* keys every row sees: all_first .. all_last - 1 */
    int limit, all_limit;    /* global keys some row sees, every row sees: those before */
} sqa_reach;

/* Of queries i0 .. i1. Positions ascend, and with them starts and ends, unless a
 * global token among the queries sees everything. */
#if SQA_GLOBALS
#define SQA_REACH(reach, i0, i1)                                                                   \
    sqa_reach reach = {kv_length, 0, 0, kv_length, SQA_LIMIT(i1), SQA_LIMIT(i0)};                  \
    for (int reach_i = (i0); reach_i <= (i1); reach_i++) {                                         \
        const int reach_start = SQA_START(reach_i), reach_end = SQA_END(reach_i);                  \
        reach.first = min(reach.first, reach_start);                                               \
        reach.last = max(reach.last, reach_end);                                                   \
        reach.all_first = max(reach.all_first, reach_start);                                       \
        reach.all_last = min(reach.all_last, reach_end);                                           \
    }
#else
#define SQA_REACH(reach, i0, i1)                                                                   \
    sqa_reach reach = {SQA_START(i0), SQA_END(i1), SQA_START(i1), SQA_END(i0), 0, 0};
#endif

/* A walk over runs of keys; the run at hand is begin .. end - 1. */
typedef struct {
    int begin, end;
    int shown;            /* -1 in a run of global keys, else 0 */
    int low, first, last; /* runs are cut to these: see SQA_WALK */
    int limit;
    int next; /* where in the list the walk is; -1: before everything */
#if SQA_BLOCKS || SQA_GLOBAL_LIST
    __global const int *list;
#endif
#if SQA_BLOCKS
    int key_block;
#endif
#if SQA_BLOCKS || SQA_GLOBALS
    int count;
#endif
} sqa_walk;

#if SQA_BLOCKS || SQA_GLOBAL_LIST
/* The number at the walk's place in its list, and how many follow each other there. */
INLINE int sqa_walk_neighbours(sqa_walk *walk, int *number)
{
    int neighbours = 1;
    *number = walk->list[walk->next++];
    while (walk->next < walk->count && walk->list[walk->next] - neighbours == *number) {
        neighbours++;
        walk->next++;
    }
    return neighbours;
}
#endif

/* To the next run that is not empty; false: there is none. */
INLINE bool sqa_walk_next(sqa_walk *walk)
{
#if SQA_BLOCKS
    while (walk->next < walk->count) {
        int block;
        const long size = walk->key_block;
        const int blocks = sqa_walk_neighbours(walk, &block);
        walk->begin = (int)clamp(block * size, (long)walk->first, (long)walk->last);
        walk->end = (int)clamp((block + (long)blocks) * size, (long)walk->first, (long)walk->last);
        if (walk->begin < walk->end)
            return true;
    }
    return false;
#else
    if (walk->next < 0) {
        walk->next = 0;
        walk->begin = walk->first;
        walk->end = walk->last;
        if (walk->begin < walk->end)
            return true;
    }
#if SQA_GLOBALS
    walk->shown = -1;
    while (walk->next < walk->count) {
#if SQA_GLOBAL_LIST
        int token;
        const int tokens = sqa_walk_neighbours(walk, &token);
#else
        const int token = 0, tokens = walk->count;
        walk->next = walk->count;
#endif
        walk->begin = clamp(token, walk->low, walk->limit);
        walk->end = (int)clamp(token + (long)tokens, (long)walk->low, (long)walk->limit);
        if (walk->begin < walk->end)
            return true;
    }
#endif
    return false;
#endif
}

/* The walk of rows that reach `reach`, through the keys low .. high - 1 only. With
 * block lists, `list` is the number of the list (SQA_BLOCK_LIST). */
#define SQA_WALK(walk, reach, low_key, high_key, list)                                             \
    sqa_walk walk;                                                                                 \
    walk.begin = walk.end = walk.shown = 0;                                                        \
    walk.next = -1;                                                                                \
    walk.low = (low_key);                                                                          \
    walk.first = max(reach.first, walk.low);                                                       \
    walk.last = min(reach.last, (high_key));                                                       \
    walk.limit = max(min(reach.limit, (high_key)), walk.low);                                      \
    walk.last = max(walk.last, walk.first);                                                        \
    SQA_WALK_LIST(walk, list)

#if SQA_BLOCKS
/* Output head h of batch b has its lists beside others that share them. */
#define SQA_BLOCK_LIST(b, h, query_block_index)                                                    \
    (((block_batch ? (b) : 0) * block_heads + (h) * (long)block_heads / out_heads) * block_lists + \
     (query_block_index))
#define SQA_WALK_LIST(walk, number)                                                                \
    walk.list = block_indices_buffer + block_indices_offset;                                       \
    walk.key_block = key_block;                                                                    \
    walk.next = clamp(block_offsets_buffer[block_offsets_offset + (number)], 0, block_entries);    \
    walk.count =                                                                                   \
        clamp(block_offsets_buffer[block_offsets_offset + (number) + 1], 0, block_entries);
#elif SQA_GLOBAL_LIST
#define SQA_WALK_LIST(walk, number)                                                                \
    walk.list = globals_buffer + globals_offset;                                                   \
    walk.count = global_count;
#elif SQA_GLOBALS
#define SQA_WALK_LIST(walk, number) walk.count = global_count;
#else
#define SQA_WALK_LIST(walk, number)
#endif
#ifndef SQA_BLOCK_LIST
#define SQA_BLOCK_LIST(b, h, query_block_index) 0
#endif
