/* Scoring and choosing: block lists from the means that pool.cl left.
 *
 * A work-group has ROWS query blocks of a list at a time. Its ITEMS work-items score
 * the candidates, VEC key blocks each, and leave every score in the workspace as an
 * unsigned integer that orders like it (its rank): so the top_k-th best is found bit
 * by bit, by counting, whatever ties there are. Then each work-item lists what was
 * chosen of a run of key blocks, behind the runs before. Nothing is ever sorted, and
 * every result is one of integer sums: there is no order for it to depend on.
 *
 * With ITEMS = 1 (CPUs) nothing is waited for. */
#ifndef ITEMS
#define ITEMS 64
#endif
#ifndef VEC
#define VEC 4
#endif
#ifndef ROWS
#define ROWS 4
#endif

#define CHOOSE_JOIN_(a, b) a##b
#define CHOOSE_JOIN(a, b) CHOOSE_JOIN_(a, b)
typedef CHOOSE_JOIN(float, VEC) score_vec;
typedef CHOOSE_JOIN(uint, VEC) rank_vec;
#define AS_BITS CHOOSE_JOIN(as_uint, VEC)
#define AS_SIGNED CHOOSE_JOIN(as_int, VEC)
#define LOAD_SCORES(p) CHOOSE_JOIN(vload, VEC)(0, (p))
#define STORE_RANKS(x, p) CHOOSE_JOIN(vstore, VEC)((x), 0, (p))

#define FORCED 0xffffffffu /* above infinity's rank */
#define RANK_BITS 32

/* Ranks of scores: 0 for NaN, and the two zeros alike. */
static rank_vec rank_of(const score_vec score)
{
    rank_vec bits = AS_BITS(score);
    bits &= ~AS_BITS(bits == (rank_vec)(0x80000000u));
    const rank_vec rank = bits ^ (AS_BITS(AS_SIGNED(bits) >> 31) | (rank_vec)(0x80000000u));
    return rank & ~AS_BITS((bits & (rank_vec)(0x7fffffffu)) > (rank_vec)(0x7f800000u));
}

/* What the work-items share. */
typedef struct {
    int sum[RANK_BITS + 1]; /* zero, until used by one sum */
    int above[ITEMS], equal[ITEMS];
} choose_shared;

#if ITEMS > 1
#define ITEM ((int)get_local_id(0))
#define MEET(where) barrier(where)

/* The sum of all work-items' numbers, the same to each. */
static int sum_of_items(const int mine, __local int *sum)
{
    atomic_add(sum, mine);
    barrier(CLK_LOCAL_MEM_FENCE);
    return *sum;
}
#else
#define ITEM 0
#define MEET(where)
#define sum_of_items(mine, sum) (mine)
#endif

/* Where a problem's queries and keys are, and how they are cut into blocks. */
typedef struct {
    int query_block, key_block, query_blocks, key_blocks;
    int q_length;
    int reach;    /* query i may see the keys up to i + reach */
    int diagonal; /* and stands at i + diagonal */
    int top_k, sink_blocks, local_blocks;
} selection;

static long last_query(const selection *s, const int row)
{
    return min((row + 1) * (long)s->query_block, (long)s->q_length) - 1;
}

/* Key blocks that the row may choose from: those before this one. */
static int candidates(const selection *s, const int row)
{
    const long last = last_query(s, row) + s->reach;
    return last < 0 ? 0 : (int)min(last / s->key_block + 1, (long)s->key_blocks);
}

/* Entries of a list before those of `row`: a row has more than n of them when its last
 * query sees key block n, and so have the rows behind the one with the first such
 * query. Added up over n, shared among the work-items. */
static int entries_before(const selection *s, const int row, __local int *sum)
{
    int entries = 0;
    for (int n = ITEM; n < min(s->top_k, s->key_blocks); n += ITEMS) {
        const long query = max(n * (long)s->key_block - s->reach, 0L);
        entries += (int)max(row - query / s->query_block, 0L);
    }
    return sum_of_items(entries, sum);
}

/* Ranks of the first `count` key blocks for ROWS rows from `first`; rows beyond the
 * last repeat it. `matrices` pairs of matrices are added up, from number `matrix`;
 * `shared_by` of those have one key/value head. */
static void score_rows(const selection *s, __global const float *queries,
                       __global const float *keys, const long matrix, const int matrices,
                       const int shared_by, const int first, const int count, const int padded,
                       __global uint *ranks)
{
    for (int block = ITEM * VEC; block < count; block += ITEMS * VEC) {
        score_vec sum[ROWS];
#pragma unroll
        for (int r = 0; r < ROWS; r++)
            sum[r] = (score_vec)(0.0f);
        for (long m = matrix; m < matrix + matrices; m++) {
            __global const float *k = keys + m / shared_by * SQA_HEAD_DIM * padded + block;
            __global const float *q = queries + m * s->query_blocks * SQA_HEAD_DIM;
            for (int d = 0; d < SQA_HEAD_DIM; d++) {
                const score_vec key = LOAD_SCORES(k + (long)d * padded);
#pragma unroll
                for (int r = 0; r < ROWS; r++) {
                    const long row = min(first + r, s->query_blocks - 1);
                    sum[r] = fma((score_vec)(q[row * SQA_HEAD_DIM + d]), key, sum[r]);
                }
            }
        }
#pragma unroll
        for (int r = 0; r < ROWS; r++)
            STORE_RANKS(rank_of(sum[r]), ranks + (long)r * padded + block);
    }
}

/* Gives the row's sinks and the blocks about its last query the highest rank. */
static void force(const selection *s, const int row, const int count, __global uint *ranks)
{
    const long last = last_query(s, row) + s->diagonal;
    const int end = last < 0 ? 0 : (int)min(last / s->key_block + 1, (long)count);
    const int begin = max(end - s->local_blocks, 0);
    for (int c = ITEM; c < min(s->sink_blocks, count); c += ITEMS)
        ranks[c] = FORCED;
    for (int c = begin + ITEM; c < end; c += ITEMS)
        ranks[c] = FORCED;
}

/* A rank that `wanted` of the `count` blocks reach, or more if the last of them tie. The
 * loop ends early for nobody, because of the barriers in it. */
static uint threshold(__global const uint *ranks, const int count, const int wanted,
                      __local int *sums)
{
    uint least = 0;
    int looked_at = wanted < count ? count : 0; /* none any more, once it is known */
    for (int bit = RANK_BITS - 1; bit >= 0; bit--) {
        const uint trial = least | 1u << bit;
        int mine = 0;
        for (int c = ITEM; c < looked_at; c += ITEMS)
            mine += ranks[c] >= trial ? 1 : 0;
        const int reaching = sum_of_items(mine, &sums[bit]);
        least = reaching >= wanted ? trial : least;
        looked_at = reaching == wanted ? 0 : looked_at;
    }
    return least;
}

/* Writes the numbers of the `wanted` blocks: those above `least`, and as many of those
 * equal to it, from the first, as are still wanted. */
static void list(__global const uint *ranks, const int count, const int wanted, const uint least,
                 __local choose_shared *shared, __global int *out)
{
    const int run = (count + ITEMS - 1) / ITEMS;
    const int begin = min(ITEM * run, count), end = min(begin + run, count);
    int above = 0, equal = 0, all_above = 0, above_before = 0, equal_before = 0;
    for (int c = begin; c < end; c++) {
        above += ranks[c] > least ? 1 : 0;
        equal += ranks[c] == least ? 1 : 0;
    }
    shared->above[ITEM] = above;
    shared->equal[ITEM] = equal;
    MEET(CLK_LOCAL_MEM_FENCE);
    for (int i = 0; i < ITEMS; i++) {
        all_above += shared->above[i];
        above_before += i < ITEM ? shared->above[i] : 0;
        equal_before += i < ITEM ? shared->equal[i] : 0;
    }
    const int equal_wanted = wanted - all_above;
    const int taken_before = min(equal_before, equal_wanted);
    int room = equal_wanted - taken_before;
    out += above_before + taken_before;
    for (int c = begin; c < end; c++) {
        const bool taken = ranks[c] > least || (ranks[c] == least && room > 0);
        room -= taken && ranks[c] == least ? 1 : 0;
        if (taken)
            *out++ = c;
    }
}

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
sqa_choose_blocks(SQA_CHOOSE_ARGUMENTS)
{
    __local choose_shared shared;
    const selection s = {query_block, key_block, query_blocks, key_blocks,  q_length,
                         reach,       diagonal,  top_k,        sink_blocks, local_blocks};
    __global int *offsets = block_offsets_buffer + block_offsets_offset;
    __global int *indices = block_indices_buffer + block_indices_offset;
    __global uint *group_ranks =
        (__global uint *)(workspace + ranks_at) + get_group_id(0) * (long)ROWS * padded;
    const int jobs_per_list = (query_blocks + ROWS - 1) / ROWS;
    for (uint job = get_group_id(0); job < (uint)lists * jobs_per_list; job += get_num_groups(0)) {
        const int number = job / jobs_per_list;
        const int first = job % jobs_per_list * ROWS, end = min(first + ROWS, query_blocks);
        score_rows(&s, workspace, workspace + keys_at, number * (long)matrices, matrices, shared_by,
                   first, candidates(&s, end - 1), padded, group_ranks);
        MEET(CLK_GLOBAL_MEM_FENCE);
        for (int row = first; row < end; row++)
            force(&s, row, candidates(&s, row), group_ranks + (row - first) * (long)padded);
        for (int i = ITEM; i <= RANK_BITS; i += ITEMS)
            shared.sum[i] = 0;
        MEET(CLK_GLOBAL_MEM_FENCE | CLK_LOCAL_MEM_FENCE);
        int offset = number * list_entries + entries_before(&s, first, &shared.sum[RANK_BITS]);
        for (int row = first; row < end; row++) {
            __global const uint *ranks = group_ranks + (row - first) * (long)padded;
            const int count = candidates(&s, row), wanted = min(top_k, count);
            const uint least = threshold(ranks, count, wanted, shared.sum);
            list(ranks, count, wanted, least, &shared, indices + offset);
            if (ITEM == 0)
                offsets[(long)number * query_blocks + row] = offset;
            offset += wanted;
            MEET(CLK_LOCAL_MEM_FENCE);
            for (int i = ITEM; i < RANK_BITS; i += ITEMS)
                shared.sum[i] = 0;
            MEET(CLK_GLOBAL_MEM_FENCE | CLK_LOCAL_MEM_FENCE);
        }
        if (ITEM == 0 && number == lists - 1 && end == query_blocks)
            offsets[(long)lists * query_blocks] = offset;
    }
}
