#include "problem/selection.h"

#include <string.h>

#include "base/status.h"
#include "problem/pattern.h"

#define MOST_BLOCKS (1u << 30)

static sqa_status check_options(const sqa_select_options *select)
{
    if (!select)
        return sqa_fail(SQA_INVALID_ARGUMENT, "select: must not be NULL");
    if (select->version != SQA_SELECT_OPTIONS_VERSION)
        return sqa_fail(SQA_INVALID_ARGUMENT, "select.version: %u is not %u", select->version,
                        SQA_SELECT_OPTIONS_VERSION);
    if (select->top_k < 1 || select->top_k > MOST_BLOCKS)
        return sqa_fail(SQA_INVALID_ARGUMENT, "select.top_k: %u is outside 1..%u", select->top_k,
                        MOST_BLOCKS);
    if ((uint64_t)select->sink_blocks + select->local_blocks > select->top_k)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "select.sink_blocks, select.local_blocks: %u + %u are more than top_k (%u)",
                        select->sink_blocks, select->local_blocks, select->top_k);
    return SQA_OK;
}

/* The part of a forward descriptor that selection looks at, or refuses. */
static sqa_attention_desc relevant(const sqa_attention_desc *desc)
{
    sqa_attention_desc part = *desc;
    part.operation = SQA_OPERATION_FORWARD;
    part.value_dim = 0;
    part.write_lse = 0;
    part.v = part.o = (sqa_strides){0, 0, 0};
    part.softcap = 0.0f;
    part.alibi = SQA_ALIBI_NONE;
    part.bias.present = 0;
    part.sinks = 0;
    part.blocks.entries = 0;
    return part;
}

static sqa_status check_pattern(const sqa_problem *problem)
{
    const struct {
        const char *field;
        uint32_t mask;
    } unsupported[] = {
        {"desc.ragged", SQA_MASK_RAGGED},
        {"desc.window", SQA_MASK_WINDOW},
        {"desc.key_mask", SQA_MASK_KEY},
        {"desc.mask", SQA_MASK_PAIR},
    };
    for (size_t i = 0; i < sizeof unsupported / sizeof *unsupported; i++)
        if (problem->mask & unsupported[i].mask)
            return sqa_fail(SQA_UNSUPPORTED, "%s: block selection does not support it",
                            unsupported[i].field);
    if (!(problem->mask & SQA_MASK_BLOCKS))
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.blocks: has no block sizes");
    if (problem->blocks.batch != problem->batch)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.blocks.batch: %u is not the batch (%u); every batch entry has lists "
                        "of its own",
                        problem->blocks.batch, problem->batch);
    return SQA_OK;
}

int32_t sqa_selection_reach(const sqa_problem *problem)
{
    return problem->mask & SQA_MASK_CAUSAL ? problem->diagonal : (int32_t)problem->kv_length;
}

/* A row has at least n entries when its last query sees key block number n - 1, and so
 * the rows from that on which has the first such query: added up over n. */
static uint64_t entries_per_list(const sqa_problem *problem)
{
    const uint32_t rows = sqa_problem_query_blocks(problem);
    const uint32_t key_blocks = sqa_problem_key_blocks(problem);
    const int64_t reach = sqa_selection_reach(problem);
    uint64_t entries = 0;
    for (uint32_t block = 0; block < key_blocks && block < problem->select.top_k; block++) {
        const int64_t query = (int64_t)block * problem->blocks.key_size - reach;
        if (query >= problem->q_length)
            break;
        entries += query > 0 ? rows - (uint64_t)query / problem->blocks.query_size : rows;
    }
    return entries;
}

static uint64_t all_entries(const sqa_problem *problem)
{
    return entries_per_list(problem) * problem->blocks.batch * problem->blocks.heads;
}

void sqa_set_selected_entries(sqa_problem *problem)
{
    problem->blocks.entries = (uint32_t)all_entries(problem);
}

static uint32_t at_most(uint32_t value, uint32_t limit)
{
    return value < limit ? value : limit;
}

/* More blocks than there are mean all of them, so that such problems are equal. */
static void set_selection(sqa_problem *problem, const sqa_attention_desc *desc,
                          const sqa_select_options *select)
{
    const uint32_t key_blocks = sqa_problem_key_blocks(problem);
    problem->operation = SQA_OPERATION_SELECT_BLOCKS;
    problem->select.top_k = at_most(select->top_k, key_blocks);
    problem->select.sink_blocks = at_most(select->sink_blocks, key_blocks);
    problem->select.local_blocks = at_most(select->local_blocks, key_blocks);
    if (problem->select.local_blocks > 0)
        sqa_set_positions(problem, desc);
}

static sqa_status check_entries(const sqa_problem *problem, const sqa_attention_desc *desc,
                                bool check_capacity)
{
    /* The product with 2^31 lists of 2^31 rows and blocks each does not fit. */
    const double most =
        (double)entries_per_list(problem) * problem->blocks.batch * problem->blocks.heads;
    if (most > INT32_MAX)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.blocks: the lists will have %.0f entries, at most %d are allowed",
                        most, INT32_MAX);
    if (check_capacity && desc->blocks.entries < all_entries(problem))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.blocks.entries: %u, but the lists will have %llu",
                        desc->blocks.entries, (unsigned long long)all_entries(problem));
    return SQA_OK;
}

sqa_status sqa_selection_from_desc(sqa_problem *out, const sqa_attention_desc *desc,
                                   const sqa_select_options *select, bool check_capacity)
{
    if (!desc)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc: must not be NULL");
    const sqa_attention_desc part = relevant(desc);
    sqa_problem problem;
    sqa_status status = check_options(select);
    if (status == SQA_OK)
        status = sqa_problem_from_desc(&problem, &part);
    if (status == SQA_OK)
        status = check_pattern(&problem);
    if (status != SQA_OK)
        return status;
    set_selection(&problem, desc, select);
    status = check_entries(&problem, desc, check_capacity);
    if (status != SQA_OK)
        return status;
    sqa_set_selected_entries(&problem);
    memcpy(out, &problem, sizeof problem);
    return SQA_OK;
}
