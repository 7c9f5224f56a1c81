#include "problem/selection.h"

#include <string.h>

#include "base/status.h"
#include "problem/checks.h"
#include "problem/pattern.h"

#define MOST_BLOCKS (1u << 30)

static sqa_status check_options(const sqa_select_options *select)
{
    if (!select)
        return sqa_fail(SQA_INVALID_ARGUMENT, "select: must not be NULL");
    sqa_status status =
        sqa_check_version("select.version", select->version, SQA_SELECT_OPTIONS_VERSION);
    if (status != SQA_OK)
        return status;
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
    sqa_attention_desc part = sqa_attention_desc_read(desc);
    part.value_dim = 0;
    part.write_lse = 0;
    part.v = part.o = (sqa_strides){0, 0, 0};
    part.softcap = 0.0f;
    part.alibi = SQA_ALIBI_NONE;
    part.bias.present = 0;
    part.sinks = 0;
    part.dropout = 0.0f;
    part.blocks.entries = 0;
    return part;
}

static sqa_status check_pattern(const sqa_attention *attention)
{
    const struct {
        const char *field;
        uint32_t mask;
    } unsupported[] = {
        {"desc.ragged", SQA_MASK_RAGGED}, {"desc.paged", SQA_MASK_PAGED},
        {"desc.window", SQA_MASK_WINDOW}, {"desc.key_mask", SQA_MASK_KEY},
        {"desc.mask", SQA_MASK_PAIR},
    };
    for (size_t i = 0; i < sizeof unsupported / sizeof *unsupported; i++)
        if (attention->mask & unsupported[i].mask)
            return sqa_fail(SQA_UNSUPPORTED, "%s: block selection does not support it",
                            unsupported[i].field);
    sqa_status status = sqa_check_one_dtype(attention);
    if (status == SQA_OK)
        status = sqa_check_full_products("desc.products", attention);
    if (status != SQA_OK)
        return status;
    if (!(attention->mask & SQA_MASK_BLOCKS))
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.blocks: has no block sizes");
    if (attention->blocks.batch != attention->batch)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.blocks.batch: %u is not the batch (%u); every batch entry has lists "
                        "of its own",
                        attention->blocks.batch, attention->batch);
    return SQA_OK;
}

int32_t sqa_selection_reach(const sqa_attention *attention)
{
    return attention->mask & SQA_MASK_CAUSAL ? attention->diagonal : (int32_t)attention->kv_length;
}

/* A row has at least n entries when its last query sees key block number n - 1, and so
 * the rows from that on which has the first such query: added up over n. */
static uint64_t entries_per_list(const sqa_selection *selection)
{
    const sqa_attention *attention = &selection->attention;
    const uint32_t rows = sqa_attention_query_blocks(attention);
    const uint32_t key_blocks = sqa_attention_key_blocks(attention);
    const int64_t reach = sqa_selection_reach(attention);
    uint64_t entries = 0;
    for (uint32_t block = 0; block < key_blocks && block < selection->top_k; block++) {
        const int64_t query = (int64_t)block * attention->blocks.key_size - reach;
        if (query >= attention->q_length)
            break;
        entries += query > 0 ? rows - (uint64_t)query / attention->blocks.query_size : rows;
    }
    return entries;
}

static uint64_t all_entries(const sqa_selection *selection)
{
    const sqa_blocks *blocks = &selection->attention.blocks;
    return entries_per_list(selection) * blocks->batch * blocks->heads;
}

void sqa_set_selected_entries(sqa_selection *selection)
{
    selection->attention.blocks.entries = (uint32_t)all_entries(selection);
}

/* As many blocks as there are, or more, mean all of them, whichever come first: such
 * selections are equal. */
static void set_numbers(sqa_selection *selection, const sqa_attention_desc *desc,
                        const sqa_select_options *select)
{
    const uint32_t key_blocks = sqa_attention_key_blocks(&selection->attention);
    selection->top_k = key_blocks;
    if (select->top_k >= key_blocks)
        return;
    selection->top_k = select->top_k;
    selection->sink_blocks = select->sink_blocks;
    selection->local_blocks = select->local_blocks;
    if (selection->local_blocks > 0)
        sqa_set_positions(&selection->attention, desc);
}

static sqa_status check_entries(const sqa_selection *selection, const sqa_attention_desc *desc,
                                bool check_capacity)
{
    /* The product with 2^31 lists of 2^31 rows and blocks each does not fit. */
    const sqa_blocks *blocks = &selection->attention.blocks;
    const double most = (double)entries_per_list(selection) * blocks->batch * blocks->heads;
    if (most > INT32_MAX)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.blocks: the lists will have %.0f entries, at most %d are allowed",
                        most, INT32_MAX);
    if (!check_capacity)
        return SQA_OK;
    sqa_status status = sqa_check_is_set("desc.blocks.entries", desc->blocks.entries, INT32_MAX);
    if (status != SQA_OK)
        return status;
    if (desc->blocks.entries < all_entries(selection))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.blocks.entries: %u, but the lists will have %llu",
                        desc->blocks.entries, (unsigned long long)all_entries(selection));
    return SQA_OK;
}

sqa_status sqa_selection_from_desc(sqa_selection *out, const sqa_attention_desc *desc,
                                   const sqa_select_options *select, bool check_capacity)
{
    if (!desc)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc: must not be NULL");
    const sqa_attention_desc part = relevant(desc);
    sqa_selection selection;
    memset(&selection, 0, sizeof selection);
    sqa_status status = check_options(select);
    if (status == SQA_OK)
        status = sqa_attention_from_desc(&selection.attention, &part);
    if (status == SQA_OK)
        status = check_pattern(&selection.attention);
    if (status != SQA_OK)
        return status;
    set_numbers(&selection, desc, select);
    status = check_entries(&selection, desc, check_capacity);
    if (status != SQA_OK)
        return status;
    sqa_set_selected_entries(&selection);
    memcpy(out, &selection, sizeof selection);
    return SQA_OK;
}

void sqa_selection_to_desc(const sqa_selection *selection, sqa_attention_desc *desc,
                           sqa_select_options *select)
{
    const sqa_attention *attention = &selection->attention;
    sqa_attention_to_desc(attention, desc);
    /* Local blocks need positions, which no rule of the attention may ask for. */
    if (desc->causal == SQA_CAUSAL_NONE && selection->local_blocks > 0)
        desc->align = attention->bottom_right ? SQA_ALIGN_BOTTOM_RIGHT : SQA_ALIGN_TOP_LEFT;
    *select = (sqa_select_options)SQA_SELECT_OPTIONS_INIT;
    select->top_k = selection->top_k ? selection->top_k : 1;
    select->sink_blocks = selection->sink_blocks;
    select->local_blocks = selection->local_blocks;
}
