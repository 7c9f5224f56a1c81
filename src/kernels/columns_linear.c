/* columns, of linear attention: for CPUs. Vector lanes are columns of the state; the algorithm is
 * in cl/linear/columns.cl, the register tiles are expanded here. */
#include <string.h>

#include "device/architectures.h"
#include "kernels/families.h"
#include "kernels/linear_arguments.h"
#include "kernels/register_tiles.h"
#include "kernels/source.h"

enum { LANES, NV, MR, CHUNK, PANELS, PARAMETER_COUNT };

static const sqa_parameter parameters[PARAMETER_COUNT] = {
    [LANES] = {"LANES", "columns of the state in a vector", {4, 8, 16}, 3},
    [NV] = {"NV", "column vectors in a register tile", {1, 2, 3, 4}, 4},
    [MR] = {"MR", "rows in a register tile", {1, 2, 3, 4, 6, 8}, 6},
    [CHUNK] = {"CHUNK", "tokens that are computed together", {4, 6, 8, 12, 16, 24, 32, 48, 64}, 9},
    [PANELS] = {"PANELS", "register tiles beside each other of a work-item", {1, 2, 4, 8, 16}, 5},
};

static bool supports(const sqa_problem *problem, const sqa_device *device, const char **why)
{
    (void)problem;
    return sqa_vectors_can_run(device, why);
}

static int32_t columns_of(const int32_t *value)
{
    return value[LANES] * value[NV] * value[PANELS];
}

static uint32_t parts_of(const int32_t *value, const sqa_attention *a)
{
    const uint32_t columns = (uint32_t)columns_of(value);
    return (a->value_dim + columns - 1) / columns;
}

static int32_t private_bytes(const int32_t *value, const sqa_linear *l)
{
    const int32_t rows = (int32_t)l->attention.head_dim + 16;
    const int32_t token_rows = l->decay == SQA_DECAY_CHANNEL ? 5 : 2;
    const int32_t tokens = value[CHUNK] + 16;
    return 4 *
           (rows * columns_of(value) + tokens * (token_rows * rows + columns_of(value) + tokens));
}

static bool is_valid(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                     const char **why)
{
    const sqa_linear *l = &problem->of.linear;
    const int32_t *value = config->value;
    const sqa_architecture *here = sqa_architecture_find(device);
    const int32_t registers_per_vector = value[LANES] > here->vector_lanes ? 2 : 1;
    if (value[NV] * value[MR] * registers_per_vector > here->accumulators)
        *why = "the register tile does not fit the registers";
    else if (value[CHUNK] % value[MR] != 0)
        *why = "CHUNK is not a multiple of MR";
    else if (value[PANELS] > 1 && columns_of(value) / 2 >= (int32_t)l->attention.value_dim)
        *why = "half the PANELS have all columns";
    else if (private_bytes(value, l) > here->private_bytes &&
             (value[PANELS] > 1 || value[CHUNK] > 8))
        *why = "the state does not fit the private memory";
    else
        return true;
    return false;
}

/* The cost of what is computed, whole register tiles. */
static double cost_of(const sqa_register_tile *tile, const sqa_attention *a)
{
    const uint32_t columns = (uint32_t)(tile->lanes * tile->vectors);
    const uint32_t rows = (uint32_t)tile->broadcasts;
    return (double)((a->value_dim + columns - 1) / columns * columns) *
           (double)((a->head_dim + rows - 1) / rows * rows) * tile->cost;
}

static const sqa_register_tile *best_tile(const sqa_attention *a, const sqa_device *device)
{
    const sqa_register_tile *tiles = sqa_architecture_find(device)->register_tiles;
    const sqa_register_tile *best = &tiles[0];
    for (int i = 1; i < SQA_REGISTER_TILES && tiles[i].lanes; i++)
        if (cost_of(&tiles[i], a) < 0.97 * cost_of(best, a))
            best = &tiles[i];
    return best;
}

/* All columns of a head, unless cores would wait. */
static void set_panels(int32_t *value, const sqa_problem *problem, const sqa_device *device)
{
    const sqa_attention *a = &problem->of.attention;
    const uint64_t states = (uint64_t)a->batch * a->kv_heads;
    const sqa_parameter *panels = &parameters[PANELS];
    for (size_t i = 0; i < panels->value_count; i++) {
        sqa_config larger = {{0}};
        const char *why = NULL;
        memcpy(larger.value, value, PARAMETER_COUNT * sizeof *value);
        larger.value[PANELS] = panels->values[i];
        const bool busy = states * parts_of(larger.value, a) >= 2u * device->strings.compute_units;
        if (i == 0 || (busy && is_valid(&larger, problem, device, &why)))
            value[PANELS] = panels->values[i];
    }
}

static void default_config(const sqa_problem *problem, const sqa_device *device, sqa_config *config)
{
    const sqa_attention *a = &problem->of.attention;
    const sqa_register_tile *tile = best_tile(a, device);
    int32_t *value = config->value;
    memset(config, 0, sizeof *config);
    value[LANES] = tile->lanes;
    value[NV] = tile->vectors;
    value[MR] = tile->broadcasts;
    value[CHUNK] = tile->broadcasts % 3 == 0 ? 12 : 16;
    set_panels(value, problem, device);
}

static const char *const fragments[] = {
    SQA_LINEAR_FRAGMENTS,         "linear/columns_shape.cl", "common/vectors.cl",
    "linear/columns_elements.cl", "linear/columns_load.cl",  "linear/columns_decay.cl",
    "linear/columns_scores.cl",   "linear/columns.cl",       NULL,
};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    const int32_t *value = config->value;
    sqa_source_vectors(out, device);
    sqa_source_each(out, "ROW", value[MR]);
    sqa_source_each(out, "VECTOR", value[NV]);
    sqa_source_each_of(out, "ROW_VECTOR", value[MR], value[NV]);
    sqa_source_linear(out, problem, sqa_linear_tables);
    sqa_source_fragments(out, &sqa_columns_linear);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    (void)device;
    sqa_linear_launch(problem, "sqa_columns_linear",
                      parts_of(config->value, &problem->of.attention), 1, 1, out);
}

const sqa_kernel_family sqa_columns_linear = {
    .name = "columns",
    .summary = "CPU: vector lanes are columns of the state, chunks of tokens",
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
};
