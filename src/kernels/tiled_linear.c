/* tiled, of linear attention: the GPU family. A work-group has a slice of a state in local memory,
 * and chunks of tokens pass by; the algorithm is in cl/linear/tiled.cl. */
#include "kernels/families.h"
#include "kernels/linear_arguments.h"
#include "kernels/linear_tiles.h"
#include "kernels/source.h"
#include "kernels/thread_tiles.h"

enum {
    CHUNK = SQA_TILES_CHUNK,
    COLUMNS = SQA_TILES_COLUMNS,
    TX = SQA_TILES_TX,
    TY = SQA_TILES_TY,
    VEC = SQA_TILES_VEC,
    PAD,
    PARAMETER_COUNT
};

static const sqa_parameter parameters[PARAMETER_COUNT] = {
    [CHUNK] = {"CHUNK", "tokens that are computed together", {4, 8, 16, 32, 64}, 5},
    [COLUMNS] = {"COLUMNS", "columns of the state of a work-group", {4, 8, 16, 32, 64}, 5},
    [TX] = {"TX", "threads across keys and columns", {2, 4, 8, 16}, 4},
    [TY] = {"TY", "threads across rows", {2, 4, 8, 16, 32}, 5},
    [VEC] = {"VEC", "elements of a vector load", {1, 2, 4}, 3},
    [PAD] = {"PAD", "1: rows of local tiles are an odd number of vectors", {0, 1}, 2},
};

/* Rows of the state that a thread updates at a time: TR of cl/linear/tiled_shape.cl. */
#define STATE_ROWS 4

static uint64_t local_bytes(const int32_t *value, const sqa_linear *l)
{
    const uint32_t vec = (uint32_t)value[VEC], chunk = (uint32_t)value[CHUNK];
    const uint32_t columns = (uint32_t)value[COLUMNS];
    const uint32_t rows = vec * sqa_divide_up(l->attention.head_dim, vec);
    uint64_t floats = (uint64_t)rows * columns + chunk * columns;
    floats +=
        2 * (uint64_t)chunk * vec * sqa_tile_pitch(value[VEC], value[PAD], l->attention.head_dim);
    if (l->causal)
        floats += chunk * (chunk | (uint32_t)value[PAD]);
    if (l->decay != SQA_DECAY_NONE)
        floats += 2 * chunk * (l->decay == SQA_DECAY_CHANNEL ? rows : 1);
    if (l->normalise)
        floats += rows;
    return 4 * floats;
}

/* Of a thread: the largest of its tiles, and what they are added up of; decays per channel are
 * differences of pairs, and taken many at a time. */
static uint32_t registers(const int32_t *value, const sqa_linear *l)
{
    const uint32_t vec = (uint32_t)value[VEC];
    const uint32_t tokens = (uint32_t)(value[CHUNK] / value[TY]);
    const uint32_t keys = (uint32_t)(value[CHUNK] / value[TX]);
    const uint32_t columns = (uint32_t)(value[COLUMNS] / value[TX]);
    const uint32_t decays = l->decay == SQA_DECAY_CHANNEL ? 3 * tokens * keys * vec : 0;
    const uint32_t scores = tokens * keys + (keys + 1) * vec + decays;
    const uint32_t output = tokens * columns + columns + tokens * vec;
    const uint32_t update = STATE_ROWS * columns + columns + 1;
    const uint32_t larger = scores > output ? scores : output;
    return larger > update ? larger : update;
}

static bool is_valid(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                     const char **why)
{
    const sqa_linear *l = &problem->of.linear;
    const int32_t *value = config->value;
    return sqa_linear_tiles_are_whole(value, l, parameters[COLUMNS].values[0], why) &&
           sqa_linear_tiles_fit(value, device, local_bytes(value, l), registers(value, l), why);
}

enum { FOR_LITTLE_MEMORY = 5 };
static const sqa_config defaults[] = {
    {{32, 32, 8, 16, 4, 1}}, {{32, 16, 4, 16, 4, 1}}, {{16, 32, 8, 8, 4, 1}},
    {{16, 16, 4, 16, 4, 1}}, {{16, 8, 4, 16, 2, 1}},  {{8, 16, 4, 8, 4, 1}},
    {{8, 8, 4, 8, 2, 1}},    {{8, 4, 4, 8, 1, 1}},    {{4, 4, 4, 4, 1, 1}},
    {{4, 4, 2, 4, 1, 1}},    {{4, 4, 2, 2, 1, 1}},
};

static const sqa_linear_defaults unmeasured = {defaults, sizeof defaults / sizeof *defaults,
                                               FOR_LITTLE_MEMORY, is_valid, local_bytes};

static bool supports(const sqa_problem *problem, const sqa_device *device, const char **why)
{
    sqa_config config;
    return sqa_thread_tiles_can_run(device, why) &&
           sqa_linear_default(&unmeasured, problem, device, &config, why);
}

static void default_config(const sqa_problem *problem, const sqa_device *device, sqa_config *config)
{
    const char *why = NULL;
    sqa_linear_default(&unmeasured, problem, device, config, &why);
}

static const char *const fragments[] = {
    SQA_LINEAR_FRAGMENTS,
    "common/lanes.cl",
    "linear/tiled_shape.cl",
    "linear/tiled_decay.cl",
    "linear/tiled_tiles.cl",
    "linear/tiled.cl",
    NULL,
};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    (void)config;
    sqa_source_subgroup_size(out, device, 1);
    sqa_source_linear(out, problem, sqa_linear_tables);
    sqa_source_fragments(out, &sqa_tiled_linear);
}

static sqa_build_needs needs(const sqa_config *config, const sqa_problem *problem,
                             const sqa_device *device)
{
    const uint32_t count = registers(config->value, &problem->of.linear);
    return (sqa_build_needs){.option = sqa_register_option(device, count)};
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const int32_t *value = config->value;
    (void)device;
    sqa_linear_launch(problem, "sqa_tiled_linear", sqa_linear_slices(value, &problem->of.linear),
                      (uint32_t)value[TX], (uint32_t)value[TY], out);
}

const sqa_kernel_family sqa_tiled_linear = {
    .name = "tiled",
    .summary = "GPU: work-groups share chunks of tokens through local memory",
    .operation = SQA_OPERATION_LINEAR_FORWARD,
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
