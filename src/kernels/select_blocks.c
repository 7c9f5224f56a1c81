/* select: block selection by the means of blocks, for every device. Two steps pool
 * Q and K into the workspace (cl/select/pool.cl), one scores the means and writes
 * the lists (cl/select/choose.cl). */
#include <math.h>
#include <string.h>

#include "device/architectures.h"
#include "kernels/arguments.h"
#include "kernels/families.h"
#include "kernels/source.h"
#include "operations/attention/slots.h"
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
    const sqa_attention *attention = &problem->of.attention;
    (void)device;
    const double blocks = (double)sqa_attention_query_blocks(attention) * attention->out_heads +
                          (double)sqa_attention_key_blocks(attention) * attention->kv_heads;
    if (blocks * attention->batch * attention->head_dim < MOST_MEANS)
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
    const sqa_attention *attention = &problem->of.attention;
    const int32_t *value = config->value;
    const uint64_t slices = (uint64_t)value[SLICES];
    const uint64_t slice_bytes = slices > 1 ? sizeof(float) * slices * attention->head_dim : 0;
    /* choose_shared in cl/select/choose.cl. */
    const uint64_t shared_bytes = sizeof(int32_t) * (33 + 2 * (uint64_t)value[ITEMS]);
    if (attention->head_dim % (uint32_t)value[POOL] != 0)
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
    const sqa_attention *attention = &problem->of.attention;
    const sqa_architecture *here = sqa_architecture_find(device);
    const char *why = NULL;
    int32_t *value = config->value;
    memset(config, 0, sizeof *config);
    value[POOL] = here->read_floats;
    while (attention->head_dim % (uint32_t)value[POOL] != 0)
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
    uint32_t lists, list_entries; /* lists, and entries of each */
    int32_t reach;                /* as in problem/selection.h */
    float query_factor;           /* of means of Q */
    size_t workspace_bytes;
} layout;

/* All of a scale that matters to an order: its sign, and what keeps products in the range of an
 * f32, but not so much that those of ordinary numbers become subnormal. */
static float query_factor(float scale)
{
    int exponent;
    (void)frexpf(scale, &exponent);
    exponent = exponent > 0 ? 0 : exponent < -96 ? -96 : exponent;
    return copysignf(ldexpf(1.0f, exponent), scale);
}

/* Work-groups that choose, per compute unit: enough to even out rows of different
 * lengths, few enough that their ranks stay small. */
#define GROUPS_PER_UNIT 8

static layout layout_of(const sqa_attention *attention, const int32_t *value,
                        const sqa_device *device)
{
    layout l;
    const uint32_t vec = (uint32_t)value[VEC], rows = (uint32_t)value[ROWS];
    const uint32_t lists = attention->batch * attention->blocks.heads;
    const bool per_head = attention->blocks.heads == attention->out_heads;
    const uint32_t units = device->strings.compute_units;
    const uint64_t most_groups = (uint64_t)(units ? units : 1) * GROUPS_PER_UNIT;
    l.columns = attention->head_dim / (uint32_t)value[POOL];
    l.slices = (uint32_t)value[SLICES];
    l.group_columns = group_columns(l.columns, l.slices, device);
    l.matrices = per_head ? attention->out_heads : attention->kv_heads;
    l.matrix_heads = attention->out_heads / l.matrices;
    l.list_matrices = l.matrices / attention->blocks.heads;
    l.shared_by = l.matrices / attention->kv_heads;
    l.lists = lists;
    l.list_entries = lists ? attention->blocks.entries / lists : 0;
    l.reach = sqa_selection_reach(attention);
    l.query_factor = query_factor(attention->scale);
    l.query_blocks = sqa_attention_query_blocks(attention);
    l.key_blocks = sqa_attention_key_blocks(attention);
    l.padded = (l.key_blocks + (l.key_blocks == 0) + vec - 1) / vec * vec;
    l.keys_at = (int64_t)attention->batch * l.matrices * l.query_blocks * attention->head_dim;
    l.ranks_at = l.keys_at +
                 (int64_t)attention->batch * attention->kv_heads * l.padded * attention->head_dim;
    l.jobs = lists * ((l.query_blocks + rows - 1) / rows);
    l.groups = l.jobs > most_groups ? (uint32_t)most_groups : l.jobs;
    l.workspace_bytes = sizeof(float) * ((size_t)l.ranks_at + (size_t)l.groups * rows * l.padded);
    return l;
}

#define INT(name, member) #name, SQA_TYPE_INT, SQA_IN_PROBLEM(selection.member)
#define STRIDES(name) #name, SQA_TYPE_STRIDES, SQA_IN_PROBLEM(selection.attention.name)
#define LAID_OUT(name) #name, SQA_TYPE_INT, SQA_IN_VALUES(layout, name)
#define PLACE(name) #name, SQA_TYPE_LONG, SQA_IN_VALUES(layout, name)

static const sqa_argument_row pool_queries_rows[] = {
    {SQA_READ(q, "sqa_stored", SQA_SLOT_Q)},
    {STRIDES(q)},
    {INT(q_heads, attention.q_heads)},
    {INT(q_length, attention.q_length)},
    {INT(query_block, attention.blocks.query_size)},
    {LAID_OUT(query_blocks)},
    {LAID_OUT(matrices)},
    {LAID_OUT(matrix_heads)},
    {"query_factor", SQA_TYPE_FLOAT, SQA_IN_VALUES(layout, query_factor)},
    {SQA_WORKSPACE("float *restrict ")},
    {0},
};

static const sqa_argument_row pool_keys_rows[] = {
    {SQA_READ(k, "sqa_stored", SQA_SLOT_K)},
    {STRIDES(k)},
    {INT(kv_heads, attention.kv_heads)},
    {INT(kv_length, attention.kv_length)},
    {INT(key_block, attention.blocks.key_size)},
    {LAID_OUT(padded)},
    {SQA_WORKSPACE("float *restrict ")},
    {PLACE(keys_at)},
    {0},
};

static const sqa_argument_row choose_rows[] = {
    {SQA_WORKSPACE("float *")},
    {PLACE(keys_at)},
    {PLACE(ranks_at)},
    {SQA_WRITTEN(block_offsets, "int", SQA_SLOT_BLOCK_OFFSETS)},
    {SQA_WRITTEN(block_indices, "int", SQA_SLOT_BLOCK_INDICES)},
    {LAID_OUT(lists)},
    {LAID_OUT(list_entries)},
    {"matrices", SQA_TYPE_INT, SQA_IN_VALUES(layout, list_matrices)},
    {LAID_OUT(shared_by)},
    {LAID_OUT(padded)},
    {INT(query_block, attention.blocks.query_size)},
    {INT(key_block, attention.blocks.key_size)},
    {LAID_OUT(query_blocks)},
    {LAID_OUT(key_blocks)},
    {INT(q_length, attention.q_length)},
    {LAID_OUT(reach)},
    {INT(diagonal, attention.diagonal)},
    {INT(top_k, top_k)},
    {INT(sink_blocks, sink_blocks)},
    {INT(local_blocks, local_blocks)},
    {0},
};

/* By kernel, the macro that its parameter list is printed as. */
enum { POOL_QUERIES, POOL_KEYS, CHOOSE, KERNELS };

static const struct {
    const char *kernel, *macro;
    const sqa_argument_row *const tables[2];
} kernels[KERNELS] = {
    [POOL_QUERIES] = {"sqa_pool_queries", "SQA_POOL_QUERIES_ARGUMENTS", {pool_queries_rows, NULL}},
    [POOL_KEYS] = {"sqa_pool_keys", "SQA_POOL_KEYS_ARGUMENTS", {pool_keys_rows, NULL}},
    [CHOOSE] = {"sqa_choose_blocks", "SQA_CHOOSE_ARGUMENTS", {choose_rows, NULL}},
};

static sqa_launch_step *add_step(int kernel, uint32_t dimensions, const sqa_problem *problem,
                                 const layout *l, sqa_launch *launch)
{
    sqa_launch_step *step = sqa_launch_add_step(launch, kernels[kernel].kernel, dimensions);
    sqa_arguments_fill(launch, step, kernels[kernel].tables, problem, l);
    return step;
}

/* A step in which a work-group pools columns of a block of a matrix. */
static void add_pool_step(int kernel, uint32_t blocks, size_t matrices, const sqa_problem *problem,
                          const layout *l, sqa_launch *launch)
{
    sqa_launch_step *step = add_step(kernel, 3, problem, l, launch);
    step->local[0] = l->group_columns;
    step->global[0] = l->columns;
    step->local[1] = l->slices;
    step->global[1] = (size_t)blocks * l->slices;
    step->local[2] = 1;
    step->global[2] = matrices;
}

static const char *const fragments[] = {"common/types.cl", "select/pool.cl", "select/choose.cl",
                                        NULL};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    const sqa_attention *attention = &problem->of.attention;
    (void)config, (void)device;
    sqa_text_format(out, "#define SQA_HEAD_DIM %u\n#define SQA_DTYPE %d\n\n", attention->head_dim,
                    (int)attention->dtype);
    for (int i = 0; i < KERNELS; i++)
        sqa_arguments_print(out, kernels[i].macro, kernels[i].tables, problem);
    sqa_source_fragments(out, &sqa_select_family);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_attention *attention = &problem->of.attention;
    const layout l = layout_of(attention, config->value, device);
    const size_t items = (size_t)config->value[ITEMS];
    if (l.key_blocks > 0) {
        add_pool_step(POOL_QUERIES, l.query_blocks, (size_t)attention->batch * l.matrices, problem,
                      &l, out);
        add_pool_step(POOL_KEYS, l.key_blocks, (size_t)attention->batch * attention->kv_heads,
                      problem, &l, out);
    }
    sqa_launch_step *choose = add_step(CHOOSE, 1, problem, &l, out);
    choose->local[0] = items;
    choose->global[0] = l.groups * items;
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
