#include "kernels/work_division.h"

#include <assert.h>

#include "device/architectures.h"

/* Kernels count rows in an int. */
#define MAX_SHARED_ROWS (UINT64_C(1) << 30)

const char sqa_sharing_needs[] = "SHARE needs several query heads per key/value head, at most 2^30 "
                                 "rows of them, and the same block list for all";

bool sqa_sharing_can_run(const sqa_attention *attention)
{
    uint32_t group = sqa_attention_group(attention);
    return group > 1 && (uint64_t)attention->q_length * group <= MAX_SHARED_ROWS &&
           attention->blocks.heads <= attention->kv_heads;
}

/* Work-groups per compute unit beyond which a split only costs. */
#define ENOUGH_GROUPS 16

uint32_t sqa_matrix_count(const sqa_attention *attention, bool share)
{
    return share ? attention->kv_heads : attention->out_heads;
}

uint64_t sqa_row_blocks(const sqa_attention *attention, bool share, int32_t rows)
{
    const uint64_t rows_per_query = share ? sqa_attention_group(attention) : 1;
    /* With block lists, no work-group has rows of two query blocks. */
    const bool blocks = attention->mask & SQA_MASK_BLOCKS;
    const uint64_t queries = blocks ? attention->blocks.query_size : attention->q_length;
    const uint64_t count = blocks ? sqa_attention_query_blocks(attention) : 1;
    assert(rows > 0);
    return count * ((queries * rows_per_query + (uint64_t)rows - 1) / (uint64_t)rows);
}

uint64_t sqa_work_groups(const sqa_attention *attention, bool share, int32_t rows)
{
    return sqa_row_blocks(attention, share, rows) * sqa_matrix_count(attention, share) *
           attention->batch;
}

bool sqa_split_can_pay(const sqa_attention *attention, bool share, int32_t rows,
                       const sqa_device *device)
{
    /* Keys near a query lie in one or two of the splits. */
    if (attention->mask & SQA_MASK_WINDOW)
        return false;
    return sqa_work_groups(attention, share, rows) <
           ENOUGH_GROUPS * (uint64_t)device->strings.compute_units;
}

#define VALUE(name) #name, SQA_TYPE_INT, SQA_IN_VALUES(sqa_forward_values, name)

/* What cl/forward/split.cl takes besides. */
static const sqa_argument_row split_rows[] = {
    {SQA_WORKSPACE("float *restrict ")},
    {VALUE(split_batches)},
    {VALUE(split_keys)},
    {VALUE(splits)},
    {0},
};

const sqa_argument_row *const *sqa_forward_tables(bool split)
{
    static const sqa_argument_row *const whole[] = {sqa_forward_rows, sqa_pattern_rows, NULL};
    static const sqa_argument_row *const parts[] = {sqa_forward_rows, sqa_pattern_rows, split_rows,
                                                    NULL};
    return split ? parts : whole;
}

/* Columns of a row that a work-item combines: all, or one where its neighbours read the next. */
static uint32_t combined_columns(const sqa_attention *attention, const sqa_device *device)
{
    return sqa_architecture_find(device)->group_items == 1 ? attention->value_dim : 1;
}

void sqa_source_combine(sqa_text *out, const sqa_device *device)
{
    if (sqa_architecture_find(device)->group_items > 1)
        sqa_text_append(out, "#define COMBINE_COLUMNS 1\n");
}

static void add_combine(const sqa_problem *problem, const sqa_device *device,
                        const sqa_forward_values *values, sqa_launch *launch)
{
    const sqa_attention *attention = &problem->of.attention;
    sqa_launch_step *combine = sqa_launch_add_step(launch, "sqa_split_combine", 3);
    combine->global[0] =
        (size_t)attention->q_length * (attention->value_dim / combined_columns(attention, device));
    combine->global[1] = attention->out_heads;
    combine->global[2] = attention->batch;
    sqa_arguments_fill(launch, combine, sqa_forward_tables(true), problem, values);
    launch->workspace_bytes = sizeof(float) * (size_t)values->splits * attention->batch *
                              attention->out_heads * attention->q_length *
                              (attention->value_dim + 2);
}

/* `split`: the kernel takes splits, even if it is but one. */
static void add_split(const sqa_problem *problem, const sqa_device *device, bool split,
                      int32_t splits, int32_t split_keys, sqa_launch *launch)
{
    sqa_forward_values values = sqa_forward_values_of(&problem->of.attention);
    values.split_batches = (int32_t)problem->of.attention.batch;
    values.split_keys = split_keys;
    values.splits = splits;
    sqa_arguments_fill(launch, &launch->steps[0], sqa_forward_tables(split), problem, &values);
    if (splits > 1)
        add_combine(problem, device, &values, launch);
}

static int32_t divide_up(uint32_t keys, int32_t by)
{
    return ((int32_t)keys + by - 1) / by;
}

void sqa_forward_launch(const sqa_problem *problem, const sqa_device *device, int32_t splits,
                        int32_t key_tile, sqa_launch *launch)
{
    assert(splits > 0 && key_tile > 0);
    const int32_t tiles = divide_up(problem->of.attention.kv_length, key_tile);
    add_split(problem, device, splits > 1, splits, (tiles + splits - 1) / splits * key_tile,
              launch);
}

int32_t sqa_splits_of_size(const sqa_attention *attention, int32_t keys)
{
    const int32_t splits = divide_up(attention->kv_length, keys);
    return splits > 0 ? splits : 1;
}

void sqa_forward_launch_by_size(const sqa_problem *problem, const sqa_device *device, int32_t keys,
                                sqa_launch *launch)
{
    add_split(problem, device, true, sqa_splits_of_size(&problem->of.attention, keys), keys,
              launch);
}
