/* Which queries see a key: forward/visible.cl, read the other way.
 *
 * A kernel that owns keys walks the runs of queries that may see some of them (sqa_queries);
 * queries in one run follow each other, and none comes twice. What one of them sees of the keys
 * by position is SQA_SEES(i, j): but for global tokens, the keys SQA_START(i) .. SQA_END(i) - 1.
 * Work is what the runs are long. Masks that are stored byte by byte are not looked at here. */

/* Whether query i sees key j by position, block lists left aside. */
#if SQA_GLOBALS
#define SQA_SEES(i, j)                                                                             \
    (((j) >= SQA_START(i) && (j) < SQA_END(i)) || ((j) < SQA_LIMIT(i) && SQA_IS_GLOBAL(j)))
#else
#define SQA_SEES(i, j) ((j) >= SQA_START(i) && (j) < SQA_END(i))
#endif

/* Of keys j0 .. j1: the first query that the causal mask leaves j0; and the queries to which
 * some key, or every key, is near. All within the sequence. */
#define SQA_CUT_QUERY(i) (int)clamp((i), 0L, (long)q_length)
#define SQA_QUERY_AT(position) ((position) - (long)diagonal)
#if SQA_CAUSAL
#define SQA_FIRST_ALLOWED(j0) SQA_CUT_QUERY(SQA_QUERY_AT(j0))
#else
#define SQA_FIRST_ALLOWED(j0) 0
#endif
#if SQA_WINDOW
#define SQA_FIRST_NEAR(j)                                                                          \
    max(SQA_CUT_QUERY(SQA_QUERY_AT((j) - (long)window_right)), SQA_FIRST_ALLOWED(j))
#define SQA_END_NEAR(j) SQA_CUT_QUERY(SQA_QUERY_AT((j) + (long)window_left + 1))
#else
#define SQA_FIRST_NEAR(j) SQA_FIRST_ALLOWED(j)
#define SQA_END_NEAR(j) q_length
#endif

/* Whether the list of the query's block names the key's block; without block lists, yes. */
#if SQA_BLOCKS
INLINE bool sqa_names_block(__global const int *offsets, __global const int *indices,
                            const int entries, const long list, const int block)
{
    const int end = clamp(offsets[list + 1], 0, entries);
    for (int i = clamp(offsets[list], 0, entries); i < end; i++)
        if (indices[i] == block)
            return true;
    return false;
}
#define SQA_LISTED(b, h, i, j)                                                                     \
    sqa_names_block(block_offsets_buffer + block_offsets_offset,                                   \
                    block_indices_buffer + block_indices_offset, block_entries,                    \
                    SQA_BLOCK_LIST((b), (h), (i) / query_block), (j) / key_block)
#else
#define SQA_LISTED(b, h, i, j) true
#endif

/* A walk over runs of queries; the run at hand is begin .. end - 1. Of these, all_begin ..
 * all_end - 1 see every key by position (none, where that is no range). */
typedef struct {
    int begin, end;
    int all_begin, all_end;
    int first, last;           /* of the first run */
    int near_begin, near_end;  /* queries to which every key is near */
    int next;                  /* the next query block or global token; -1: before everything */
#if SQA_GLOBALS
    int count, allowed, all_allowed, length;
    int pending_begin, pending_end; /* the second part of a run of global tokens */
    long diagonal;
#if SQA_GLOBAL_LIST
    __global const int *list;
#endif
#endif
#if SQA_BLOCKS
    __global const int *offsets, *indices; /* of the head's first list; of all lists */
    int lists, size, entries, block;
#endif
} sqa_queries;

/* Cuts the run to the queries that see every key for a reason of their own. */
INLINE void sqa_set_all(sqa_queries *walk, const int all_begin, const int all_end)
{
    walk->all_begin = clamp(all_begin, walk->begin, walk->end);
    walk->all_end = clamp(all_end, walk->all_begin, walk->end);
}

#if SQA_GLOBALS
/* The part of the queries from .. to - 1, all global tokens, that the first run has not; what
 * lies behind that run waits its turn. */
INLINE void sqa_global_run(sqa_queries *walk, const int from, const int to)
{
    walk->begin = from;
    walk->end = min(to, walk->first);
    walk->pending_begin = max(from, walk->last);
    walk->pending_end = to;
}

INLINE bool sqa_next_global(sqa_queries *walk)
{
    while (true) {
        if (walk->pending_begin < walk->pending_end) {
            walk->begin = walk->pending_begin;
            walk->end = walk->pending_end;
            walk->pending_begin = walk->pending_end;
        } else if (walk->next < walk->count) {
#if SQA_GLOBAL_LIST
            const int token = walk->list[walk->next++], tokens = 1;
#else
            const int token = 0, tokens = walk->count;
            walk->next = walk->count;
#endif
            const long query = token - walk->diagonal;
            sqa_global_run(walk, (int)clamp(query, (long)walk->allowed, (long)walk->length),
                           (int)clamp(query + tokens, (long)walk->allowed, (long)walk->length));
        } else {
            return false;
        }
        if (walk->begin < walk->end) {
            sqa_set_all(walk, walk->all_allowed, walk->length);
            return true;
        }
    }
}
#endif

/* To the next run that is not empty; false: there is none. */
INLINE bool sqa_queries_next(sqa_queries *walk)
{
#if SQA_BLOCKS
    while (walk->next < walk->lists) {
        const int row = walk->next++;
        walk->begin = max((int)min(row * (long)walk->size, (long)walk->last), walk->first);
        walk->end = (int)min((row + 1) * (long)walk->size, (long)walk->last);
        if (walk->begin < walk->end &&
            sqa_names_block(walk->offsets, walk->indices, walk->entries, row, walk->block)) {
            sqa_set_all(walk, walk->near_begin, walk->near_end);
            return true;
        }
    }
    return false;
#else
    if (walk->next < 0) {
        walk->next = 0;
        walk->begin = walk->first;
        walk->end = walk->last;
        sqa_set_all(walk, walk->near_begin, walk->near_end);
        if (walk->begin < walk->end)
            return true;
    }
#if SQA_GLOBALS
    return sqa_next_global(walk);
#else
    return false;
#endif
#endif
}

/* The walk of keys j0 .. j1, of output head h of batch b. With block lists these keys have to
 * be of one key block. */
#define SQA_QUERIES(walk, b, h, j0, j1)                                                            \
    sqa_queries walk;                                                                              \
    walk.begin = walk.end = walk.all_begin = walk.all_end = 0;                                     \
    walk.first = SQA_FIRST_NEAR(j0);                                                               \
    walk.last = max(SQA_END_NEAR(j1), walk.first);                                                 \
    walk.near_begin = SQA_FIRST_NEAR(j1);                                                          \
    walk.near_end = SQA_END_NEAR(j0);                                                              \
    walk.next = -1;                                                                                \
    SQA_QUERIES_GLOBALS(walk, j0, j1)                                                              \
    SQA_QUERIES_LISTS(walk, b, h, j0)

/* A global token among the keys is seen by every query that may. */
#if SQA_GLOBALS
#define SQA_QUERIES_GLOBALS(walk, j0, j1)                                                          \
    walk.count = global_count;                                                                     \
    walk.allowed = SQA_FIRST_ALLOWED(j0);                                                          \
    walk.all_allowed = SQA_FIRST_ALLOWED(j1);                                                      \
    walk.length = q_length;                                                                        \
    walk.diagonal = diagonal;                                                                      \
    walk.pending_begin = walk.pending_end = 0;                                                     \
    SQA_QUERIES_TOKENS(walk)                                                                       \
    for (int queries_key = (j0); queries_key <= (j1); queries_key++)                               \
        if (SQA_IS_GLOBAL(queries_key)) {                                                          \
            walk.first = walk.allowed;                                                             \
            walk.last = q_length;                                                                  \
        }
#if SQA_GLOBAL_LIST
#define SQA_QUERIES_TOKENS(walk) walk.list = globals_buffer + globals_offset;
#else
#define SQA_QUERIES_TOKENS(walk)
#endif
#else
#define SQA_QUERIES_GLOBALS(walk, j0, j1)
#endif

#if SQA_BLOCKS
#define SQA_QUERIES_LISTS(walk, b, h, j0)                                                          \
    walk.offsets = block_offsets_buffer + block_offsets_offset + SQA_BLOCK_LIST((b), (h), 0L);     \
    walk.indices = block_indices_buffer + block_indices_offset;                                    \
    walk.entries = block_entries;                                                                  \
    walk.block = (j0) / key_block;                                                                 \
    walk.size = query_block;                                                                       \
    walk.lists = block_lists;                                                                      \
    walk.next = walk.first / query_block;
#else
#define SQA_QUERIES_LISTS(walk, b, h, j0)
#endif
