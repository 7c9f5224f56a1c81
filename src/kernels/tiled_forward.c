/* tiled: the GPU family. Work-groups share tiles of Q, K, V and the weights
 * through local memory; the algorithm is in cl/forward/tiled.cl. */
#include <string.h>

#include "kernels/families.h"
#include "kernels/source.h"
#include "kernels/work_division.h"

enum {
    BM,
    BN,
    TX,
    TY,
    DK,
    VS,
    STAGE,
    Q_LOCAL,
    PAD,
    UNROLL,
    SUBGROUP,
    SHARE,
    SPLIT,
    PARAMETER_COUNT
};

static const sqa_parameter parameters[PARAMETER_COUNT] = {
    [BM] = {"BM", "query rows of a work-group", {8, 16, 32, 64, 128}, 5},
    [BN] = {"BN", "keys of a key tile", {8, 16, 32, 64, 128}, 5},
    [TX] = {"TX", "threads across keys and columns", {2, 4, 8, 16, 32}, 5},
    [TY] = {"TY", "threads across rows", {2, 4, 8, 16, 32}, 5},
    [DK] = {"DK", "head dimensions of a staged K slice", {8, 16, 32}, 3},
    [VS] = {"VS", "keys of a staged V slice", {4, 8, 16}, 3},
    [STAGE] = {"STAGE", "1: K and V pass through local memory", {0, 1}, 2},
    [Q_LOCAL] = {"Q_LOCAL", "1: Q is kept in local memory", {0, 1}, 2},
    [PAD] = {"PAD", "elements added to the rows of local tiles", {0, 1}, 2},
    [UNROLL] = {"UNROLL", "unrolling of the inner loops", {1, 4}, 2},
    [SUBGROUP] = {"SUBGROUP", "1: row maxima by sub-group shuffles", {0, 1}, 2},
    [SHARE] = {"SHARE", "1: query heads of one key/value head share its tiles", {0, 1}, 2},
    [SPLIT] = {"SPLIT", "work-groups that divide the keys among them", {1, 2, 4, 8, 16}, 5},
};

/* Accumulators and scores of a thread; beyond this every GPU known spills. */
#define MAX_REGISTERS 160

static bool supports(const sqa_problem *problem, const sqa_device *device, const char **why)
{
    (void)problem;
    if (device->limits.max_work_group_size >= 4 && device->limits.max_work_item_sizes[0] >= 2 &&
        device->limits.max_work_item_sizes[1] >= 2)
        return true;
    *why = "needs work-groups of at least 4 work-items";
    return false;
}

static uint64_t local_bytes(const int32_t *value, const sqa_problem *problem)
{
    uint64_t rows = (uint64_t)value[BM], keys = (uint64_t)value[BN], pad = (uint64_t)value[PAD];
    uint64_t k_slice = keys * ((uint64_t)value[DK] + pad);
    uint64_t v_slice = (uint64_t)value[VS] * problem->value_dim;
    uint64_t floats = rows * (keys + pad);
    if (!value[SUBGROUP])
        floats += rows * (uint64_t)value[TX];
    if (value[Q_LOCAL])
        floats += rows * (problem->head_dim + pad);
    if (value[STAGE])
        floats += 2 * (k_slice > v_slice ? k_slice : v_slice);
    return 4 * floats;
}

static uint32_t registers(const int32_t *value, const sqa_problem *problem)
{
    uint32_t across = (uint32_t)value[TX];
    uint32_t columns = (problem->value_dim + across - 1) / across;
    return (uint32_t)(value[BM] / value[TY]) * (columns + (uint32_t)(value[BN] / value[TX]));
}

static bool is_valid(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                     const char **why)
{
    const int32_t *value = config->value;
    const sqa_device_limits *limits = &device->limits;
    const size_t across = (size_t)value[TX], down = (size_t)value[TY];
    if (value[BM] % value[TY] != 0 || value[BN] % value[TX] != 0)
        *why = "BM must be a multiple of TY, and BN of TX";
    else if (value[BN] % value[VS] != 0)
        *why = "BN must be a multiple of VS";
    else if (!value[STAGE] &&
             (value[DK] != parameters[DK].values[0] || value[VS] != parameters[VS].values[0]))
        *why = "without STAGE, DK and VS have no effect and stay at their least";
    else if (across * down > limits->max_work_group_size ||
             across > limits->max_work_item_sizes[0] || down > limits->max_work_item_sizes[1])
        *why = "the work-group is larger than the device allows";
    else if (local_bytes(value, problem) > limits->local_memory_bytes)
        *why = "the tiles do not fit the device's local memory";
    else if (registers(value, problem) > MAX_REGISTERS)
        *why = "the accumulators of a thread do not fit the registers";
    else if (value[SUBGROUP] && !sqa_subgroup_size_for(limits, (uint32_t)value[TX]))
        *why = "SUBGROUP needs sub-groups with shuffles, of at least TX work-items";
    else if (value[SHARE] && !sqa_sharing_can_run(problem))
        *why = sqa_sharing_needs;
    else if (value[SPLIT] > 1 && !sqa_split_can_pay(problem, value[SHARE], value[BM], device))
        *why = "the rows alone keep the device busy without SPLIT";
    else
        return true;
    return false;
}

/* Sound without measurement, from large to small; the first valid one is taken. */
static const sqa_config defaults[] = {
    {{64, 32, 8, 16, 16, 16, 1, 1, 1, 4, 0, 0, 1}}, {{32, 32, 8, 16, 16, 16, 1, 1, 1, 4, 0, 0, 1}},
    {{16, 32, 16, 8, 16, 8, 1, 1, 1, 4, 0, 0, 1}},  {{16, 16, 16, 8, 8, 4, 1, 0, 1, 4, 0, 0, 1}},
    {{8, 16, 8, 4, 8, 4, 0, 0, 1, 1, 0, 0, 1}},     {{8, 32, 32, 4, 8, 4, 0, 0, 1, 1, 0, 0, 1}},
    {{8, 8, 8, 2, 8, 4, 0, 0, 1, 1, 0, 0, 1}},      {{8, 8, 2, 2, 8, 4, 0, 0, 1, 1, 0, 0, 1}},
};

static void default_config(const sqa_problem *problem, const sqa_device *device, sqa_config *config)
{
    const char *why = NULL;
    const size_t count = sizeof defaults / sizeof *defaults;
    size_t i = 0;
    /* Staging only copies where local memory is ordinary memory. */
    while (i + 1 < count && ((defaults[i].value[STAGE] && device->limits.local_memory_is_global) ||
                             !is_valid(&defaults[i], problem, device, &why)))
        i++;
    *config = defaults[i];
}

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    const uint32_t subgroup = sqa_subgroup_size_for(&device->limits, (uint32_t)config->value[TX]);
    sqa_source_parameters(out, &sqa_tiled_forward, config);
    if (config->value[SUBGROUP] && device->limits.subgroup_size_on_request)
        sqa_text_format(out,
                        "#define SUBGROUP_ATTRIBUTE "
                        "__attribute__((intel_reqd_sub_group_size(%u)))\n",
                        subgroup);
    sqa_source_forward(out, problem);
    sqa_source_fragment(out, "forward/sharing.cl");
    sqa_source_fragment(out, "forward/split.cl");
    sqa_source_fragment(out, "forward/tiled.cl");
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    (void)device;
    const int32_t *value = config->value;
    const size_t across = (size_t)value[TX], down = (size_t)value[TY];
    sqa_launch_step *step = &out->steps[out->step_count++];
    step->kernel = "sqa_tiled_forward";
    step->dimensions = 3;
    step->local[0] = across;
    step->local[1] = down;
    step->local[2] = 1;
    step->global[0] = sqa_row_blocks(problem, value[SHARE], value[BM]) * across;
    step->global[1] = sqa_matrix_count(problem, value[SHARE]) * down;
    step->global[2] = (size_t)problem->batch * (size_t)value[SPLIT];
    sqa_forward_arguments(problem, step);
    if (value[SPLIT] > 1)
        sqa_split_launch(problem, value[SPLIT], value[BN], out);
}

const sqa_kernel_family sqa_tiled_forward = {
    .name = "tiled",
    .summary = "GPU: work-groups share tiles through local memory",
    .operation = SQA_OPERATION_FORWARD,
    .space_version = 1,
    .parameters = parameters,
    .parameter_count = PARAMETER_COUNT,
    .supports = supports,
    .is_valid = is_valid,
    .default_config = default_config,
    .source = source,
    .launch = launch,
};
