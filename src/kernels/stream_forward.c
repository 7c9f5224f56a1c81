/* stream: for GPUs and few queries, whose cost is to read K and V; see cl/forward/stream.cl. */
#include <string.h>

#include "device/architectures.h"
#include "kernels/families.h"
#include "kernels/source.h"
#include "kernels/thread_tiles.h"
#include "kernels/work_division.h"

enum { ROWS, TX, TY, KEYS, SPLIT_KEYS, PARAMETER_COUNT };

static const sqa_parameter parameters[PARAMETER_COUNT] = {
    [ROWS] = {"ROWS", "query rows of a work-group", {1, 2, 4, 8, 16}, 5},
    [TX] = {"TX", "threads that divide a key's dimensions", {4, 8, 16}, 3},
    [TY] = {"TY", "threads across keys", {4, 8, 16, 32}, 4},
    [KEYS] = {"KEYS", "keys of a thread at a time", {1, 2, 4}, 3},
    [SPLIT_KEYS] = {"SPLIT_KEYS", "keys of a work-group", {128, 256, 512, 1024}, 4},
};

/* More compute for longer than they read. */
#define MOST_QUERIES 16

static uint32_t threads_of(const int32_t *value)
{
    return (uint32_t)(value[TX] * value[TY]);
}

/* Threads that have the columns of V, a power of two. */
static uint32_t column_threads(const int32_t *value, const sqa_attention *a)
{
    uint32_t across = 1;
    while (across < sqa_divide_up(a->value_dim, 4) && across < threads_of(value))
        across *= 2;
    return across;
}

/* Of shared_rows in cl/forward/stream_shape.cl. */
static uint64_t local_bytes(const int32_t *value, const sqa_attention *a)
{
    const uint32_t q = 4 * sqa_divide_up(a->head_dim, 4);
    const uint32_t scores = (uint32_t)value[SPLIT_KEYS] + 4;
    const uint32_t products = (uint32_t)(value[TY] * value[KEYS] * (value[TX] + 4));
    const uint32_t values = 4 * threads_of(value), facts = 7;
    return 4 * (uint64_t)value[ROWS] *
           (q + scores + (products > values ? products : values) + facts);
}

/* Of a thread: its keys' vectors and what it adds up for them, or its rows' columns. */
static uint32_t registers(const int32_t *value, const sqa_attention *a)
{
    const uint32_t value_vecs = sqa_divide_up(a->value_dim, 4);
    const uint32_t keys =
        (uint32_t)value[KEYS] *
        (4 * sqa_divide_up(sqa_divide_up(a->head_dim, 4), (uint32_t)value[TX]) + 3);
    const uint32_t across = column_threads(value, a);
    const uint32_t columns = (uint32_t)(value[ROWS] + 1) * 4 * sqa_divide_up(value_vecs, across);
    return 8 + (keys > columns ? keys : columns);
}

static bool is_valid(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                     const char **why)
{
    const sqa_attention *a = &problem->of.attention;
    const int32_t *value = config->value;
    const size_t across = (size_t)value[TX], down = (size_t)value[TY];
    const uint64_t rows = (uint64_t)a->q_length * sqa_attention_group(a);
    if (!sqa_threads_can_run(device, across, down, why) ||
        !sqa_threads_fill_lanes(device, across, down, why))
        return false;
    if (value[ROWS] > 1 && (uint64_t)value[ROWS] / 2 >= rows)
        *why = "half of the rows would be none";
    else if (local_bytes(value, a) > device->limits.local_memory_bytes)
        *why = "the scores do not fit the device's local memory";
    else if (!sqa_registers_suffice(device, registers(value, a)))
        *why = "what a thread holds does not fit the registers";
    else
        return true;
    return false;
}

/* Sound without measurement, from large to small, but for ROWS. */
static const sqa_config defaults[] = {
    {{0, 8, 16, 4, 512}}, {{0, 8, 16, 2, 256}}, {{0, 8, 8, 2, 256}},
    {{0, 16, 8, 2, 256}}, {{0, 8, 4, 4, 128}},  {{0, 4, 4, 4, 128}},
};

/* All rows of a key/value head, so that K and V are read once. Nothing here follows from the batch
 * or the number of compute units: results would. */
static bool find_default(const sqa_problem *problem, const sqa_device *device, sqa_config *config,
                         const char **why)
{
    const sqa_attention *a = &problem->of.attention;
    const uint64_t rows = (uint64_t)a->q_length * sqa_attention_group(a);
    int32_t all = 1;
    while ((uint64_t)all < rows && all < 16)
        all *= 2;
    for (int32_t own = all; own >= 1; own /= 2)
        for (size_t i = sqa_architecture_find(device)->group_items == 1 ? 2 : 0;
             i < sizeof defaults / sizeof *defaults; i++) {
            *config = defaults[i];
            config->value[ROWS] = own;
            if (is_valid(config, problem, device, why) &&
                (i + 1 == sizeof defaults / sizeof *defaults ||
                 device->limits.local_memory_is_global ||
                 sqa_wavefronts_suffice(device, threads_of(config->value),
                                        local_bytes(config->value, a))))
                return true;
        }
    return false;
}

static bool supports(const sqa_problem *problem, const sqa_device *device, const char **why)
{
    const sqa_attention *a = &problem->of.attention;
    sqa_config config;
    if (a->q_length > MOST_QUERIES)
        *why = "is for at most 16 queries";
    else if (sqa_attention_group(a) > 1 && !sqa_sharing_can_run(a))
        *why = "needs the same block list for all query heads of a key/value head";
    else if (a->kv_dtype > SQA_DTYPE_BF16)
        *why = "needs K and V stored as f32, f16 or bf16";
    else
        return find_default(problem, device, &config, why);
    return false;
}

static void default_config(const sqa_problem *problem, const sqa_device *device, sqa_config *config)
{
    const char *why = NULL;
    find_default(problem, device, config, &why);
}

static const char *const fragments[] = {
    SQA_FORWARD_FRAGMENTS,
    "forward/stream_shape.cl",
    "forward/sharing.cl",
    "forward/split.cl",
    "forward/walk_tiles.cl",
    "forward/stream.cl",
    NULL,
};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    sqa_text_format(out, "#define ACROSS %u\n",
                    column_threads(config->value, &problem->of.attention));
    sqa_source_subgroup_size(out, device, 1);
    sqa_source_exp2(out, device);
    sqa_source_combine(out, device);
    sqa_source_forward(out, problem, true);
    sqa_source_fragments(out, &sqa_stream_forward);
}

static sqa_build_needs needs(const sqa_config *config, const sqa_problem *problem,
                             const sqa_device *device)
{
    return (sqa_build_needs){
        .option = sqa_register_option(device, registers(config->value, &problem->of.attention)),
    };
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_attention *a = &problem->of.attention;
    const int32_t *value = config->value;
    sqa_launch_step *step = sqa_launch_add_step(out, "sqa_stream_forward", 3);
    step->local[0] = (size_t)value[TX];
    step->local[1] = (size_t)value[TY];
    step->local[2] = 1;
    step->global[0] = sqa_row_blocks(a, true, value[ROWS]) * step->local[0];
    step->global[1] = sqa_matrix_count(a, true) * step->local[1];
    step->global[2] = (size_t)a->batch * (size_t)sqa_splits_of_size(a, value[SPLIT_KEYS]);
    sqa_forward_launch_by_size(problem, device, value[SPLIT_KEYS], out);
}

const sqa_kernel_family sqa_stream_forward = {
    .name = "stream",
    .summary = "GPU, few queries: K and V are read once, in place",
    .operation = SQA_OPERATION_FORWARD,
    .space_version = 1,
    .parameters = parameters,
    .parameter_count = PARAMETER_COUNT,
    .fragments = fragments,
    .supports = supports,
    .is_valid = is_valid,
    .default_config = default_config,
    .source = source,
    .launch = launch,
    .needs = needs,
};
