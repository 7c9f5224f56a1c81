#include "operations/attention/work.h"

/* Seen pairs under a causal mask alone: query i sees clamp(i + diagonal + 1, 0,
 * kv_length) keys. */
static double causal_pairs(const sqa_attention *attention)
{
    double queries = attention->q_length, keys = attention->kv_length;
    double first = attention->diagonal + 1.0;          /* keys seen by query 0, unclamped */
    double start = first > 1 ? 0 : 1 - first;          /* first query that sees a key */
    double full = keys - first > 0 ? keys - first : 0; /* first query that sees every key */
    if (start > queries)
        start = queries;
    if (full > queries)
        full = queries;
    if (full < start)
        full = start;
    double ramp = full - start;
    return ramp * (first + start) + ramp * (ramp - 1) / 2 + (queries - full) * keys;
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* Keys that the queries at positions first .. last see, any of them, of those the causal mask
 * leaves, the first `limit`. Listed globals are taken to lie outside every window. */
static int64_t windowed_keys(const sqa_attention *attention, int64_t first, int64_t last,
                             int64_t limit)
{
    const int64_t begin = clamp(first - attention->window.left, 0, limit);
    const int64_t end = clamp(last + attention->window.right + 1, begin, limit);
    if (!(attention->mask & SQA_MASK_GLOBALS))
        return end - begin;
    const int64_t count = attention->globals.count;
    if (attention->globals.listed)
        return clamp(end - begin + count, 0, limit);
    if (last >= 0 && first < count)
        return limit;
    const int64_t shown = clamp(count, begin, end) - begin; /* globals within the window */
    return end - begin + clamp(count, 0, limit) - shown;
}

/* Keys that queries first .. last see, any of them, block lists left aside. */
static int64_t keys_by_position(const sqa_attention *attention, int64_t first, int64_t last)
{
    const int64_t from = first + attention->diagonal, to = last + attention->diagonal;
    const int64_t limit = attention->mask & SQA_MASK_CAUSAL ? clamp(to + 1, 0, attention->kv_length)
                                                            : attention->kv_length;
    return attention->mask & SQA_MASK_WINDOW ? windowed_keys(attention, from, to, limit) : limit;
}

static double windowed_pairs(const sqa_attention *attention)
{
    double pairs = 0.0;
    for (int64_t i = 0; i < attention->q_length; i++)
        pairs += (double)keys_by_position(attention, i, i);
    return pairs;
}

double sqa_attention_listed_part(const sqa_attention *attention)
{
    const double pairs =
        (double)sqa_attention_block_lists(attention) * sqa_attention_key_blocks(attention);
    const double part = pairs > 0 ? attention->blocks.entries / pairs : 0.0;
    return part < 1.0 ? part : 1.0;
}

double sqa_attention_keys_of(const sqa_attention *attention, uint32_t query)
{
    const double keys = (double)keys_by_position(attention, query, query);
    return attention->mask & SQA_MASK_BLOCKS ? keys * sqa_attention_listed_part(attention) : keys;
}

double sqa_attention_read_keys(const sqa_attention *attention)
{
    const int64_t queries = attention->q_length;
    return queries ? (double)keys_by_position(attention, 0, queries - 1) : 0.0;
}

double sqa_attention_seen_keys(const sqa_attention *attention)
{
    const double queries = attention->q_length;
    if (attention->q_length == 0)
        return 0.0;
    double seen = attention->kv_length;
    if (attention->mask & SQA_MASK_WINDOW)
        seen = windowed_pairs(attention) / queries;
    else if (attention->mask & SQA_MASK_CAUSAL)
        seen = causal_pairs(attention) / queries;
    if (attention->mask & SQA_MASK_BLOCKS)
        seen *= sqa_attention_listed_part(attention);
    return seen;
}

double sqa_attention_pairs(const sqa_attention *attention)
{
    const double queries = attention->mask & SQA_MASK_RAGGED
                               ? attention->q_total
                               : (double)attention->batch * attention->q_length;
    return sqa_attention_seen_keys(attention) * queries * attention->out_heads;
}

double sqa_attention_flop(const sqa_attention *attention)
{
    return 2.0 * ((double)attention->head_dim + attention->value_dim) *
           sqa_attention_pairs(attention);
}

/* A sum per element of Q and K, and the products of all pairs of means, whether a mask
 * leaves them to choose from or not. */
double sqa_selection_flop(const sqa_attention *attention)
{
    const double rows = (double)attention->q_heads * attention->q_length +
                        (double)attention->kv_heads * attention->kv_length;
    const double pairs =
        (double)sqa_attention_query_blocks(attention) * sqa_attention_key_blocks(attention);
    const double heads = attention->blocks.heads == attention->out_heads ? attention->out_heads
                                                                         : attention->kv_heads;
    return attention->batch * attention->head_dim * (rows + 2.0 * pairs * heads);
}
