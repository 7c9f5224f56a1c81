#include "reference/inputs.h"

static void fill_mask(sqa_random *random, uint8_t *out, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t bits = sqa_random_next(random);
        out[i] = (uint8_t)(bits % 4 ? 1 + bits / 4 % 255 : 0);
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

static int32_t list_begin(const sqa_problem *problem, uint64_t list)
{
    return (int32_t)(problem->blocks.entries * list / sqa_problem_block_lists(problem));
}

static void fill_offsets(const sqa_problem *problem, int32_t *out)
{
    const uint64_t lists = sqa_problem_block_lists(problem);
    out[0] = 0;
    for (uint64_t i = 0; i < lists; i++)
        out[i + 1] = list_begin(problem, i + 1);
}

/* Key blocks that the queries of a block may see by position; all, where there are
 * too few of those. */
static uint32_t candidates(const sqa_problem *problem, uint64_t query_block, uint32_t wanted)
{
    const int64_t size = problem->blocks.key_size;
    const int64_t all = ((int64_t)problem->kv_length + size - 1) / size;
    const int64_t last_query = (int64_t)(query_block + 1) * problem->blocks.query_size - 1;
    if (!(problem->mask & SQA_MASK_CAUSAL))
        return (uint32_t)all;
    const int64_t seen = (last_query + problem->diagonal + size) / size;
    return (uint32_t)(seen < wanted || seen > all ? all : seen);
}

static void fill_indices(const sqa_problem *problem, bool shuffled, sqa_random *random,
                         int32_t *out)
{
    const uint64_t lists = sqa_problem_block_lists(problem);
    const uint32_t query_blocks = sqa_problem_query_blocks(problem);
    for (uint64_t i = 0; i < lists; i++) {
        int32_t *list = out + list_begin(problem, i);
        const uint32_t count = (uint32_t)(list_begin(problem, i + 1) - list_begin(problem, i));
        choose_ascending(random, count, candidates(problem, i % query_blocks, count), list);
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

void sqa_random_input(const sqa_problem *problem, sqa_role role, bool shuffled, sqa_random *random,
                      void *out)
{
    sqa_tensor_shape shape;
    if (!sqa_tensor_shape_of(problem, role, &shape))
        return;
    const uint64_t count = sqa_tensor_extent(&shape);
    switch (role) {
    case SQA_ROLE_MASK:
    case SQA_ROLE_KEY_MASK: fill_mask(random, out, count); break;
    case SQA_ROLE_SINKS: sqa_random_floats(random, out, count, -2.0f, 2.0f); break;
    case SQA_ROLE_SLOPES: sqa_random_floats(random, out, count, 0.0f, 0.5f); break;
    case SQA_ROLE_GLOBALS:
        choose_ascending(random, problem->globals.count, problem->kv_length, out);
        break;
    case SQA_ROLE_BLOCK_OFFSETS: fill_offsets(problem, out); break;
    case SQA_ROLE_BLOCK_INDICES: fill_indices(problem, shuffled, random, out); break;
    case SQA_ROLE_CU_SEQLENS_Q:
        fill_starts(random, problem->batch, problem->q_total, problem->q_length, out);
        break;
    case SQA_ROLE_CU_SEQLENS_KV:
        fill_starts(random, problem->batch, problem->kv_total, problem->kv_length, out);
        break;
    default: sqa_random_floats(random, out, count, -1.0f, 1.0f); break;
    }
}
