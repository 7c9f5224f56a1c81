/* rows, of a backward pass: the CPU family. Vector lanes are keys, one work-item a group; the
 * algorithm is in cl/backward/rows.cl, the register tiles are expanded here. */
#include <string.h>

#include "device/architectures.h"
#include "kernels/backward_arguments.h"
#include "kernels/families.h"
#include "kernels/register_tiles.h"
#include "kernels/source.h"

enum { LANES, RV, MC, MQ, NV, TILES, QUERIES, UNROLL, PACK, SPLIT, APART, PARAMETER_COUNT };

static const sqa_parameter parameters[PARAMETER_COUNT] = {
    [LANES] = {"LANES", "keys in a vector", {4, 8, 16}, 3},
    [RV] = {"RV", "key vectors in a register tile", {1, 2, 3, 4}, 4},
    [MC] = {"MC", "queries, and columns of dK and dV, in a register tile", {1, 2, 3, 4, 6, 8}, 6},
    [MQ] = {"MQ", "queries in a register tile of dQ", {4, 6, 8, 12}, 4},
    [NV] = {"NV", "column vectors in a register tile of dQ", {1, 2}, 2},
    [TILES] = {"TILES", "key tiles that a work-item holds at a time", {1, 2, 4}, 3},
    [QUERIES] = {"QUERIES", "queries of a query tile", {48, 96, 192, 384}, 4},
    [UNROLL] = {"UNROLL", "unrolling of the inner loops", {2, 4}, 2},
    [PACK] = {"PACK", "1: query tiles are copied to private f32 for all key tiles", {0, 1}, 2},
    [SPLIT] = {"SPLIT", "work-items that divide a head's keys: copies of dQ", {1, 2, 4, 8, 16}, 5},
    [APART] = {"APART", "1: dQ by as many work-items that divide queries, in one copy", {0, 1}, 2},
};

/* Work-items per compute unit beyond which a split only costs. */
#define ENOUGH_ITEMS 16

static bool supports(const sqa_problem *problem, const sqa_device *device, const char **why)
{
    (void)problem;
    return sqa_vectors_can_run(device, why);
}

static int32_t up_to(int32_t multiple, int32_t n)
{
    return (n + multiple - 1) / multiple * multiple;
}

/* Columns of a row of dQ's sums. */
static int32_t sum_columns(const int32_t *value, const sqa_attention *a)
{
    return up_to(value[LANES] * value[NV], (int32_t)a->head_dim);
}

static int32_t private_bytes(const int32_t *value, const sqa_attention *a)
{
    const int32_t dim = (int32_t)a->head_dim, value_dim = (int32_t)a->value_dim;
    const int32_t tile = value[LANES] * value[RV], queries = value[QUERIES];
    const int32_t per_key = dim + value_dim + up_to(value[MC], dim) + up_to(value[MC], value_dim) +
                            sum_columns(value, a) + 2;
    const int32_t score_tiles = 1 + value[TILES] + sqa_attention_has_stored_scores(a) +
                                (a->score & SQA_SCORE_SOFTCAP ? 1 : 0) +
                                (a->score & SQA_SCORE_DROPOUT ? 1 : 0);
    const int32_t per_query = tile * score_tiles + value[PACK] * (dim + value_dim) + 12;
    return 4 * (value[TILES] * tile * per_key + queries * per_query);
}

static uint64_t work_items(const sqa_attention *a)
{
    return (uint64_t)a->batch * a->kv_heads;
}

static bool is_valid(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                     const char **why)
{
    const sqa_attention *a = &problem->of.attention;
    const int32_t *value = config->value;
    const sqa_architecture *here = sqa_architecture_find(device);
    const int32_t most = here->accumulators / (value[LANES] > here->vector_lanes ? 2 : 1);
    if (value[QUERIES] % value[MC] != 0 || value[QUERIES] % value[MQ] != 0)
        *why = "QUERIES must be a multiple of MC and MQ";
    else if (value[RV] * value[MC] > most || value[MQ] * value[NV] > most)
        *why = "the register tile does not fit the registers";
    else if (private_bytes(value, a) > here->private_bytes)
        *why = "the tiles do not fit the private memory";
    else if (!value[PACK] && a->dtype != SQA_DTYPE_F32)
        *why = "storage other than f32 needs PACK";
    else if (value[SPLIT] > 1 && work_items(a) >= ENOUGH_ITEMS * device->strings.compute_units)
        *why = "the heads alone keep every core busy without SPLIT";
    else
        return true;
    return false;
}

/* The fewest splits by which nine tenths of the cores' time is work, or as near as it gets. */
static int32_t default_split(const sqa_attention *a, const sqa_device *device)
{
    const sqa_parameter *split = &parameters[SPLIT];
    const uint64_t cores = device->strings.compute_units ? device->strings.compute_units : 1;
    int32_t best = 1;
    double most = 0.0;
    for (size_t i = 0; i < split->value_count && most < 0.9; i++) {
        const uint64_t items = work_items(a) * (uint64_t)split->values[i];
        const double busy = (double)items / (double)((items + cores - 1) / cores * cores);
        if (busy > most) {
            most = busy;
            best = split->values[i];
        }
    }
    return best;
}

/* The shorter rows are, the more of them the caches hold. */
static int32_t default_queries(uint32_t dim)
{
    return dim <= 32 ? 384 : dim <= 64 ? 192 : 48;
}

/* Smaller until it fits: fewer key tiles, then fewer queries, then fewer keys in each. */
static void fit(const sqa_problem *problem, const sqa_device *device, sqa_config *config)
{
    const int32_t most = sqa_architecture_find(device)->private_bytes;
    int32_t *value = config->value;
    while (private_bytes(value, &problem->of.attention) > most) {
        if (value[TILES] > 1)
            value[TILES] /= 2;
        else if (value[QUERIES] > parameters[QUERIES].values[0])
            value[QUERIES] /= 2;
        else if (value[RV] > 1)
            value[RV]--;
        else
            break;
    }
}

static void default_config(const sqa_problem *problem, const sqa_device *device, sqa_config *config)
{
    const sqa_attention *a = &problem->of.attention;
    const sqa_register_tile *tile = sqa_architecture_find(device)->register_tiles;
    const uint32_t dim = a->head_dim > a->value_dim ? a->head_dim : a->value_dim;
    int32_t *value = config->value;
    memset(config, 0, sizeof *config);
    value[LANES] = tile->lanes;
    value[RV] = tile->vectors;
    value[MC] = tile->broadcasts;
    /* Two vectors where they are not filled up with zeros, and 12 accumulators. */
    value[NV] = 2;
    if (sum_columns(value, a) > up_to(tile->lanes, (int32_t)a->head_dim))
        value[NV] = 1;
    value[MQ] = 12 / value[NV];
    value[TILES] = 2;
    value[QUERIES] = default_queries(dim);
    value[UNROLL] = 4;
    value[PACK] = a->dtype != SQA_DTYPE_F32;
    value[SPLIT] = default_split(a, device);
    fit(problem, device, config);
}

static const sqa_argument_row *const tables[] = {sqa_backward_rows, sqa_core_gradient_rows,
                                                 sqa_backward_sum_rows, sqa_pattern_rows, NULL};

static const char *const fragments[] = {
    SQA_BACKWARD_FRAGMENTS,   "common/vectors.cl",
    "backward/rows_shape.cl", "forward/rows_weight.cl",
    "backward/rows_tiles.cl", "backward/sums.cl",
    "backward/rows.cl",       NULL,
};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    const int32_t *value = config->value;
    sqa_source_vectors(out, device);
    sqa_source_each(out, "VECTOR", value[RV]);
    sqa_source_each(out, "QUERY", value[MC]);
    sqa_source_each_of(out, "QUERY_VECTOR", value[MC], value[RV]);
    sqa_source_each(out, "COLUMN", value[MC]);
    sqa_source_each_of(out, "COLUMN_VECTOR", value[MC], value[RV]);
    sqa_source_each(out, "SUM_QUERY", value[MQ]);
    sqa_source_each(out, "SUM_VECTOR", value[NV]);
    sqa_source_each_of(out, "SUM", value[MQ], value[NV]);
    sqa_source_backward(out, problem);
    sqa_arguments_print(out, "SQA_BACKWARD_ARGUMENTS", tables, problem);
    sqa_source_fragments(out, &sqa_rows_backward_core);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_attention *a = &problem->of.attention;
    const sqa_forward_values values = sqa_forward_values_of(a);
    const int32_t splits = config->value[SPLIT], apart = config->value[APART];
    const uint32_t gradients = problem->of.backward.gradients;
    const bool of_keys = !apart || gradients & (SQA_GRADIENT_K | SQA_GRADIENT_V);
    const bool of_queries = apart && gradients & SQA_GRADIENT_Q;
    (void)device;
    sqa_launch_step *step = sqa_launch_add_step(out, "sqa_rows_backward", 3);
    step->global[0] = (size_t)splits * ((size_t)of_keys + of_queries);
    step->global[1] = a->kv_heads;
    step->global[2] = a->batch;
    for (int i = 0; i < 3; i++)
        step->local[i] = 1;
    sqa_arguments_fill(out, step, tables, problem, &values);
    sqa_backward_add_sums(out, problem, tables, apart ? 1 : (uint32_t)splits,
                          (uint32_t)sum_columns(config->value, a));
}

const sqa_kernel_family sqa_rows_backward_core = {
    .name = "rows",
    .summary = "CPU: vector lanes are keys, one work-item a group",
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
};
