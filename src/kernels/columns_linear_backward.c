/* columns, of the gradients of linear attention: for CPUs. Vector lanes are rows of the state; the
 * algorithm is in cl/linear/columns_backward.cl, the register tiles are expanded here. */
#include <string.h>

#include "device/architectures.h"
#include "kernels/families.h"
#include "kernels/linear_arguments.h"
#include "kernels/register_tiles.h"
#include "kernels/source.h"

enum { LANES, NV, MR, CHUNK, PARAMETER_COUNT };

static const sqa_parameter parameters[PARAMETER_COUNT] = {
    [LANES] = {"LANES", "rows of the state in a vector", {4, 8, 16}, 3},
    [NV] = {"NV", "vectors in a register tile", {1, 2, 3, 4}, 4},
    [MR] = {"MR", "rows in a register tile", {1, 2, 3, 4, 6, 8}, 6},
    [CHUNK] = {"CHUNK", "tokens that are computed together", {4, 8, 12, 16, 24, 32, 48, 64}, 8},
};

/* Matrices of a chunk, as in cl/linear/columns_backward_shape.cl. */
enum { ROW_MATRICES = 13, VALUE_MATRICES = 7, SQUARES = 4, SINGLE_ROWS = 3 };

/* Whole vectors and whole register tiles of each dimension. */
typedef struct sizes {
    uint64_t row_pitch, value_pitch, tokens, state_rows;
} sizes;

static uint64_t up(uint64_t n, uint64_t to)
{
    return (n + to - 1) / to * to;
}

static sizes sizes_of(const int32_t *value, const sqa_linear *l)
{
    const uint64_t tile = (uint64_t)value[LANES] * (uint64_t)value[NV];
    const uint64_t rows = (uint64_t)value[MR];
    sizes out;
    out.state_rows = up((uint64_t)l->attention.value_dim + l->normalise, rows);
    out.row_pitch = up(l->attention.head_dim, tile);
    out.value_pitch = up(out.state_rows, tile);
    out.tokens = up(up((uint64_t)value[CHUNK], rows), tile);
    return out;
}

static bool supports(const sqa_problem *problem, const sqa_device *device, const char **why)
{
    (void)problem;
    return sqa_vectors_can_run(device, why);
}

static bool is_valid(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                     const char **why)
{
    const int32_t *value = config->value;
    const sqa_architecture *here = sqa_architecture_find(device);
    const int32_t registers_per_vector = value[LANES] > here->vector_lanes ? 2 : 1;
    (void)problem;
    if (value[NV] * value[MR] * registers_per_vector > here->accumulators)
        *why = "the register tile does not fit the registers";
    else if (value[CHUNK] < value[MR])
        *why = "CHUNK is smaller than MR";
    else if (value[CHUNK] < value[LANES])
        *why = "CHUNK is smaller than LANES";
    else
        return true;
    return false;
}

/* By measurement on AVX2. The longer a chunk, the fewer states are kept and gone through; the more
 * work are the pairs of its tokens. Both are whole tiles of 24. */
static int32_t default_chunk(const sqa_linear *l)
{
    return l->attention.head_dim <= 16 ? 24 : 48;
}

/* The cost of what is computed of states and of the pairs of a chunk, whole register tiles. */
static double cost_of(const sqa_register_tile *tile, const sqa_linear *l)
{
    const int32_t value[PARAMETER_COUNT] = {tile->lanes, tile->vectors, tile->broadcasts,
                                            default_chunk(l)};
    const sizes s = sizes_of(value, l);
    return (double)(s.row_pitch * (s.state_rows + s.tokens)) * tile->cost;
}

/* Vectors of two registers cost more here than where their tiles were measured, and are left out.
 */
static void default_config(const sqa_problem *problem, const sqa_device *device, sqa_config *config)
{
    const sqa_linear *l = &problem->of.linear;
    const sqa_architecture *here = sqa_architecture_find(device);
    const sqa_register_tile *tiles = here->register_tiles, *best = &tiles[0];
    for (int i = 1; i < SQA_REGISTER_TILES && tiles[i].lanes; i++)
        if (tiles[i].lanes <= here->vector_lanes && cost_of(&tiles[i], l) < 0.97 * cost_of(best, l))
            best = &tiles[i];
    memset(config, 0, sizeof *config);
    config->value[LANES] = best->lanes;
    config->value[NV] = best->vectors;
    config->value[MR] = best->broadcasts;
    config->value[CHUNK] = default_chunk(l);
}

static const char *const fragments[] = {
    "common/types.cl",
    "linear/arguments.cl",
    "linear/gradients.cl",
    "linear/columns_backward_shape.cl",
    "common/vectors.cl",
    "linear/columns_elements.cl",
    "linear/columns_backward_tile.cl",
    "linear/columns_backward_decay.cl",
    "linear/columns_backward_chunk.cl",
    "linear/columns_backward.cl",
    NULL,
};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    const int32_t *value = config->value;
    const sizes s = sizes_of(value, &problem->of.linear);
    const struct {
        const char *name;
        uint64_t value;
    } derived[] = {{"ROW_PITCH", s.row_pitch},
                   {"VALUE_PITCH", s.value_pitch},
                   {"TOKENS", s.tokens},
                   {"STATE_ROWS", s.state_rows}};
    sqa_source_vectors(out, device);
    sqa_source_each(out, "ROW", value[MR]);
    sqa_source_each(out, "VECTOR", value[NV]);
    sqa_source_each_of(out, "ROW_VECTOR", value[MR], value[NV]);
    for (size_t i = 0; i < sizeof derived / sizeof *derived; i++)
        sqa_text_format(out, "#define %s %u\n", derived[i].name, (unsigned)derived[i].value);
    sqa_source_linear(out, problem, sqa_linear_backward_tables);
    sqa_source_fragments(out, &sqa_columns_linear_backward);
}

/* Of a head, besides the matrices of a chunk: the state's gradient, and states before each chunk;
 * without causal the one before and the one behind the chunk that is looked at. */
static uint64_t head_floats(const int32_t *value, const sqa_linear *l)
{
    const sizes s = sizes_of(value, l);
    const uint64_t chunks =
        ((uint64_t)l->attention.kv_length + (uint64_t)value[CHUNK] - 1) / (uint64_t)value[CHUNK];
    const uint64_t kept = l->causal ? chunks + (chunks == 0) : 2;
    return ROW_MATRICES * s.tokens * s.row_pitch + VALUE_MATRICES * s.tokens * s.value_pitch +
           SQUARES * s.tokens * s.tokens + SINGLE_ROWS * s.row_pitch +
           (kept + 1) * s.state_rows * s.row_pitch;
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_linear_step step = {"sqa_columns_linear_backward", 1, 1, 1};
    (void)device;
    sqa_linear_backward_launch(problem, &step, 1, head_floats(config->value, &problem->of.linear),
                               1, out);
}

const sqa_kernel_family sqa_columns_linear_backward = {
    .name = "columns",
    .summary = "CPU: vector lanes are rows of the state, chunks of tokens by states kept",
    .operation = SQA_OPERATION_LINEAR_BACKWARD,
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
