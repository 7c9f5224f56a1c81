/* Block selection: the block lists that Q and K suggest (include/sqa_cl/select.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/status.h"
#include "operations/attention/fields.h"
#include "operations/attention/selection_reference.h"
#include "operations/attention/slots.h"
#include "operations/attention/work.h"
#include "operations/entries.h"
#include "operations/select_blocks.h"

#define AT(member) offsetof(sqa_selection_desc, member)
#define MOST_BLOCKS (1u << 30)

/* Block sizes, and for what there are lists: every batch entry has some of its own. */
static sqa_status read_blocks(const char *value, const sqa_shape_items *items, void *descriptor)
{
    (void)items;
    sqa_attention_desc *desc = &((sqa_selection_desc *)descriptor)->attention;
    sqa_blocks *blocks = &desc->blocks;
    const size_t sizes = strcspn(value, "/");
    char text[SQA_FIELD_VALUE];
    snprintf(text, sizeof text, "%.*s", (int)(sizes < 64 ? sizes : 64), value);
    const char *letters = value[sizes] ? value + sizes + 1 : "";
    const bool lists =
        (!value[sizes] || *letters) && *letters != 'b' && sqa_read_block_lists(letters, desc);
    if (!lists || !sqa_read_pair(text, 'x', 1, MOST_BLOCKS, &blocks->query_size, &blocks->key_size))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "blocks is '%.60s'; expected QxK such as 64x64, block sizes from 1 to %u; "
                        "then /h or /k where heads or key/value heads have lists of their own",
                        value, MOST_BLOCKS);
    blocks->batch = desc->batch;
    return SQA_OK;
}

static bool write_blocks(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const sqa_attention_desc *desc = &((const sqa_selection_desc *)descriptor)->attention;
    const sqa_blocks *blocks = &desc->blocks;
    const uint32_t out_heads = desc->q_heads > desc->kv_heads ? desc->q_heads : desc->kv_heads;
    const char *lists = blocks->heads == 1 ? "" : blocks->heads == out_heads ? "/h" : "/k";
    snprintf(value, SQA_FIELD_VALUE, "%ux%u%s", blocks->query_size, blocks->key_size, lists);
    return true;
}

const sqa_shape_field sqa_selection_fields[] = {
    {"blocks", "blocks",
     "QxK[/LISTS]: block sizes, and h (k) where (key/value) heads have lists of their own",
     SQA_FIELD_OWN, .read = read_blocks, .write = write_blocks},
    {"topk", "top_k", "key blocks of a row", SQA_FIELD_COUNT, .offset = AT(select.top_k),
     .least = 1, .most = MOST_BLOCKS},
    {"sinkblocks", "sink_blocks", "of these, the first ones", SQA_FIELD_COUNT, .optional = true,
     .offset = AT(select.sink_blocks), .most = MOST_BLOCKS},
    {"localblocks", "local_blocks", "and those up to the row's own", SQA_FIELD_COUNT,
     .optional = true, .offset = AT(select.local_blocks), .most = MOST_BLOCKS},
    {0},
};

static const sqa_shape_field *const fields[] = {
    sqa_size_fields,      sqa_storage_fields, sqa_position_fields,
    sqa_selection_fields, sqa_layout_fields,  NULL,
};

const sqa_shape_field_need sqa_selection_needs[] = {
    {"hq,variant", "the heads are missing; expected hq=1..65535 or variant=NAME,h=H"},
    {"n,nq", "the length is missing; expected n or nq from 0 to 1073741824"},
    {"blocks", "the blocks are missing; expected blocks=QxK such as blocks=64x64"},
    {"topk", "topk is missing; expected a number of blocks from 1 to 1073741824"},
    {0},
};

static void start(void *descriptor)
{
    *(sqa_selection_desc *)descriptor =
        (sqa_selection_desc){SQA_ATTENTION_DESC_INIT, SQA_SELECT_OPTIONS_INIT};
}

sqa_status sqa_problem_from_selection(sqa_problem *out, const sqa_attention_desc *desc,
                                      const sqa_select_options *select, bool check_capacity)
{
    sqa_problem problem;
    memset(&problem, 0, sizeof problem);
    problem.operation = SQA_OPERATION_SELECT_BLOCKS;
    sqa_status status =
        sqa_selection_from_desc(&problem.of.selection, desc, select, check_capacity);
    if (status == SQA_OK)
        memcpy(out, &problem, sizeof problem);
    return status;
}

static sqa_status settle(const void *descriptor, sqa_problem *out)
{
    const sqa_selection_desc *desc = descriptor;
    return sqa_problem_from_selection(out, &desc->attention, &desc->select, false);
}

static void describe(const sqa_problem *problem, void *descriptor)
{
    sqa_selection_desc *desc = descriptor;
    sqa_selection_to_desc(&problem->of.selection, &desc->attention, &desc->select);
    desc->attention.v = desc->attention.o = (sqa_strides){0, 0, 0}; /* which it has not */
}

static const sqa_tensor_slot slots[SQA_ATTENTION_SLOTS] = {
    [SQA_SLOT_Q] = {SQA_ATTENTION_SLOT(q, SQA_SLOT_INPUT), SQA_UNIT_INPUT},
    [SQA_SLOT_K] = {SQA_ATTENTION_SLOT(k, SQA_SLOT_INPUT), SQA_UNIT_INPUT},
    [SQA_SLOT_BLOCK_OFFSETS] = {SQA_ATTENTION_SLOT(block_offsets, SQA_SLOT_OUTPUT)},
    [SQA_SLOT_BLOCK_INDICES] = {SQA_ATTENTION_SLOT(block_indices, SQA_SLOT_OUTPUT)},
};

static double flop(const sqa_problem *problem)
{
    return sqa_selection_flop(&problem->of.attention);
}

static void relative(const sqa_problem *problem, sqa_relative which, sqa_problem *out)
{
    *out = *problem;
    sqa_attention_relative(&problem->of.attention, which, &out->of.attention);
    sqa_set_selected_entries(&out->of.selection);
}

/* Rows are the lists: of all batch entries, heads with lists of their own, query blocks. */
static uint64_t count_lists(const sqa_problem *problem)
{
    return sqa_attention_block_lists(&problem->of.attention);
}

typedef struct position {
    uint32_t batch, head, row;
} position;

static position position_of(const sqa_attention *a, uint64_t list)
{
    const uint32_t rows = sqa_attention_query_blocks(a);
    const uint64_t heads = list / rows;
    return (position){(uint32_t)(heads / a->blocks.heads), (uint32_t)(heads % a->blocks.heads),
                      (uint32_t)(list % rows)};
}

static sqa_status judge_list(const sqa_problem *problem, const sqa_reference_inputs *arrays,
                             uint64_t list, char out[SQA_FAULT_TEXT])
{
    const sqa_selection *selection = &problem->of.selection;
    const sqa_attention *a = &selection->attention;
    const size_t blocks = sqa_attention_key_blocks(a);
    const int32_t *offsets = arrays->by_slot[SQA_SLOT_BLOCK_OFFSETS];
    const int32_t *indices = arrays->by_slot[SQA_SLOT_BLOCK_INDICES];
    const int32_t begin = offsets[list], end = offsets[list + 1];
    const position at = position_of(a, list);
    out[0] = '\0';
    if (begin < 0 || end < begin || (uint32_t)end > a->blocks.entries) {
        snprintf(out, SQA_FAULT_TEXT, "is at %d..%d of %u entries", begin, end, a->blocks.entries);
        return SQA_OK;
    }
    double *scores = malloc((2 * blocks + 1) * sizeof *scores);
    if (!scores)
        return sqa_fail_memory("the scores of a block list");
    sqa_reference_block_scores(selection, arrays, at.batch, at.head, at.row, scores,
                               scores + blocks);
    const char *fault = sqa_reference_list_fault(selection, at.row, scores, scores + blocks,
                                                 indices + begin, (uint32_t)(end - begin));
    snprintf(out, SQA_FAULT_TEXT, "%s", fault ? fault : "");
    free(scores);
    return SQA_OK;
}

static void place_of_list(const sqa_problem *problem, uint64_t list, char out[SQA_PLACE_TEXT])
{
    const position at = position_of(&problem->of.attention, list);
    snprintf(out, SQA_PLACE_TEXT, "batch %u, list head %u, query block %u", at.batch, at.head,
             at.row);
}

/* Every list costs the reference all keys. */
static const sqa_row_group groups[] = {
    {.slots = {SQA_SLOT_BLOCK_OFFSETS, SQA_SLOT_BLOCK_INDICES},
     .slot_count = 2,
     .samples = 6,
     .count = count_lists,
     .fault = judge_list,
     .place = place_of_list},
    {.slot_count = 0},
};

const sqa_operation_entry sqa_operation_select_blocks = {
    .id = SQA_OPERATION_SELECT_BLOCKS,
    .name = "select_blocks",
    .summary = "learnable sparsity: block lists from the means of blocks of Q and K",
    .fields = fields,
    .needs = sqa_selection_needs,
    .descriptor_bytes = sizeof(sqa_selection_desc),
    .start = start,
    .settle = settle,
    .describe = describe,
    .class_parts = sqa_attention_class_parts,
    .tensors = SQA_ATTENTION_TENSORS,
    .slots = slots,
    .slot_count = SQA_ATTENTION_SLOTS,
    .tensor = sqa_attention_tensor,
    .is_touched = sqa_attention_is_touched,
    .is_nothing = sqa_attention_is_nothing,
    .flop = flop,
    .relative = relative,
    .groups = groups,
};
