/* tiled, of a backward pass: the GPU family. Work-groups share tiles of Q, dO, K and V through
 * local memory; the algorithm is in cl/backward/tiled.cl. */
#include "device/architectures.h"
#include "kernels/backward_arguments.h"
#include "kernels/families.h"
#include "kernels/source.h"
#include "kernels/thread_tiles.h"
#include "kernels/work_division.h"

enum { BM, BN, TX, TY, VEC, PAD, SPLIT, PARAMETER_COUNT };

static const sqa_parameter parameters[PARAMETER_COUNT] = {
    [BM] = {"BM", "queries of a tile", {8, 16, 32, 64}, 4},
    [BN] = {"BN", "keys of a tile", {8, 16, 32, 64}, 4},
    [TX] = {"TX", "threads across keys and columns", {2, 4, 8, 16, 32}, 5},
    [TY] = {"TY", "threads across rows", {2, 4, 8, 16, 32}, 5},
    [VEC] = {"VEC", "elements of a vector load", {1, 2, 4}, 3},
    [PAD] = {"PAD", "1: rows of local tiles are an odd number of vectors", {0, 1}, 2},
    [SPLIT] = {"SPLIT",
               "work-groups that divide a head's keys, each with a copy of dQ; 0: dQ has a kernel "
               "of its own",
               {0, 1, 2, 4, 8, 16, 32},
               7},
};

/* Whether the kernel that owns keys adds up dQ as well. */
static bool sums_queries(const int32_t *value, const sqa_problem *problem)
{
    return value[SPLIT] > 0 && problem->of.backward.gradients & SQA_GRADIENT_Q;
}

/* Elements from one row of a local tile to the next. */
static uint32_t pitch(const int32_t *value, uint32_t elements)
{
    return (uint32_t)value[VEC] * sqa_tile_pitch(value[VEC], value[PAD], elements);
}

static uint64_t local_bytes(const int32_t *value, const sqa_attention *a)
{
    const uint32_t rows = (uint32_t)(value[BM] + value[BN]);
    const uint32_t row = pitch(value, a->head_dim) + pitch(value, a->value_dim);
    return 4 * ((uint64_t)rows * row + 2 * (uint64_t)value[BM] * pitch(value, (uint32_t)value[BN]));
}

/* Of a thread: its sums, and the larger of what it pairs and what it adds at a time. */
static uint32_t registers(const int32_t *value, const sqa_problem *problem)
{
    const sqa_attention *a = &problem->of.attention;
    const uint32_t vec = (uint32_t)value[VEC], across = (uint32_t)value[TX];
    const uint32_t head = vec * sqa_divide_up(sqa_divide_up(a->head_dim, vec), across);
    const uint32_t columns = vec * sqa_divide_up(sqa_divide_up(a->value_dim, vec), across);
    const uint32_t queries = (uint32_t)(value[BM] / value[TY]);
    const uint32_t keys = (uint32_t)(value[BN] / value[TX]);
    const uint32_t of_keys = (uint32_t)(value[BN] / value[TY]) * (head + columns);
    const uint32_t of_queries = queries * head;
    const uint32_t pairs = 2 * queries * keys + (keys + 1) * vec + 5 * queries;
    const uint32_t added =
        (head > columns ? head : columns) + (sums_queries(value, problem) ? of_queries : 0);
    return (of_keys > of_queries ? of_keys : of_queries) + (pairs > added ? pairs : added);
}

static bool is_valid(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                     const char **why)
{
    const sqa_attention *a = &problem->of.attention;
    const int32_t *value = config->value;
    if (value[BM] % value[TY] != 0 || value[BN] % value[TX] != 0 || value[BN] % value[TY] != 0)
        *why = "BM must be a multiple of TY, and BN of TX and TY";
    else if (value[VEC] > value[BN])
        *why = "a row of the tile of pairs must be whole vectors";
    else if (value[BM] / value[TY] > SQA_MOST_PER_THREAD ||
             value[BN] / value[TX] > SQA_MOST_PER_THREAD ||
             value[BN] / value[TY] > SQA_MOST_PER_THREAD)
        *why = "a thread can have at most 8 rows and 8 keys";
    else if (!sqa_threads_can_run(device, (size_t)value[TX], (size_t)value[TY], why))
        return false;
    else if (local_bytes(value, a) > device->limits.local_memory_bytes)
        *why = "the tiles do not fit the device's local memory";
    else if (!sqa_registers_suffice(device, registers(value, problem)))
        *why = "what a thread holds does not fit the registers";
    else
        return true;
    return false;
}

/* Sound without measurement, from large to small; the first valid one is taken that keeps a
 * compute unit busy, or else the first. */
static const sqa_config defaults[] = {
    {{32, 32, 8, 8, 4, 1}},   {{32, 32, 16, 8, 4, 1}}, {{16, 32, 16, 8, 4, 1}},
    {{16, 32, 16, 16, 4, 1}}, {{16, 16, 16, 8, 4, 1}}, {{16, 16, 16, 16, 4, 1}},
    {{8, 8, 8, 8, 4, 0}},     {{8, 8, 8, 4, 1, 0}},    {{8, 8, 8, 2, 1, 0}},
    {{8, 8, 4, 2, 1, 0}},     {{8, 8, 2, 2, 1, 0}},
};

static bool find_default(const sqa_problem *problem, const sqa_device *device, sqa_config *config,
                         const char **why)
{
    bool found = false;
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        const int32_t *value = defaults[i].value;
        if (!is_valid(&defaults[i], problem, device, why))
            continue;
        const bool busy = device->limits.local_memory_is_global ||
                          sqa_wavefronts_suffice(device, (uint32_t)(value[TX] * value[TY]),
                                                 local_bytes(value, &problem->of.attention));
        if (!found || busy)
            *config = defaults[i];
        found = true;
        if (busy)
            break;
    }
    return found;
}

static bool supports(const sqa_problem *problem, const sqa_device *device, const char **why)
{
    sqa_config config;
    return sqa_thread_tiles_can_run(device, why) && find_default(problem, device, &config, why);
}

static void default_config(const sqa_problem *problem, const sqa_device *device, sqa_config *config)
{
    const char *why = NULL;
    find_default(problem, device, config, &why);
}

static const sqa_argument_row *const plain_tables[] = {sqa_backward_rows, sqa_core_gradient_rows,
                                                       sqa_pattern_rows, NULL};
static const sqa_argument_row *const sum_tables[] = {sqa_backward_rows, sqa_core_gradient_rows,
                                                     sqa_backward_sum_rows, sqa_pattern_rows, NULL};

static const sqa_argument_row *const *tables_of(const int32_t *value)
{
    return value[SPLIT] > 0 ? sum_tables : plain_tables;
}

static const char *const fragments[] = {
    SQA_BACKWARD_FRAGMENTS, "forward/sharing.cl",     "forward/walk_tiles.cl",
    "common/lanes.cl",      "forward/tiled_shape.cl", "backward/tiled_shape.cl",
    "backward/sums.cl",     "backward/tiled.cl",      NULL,
};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    sqa_source_subgroup_size(out, device, 1);
    sqa_source_backward(out, problem);
    sqa_arguments_print(out, "SQA_BACKWARD_ARGUMENTS", tables_of(config->value), problem);
    sqa_source_fragments(out, &sqa_tiled_backward_core);
}

static sqa_build_needs needs(const sqa_config *config, const sqa_problem *problem,
                             const sqa_device *device)
{
    return (sqa_build_needs){
        .option = sqa_register_option(device, registers(config->value, problem)),
    };
}

static void add_step(const char *kernel, const int32_t *value, uint64_t groups, uint32_t matrices,
                     const sqa_problem *problem, sqa_launch *out)
{
    const sqa_attention *a = &problem->of.attention;
    const sqa_forward_values values = sqa_forward_values_of(a);
    if (groups == 0)
        return;
    sqa_launch_step *step = sqa_launch_add_step(out, kernel, 3);
    step->local[0] = (size_t)value[TX];
    step->local[1] = (size_t)value[TY];
    step->local[2] = 1;
    step->global[0] = (size_t)groups * (size_t)value[TX];
    step->global[1] = matrices * (size_t)value[TY];
    step->global[2] = a->batch;
    sqa_arguments_fill(out, step, tables_of(value), problem, &values);
}

/* Work-groups of `keys` keys that one matrix takes; none has keys of two blocks. */
static uint64_t key_groups(const sqa_attention *a, uint32_t keys)
{
    return a->mask & SQA_MASK_BLOCKS
               ? (uint64_t)sqa_attention_key_blocks(a) * sqa_divide_up(a->blocks.key_size, keys)
               : sqa_divide_up(a->kv_length, keys);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const uint32_t gradients = problem->of.backward.gradients;
    const sqa_attention *a = &problem->of.attention;
    const int32_t *value = config->value;
    const bool sums = sums_queries(value, problem);
    (void)device;
    if (gradients & SQA_GRADIENT_Q && !sums)
        add_step("sqa_tiled_backward_queries", value, sqa_row_blocks(a, false, value[BM]),
                 a->q_heads, problem, out);
    if (gradients & (SQA_GRADIENT_K | SQA_GRADIENT_V) || sums)
        add_step("sqa_tiled_backward_keys", value,
                 value[SPLIT] > 0 ? (uint64_t)value[SPLIT] : key_groups(a, (uint32_t)value[BN]),
                 a->kv_heads, problem, out);
    if (sums)
        sqa_backward_add_sums(out, problem, sum_tables, (uint32_t)value[SPLIT],
                              (uint32_t)value[VEC] *
                                  sqa_divide_up(a->head_dim, (uint32_t)value[VEC]));
}

const sqa_kernel_family sqa_tiled_backward_core = {
    .name = "tiled",
    .summary = "GPU: work-groups share tiles through local memory",
    .operation = SQA_OPERATION_BACKWARD_CORE,
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
