/* rows, of the matrix product: for CPUs. Vector lanes are columns of C; the algorithm is in
 * cl/matmul/rows.cl, the register tiles are expanded here. */
#include <string.h>

#include "device/architectures.h"
#include "kernels/families.h"
#include "kernels/matmul_arguments.h"
#include "kernels/register_tiles.h"
#include "kernels/source.h"
#include "operations/matmul/slots.h"

enum { LANES, NV, MR, TILES, PANELS, DEPTH, UNROLL, PACK, SPLIT, PARAMETER_COUNT };

static const sqa_parameter parameters[PARAMETER_COUNT] = {
    [LANES] = {"LANES", "columns of C in a vector", {4, 8, 16}, 3},
    [NV] = {"NV", "column vectors in a register tile", {1, 2, 3, 4}, 4},
    [MR] = {"MR", "rows in a register tile", {1, 2, 3, 4, 6, 8}, 6},
    [TILES] = {"TILES", "row tiles of a work-item", {1, 2, 4, 8, 16, 24, 32, 48, 64}, 9},
    [PANELS] = {"PANELS", "panels of columns of a work-item", {1, 2, 4, 8}, 4},
    [DEPTH] = {"DEPTH", "products that are added up at a time", {64, 128, 256, 512}, 4},
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

/* How the work is divided, and where everything is in the workspace: packed B, then packed
 * B2, then the sums of parts. */
typedef struct layout {
    int32_t panels;     /* of a matrix B */
    int32_t b_count;    /* matrices B: one, or as many as the batch */
    int64_t part_depth; /* products of a part, a multiple of DEPTH */
    int64_t parts_at;   /* elements of f32 */
    size_t row_blocks, column_blocks;
    double workspace_bytes; /* which may be more than any memory */
} layout;

static layout layout_of(const sqa_product *p, const int32_t *value)
{
    layout l;
    const uint32_t panel = (uint32_t)(value[LANES] * value[NV]);
    const uint32_t rows = (uint32_t)(value[MR] * value[TILES]);
    const int64_t depths = ((int64_t)p->k + value[DEPTH] - 1) / value[DEPTH];
    const double matrices = p->gated ? 2 : 1;
    l.panels = (int32_t)((p->n + panel - 1) / panel);
    l.b_count = p->b.batch && p->batch > 1 ? (int32_t)p->batch : 1;
    l.part_depth = (depths + value[SPLIT] - 1) / value[SPLIT] * value[DEPTH];
    l.row_blocks = (p->m + rows - 1) / rows;
    l.column_blocks = ((size_t)l.panels + (size_t)value[PANELS] - 1) / (size_t)value[PANELS];
    const double width = (double)l.panels * panel;
    const double packed = matrices * l.b_count * width * p->k;
    const double parts = value[SPLIT] > 1 ? matrices * value[SPLIT] * width * p->m * p->batch : 0.0;
    l.parts_at = (int64_t)packed;
    l.workspace_bytes = sizeof(float) * (packed + parts);
    return l;
}

static int32_t private_bytes(const int32_t *value, const sqa_product *p)
{
    const int32_t rows = value[MR] * value[TILES];
    const int32_t columns = value[LANES] * value[NV] * value[PANELS];
    const int32_t block = value[PACK] ? rows * (value[DEPTH] + 16) : 0;
    return 4 * (rows * columns * (p->gated ? 2 : 1) + block);
}

/* Work-items are enough for every core without dividing the products. */
static bool is_wide(const sqa_product *p, const int32_t *value, const sqa_device *device)
{
    const layout l = layout_of(p, value);
    const double items = (double)l.row_blocks * (double)l.column_blocks * p->batch;
    return items >= 8.0 * device->strings.compute_units;
}

static bool is_valid(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                     const char **why)
{
    const sqa_product *p = &problem->of.product;
    const int32_t *value = config->value;
    const sqa_architecture *here = sqa_architecture_find(device);
    const int32_t registers_per_vector = value[LANES] > here->vector_lanes ? 2 : 1;
    const uint64_t most = device->limits.max_allocation_bytes;
    if (value[NV] * value[MR] * registers_per_vector > here->accumulators)
        *why = "the register tile does not fit the registers";
    else if (private_bytes(value, p) > here->private_bytes)
        *why = "the block of C does not fit the private memory";
    else if (!value[PACK] && (p->dtype != SQA_DTYPE_F32 || p->transpose_a))
        *why = "storage other than f32 and a transposed A need PACK";
    else if (value[SPLIT] > 1 && is_wide(p, value, device))
        *why = "the elements of C alone keep every core busy without SPLIT";
    else if (most > 0 && layout_of(p, value).workspace_bytes > (double)most)
        *why = "the packed matrix is larger than the device's largest buffer";
    else
        return true;
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

/* Four neighbours of a packed column of A are fetched as a vector, which compilers then take
 * apart in the very units that multiply. */
static bool is_taken_apart(const sqa_register_tile *tile, const sqa_product *p)
{
    return p->transpose_a && tile->broadcasts % 4 == 0;
}

static const sqa_register_tile *best_tile(const sqa_product *p, const sqa_device *device)
{
    const sqa_register_tile *tiles = sqa_architecture_find(device)->register_tiles;
    const sqa_register_tile *best = NULL;
    for (int i = 0; i < SQA_REGISTER_TILES && tiles[i].lanes; i++)
        if (!is_taken_apart(&tiles[i], p) &&
            (!best || cost_of(&tiles[i], p) < 0.97 * cost_of(best, p)))
            best = &tiles[i];
    return best ? best : &tiles[0];
}

/* Rows of A at multiples of 4096 bytes meet in few places of a first-level cache. */
static bool rows_collide(const sqa_product *p)
{
    return p->m > 1 && p->a.row > 0 && p->a.row % 1024 == 0;
}

static bool keeps_busy(const sqa_product *p, const int32_t *value, const sqa_device *device)
{
    const layout l = layout_of(p, value);
    return (double)l.row_blocks * (double)l.column_blocks * p->batch * value[SPLIT] >=
           4.0 * device->strings.compute_units;
}

/* Blocks of C, in rows and panels: those that fill the caches first. */
static const int32_t blocks[][2] = {{96, 8}, {96, 4}, {32, 4}, {32, 1}, {8, 1}};

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
    const char *why = NULL;
    int32_t *value = config->value;
    memset(config, 0, sizeof *config);
    value[LANES] = tile->lanes;
    value[NV] = tile->vectors;
    value[MR] = tile->broadcasts;
    set_block(value, 0);
    value[DEPTH] = 256;
    value[UNROLL] = 4;
    value[PACK] = p->dtype != SQA_DTYPE_F32 || p->transpose_a || rows_collide(p);
    value[SPLIT] = 1;
    while (value[SPLIT] < 16 && !keeps_busy(p, value, device) &&
           p->k >= 2048u * (uint32_t)value[SPLIT])
        value[SPLIT] *= 2;
    for (size_t i = 1; i < sizeof blocks / sizeof *blocks && !keeps_busy(p, value, device); i++)
        set_block(value, i);
    while (value[SPLIT] > 1 && !is_valid(config, problem, device, &why))
        value[SPLIT] /= 2;
}

#define LAID_OUT(name) #name, SQA_TYPE_INT, SQA_IN_VALUES(layout, name)
#define PLACE(name) #name, SQA_TYPE_LONG, SQA_IN_VALUES(layout, name)

static const sqa_argument_row layout_rows[] = {
    {SQA_WORKSPACE("float *restrict ")},
    {LAID_OUT(panels)},
    {LAID_OUT(b_count)},
    {PLACE(part_depth)},
    {PLACE(parts_at)},
    {0},
};

static const sqa_argument_row *const tables[] = {sqa_matmul_rows, layout_rows, NULL};

static const char *const fragments[] = {
    "common/types.cl",      "matmul/arguments.cl",
    "matmul/rows_shape.cl", "common/vectors.cl",
    "matmul/activation.cl", "matmul/finish.cl",
    "matmul/parts.cl",      "matmul/rows_pack.cl",
    "matmul/rows.cl",       NULL,
};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    const int32_t *value = config->value;
    (void)device;
    sqa_source_each(out, "ROW", value[MR]);
    sqa_source_each(out, "VECTOR", value[NV]);
    sqa_source_each_of(out, "ROW_VECTOR", value[MR], value[NV]);
    sqa_source_matmul(out, problem, tables);
    sqa_source_fragments(out, &sqa_rows_matmul);
}

/* A step of work-items that are work-groups. */
static void add_step(const char *kernel, size_t x, size_t y, size_t z, const sqa_problem *problem,
                     const layout *l, sqa_launch *launch)
{
    sqa_launch_step *step = sqa_launch_add_step(launch, kernel, 3);
    const size_t global[3] = {x, y, z};
    for (int i = 0; i < 3; i++) {
        step->global[i] = global[i];
        step->local[i] = 1;
    }
    sqa_arguments_fill(launch, step, tables, problem, l);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_product *p = &problem->of.product;
    const int32_t split = config->value[SPLIT];
    const layout l = layout_of(p, config->value);
    (void)device;
    if (p->k > 0)
        add_step("sqa_rows_pack", (size_t)l.panels, (p->k + PACK_ROWS - 1) / PACK_ROWS,
                 (size_t)l.b_count * (p->gated ? 2 : 1), problem, &l, out);
    add_step("sqa_rows_matmul", l.row_blocks, l.column_blocks, (size_t)p->batch * (size_t)split,
             problem, &l, out);
    if (split > 1)
        add_step("sqa_combine_parts", l.row_blocks, l.column_blocks, p->batch, problem, &l, out);
    out->workspace_bytes = (size_t)l.workspace_bytes;
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
