/* Inputs of attention that are no floating-point numbers, valid for the problem. */
#include "operations/attention/slots.h"

void sqa_fill_mask(const sqa_problem *problem, uint64_t count, bool shuffled, sqa_random *random,
                   void *out)
{
    (void)problem, (void)shuffled;
    uint8_t *bytes = out;
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t bits = sqa_random_next(random);
        bytes[i] = (uint8_t)(bits % 4 ? 1 + bits / 4 % 255 : 0);
    }
}

/* `count` of the numbers 0 .. bound - 1, ascending (Knuth, algorithm 3.4.2 S). */
static void choose_ascending(sqa_random *random, uint32_t count, uint32_t bound, int32_t *out)
{
    uint32_t chosen = 0;
    for (uint32_t i = 0; i < bound && chosen < count; i++)
        if (sqa_random_below(random, bound - i) < count - chosen)
            out[chosen++] = (int32_t)i;
    for (uint32_t i = bound; chosen < count; i++)
        out[chosen++] = (int32_t)i; /* more than there are: beyond the end */
}

static void shuffle(sqa_random *random, int32_t *out, uint32_t count)
{
    for (uint32_t i = count; i > 1; i--) {
        const uint64_t other = sqa_random_below(random, i);
        const int32_t number = out[i - 1];
        out[i - 1] = out[other];
        out[other] = number;
    }
}

static int32_t list_begin(const sqa_attention *attention, uint64_t list)
{
    return (int32_t)(attention->blocks.entries * list / sqa_attention_block_lists(attention));
}

void sqa_fill_block_offsets(const sqa_problem *problem, uint64_t count, bool shuffled,
                            sqa_random *random, void *out)
{
    (void)count, (void)shuffled, (void)random;
    const sqa_attention *attention = &problem->of.attention;
    int32_t *offsets = out;
    const uint64_t lists = sqa_attention_block_lists(attention);
    offsets[0] = 0;
    for (uint64_t i = 0; i < lists; i++)
        offsets[i + 1] = list_begin(attention, i + 1);
}

/* Key blocks that the queries of a block may see by position; all, where there are
 * too few of those. */
static uint32_t candidates(const sqa_attention *attention, uint64_t query_block, uint32_t wanted)
{
    const int64_t size = attention->blocks.key_size;
    const int64_t all = ((int64_t)attention->kv_length + size - 1) / size;
    const int64_t last_query = (int64_t)(query_block + 1) * attention->blocks.query_size - 1;
    if (!(attention->mask & SQA_MASK_CAUSAL))
        return (uint32_t)all;
    const int64_t seen = (last_query + attention->diagonal + size) / size;
    return (uint32_t)(seen < wanted || seen > all ? all : seen);
}

void sqa_fill_block_indices(const sqa_problem *problem, uint64_t count_of_all, bool shuffled,
                            sqa_random *random, void *out)
{
    (void)count_of_all;
    const sqa_attention *attention = &problem->of.attention;
    const uint64_t lists = sqa_attention_block_lists(attention);
    const uint32_t query_blocks = sqa_attention_query_blocks(attention);
    for (uint64_t i = 0; i < lists; i++) {
        int32_t *list = (int32_t *)out + list_begin(attention, i);
        const uint32_t count = (uint32_t)(list_begin(attention, i + 1) - list_begin(attention, i));
        choose_ascending(random, count, candidates(attention, i % query_blocks, count), list);
        if (shuffled)
            shuffle(random, list, count);
    }
}

/* Every length leaves the rest enough room and enough to fill it with. */
static void fill_starts(sqa_random *random, uint32_t sequences, uint32_t total, uint32_t longest,
                        int32_t *out)
{
    uint64_t left = total;
    out[0] = 0;
    for (uint32_t i = 0; i < sequences; i++) {
        const uint64_t others = (uint64_t)(sequences - i - 1) * longest;
        const uint64_t least = left > others ? left - others : 0;
        const uint64_t most = left < longest ? left : longest;
        const bool extreme = sqa_random_below(random, 4) == 0;
        const uint64_t length =
            extreme || most <= least ? least : least + sqa_random_below(random, most - least + 1);
        left -= length;
        out[i + 1] = out[i] + (int32_t)length;
    }
}

void sqa_fill_globals(const sqa_problem *problem, uint64_t count, bool shuffled, sqa_random *random,
                      void *out)
{
    (void)shuffled;
    choose_ascending(random, (uint32_t)count, problem->of.attention.kv_length, out);
}

void sqa_fill_q_starts(const sqa_problem *problem, uint64_t count, bool shuffled,
                       sqa_random *random, void *out)
{
    (void)count, (void)shuffled;
    const sqa_attention *a = &problem->of.attention;
    fill_starts(random, a->batch, a->q_total, a->q_length, out);
}

void sqa_fill_kv_starts(const sqa_problem *problem, uint64_t count, bool shuffled,
                        sqa_random *random, void *out)
{
    (void)count, (void)shuffled;
    const sqa_attention *a = &problem->of.attention;
    fill_starts(random, a->batch, a->kv_total, a->kv_length, out);
}

/* One is as long as may be, one has nothing, where there are as many. */
void sqa_fill_kv_lengths(const sqa_problem *problem, uint64_t count, bool shuffled,
                         sqa_random *random, void *out)
{
    const uint32_t longest = problem->of.attention.kv_length;
    int32_t *lengths = out;
    for (uint64_t i = 0; i < count; i++)
        lengths[i] = (int32_t)(i == 0 || !shuffled ? longest
                               : i == 1            ? 0
                                                   : sqa_random_below(random, longest + 1));
}

void sqa_fill_block_table(const sqa_problem *problem, uint64_t count, bool shuffled,
                          sqa_random *random, void *out)
{
    const uint32_t pages = problem->of.attention.paged.pages;
    int32_t *table = out;
    for (uint64_t i = 0; i < count; i++)
        table[i] = (int32_t)(i % pages);
    for (uint64_t begin = 0; shuffled && begin < count; begin += pages)
        shuffle(random, table + begin, (uint32_t)(count - begin < pages ? count - begin : pages));
}
