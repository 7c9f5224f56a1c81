/* rows: the CPU family. Vector lanes are query rows, one work-item a group; the
 * algorithm is in cl/forward/rows.cl, the register tiles are expanded here. */
#include <string.h>

#include "kernels/families.h"
#include "kernels/source.h"

enum { LANES, RV, MC, MD, TILES, KEYS, UNROLL };

static const sqa_parameter parameters[] = {
    [LANES] = {"LANES", "query rows in a vector", {4, 8, 16}, 3},
    [RV] = {"RV", "row vectors in a register tile", {1, 2, 3, 4}, 4},
    [MC] = {"MC", "keys in a score register tile", {1, 2, 3, 4, 6, 8}, 6},
    [MD] = {"MD", "columns in an output register tile", {1, 2, 3, 4, 6, 8}, 6},
    [TILES] = {"TILES", "row tiles of a work-item", {1, 2, 4}, 3},
    [KEYS] = {"KEYS", "keys of a key tile", {24, 48, 96, 128, 192, 256}, 6},
    [UNROLL] = {"UNROLL", "unrolling of the inner loops", {1, 2, 4, 8}, 4},
};

/* More accumulators than this spill on every CPU known; fewer leave fma idle. */
#define MAX_ACCUMULATORS 24

/* Of private memory, so that it stays in the second-level cache and off small
 * thread stacks. */
#define MAX_PRIVATE_BYTES (384 * 1024)

static bool supports(const sqa_problem *problem, const sqa_device *device, const char **why)
{
    (void)problem;
    if (device->strings.type == SQA_DEVICE_CPU)
        return true;
    *why = "needs a CPU device";
    return false;
}

static int32_t private_bytes(const sqa_config *config, const sqa_problem *problem)
{
    const int32_t *value = config->value;
    int32_t rows = value[LANES] * value[RV];
    int32_t per_row = (int32_t)(problem->head_dim + problem->value_dim) + value[MD] + 3;
    return 4 * rows * (value[TILES] * per_row + value[KEYS]);
}

static bool is_valid(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                     const char **why)
{
    (void)device;
    const int32_t *value = config->value;
    const int32_t registers_per_vector = value[LANES] == 16 ? 2 : 1;
    if (value[KEYS] % value[MC] != 0)
        *why = "KEYS must be a multiple of MC";
    else if (value[RV] * value[MC] * registers_per_vector > MAX_ACCUMULATORS ||
             value[RV] * value[MD] * registers_per_vector > MAX_ACCUMULATORS)
        *why = "the register tile does not fit the registers";
    else if (private_bytes(config, problem) > MAX_PRIVATE_BYTES)
        *why = "the row tiles do not fit the private memory";
    else
        return true;
    return false;
}

/* 3 x 4 accumulators of 8 lanes, 128 keys: the best of a sweep on AVX2 (0.84 of
 * its FMA ceiling at head_dim 64). Large heads take fewer rows. */
static void default_config(const sqa_problem *problem, const sqa_device *device, sqa_config *config)
{
    const char *why = NULL;
    memset(config, 0, sizeof *config);
    config->value[LANES] = 8;
    config->value[RV] = 3;
    config->value[MC] = 4;
    config->value[MD] = 4;
    config->value[TILES] = 2;
    config->value[KEYS] = 128;
    config->value[UNROLL] = 4;
    if (!is_valid(config, problem, device, &why))
        config->value[TILES] = 1;
}

/* "#define EACH_<name>(M) M(0) ..." over `count`. */
static void each(sqa_text *out, const char *name, int32_t count)
{
    sqa_text_format(out, "#define EACH_%s(M)", name);
    for (int32_t i = 0; i < count; i++)
        sqa_text_format(out, " M(%d)", (int)i);
    sqa_text_append(out, "\n");
}

/* "#define EACH_<name>_ROW(M) M(0, 0) ..." over `count` times RV. */
static void each_row(sqa_text *out, const char *name, int32_t count, int32_t rows)
{
    sqa_text_format(out, "#define EACH_%s_ROW(M)", name);
    for (int32_t i = 0; i < count; i++)
        for (int32_t r = 0; r < rows; r++)
            sqa_text_format(out, " M(%d, %d)", (int)i, (int)r);
    sqa_text_append(out, "\n");
}

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    (void)device;
    const int32_t *value = config->value;
    sqa_source_parameters(out, &sqa_rows_forward, config);
    each(out, "ROW", value[RV]);
    each(out, "KEY", value[MC]);
    each_row(out, "KEY", value[MC], value[RV]);
    each(out, "COLUMN", value[MD]);
    each_row(out, "COLUMN", value[MD], value[RV]);
    sqa_source_forward(out, problem);
    sqa_source_fragment(out, "forward/rows.cl");
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    (void)device;
    const size_t rows = (size_t)(config->value[LANES] * config->value[RV] * config->value[TILES]);
    sqa_launch_step *step = &out->steps[out->step_count++];
    step->kernel = "sqa_rows_forward";
    step->dimensions = 3;
    step->global[0] = (problem->q_length + rows - 1) / rows;
    step->global[1] = problem->out_heads;
    step->global[2] = problem->batch;
    for (int i = 0; i < 3; i++)
        step->local[i] = 1;
    sqa_forward_arguments(problem, step);
}

const sqa_kernel_family sqa_rows_forward = {
    .name = "rows",
    .summary = "CPU: vector lanes are query rows, one work-item a group",
    .operation = SQA_OPERATION_FORWARD,
    .space_version = 1,
    .parameters = parameters,
    .parameter_count = sizeof parameters / sizeof *parameters,
    .supports = supports,
    .is_valid = is_valid,
    .default_config = default_config,
    .source = source,
    .launch = launch,
};
