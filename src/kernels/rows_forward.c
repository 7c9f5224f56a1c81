/* rows: the CPU family. Vector lanes are query rows, one work-item a group; the
 * algorithm is in cl/forward/rows.cl, the register tiles are expanded here. */
#include <string.h>

#include "device/architectures.h"
#include "kernels/families.h"
#include "kernels/register_tiles.h"
#include "kernels/source.h"
#include "kernels/work_division.h"

enum { LANES, RV, MC, MD, TILES, KEYS, UNROLL, PACK, EXP, SHARE, SPLIT, PARAMETER_COUNT };

static const sqa_parameter parameters[PARAMETER_COUNT] = {
    [LANES] = {"LANES", "query rows in a vector", {4, 8, 16}, 3},
    [RV] = {"RV", "row vectors in a register tile", {1, 2, 3, 4}, 4},
    [MC] = {"MC", "keys in a score register tile", {1, 2, 3, 4, 6, 8}, 6},
    [MD] = {"MD", "columns in an output register tile", {1, 2, 3, 4, 6, 8}, 6},
    [TILES] = {"TILES", "row tiles of a work-item", {1, 2, 4}, 3},
    [KEYS] = {"KEYS", "keys of a key tile", {24, 48, 96, 128, 192, 256}, 6},
    [UNROLL] = {"UNROLL", "unrolling of the inner loops", {1, 2, 4, 8}, 4},
    [PACK] = {"PACK", "1: key tiles are copied to private f32 once for all row tiles", {0, 1}, 2},
    [EXP] = {"EXP", "0: exp2 by a polynomial, 1: by the runtime", {0, 1}, 2},
    [SHARE] = {"SHARE", "1: query heads of one key/value head share its tiles", {0, 1}, 2},
    [SPLIT] = {"SPLIT", "work-items that divide the keys among them", {1, 2, 4, 8, 16}, 5},
};

static bool supports(const sqa_problem *problem, const sqa_device *device, const char **why)
{
    (void)problem;
    return sqa_vectors_can_run(device, why);
}

static int32_t private_bytes(const sqa_config *config, const sqa_attention *attention)
{
    const int32_t *value = config->value;
    int32_t rows = value[LANES] * value[RV];
    int32_t per_row = (int32_t)(attention->head_dim + attention->value_dim) + value[MD] + 12 +
                      (attention->score & SQA_SCORE_DROPOUT ? 2 : 0);
    int32_t packed =
        value[PACK] * value[KEYS] * (int32_t)(attention->head_dim + attention->value_dim);
    int32_t scores = value[KEYS] * (sqa_attention_has_stored_scores(attention) ? 2 : 1);
    return 4 * (rows * (value[TILES] * per_row + scores) + packed);
}

/* Rows of a work-item. */
static int32_t rows_of(const int32_t *value)
{
    return value[LANES] * value[RV] * value[TILES];
}

static bool needs_packing(const sqa_attention *attention)
{
    return attention->kv_dtype != SQA_DTYPE_F32 || attention->mask & SQA_MASK_PAGED;
}

static bool is_valid(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                     const char **why)
{
    const sqa_attention *attention = &problem->of.attention;
    const int32_t *value = config->value;
    const sqa_architecture *here = sqa_architecture_find(device);
    const int32_t registers_per_vector = value[LANES] > here->vector_lanes ? 2 : 1;
    if (value[KEYS] % value[MC] != 0)
        *why = "KEYS must be a multiple of MC";
    else if (value[RV] * value[MC] * registers_per_vector > here->accumulators ||
             value[RV] * value[MD] * registers_per_vector > here->accumulators)
        *why = "the register tile does not fit the registers";
    else if (private_bytes(config, attention) > here->private_bytes)
        *why = "the row tiles do not fit the private memory";
    else if (!value[PACK] && needs_packing(attention))
        *why = "storage other than f32, and pages, need PACK";
    else if (value[SHARE] && !sqa_sharing_can_run(attention))
        *why = sqa_sharing_needs;
    else if (value[SPLIT] > 1 &&
             !sqa_split_can_pay(attention, value[SHARE], rows_of(value), device))
        *why = "the rows alone keep every core busy without SPLIT";
    else
        return true;
    return false;
}

/* The cost of the rows that the busiest core takes. */
static uint64_t cost_of(const sqa_register_tile *tile, const sqa_attention *attention,
                        const sqa_device *device)
{
    const int32_t rows = tile->lanes * tile->vectors;
    const uint64_t cores = device->strings.compute_units ? device->strings.compute_units : 1;
    const uint64_t rounds = (sqa_work_groups(attention, false, rows) + cores - 1) / cores;
    return rounds * (uint64_t)(rows * tile->cost);
}

/* Two row tiles fetch keys half as often as one, and four pack them half as often as two; but
 * every core is to have some work-items, and blocks of queries no rest. With biases and masks,
 * the rows of one tile are as many as the caches take. */
static int32_t default_tiles(const sqa_attention *attention, const sqa_device *device,
                             const int32_t *value)
{
    const bool blocks = attention->mask & SQA_MASK_BLOCKS;
    const uint64_t enough = 4 * (uint64_t)device->strings.compute_units;
    const int32_t rows = value[LANES] * value[RV];
    int32_t tiles = needs_packing(attention) ? 4 : 2;
    if (sqa_attention_has_stored_scores(attention))
        return 1;
    while (tiles > 1 && (sqa_work_groups(attention, false, tiles * rows) < enough ||
                         (blocks && attention->blocks.query_size % (uint32_t)(tiles * rows) != 0)))
        tiles /= 2;
    return tiles;
}

/* Some 128 keys, a multiple of MC. A row's bias or mask is read in stretches of KEYS: longer
 * ones save 2 % of the time. */
static int32_t default_keys(const sqa_attention *attention, int32_t mc)
{
    const bool longer =
        sqa_attention_has_stored_scores(attention) && !(attention->mask & SQA_MASK_BLOCKS);
    return (mc % 3 == 0 ? 96 : 128) * (longer ? 2 : 1);
}

/* The default with this register tile, with fewer row tiles and keys than are best where those
 * do not fit; false: nothing does. */
static bool complete(const sqa_register_tile *tile, const sqa_problem *problem,
                     const sqa_device *device, sqa_config *out)
{
    const sqa_attention *attention = &problem->of.attention;
    const sqa_parameter *keys = &parameters[KEYS];
    const char *why = NULL;
    int32_t *value = out->value;
    memset(out, 0, sizeof *out);
    value[LANES] = tile->lanes;
    value[RV] = tile->vectors;
    value[MC] = value[MD] = tile->broadcasts;
    value[KEYS] = default_keys(attention, tile->broadcasts);
    value[TILES] = default_tiles(attention, device, value);
    value[UNROLL] = 4;
    value[PACK] = needs_packing(attention);
    value[SPLIT] = 1;
    while (value[TILES] > 1 && !is_valid(out, problem, device, &why))
        value[TILES] /= 2;
    for (size_t i = keys->value_count; i-- > 0 && !is_valid(out, problem, device, &why);)
        if (keys->values[i] < value[KEYS])
            value[KEYS] = keys->values[i];
    return is_valid(out, problem, device, &why);
}

/* MD is as MC. The first register tile is best for many rows. Of few, or of blocks of them,
 * another may have fewer that only fill the last tile, or leave fewer cores idle; being another
 * program to build, it has to save 3 %. */
static void default_config(const sqa_problem *problem, const sqa_device *device, sqa_config *config)
{
    const sqa_attention *attention = &problem->of.attention;
    const sqa_register_tile *tiles = sqa_architecture_find(device)->register_tiles;
    uint64_t least = UINT64_MAX;
    memset(config, 0, sizeof *config);
    for (int i = 0; i < SQA_REGISTER_TILES && tiles[i].lanes; i++) {
        const uint64_t cost = cost_of(&tiles[i], attention, device);
        sqa_config candidate;
        if (cost + cost / 32 < least && complete(&tiles[i], problem, device, &candidate)) {
            *config = candidate;
            least = cost;
        }
    }
}

static const char *const fragments[] = {
    SQA_FORWARD_FRAGMENTS,
    "common/vectors.cl",
    "forward/sharing.cl",
    "forward/split.cl",
    "forward/rows_shape.cl",
    "forward/rows_weight.cl",
    "forward/rows_state.cl",
    "forward/rows_extra.cl",
    "forward/rows_tiles.cl",
    "forward/rows.cl",
    NULL,
};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    const int32_t *value = config->value;
    sqa_source_vectors(out, device);
    sqa_source_each(out, "ROW", value[RV]);
    sqa_source_each(out, "KEY", value[MC]);
    sqa_source_each_of(out, "KEY_ROW", value[MC], value[RV]);
    sqa_source_each(out, "COLUMN", value[MD]);
    sqa_source_each_of(out, "COLUMN_ROW", value[MD], value[RV]);
    sqa_source_combine(out, device);
    sqa_source_forward(out, problem, value[SPLIT] > 1);
    sqa_source_fragments(out, &sqa_rows_forward);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_attention *attention = &problem->of.attention;
    const int32_t *value = config->value;
    sqa_launch_step *step = sqa_launch_add_step(out, "sqa_rows_forward", 3);
    step->global[0] = sqa_row_blocks(attention, value[SHARE], rows_of(value));
    step->global[1] = sqa_matrix_count(attention, value[SHARE]);
    step->global[2] = (size_t)attention->batch * (size_t)value[SPLIT];
    for (int i = 0; i < 3; i++)
        step->local[i] = 1;
    sqa_forward_launch(problem, device, value[SPLIT], value[KEYS], out);
}

const sqa_kernel_family sqa_rows_forward = {
    .name = "rows",
    .summary = "CPU: vector lanes are query rows, one work-item a group",
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
};
