/* select: block selection by the means of blocks, for every device. Two steps pool
 * Q and K into the workspace (cl/select/pool.cl), one scores the means and writes
 * the lists (cl/select/choose.cl). */
#include <string.h>

#include "device/architectures.h"
#include "kernels/families.h"
#include "kernels/source.h"
#include "problem/selection.h"

enum { POOL, SLICES, ITEMS, VEC, ROWS, PARAMETER_COUNT };

static const sqa_parameter parameters[PARAMETER_COUNT] = {
    [POOL] = {"POOL", "columns of Q or K that a work-item adds up", {1, 2, 4, 8, 16}, 5},
    [SLICES] = {"SLICES", "work-items that divide a block's rows among them", {1, 4, 8, 16}, 4},
    [ITEMS] = {"ITEMS", "work-items that choose together", {1, 32, 64, 128, 256}, 5},
    [VEC] = {"VEC", "key blocks that a work-item scores at a time", {4, 8, 16}, 3},
    [ROWS] = {"ROWS", "query blocks that a work-group has at a time", {1, 2, 4, 8}, 4},
};

/* Sizes are added up in 63 bits. */
#define MOST_MEANS 1e16

static bool supports(const sqa_problem *problem, const sqa_device *device, const char **why)
{
    (void)device;
    const double blocks = (double)sqa_problem_query_blocks(problem) * problem->out_heads +
                          (double)sqa_problem_key_blocks(problem) * problem->kv_heads;
    if (blocks * problem->batch * problem->head_dim < MOST_MEANS)
        return true;
    *why = "the means of all blocks fit no memory";
    return false;
}

static bool fits_work_group(const sqa_device *device, uint64_t first, uint64_t second)
{
    const sqa_device_limits *limits = &device->limits;
    return first * second <= limits->max_work_group_size &&
           first <= limits->max_work_item_sizes[0] && second <= limits->max_work_item_sizes[1];
}

/* Of `columns` work-items, as many as a work-group can have beside its slices. */
static uint32_t group_columns(uint32_t columns, uint32_t slices, const sqa_device *device)
{
    uint32_t width = columns;
    while (width > 1 && (columns % width != 0 || !fits_work_group(device, width, slices)))
        width--;
    return width;
}

static bool is_valid(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                     const char **why)
{
    const int32_t *value = config->value;
    const uint64_t slices = (uint64_t)value[SLICES];
    const uint64_t slice_bytes = slices > 1 ? sizeof(float) * slices * problem->head_dim : 0;
    /* choose_shared in cl/select/choose.cl. */
    const uint64_t shared_bytes = sizeof(int32_t) * (33 + 2 * (uint64_t)value[ITEMS]);
    if (problem->head_dim % (uint32_t)value[POOL] != 0)
        *why = "head_dim must be a multiple of POOL";
    else if (!fits_work_group(device, 1, slices) ||
             !fits_work_group(device, (uint64_t)value[ITEMS], 1))
        *why = "the work-group is larger than the device allows";
    else if (slice_bytes > device->limits.local_memory_bytes ||
             shared_bytes > device->limits.local_memory_bytes)
        *why = "the local memory does not suffice";
    else
        return true;
    return false;
}

/* On a CPU a work-item alone reads whole cache lines and scores in wide vectors; on
 * others a work-group's items read neighbours. Smaller until the device allows it. */
static void default_config(const sqa_problem *problem, const sqa_device *device, sqa_config *config)
{
    const sqa_architecture *here = sqa_architecture_find(device);
    const char *why = NULL;
    int32_t *value = config->value;
    memset(config, 0, sizeof *config);
    value[POOL] = here->read_floats;
    while (problem->head_dim % (uint32_t)value[POOL] != 0)
        value[POOL] /= 2;
    value[SLICES] = here->group_items > 1 ? 8 : 1;
    value[ITEMS] = here->group_items;
    value[VEC] = here->compute_floats;
    value[ROWS] = 4;
    if (!is_valid(config, problem, device, &why))
        value[SLICES] = 1;
    if (!is_valid(config, problem, device, &why))
        value[ITEMS] = 1;
}

static const char *const fragments[] = {"common/types.cl", "select/pool.cl", "select/choose.cl",
                                        NULL};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    (void)config, (void)device;
    sqa_text_format(out, "#define SQA_HEAD_DIM %u\n#define SQA_DTYPE %d\n\n", problem->head_dim,
                    (int)problem->dtype);
    sqa_source_fragments(out, &sqa_select_family);
}

/* How the problem's heads meet in lists, and where everything is in the workspace. A
 * matrix of pooled queries is one output head's, or, where lists serve several heads,
 * the sum of those that read one key/value head. */
typedef struct layout {
    uint32_t columns, group_columns, slices; /* work-items that pool a block */
    uint32_t matrices;                       /* of a batch entry */
    uint32_t matrix_heads;                   /* output heads that a matrix is the sum of */
    uint32_t list_matrices;                  /* matrices whose scores a list adds up */
    uint32_t shared_by;                      /* matrices that have one key/value head */
    uint32_t query_blocks, key_blocks;
    uint32_t padded; /* key blocks, up to whole vectors, and never none */
    int64_t keys_at, ranks_at;
    uint32_t jobs, groups;
    size_t workspace_bytes;
} layout;

/* Work-groups that choose, per compute unit: enough to even out rows of different
 * lengths, few enough that their ranks stay small. */
#define GROUPS_PER_UNIT 8

static layout layout_of(const sqa_problem *problem, const int32_t *value, const sqa_device *device)
{
    layout l;
    const uint32_t vec = (uint32_t)value[VEC], rows = (uint32_t)value[ROWS];
    const uint32_t lists = problem->batch * problem->blocks.heads;
    const bool per_head = problem->blocks.heads == problem->out_heads;
    const uint32_t units = device->strings.compute_units;
    const uint64_t most_groups = (uint64_t)(units ? units : 1) * GROUPS_PER_UNIT;
    l.columns = problem->head_dim / (uint32_t)value[POOL];
    l.slices = (uint32_t)value[SLICES];
    l.group_columns = group_columns(l.columns, l.slices, device);
    l.matrices = per_head ? problem->out_heads : problem->kv_heads;
    l.matrix_heads = problem->out_heads / l.matrices;
    l.list_matrices = l.matrices / problem->blocks.heads;
    l.shared_by = l.matrices / problem->kv_heads;
    l.query_blocks = sqa_problem_query_blocks(problem);
    l.key_blocks = sqa_problem_key_blocks(problem);
    l.padded = (l.key_blocks + (l.key_blocks == 0) + vec - 1) / vec * vec;
    l.keys_at = (int64_t)problem->batch * l.matrices * l.query_blocks * problem->head_dim;
    l.ranks_at =
        l.keys_at + (int64_t)problem->batch * problem->kv_heads * l.padded * problem->head_dim;
    l.jobs = lists * ((l.query_blocks + rows - 1) / rows);
    l.groups = l.jobs > most_groups ? (uint32_t)most_groups : l.jobs;
    l.workspace_bytes = sizeof(float) * ((size_t)l.ranks_at + (size_t)l.groups * rows * l.padded);
    return l;
}

/* A step in which a work-group pools columns of a block of a matrix. */
static sqa_launch_step *add_pool_step(sqa_launch *launch, const char *kernel, const layout *l,
                                      uint32_t blocks, size_t matrices)
{
    sqa_launch_step *step = &launch->steps[launch->step_count++];
    step->kernel = kernel;
    step->dimensions = 3;
    step->local[0] = l->group_columns;
    step->global[0] = l->columns;
    step->local[1] = l->slices;
    step->global[1] = (size_t)blocks * l->slices;
    step->local[2] = 1;
    step->global[2] = matrices;
    return step;
}

static void pool_queries(const sqa_problem *problem, const layout *l, sqa_launch *launch)
{
    sqa_launch_step *step = add_pool_step(launch, "sqa_pool_queries", l, l->query_blocks,
                                          (size_t)problem->batch * l->matrices);
    sqa_tensor_argument(step, SQA_ROLE_Q);
    sqa_stride_arguments(step, &problem->q);
    sqa_int_argument(step, (int32_t)problem->q_heads);
    sqa_int_argument(step, (int32_t)problem->q_length);
    sqa_int_argument(step, (int32_t)problem->blocks.query_size);
    sqa_int_argument(step, (int32_t)l->query_blocks);
    sqa_int_argument(step, (int32_t)l->matrices);
    sqa_int_argument(step, (int32_t)l->matrix_heads);
    sqa_buffer_argument(step, SQA_ROLE_WORKSPACE);
}

static void pool_keys(const sqa_problem *problem, const layout *l, sqa_launch *launch)
{
    sqa_launch_step *step = add_pool_step(launch, "sqa_pool_keys", l, l->key_blocks,
                                          (size_t)problem->batch * problem->kv_heads);
    sqa_tensor_argument(step, SQA_ROLE_K);
    sqa_stride_arguments(step, &problem->k);
    sqa_int_argument(step, (int32_t)problem->kv_heads);
    sqa_int_argument(step, (int32_t)problem->kv_length);
    sqa_int_argument(step, (int32_t)problem->blocks.key_size);
    sqa_int_argument(step, (int32_t)l->padded);
    sqa_buffer_argument(step, SQA_ROLE_WORKSPACE);
    sqa_long_argument(step, l->keys_at);
}

static void choose_blocks(const sqa_problem *problem, const layout *l, const int32_t *value,
                          sqa_launch *launch)
{
    const uint32_t lists = problem->batch * problem->blocks.heads;
    sqa_launch_step *step = &launch->steps[launch->step_count++];
    step->kernel = "sqa_choose_blocks";
    step->dimensions = 1;
    step->local[0] = (size_t)value[ITEMS];
    step->global[0] = (size_t)l->groups * (size_t)value[ITEMS];
    sqa_buffer_argument(step, SQA_ROLE_WORKSPACE);
    sqa_long_argument(step, l->keys_at);
    sqa_long_argument(step, l->ranks_at);
    sqa_tensor_argument(step, SQA_ROLE_BLOCK_OFFSETS);
    sqa_tensor_argument(step, SQA_ROLE_BLOCK_INDICES);
    sqa_int_argument(step, (int32_t)lists);
    sqa_int_argument(step, (int32_t)(problem->blocks.entries / lists));
    sqa_int_argument(step, (int32_t)l->list_matrices);
    sqa_int_argument(step, (int32_t)l->shared_by);
    sqa_int_argument(step, (int32_t)l->padded);
    sqa_int_argument(step, (int32_t)problem->blocks.query_size);
    sqa_int_argument(step, (int32_t)problem->blocks.key_size);
    sqa_int_argument(step, (int32_t)l->query_blocks);
    sqa_int_argument(step, (int32_t)l->key_blocks);
    sqa_int_argument(step, (int32_t)problem->q_length);
    sqa_int_argument(step, sqa_selection_reach(problem));
    sqa_int_argument(step, problem->diagonal);
    sqa_int_argument(step, (int32_t)problem->select.top_k);
    sqa_int_argument(step, (int32_t)problem->select.sink_blocks);
    sqa_int_argument(step, (int32_t)problem->select.local_blocks);
    sqa_float_argument(step, problem->scale);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const layout l = layout_of(problem, config->value, device);
    if (l.key_blocks > 0) {
        pool_queries(problem, &l, out);
        pool_keys(problem, &l, out);
    }
    choose_blocks(problem, &l, config->value, out);
    out->workspace_bytes = l.workspace_bytes;
}

const sqa_kernel_family sqa_select_family = {
    .name = "select",
    .summary = "block means, their scores, and the best by counting",
    .operation = SQA_OPERATION_SELECT_BLOCKS,
    .space_version = 1,
    .parameters = parameters,
    .parameter_count = PARAMETER_COUNT,
    .fragments = fragments,
    .supports = supports,
    .is_valid = is_valid,
    .default_config = default_config,
    .source = source,
    .launch = launch,
};
