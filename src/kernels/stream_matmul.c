/* stream, of the matrix product: for CPUs and few rows, whose cost is to read B; see
 * cl/matmul/stream.cl. */
#include <string.h>

#include "device/architectures.h"
#include "kernels/families.h"
#include "kernels/matmul_blocks.h"
#include "kernels/register_tiles.h"
#include "kernels/source.h"

enum { LANES, MR, NV, TILES, COLUMNS, DEPTH, UNROLL, SPLIT, PARAMETER_COUNT };

static const sqa_parameter parameters[PARAMETER_COUNT] = {
    [LANES] = {"LANES", "floats in a vector", {4, 8, 16}, 3},
    [MR] = {"MR", "rows of A that are multiplied at a time", {1, 2, 4, 8}, 4},
    [NV] = {"NV", "rows of B, as it is stored, likewise", {1, 2, 4, 8}, 4},
    [TILES] = {"TILES", "times MR, the rows of a work-item", {1, 2, 4, 8, 16}, 5},
    [COLUMNS] = {"COLUMNS", "columns of a work-item", {16, 64, 128, 256, 512, 1024, 2048}, 7},
    [DEPTH] = {"DEPTH", "products that are added up at a time", {256, 512, 1024, 2048}, 4},
    [UNROLL] = {"UNROLL", "unrolling of the inner loop, B transposed", {1, 2, 4}, 3},
    [SPLIT] = {"SPLIT", "work-items that divide the products among them", {1, 2, 4, 8, 16}, 5},
};

#define MOST_ROWS 16

static bool supports(const sqa_problem *problem, const sqa_device *device, const char **why)
{
    if (problem->of.product.m <= MOST_ROWS)
        return sqa_vectors_can_run(device, why);
    *why = "is for at most 16 rows";
    return false;
}

static sqa_matmul_block block_of(const int32_t *value)
{
    return (sqa_matmul_block){.rows = value[MR] * value[TILES],
                              .panel = value[COLUMNS],
                              .panels = 1,
                              .depth = value[DEPTH],
                              .split = value[SPLIT],
                              .packs = false};
}

static int32_t private_bytes(const int32_t *value, const sqa_product *p)
{
    const int32_t rows = value[MR] * value[TILES];
    return 4 * (rows * (value[COLUMNS] * (p->gated ? 2 : 1) + value[DEPTH]) +
                value[MR] * value[COLUMNS]);
}

static bool is_valid(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                     const char **why)
{
    const sqa_product *p = &problem->of.product;
    const int32_t *value = config->value;
    const sqa_architecture *here = sqa_architecture_find(device);
    const int32_t registers_per_vector = value[LANES] > here->vector_lanes ? 2 : 1;
    const sqa_matmul_block block = block_of(value);
    if ((p->transpose_b ? value[MR] * value[NV] : value[MR] + value[NV]) * registers_per_vector >
        here->accumulators)
        *why = "what is multiplied at a time does not fit the registers";
    else if (private_bytes(value, p) > here->private_bytes)
        *why = "the block of C does not fit the private memory";
    else
        return sqa_matmul_block_can_run(p, &block, device, why);
    return false;
}

static bool keeps_busy(const sqa_product *p, const int32_t *value, const sqa_device *device)
{
    const sqa_matmul_block block = block_of(value);
    return sqa_matmul_keeps_busy(p, &block, device, 4.0);
}

/* All rows, so that B is read once, up to four at a time. B as it is stored is read fastest in
 * long stretches, so that products are divided before columns are. */
static void default_config(const sqa_problem *problem, const sqa_device *device, sqa_config *config)
{
    const sqa_product *p = &problem->of.product;
    int32_t *value = config->value;
    memset(config, 0, sizeof *config);
    value[LANES] = sqa_architecture_find(device)->vector_lanes;
    value[MR] = p->m > 2 ? 4 : p->m == 2 ? 2 : 1;
    value[NV] = !p->transpose_b ? 4 : p->m > 2 ? 2 : 8 / value[MR];
    value[TILES] = p->m > 4 ? 4 : 1;
    value[COLUMNS] = p->transpose_b ? 64 : p->m == 1 ? 2048 : 1024;
    value[DEPTH] = p->transpose_b ? 1024 : 256;
    value[UNROLL] = 2;
    value[SPLIT] = 1;
    while (value[SPLIT] < 16 && !keeps_busy(p, value, device) &&
           p->k > (uint32_t)(value[DEPTH] * value[SPLIT]))
        value[SPLIT] *= 2;
    while (value[COLUMNS] > (p->transpose_b ? 16 : 128) && !keeps_busy(p, value, device))
        value[COLUMNS] /= p->transpose_b ? 4 : 2;
}

static const char *const fragments[] = {
    "common/types.cl",        "matmul/arguments.cl",
    "matmul/stream_shape.cl", "common/vectors.cl",
    "common/activation.cl",   "common/stored.cl",
    "matmul/finish.cl",       "matmul/stream.cl",
    "matmul/block.cl",        NULL,
};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    const int32_t *value = config->value;
    sqa_source_vectors(out, device);
    sqa_source_each(out, "ROW", value[MR]);
    sqa_source_each(out, "VECTOR", value[NV]);
    sqa_source_each_of(out, "ROW_VECTOR", value[MR], value[NV]);
    sqa_source_matmul_blocks(out, problem, false);
    sqa_source_fragments(out, &sqa_stream_matmul);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_matmul_block block = block_of(config->value);
    const sqa_matmul_layout l = sqa_matmul_layout_of(&problem->of.product, &block);
    (void)device;
    sqa_matmul_add_blocks(problem, &block, &l, out);
}

const sqa_kernel_family sqa_stream_matmul = {
    .name = "stream",
    .summary = "CPU, few rows: B is read once, in place",
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
};
