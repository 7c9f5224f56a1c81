/* tiled, of the matrix product: the GPU family. Work-groups share slices of A and B through local
 * memory; the algorithm is in cl/matmul/tiled.cl. */
#include <string.h>

#include "device/architectures.h"
#include "kernels/families.h"
#include "kernels/matmul_arguments.h"
#include "kernels/source.h"
#include "kernels/thread_tiles.h"

enum { BM, BN, TX, TY, DK, PAD, UNROLL, BUFFERS, PARAMETER_COUNT };

/* Of a vector, in which everything is counted; as in cl/matmul/tiled_shape.cl. */
#define LANES 4

static const sqa_parameter parameters[PARAMETER_COUNT] = {
    [BM] = {"BM", "rows of a work-group", {8, 16, 32, 64, 128}, 5},
    [BN] = {"BN", "columns of a work-group", {8, 16, 32, 64, 128}, 5},
    [TX] = {"TX", "threads across columns", {2, 4, 8, 16, 32}, 5},
    [TY] = {"TY", "threads across rows", {2, 4, 8, 16, 32}, 5},
    [DK] = {"DK", "products of a staged slice", {8, 16, 32}, 3},
    [PAD] = {"PAD", "1: rows of local slices are an odd number of vectors", {0, 1}, 2},
    [UNROLL] = {"UNROLL", "unrolling of the inner loop", {2, 4, 8}, 3},
    [BUFFERS] = {"BUFFERS", "slices in local memory at a time", {1, 2}, 2},
};

static bool supports(const sqa_problem *problem, const sqa_device *device, const char **why)
{
    (void)problem;
    return sqa_thread_tiles_can_run(device, why);
}

static uint32_t matrices(const sqa_product *p)
{
    return p->gated ? 2 : 1;
}

static uint64_t local_bytes(const int32_t *value, const sqa_product *p)
{
    const uint32_t a = sqa_tile_pitch(LANES, value[PAD], (uint32_t)value[BM]);
    const uint32_t b = sqa_tile_pitch(LANES, value[PAD], (uint32_t)value[BN]);
    return (uint64_t)sizeof(float) * LANES * (uint32_t)(value[BUFFERS] * value[DK]) *
           (a + matrices(p) * b);
}

/* A thread's part of a slice that is `size` wide. */
static uint32_t staged_elements(const int32_t *value, int32_t size)
{
    return LANES *
           sqa_divide_up((uint32_t)(value[DK] * size / LANES), (uint32_t)(value[TX] * value[TY]));
}

/* Of a thread: its sums, what it multiplies at a time, and half of the slice that it fetches, of
 * which compilers short of registers put a part off. */
static uint32_t registers(const int32_t *value, const sqa_product *p)
{
    const uint32_t rows = (uint32_t)(value[BM] / value[TY]);
    const uint32_t columns = (uint32_t)(value[BN] / value[TX]);
    const uint32_t fetched =
        staged_elements(value, value[BM]) + matrices(p) * staged_elements(value, value[BN]);
    return matrices(p) * rows * columns + rows + columns + fetched / 2;
}

static bool shape_is_valid(const int32_t *value, const char **why)
{
    const int32_t rows = value[BM] / value[TY], columns = value[BN] / value[TX];
    if (value[BM] % (LANES * value[TY]) != 0 || value[BN] % (LANES * value[TX]) != 0)
        *why = "BM must be a multiple of 4 TY, and BN of 4 TX";
    else if (rows > SQA_MOST_PER_THREAD || columns > SQA_MOST_PER_THREAD)
        *why = "a thread can have at most 8 rows and 8 columns";
    else
        return true;
    return false;
}

/* Whether `count` rows or columns fill more than a quarter of the tile, or it is as small as
 * tiles of one wavefront are. */
static bool fills(uint32_t count, int32_t tile)
{
    return tile <= 32 || (uint64_t)tile < 4 * (uint64_t)count;
}

static bool is_valid(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                     const char **why)
{
    const sqa_product *p = &problem->of.product;
    const int32_t *value = config->value;
    if (!shape_is_valid(value, why) ||
        !sqa_threads_can_run(device, (size_t)value[TX], (size_t)value[TY], why) ||
        !sqa_threads_fill_lanes(device, (size_t)value[TX], (size_t)value[TY], why))
        return false;
    if (!fills(p->m, value[BM]) || !fills(p->n, value[BN]))
        *why = "three quarters of the tile would have no rows, or no columns";
    else if (local_bytes(value, p) > device->limits.local_memory_bytes)
        *why = "the slices do not fit the device's local memory";
    else if (!sqa_registers_suffice(device, registers(value, p)))
        *why = "what a thread holds does not fit the registers";
    else
        return true;
    return false;
}

/* Sound without measurement, from large to small; but for UNROLL. */
static const sqa_config defaults[] = {
    {{128, 128, 16, 16, 8, 1, 0, 2}}, {{128, 64, 8, 16, 8, 1, 0, 2}}, {{64, 64, 8, 8, 8, 1, 0, 2}},
    {{64, 64, 8, 16, 8, 1, 0, 2}},    {{64, 64, 16, 16, 8, 1, 0, 2}}, {{32, 64, 16, 8, 8, 1, 0, 2}},
    {{32, 32, 8, 8, 8, 1, 0, 2}},     {{16, 32, 8, 4, 8, 1, 0, 2}},   {{8, 64, 16, 2, 8, 1, 0, 2}},
    {{64, 8, 2, 16, 8, 1, 0, 2}},     {{16, 16, 4, 4, 8, 1, 0, 2}},   {{8, 16, 4, 2, 8, 1, 0, 2}},
    {{8, 8, 2, 2, 8, 1, 0, 2}},
};

static uint64_t work_groups(const int32_t *value, const sqa_product *p)
{
    return (uint64_t)sqa_divide_up(p->m, (uint32_t)value[BM]) *
           sqa_divide_up(p->n, (uint32_t)value[BN]) * p->batch;
}

/* Whether all compute units have work, and each goes on while a wavefront waits. */
static bool keeps_busy(const int32_t *value, const sqa_product *p, const sqa_device *device)
{
    return work_groups(value, p) >= device->strings.compute_units &&
           sqa_wavefronts_suffice(device, (uint32_t)(value[TX] * value[TY]), local_bytes(value, p));
}

/* The first that keeps the device busy, or else the one with the most work-groups. Where work-items
 * are computed one after the other, there is nobody to keep busy by more than a few. */
static void default_config(const sqa_problem *problem, const sqa_device *device, sqa_config *config)
{
    const sqa_product *p = &problem->of.product;
    const bool alone = sqa_architecture_find(device)->group_items == 1;
    const char *why = NULL;
    uint64_t most = 0;
    memset(config, 0, sizeof *config);
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        const int32_t *value = defaults[i].value;
        if (!is_valid(&defaults[i], problem, device, &why) || work_groups(value, p) <= most ||
            (alone && value[TX] * value[TY] > 32))
            continue;
        *config = defaults[i];
        config->value[UNROLL] = alone ? 2 : 8;
        most = work_groups(value, p);
        if (alone || keeps_busy(value, p, device))
            return;
    }
}

static const sqa_argument_row *const tables[] = {sqa_matmul_rows, NULL};

static const char *const fragments[] = {
    "common/types.cl",       "matmul/arguments.cl",
    "matmul/tiled_shape.cl", "common/vectors.cl",
    "common/activation.cl",  "common/stored.cl",
    "matmul/finish.cl",      "matmul/tiled_stage.cl",
    "matmul/tiled.cl",       NULL,
};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    (void)config;
    sqa_source_subgroup_size(out, device, 1);
    sqa_source_matmul(out, problem, tables);
    sqa_source_fragments(out, &sqa_tiled_matmul);
}

static sqa_build_needs needs(const sqa_config *config, const sqa_problem *problem,
                             const sqa_device *device)
{
    return (sqa_build_needs){
        .option = sqa_register_option(device, registers(config->value, &problem->of.product)),
    };
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_product *p = &problem->of.product;
    const int32_t *value = config->value;
    sqa_launch_step *step = sqa_launch_add_step(out, "sqa_tiled_matmul", 3);
    (void)device;
    step->local[0] = (size_t)value[TX];
    step->local[1] = (size_t)value[TY];
    step->local[2] = 1;
    step->global[0] = sqa_divide_up(p->n, (uint32_t)value[BN]) * step->local[0];
    step->global[1] = sqa_divide_up(p->m, (uint32_t)value[BM]) * step->local[1];
    step->global[2] = p->batch;
    sqa_arguments_fill(out, step, tables, problem, NULL);
}

const sqa_kernel_family sqa_tiled_matmul = {
    .name = "tiled",
    .summary = "GPU: work-groups share slices of A and B through local memory",
    .operation = SQA_OPERATION_MATMUL,
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
