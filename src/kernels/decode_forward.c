/* decode: for CPUs and few queries, whose cost is to read K and V; see cl/forward/decode.cl. */
#include <string.h>

#include "device/architectures.h"
#include "kernels/families.h"
#include "kernels/register_tiles.h"
#include "kernels/source.h"
#include "kernels/work_division.h"

enum { LANES, MR, WIDE, TILES, KEYS, AHEAD, EXP, SPLIT_KEYS, PARAMETER_COUNT };

static const sqa_parameter parameters[PARAMETER_COUNT] = {
    [LANES] = {"LANES", "floats in a vector", {4, 8, 16}, 3},
    [MR] = {"MR", "query rows that are multiplied at a time", {1, 2, 4, 8}, 4},
    [WIDE] = {"WIDE",
              "keys, and vectors of columns, that they are multiplied with",
              {1, 2, 3, 4, 6, 8},
              6},
    [TILES] = {"TILES", "times MR, the query rows of a work-item", {1, 2, 4, 8, 16}, 5},
    [KEYS] = {"KEYS", "keys of a key tile", {16, 32, 64, 128}, 4},
    [AHEAD] = {"AHEAD", "1: K and V are asked for a key tile ahead", {0, 1}, 2},
    [EXP] = {"EXP", "0: exp2 by a polynomial, 1: by the runtime", {0, 1}, 2},
    [SPLIT_KEYS] = {"SPLIT_KEYS", "keys of a work-item", {256, 512, 1024, 2048, 4096}, 5},
};

/* More compute for longer than they read. */
#define MOST_QUERIES 16

static bool supports(const sqa_problem *problem, const sqa_device *device, const char **why)
{
    const sqa_attention *attention = &problem->of.attention;
    if (attention->q_length > MOST_QUERIES)
        *why = "is for at most 16 queries";
    else if (sqa_attention_group(attention) > 1 && !sqa_sharing_can_run(attention))
        *why = "needs the same block list for all query heads of a key/value head";
    else
        return sqa_vectors_can_run(device, why);
    return false;
}

static int32_t rows_of(const int32_t *value)
{
    return value[MR] * value[TILES];
}

/* Vectors of rows that scores are made of: none, of few rows. */
static int32_t row_vectors(const int32_t *value)
{
    const int32_t rows = rows_of(value);
    return rows % (2 * value[LANES]) == 0 ? 2 : rows % value[LANES] == 0 ? 1 : 0;
}

/* Keys that such scores are made of at a time. */
static int32_t pass_keys(const int32_t *value)
{
    return value[MR] * value[WIDE] / (row_vectors(value) ? row_vectors(value) : 1);
}

static int32_t private_bytes(const int32_t *value, const sqa_attention *attention)
{
    const int32_t per_row =
        (int32_t)(attention->head_dim + attention->value_dim) + 2 * value[LANES] + 20 + value[KEYS];
    const int32_t per_tile = 9 * value[LANES] + 8 + 2 * value[MR] * (value[KEYS] + 32);
    const int32_t places = attention->mask & SQA_MASK_PAGED ? 2 * 4 * value[KEYS] : 0;
    const int32_t converted =
        pass_keys(value) * (int32_t)attention->head_dim + value[KEYS] * value[WIDE] * value[LANES];
    return 4 * (rows_of(value) * per_row + value[TILES] * per_tile + places + converted);
}

static bool is_valid(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                     const char **why)
{
    const sqa_architecture *here = sqa_architecture_find(device);
    const int32_t *value = config->value;
    if (value[LANES] > here->vector_lanes || value[MR] * value[WIDE] > here->accumulators)
        *why = "the register tile does not fit the registers";
    else if (value[MR] > value[LANES] || value[MR] * value[WIDE] % 4 != 0)
        *why = "scores come in vectors of whole keys, and four at a time";
    else if (private_bytes(value, &problem->of.attention) > here->private_bytes)
        *why = "the rows do not fit the private memory";
    else
        return true;
    return false;
}

/* All rows of a key/value head, so that K and V are read once. Nothing here follows from the
 * batch or the number of cores: results would. */
static void default_config(const sqa_problem *problem, const sqa_device *device, sqa_config *config)
{
    const sqa_attention *attention = &problem->of.attention;
    const uint64_t rows = (uint64_t)attention->q_length * sqa_attention_group(attention);
    const char *why = NULL;
    int32_t *value = config->value;
    memset(config, 0, sizeof *config);
    value[LANES] = sqa_architecture_find(device)->vector_lanes;
    value[MR] = rows > 2 ? 4 : rows == 2 ? 2 : 1;
    value[WIDE] = 8 / value[MR];
    value[TILES] = 16;
    value[KEYS] = 32;
    value[AHEAD] = 1;
    value[SPLIT_KEYS] = 1024;
    while (value[TILES] > 1 && (uint64_t)rows_of(value) / 2 >= rows)
        value[TILES] /= 2;
    while (value[TILES] > 1 && !is_valid(config, problem, device, &why))
        value[TILES] /= 2;
    if (value[TILES] == 1) /* what is asked for ahead stays nearer, and older output is little */
        value[KEYS] = 16;
}

static const char *const fragments[] = {
    SQA_FORWARD_FRAGMENTS,      "common/vectors.cl",
    "forward/rows_weight.cl",   "forward/decode_shape.cl",
    "forward/sharing.cl",       "forward/split.cl",
    "forward/decode_scores.cl", "forward/decode_tiles.cl",
    "forward/decode.cl",        NULL,
};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    const int32_t *value = config->value;
    sqa_source_vectors(out, device);
    sqa_source_each(out, "ROW", value[MR]);
    sqa_source_each(out, "WIDE", value[WIDE]);
    sqa_source_each_of(out, "TILE", value[MR], value[WIDE]);
    sqa_text_format(out, "#define ROW_VECTORS %d\n#define PASS %d\n", (int)row_vectors(value),
                    (int)pass_keys(value));
    sqa_source_each(out, "PASS", pass_keys(value));
    sqa_source_combine(out, device);
    sqa_source_forward(out, problem, true);
    sqa_source_fragments(out, &sqa_decode_forward);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_attention *attention = &problem->of.attention;
    const int32_t *value = config->value;
    sqa_launch_step *step = sqa_launch_add_step(out, "sqa_decode_forward", 3);
    step->global[0] = sqa_row_blocks(attention, true, rows_of(value));
    step->global[1] = sqa_matrix_count(attention, true);
    step->global[2] =
        (size_t)attention->batch * (size_t)sqa_splits_of_size(attention, value[SPLIT_KEYS]);
    for (int i = 0; i < 3; i++)
        step->local[i] = 1;
    sqa_forward_launch_by_size(problem, device, value[SPLIT_KEYS], out);
}

const sqa_kernel_family sqa_decode_forward = {
    .name = "decode",
    .summary = "CPU, few queries: K and V are read once, in place",
    .operation = SQA_OPERATION_FORWARD,
    .space_version = 2,
    .parameters = parameters,
    .parameter_count = PARAMETER_COUNT,
    .fragments = fragments,
    .supports = supports,
    .is_valid = is_valid,
    .default_config = default_config,
    .source = source,
    .launch = launch,
};
