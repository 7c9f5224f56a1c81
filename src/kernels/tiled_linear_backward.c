/* tiled, of the gradients of linear attention: the GPU family. Work-groups have slices of a state
 * while chunks of tokens pass by, then a chunk each; the algorithm is in
 * cl/linear/tiled_backward.cl. */
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
    [COLUMNS] = {"COLUMNS", "columns of the state in local memory", {4, 8, 16, 32, 64}, 5},
    [TX] = {"TX", "threads across keys, columns and rows' elements", {2, 4, 8, 16}, 4},
    [TY] = {"TY", "threads across tokens", {2, 4, 8, 16, 32}, 5},
    [VEC] = {"VEC", "elements of a vector load", {1, 2, 4}, 3},
    [PAD] = {"PAD", "1: rows of local tiles are an odd number of vectors", {0, 1}, 2},
};

/* Rows of the state that a thread updates at a time: TR of cl/linear/tiled_shape.cl. */
#define STATE_ROWS 4

/* Numbers that the workspace has of a row of dO where it is divided: `divisor` of
 * cl/linear/tiled_backward_shape.cl. */
#define DIVISOR_NUMBERS 3

static uint32_t rows_of(const int32_t *value, const sqa_linear *l)
{
    const uint32_t vec = (uint32_t)value[VEC];
    return vec * sqa_divide_up(l->attention.head_dim, vec);
}

/* Of a matrix of the chunk's pairs, and of its rows. */
static uint64_t square_of(const int32_t *value)
{
    return (uint64_t)value[CHUNK] * (uint64_t)(value[CHUNK] | value[PAD]);
}

static uint64_t tile_of(const int32_t *value, const sqa_linear *l)
{
    return (uint64_t)value[CHUNK] * (uint64_t)value[VEC] *
           sqa_tile_pitch(value[VEC], value[PAD], l->attention.head_dim);
}

/* Of the kernel that has a slice of the state's gradient. */
static uint64_t slice_floats(const int32_t *value, const sqa_linear *l)
{
    const uint64_t columns = (uint64_t)value[COLUMNS], chunk = (uint64_t)value[CHUNK];
    return (rows_of(value, l) + chunk) * columns + 2 * tile_of(value, l) +
           (l->causal ? square_of(value) : 0) + (l->delta ? square_of(value) + chunk : 0) +
           (l->normalise ? rows_of(value, l) : 0);
}

/* Of the kernel that has a chunk; what divides dO has less. */
static uint64_t chunk_floats(const int32_t *value, const sqa_linear *l)
{
    const uint64_t columns = (uint64_t)value[COLUMNS], chunk = (uint64_t)value[CHUNK];
    const uint64_t tile = tile_of(value, l), square = square_of(value);
    uint64_t floats = 2 * tile + 2 * chunk * columns + columns * (tile / chunk);
    if (l->causal)
        floats += square;
    if (l->delta)
        floats += chunk;
    if (l->decay == SQA_DECAY_CHANNEL)
        floats += 2 * tile + (chunk + 1) * rows_of(value, l);
    else if (l->decay != SQA_DECAY_NONE)
        floats += 2 * square + rows_of(value, l) + chunk * (2 * (uint64_t)value[TX] + 1);
    else if (l->normalise)
        floats += 2 * chunk * ((uint64_t)value[TX] + 1);
    return floats;
}

static uint64_t local_bytes(const int32_t *value, const sqa_linear *l)
{
    const uint64_t slice = slice_floats(value, l), of_chunk = chunk_floats(value, l);
    const uint64_t logs = l->decay == SQA_DECAY_NONE      ? 0
                          : l->decay == SQA_DECAY_CHANNEL ? rows_of(value, l)
                                                          : 1;
    return 4 * ((slice > of_chunk ? slice : of_chunk) + 2 * (uint64_t)value[CHUNK] * logs);
}

static uint32_t most(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* Vectors of a row of Q or K that a thread has. */
static uint32_t row_vectors(const int32_t *value, const sqa_linear *l)
{
    return sqa_divide_up(rows_of(value, l) / (uint32_t)value[VEC], (uint32_t)value[TX]);
}

/* Of a thread: gradients of rows and keys, on their way to memory and with what they are added up
 * of, or what a slice takes; decays per channel are differences of pairs, and taken many at a time.
 */
static uint32_t registers(const int32_t *value, const sqa_linear *l)
{
    const uint32_t vec = (uint32_t)value[VEC];
    const uint32_t tokens = (uint32_t)(value[CHUNK] / value[TY]);
    const uint32_t keys = (uint32_t)(value[CHUNK] / value[TX]);
    const uint32_t columns = (uint32_t)(value[COLUMNS] / value[TX]);
    const uint32_t row = row_vectors(value, l) * vec;
    const uint32_t pairs = tokens * keys + (keys + 1) * vec;
    const uint32_t decays = l->decay == SQA_DECAY_CHANNEL ? 3 * tokens * keys * vec : 0;
    const uint32_t of_chunk = 3 * tokens * row + tokens * keys + most(row + tokens * vec, pairs);
    const uint32_t slice = tokens * columns + most(pairs + decays, columns + tokens * vec);
    return most(most(of_chunk, slice), tokens * columns + (STATE_ROWS + 1) * columns + 1);
}

static bool is_valid(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                     const char **why)
{
    const sqa_linear *l = &problem->of.linear;
    const int32_t *value = config->value;
    return sqa_linear_tiles_are_whole(value, l, parameters[COLUMNS].values[0], why) &&
           sqa_linear_tiles_fit(value, device, local_bytes(value, l), registers(value, l), why);
}

enum { FOR_LITTLE_MEMORY = 6 };
static const sqa_config defaults[] = {
    {{32, 32, 8, 16, 4, 1}},  {{16, 32, 8, 8, 4, 1}},  {{16, 32, 8, 16, 4, 1}},
    {{16, 32, 16, 16, 2, 1}}, {{16, 16, 4, 16, 4, 1}}, {{16, 8, 4, 16, 2, 1}},
    {{8, 32, 8, 8, 4, 1}},    {{8, 16, 8, 8, 2, 1}},   {{8, 8, 4, 8, 2, 1}},
    {{8, 4, 4, 8, 1, 1}},     {{4, 4, 4, 4, 1, 1}},    {{4, 4, 2, 4, 1, 1}},
    {{4, 4, 2, 2, 1, 1}},
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
    "common/types.cl",
    "linear/arguments.cl",
    "linear/gradients.cl",
    "common/lanes.cl",
    "linear/tiled_shape.cl",
    "linear/tiled_decay.cl",
    "linear/tiled_tiles.cl",
    "linear/tiled_backward_shape.cl",
    "linear/tiled_backward_tiles.cl",
    "linear/tiled_backward_states.cl",
    "linear/tiled_backward_rows.cl",
    "linear/tiled_backward.cl",
    NULL,
};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    (void)config;
    sqa_source_subgroup_size(out, device, 1);
    sqa_source_linear(out, problem, sqa_linear_backward_tables);
    sqa_source_fragments(out, &sqa_tiled_linear_backward);
}

/* Where there is a larger file of registers, kernels of many parts need it sooner than the count
 * says. */
enum { SPARE_REGISTERS = 16 };

static sqa_build_needs needs(const sqa_config *config, const sqa_problem *problem,
                             const sqa_device *device)
{
    const uint32_t count = registers(config->value, &problem->of.linear) + SPARE_REGISTERS;
    return (sqa_build_needs){.option = sqa_register_option(device, count)};
}

/* Of a key/value head, as cl/linear/tiled_backward_shape.cl says; a multiple of all vectors. */
static uint64_t head_floats(const int32_t *value, const sqa_linear *l)
{
    const sqa_attention *a = &l->attention;
    const uint64_t columns = (uint64_t)sqa_linear_slices(value, l) * (uint64_t)value[COLUMNS];
    const uint64_t chunks = sqa_divide_up(a->kv_length, (uint32_t)value[CHUNK]);
    const uint64_t kept = l->causal && chunks > 0 ? chunks : 1;
    const uint64_t rows = (uint64_t)sqa_attention_group(a) * a->q_length;
    const uint64_t floats = 2 * kept * rows_of(value, l) * (columns + l->normalise) +
                            (l->delta ? 2 * a->kv_length * columns : 0) +
                            (l->normalise ? rows * DIVISOR_NUMBERS : 0);
    return (floats + 3) / 4 * 4;
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_linear *l = &problem->of.linear;
    const sqa_attention *a = &l->attention;
    const int32_t *value = config->value;
    const uint32_t slices = sqa_linear_slices(value, l), x = (uint32_t)value[TX],
                   y = (uint32_t)value[TY];
    const uint32_t chunks = sqa_divide_up(most(a->q_length, a->kv_length), (uint32_t)value[CHUNK]);
    const uint32_t of_keys = sqa_divide_up(a->kv_length, (uint32_t)value[CHUNK]);
    const sqa_linear_step steps[] = {
        {"sqa_tiled_linear_states", slices, x, y},
        {"sqa_tiled_linear_divisors", l->normalise ? chunks : 0, x, y},
        {"sqa_tiled_linear_gradients", slices, x, y},
        {"sqa_tiled_linear_values", l->delta ? 0 : of_keys * slices, x, y},
        {"sqa_tiled_linear_chunks", chunks, x, y},
    };
    (void)device;
    sqa_linear_backward_launch(problem, steps, sizeof steps / sizeof *steps, head_floats(value, l),
                               chunks, out);
}

const sqa_kernel_family sqa_tiled_linear_backward = {
    .name = "tiled",
    .summary = "GPU: work-groups share chunks of tokens through local memory, by states kept",
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
    .needs = needs,
};
