/* rows, of the matrix product: for CPUs. Vector lanes are columns of C; the algorithm is in
 * cl/matmul/rows.cl, the register tiles are expanded here. */
#include <string.h>

#include "device/architectures.h"
#include "kernels/families.h"
#include "kernels/matmul_blocks.h"
#include "kernels/register_tiles.h"
#include "kernels/source.h"

enum { LANES, NV, MR, TILES, PANELS, DEPTH, UNROLL, PACK, SPLIT, PARAMETER_COUNT };

static const sqa_parameter parameters[PARAMETER_COUNT] = {
    [LANES] = {"LANES", "columns of C in a vector", {4, 8, 16}, 3},
    [NV] = {"NV", "column vectors in a register tile", {1, 2, 3, 4}, 4},
    [MR] = {"MR", "rows in a register tile", {1, 2, 3, 4, 6, 8}, 6},
    [TILES] = {"TILES", "row tiles of a work-item", {1, 2, 4, 8, 16, 24, 32, 48, 64}, 9},
    [PANELS] = {"PANELS", "panels of columns of a work-item", {1, 2, 4, 8, 16}, 5},
    [DEPTH] = {"DEPTH", "products that are added up at a time", {64, 128, 192, 256, 512}, 5},
    [UNROLL] = {"UNROLL", "unrolling of the inner loop", {1, 2, 4, 8}, 4},
    [PACK] = {"PACK", "1: blocks of A are copied to private f32 first", {0, 1}, 2},
    [SPLIT] = {"SPLIT", "work-items that divide the products among them", {1, 2, 4, 8, 16}, 5},
};

/* Rows of B that a work-item packs; as in cl/matmul/rows_pack.cl. */
#define PACK_ROWS 64

static bool supports(const sqa_problem *problem, const sqa_device *device, const char **why)
{
    (void)problem;
    return sqa_vectors_can_run(device, why);
}

static sqa_matmul_block block_of(const int32_t *value)
{
    return (sqa_matmul_block){.rows = value[MR] * value[TILES],
                              .panel = value[LANES] * value[NV],
                              .panels = value[PANELS],
                              .depth = value[DEPTH],
                              .split = value[SPLIT],
                              .packs = true};
}

static int32_t private_bytes(const int32_t *value, const sqa_product *p)
{
    const int32_t rows = value[MR] * value[TILES];
    const int32_t columns = value[LANES] * value[NV] * value[PANELS];
    const int32_t block = value[PACK] ? rows * (value[DEPTH] + 16) : 0;
    return 4 * (rows * columns * (p->gated ? 2 : 1) + block);
}

static bool is_valid(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                     const char **why)
{
    const sqa_product *p = &problem->of.product;
    const int32_t *value = config->value;
    const sqa_architecture *here = sqa_architecture_find(device);
    const int32_t registers_per_vector = value[LANES] > here->vector_lanes ? 2 : 1;
    const sqa_matmul_block block = block_of(value);
    if (value[NV] * value[MR] * registers_per_vector > here->accumulators)
        *why = "the register tile does not fit the registers";
    else if (private_bytes(value, p) > here->private_bytes)
        *why = "the block of C does not fit the private memory";
    else if (!value[PACK] && (p->dtype != SQA_DTYPE_F32 || p->transpose_a))
        *why = "storage other than f32 and a transposed A need PACK";
    else
        return sqa_matmul_block_can_run(p, &block, device, why);
    return false;
}

/* The cost of what is computed, whole register tiles. */
static double cost_of(const sqa_register_tile *tile, const sqa_product *p)
{
    const uint32_t columns = (uint32_t)(tile->lanes * tile->vectors);
    const uint32_t rows = (uint32_t)tile->broadcasts;
    return (double)((p->n + columns - 1) / columns * columns) *
           (double)((p->m + rows - 1) / rows * rows) * tile->cost;
}

static const sqa_register_tile *best_tile(const sqa_product *p, const sqa_device *device)
{
    const sqa_register_tile *tiles = sqa_architecture_find(device)->register_tiles;
    const sqa_register_tile *best = NULL;
    for (int i = 0; i < SQA_REGISTER_TILES && tiles[i].lanes; i++)
        if (!best || cost_of(&tiles[i], p) < 0.97 * cost_of(best, p))
            best = &tiles[i];
    return best;
}

/* Rows of A at multiples of 4096 bytes meet in few places of a first-level cache. */
static bool rows_collide(const sqa_product *p)
{
    return p->m > 1 && p->a.row > 0 && p->a.row % 1024 == 0;
}

static bool keeps_busy(const sqa_product *p, const int32_t *value, const sqa_device *device)
{
    const sqa_matmul_block block = block_of(value);
    return sqa_matmul_keeps_busy(p, &block, device, 4.0);
}

/* The most products of a panel that a first-level cache holds beside a row tile. */
static int32_t depth_of(const sqa_register_tile *tile)
{
    const sqa_parameter *depth = &parameters[DEPTH];
    const int32_t panel_bytes = (int32_t)sizeof(float) * tile->lanes * tile->vectors;
    int32_t most = depth->values[0];
    for (size_t i = 0; i < depth->value_count && depth->values[i] <= 256; i++)
        if (depth->values[i] * panel_bytes <= 24 * 1024)
            most = depth->values[i];
    return most;
}

/* Blocks of C, in rows and panels: those that fill the caches first. */
static const int32_t blocks[][2] = {{96, 16}, {96, 8}, {96, 4}, {32, 4}, {32, 1}, {8, 1}};

static void set_block(int32_t *value, size_t block)
{
    const sqa_parameter *tiles = &parameters[TILES];
    value[TILES] = tiles->values[0];
    for (size_t i = 0; i < tiles->value_count; i++)
        if (tiles->values[i] * value[MR] <= blocks[block][0])
            value[TILES] = tiles->values[i];
    value[PANELS] = blocks[block][1];
}

/* The largest block of which there are enough; long sums are divided first. Few sizes, since
 * each is a program. */
static void default_config(const sqa_problem *problem, const sqa_device *device, sqa_config *config)
{
    const sqa_product *p = &problem->of.product;
    const sqa_register_tile *tile = best_tile(p, device);
    const int32_t most_bytes = sqa_architecture_find(device)->private_bytes;
    const char *why = NULL;
    int32_t *value = config->value;
    memset(config, 0, sizeof *config);
    value[LANES] = tile->lanes;
    value[NV] = tile->vectors;
    value[MR] = tile->broadcasts;
    set_block(value, 0);
    value[DEPTH] = depth_of(tile);
    value[UNROLL] = 4;
    value[PACK] = p->dtype != SQA_DTYPE_F32 || p->transpose_a || rows_collide(p);
    value[SPLIT] = 1;
    while (value[SPLIT] < 16 && !keeps_busy(p, value, device) &&
           p->k >= 2048u * (uint32_t)value[SPLIT])
        value[SPLIT] *= 2;
    for (size_t i = 1; i < sizeof blocks / sizeof *blocks &&
                       (!keeps_busy(p, value, device) || private_bytes(value, p) > most_bytes);
         i++)
        set_block(value, i);
    while (value[SPLIT] > 1 && !is_valid(config, problem, device, &why))
        value[SPLIT] /= 2;
}

static const char *const fragments[] = {
    "common/types.cl",
    "matmul/arguments.cl",
    "matmul/rows_shape.cl",
    "common/vectors.cl",
    "common/activation.cl",
    "common/stored.cl",
    "matmul/finish.cl",
    "matmul/rows_pack.cl",
    "matmul/rows.cl",
    "matmul/block.cl",
    NULL,
};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    const int32_t *value = config->value;
    sqa_source_vectors(out, device);
    sqa_source_each(out, "ROW", value[MR]);
    sqa_source_each(out, "VECTOR", value[NV]);
    sqa_source_each_of(out, "ROW_VECTOR", value[MR], value[NV]);
    sqa_source_matmul_blocks(out, problem, true);
    sqa_source_fragments(out, &sqa_rows_matmul);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_product *p = &problem->of.product;
    const sqa_matmul_block block = block_of(config->value);
    const sqa_matmul_layout l = sqa_matmul_layout_of(p, &block);
    (void)device;
    if (p->k > 0)
        sqa_matmul_add_pack("sqa_rows_pack", PACK_ROWS, problem, &block, &l, out);
    sqa_matmul_add_blocks(problem, &block, &l, out);
}

const sqa_kernel_family sqa_rows_matmul = {
    .name = "rows",
    .summary = "CPU: vector lanes are columns of C, B is packed once",
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
