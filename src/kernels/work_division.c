#include "kernels/work_division.h"

#include <assert.h>

/* Kernels count rows in an int. */
#define MAX_SHARED_ROWS (UINT64_C(1) << 30)

const char sqa_sharing_needs[] = "SHARE needs several query heads per key/value head, at most 2^30 "
                                 "rows of them, and the same block list for all";

bool sqa_sharing_can_run(const sqa_problem *problem)
{
    uint32_t group = sqa_problem_group(problem);
    return group > 1 && (uint64_t)problem->q_length * group <= MAX_SHARED_ROWS &&
           problem->blocks.heads <= problem->kv_heads;
}

/* Work-groups per compute unit beyond which a split only costs. */
#define ENOUGH_GROUPS 16

uint32_t sqa_matrix_count(const sqa_problem *problem, bool share)
{
    return share ? problem->kv_heads : problem->out_heads;
}

uint64_t sqa_row_blocks(const sqa_problem *problem, bool share, int32_t rows)
{
    const uint64_t rows_per_query = share ? sqa_problem_group(problem) : 1;
    /* With block lists, no work-group has rows of two query blocks. */
    const bool blocks = problem->mask & SQA_MASK_BLOCKS;
    const uint64_t queries = blocks ? problem->blocks.query_size : problem->q_length;
    const uint64_t count = blocks ? sqa_problem_query_blocks(problem) : 1;
    assert(rows > 0);
    return count * ((queries * rows_per_query + (uint64_t)rows - 1) / (uint64_t)rows);
}

uint64_t sqa_work_groups(const sqa_problem *problem, bool share, int32_t rows)
{
    return sqa_row_blocks(problem, share, rows) * sqa_matrix_count(problem, share) * problem->batch;
}

bool sqa_split_can_pay(const sqa_problem *problem, bool share, int32_t rows,
                       const sqa_device *device)
{
    /* Keys near a query lie in one or two of the splits. */
    if (problem->mask & SQA_MASK_WINDOW)
        return false;
    return sqa_work_groups(problem, share, rows) <
           ENOUGH_GROUPS * (uint64_t)device->strings.compute_units;
}

/* SQA_SPLIT_ARGUMENTS of cl/forward/split.cl. */
static void split_arguments(const sqa_problem *problem, int32_t split_keys, sqa_launch_step *step)
{
    sqa_buffer_argument(step, SQA_ROLE_WORKSPACE);
    sqa_int_argument(step, (int32_t)problem->batch);
    sqa_int_argument(step, split_keys);
}

void sqa_split_launch(const sqa_problem *problem, int32_t splits, int32_t key_tile,
                      sqa_launch *launch)
{
    assert(splits > 0 && key_tile > 0);
    assert(launch->step_count > 0 && launch->step_count < SQA_MAX_STEPS);
    const int32_t tiles = ((int32_t)problem->kv_length + key_tile - 1) / key_tile;
    const int32_t split_keys = (tiles + splits - 1) / splits * key_tile;
    split_arguments(problem, split_keys, &launch->steps[0]);
    sqa_launch_step *combine = &launch->steps[launch->step_count++];
    combine->kernel = "sqa_split_combine";
    combine->dimensions = 3;
    combine->global[0] = problem->q_length;
    combine->global[1] = problem->out_heads;
    combine->global[2] = problem->batch;
    sqa_forward_arguments(problem, combine);
    split_arguments(problem, split_keys, combine);
    launch->workspace_bytes = sizeof(float) * (size_t)splits * problem->batch * problem->out_heads *
                              problem->q_length * (problem->value_dim + 1);
}
