/* mma: matrix units, f16 and bf16; see cl/forward/mma.cl. It stands behind the other families in
 * the registry, so that no default is made of it: a driver's compiler has to be seen to take its
 * instructions and to make the right thing of them, which is what a trial does, in a process of its
 * own. What won there is used; a driver that refuses it later falls back. */
#include <stdlib.h>
#include <string.h>

#include "kernels/families.h"
#include "kernels/source.h"
#include "kernels/thread_tiles.h"
#include "kernels/work_division.h"

enum { BM, BN, PARAMETER_COUNT };

static const sqa_parameter parameters[PARAMETER_COUNT] = {
    [BM] = {"BM", "query rows of a work-group, 16 of a warp", {16, 32, 64, 128}, 4},
    [BN] = {"BN", "keys of a key tile", {16, 32, 64, 128}, 4},
};

/* Of a product's sides: inner elements, and columns of two products. */
#define STEP 16
#define LONGEST_DIM 128

/* NVIDIA's from Ampere on; PTX ISA, mma.sync.m16n8k16. */
static bool has_matrix_units(const sqa_device *device)
{
    return !strcmp(device->identity.vendor, "nvidia") &&
           !strcmp(device->identity.runtime, "nvidia") && device->strings.nv_major >= 8;
}

/* Tests run the rest of the kernel elsewhere, with products by definition. */
static bool runs_without(const sqa_device *device)
{
#ifdef SQA_CL_TEST_SWITCHES
    return getenv("SQA_CL_TEST_MATRIX_UNITS") && device->limits.max_work_group_size >= 256;
#else
    (void)device;
    return false;
#endif
}

static bool supports(const sqa_problem *problem, const sqa_device *device, const char **why)
{
    const sqa_attention *attention = &problem->of.attention;
    if (!has_matrix_units(device) && !runs_without(device))
        *why = "needs matrix units: NVIDIA's of compute capability 8.0 or more";
    else if (attention->dtype == SQA_DTYPE_F32 || attention->kv_dtype != attention->dtype)
        *why = "needs f16 or bf16, the same for all tensors";
    else if (attention->head_dim % STEP || attention->value_dim % STEP ||
             attention->head_dim > LONGEST_DIM || attention->value_dim > LONGEST_DIM)
        *why = "needs head dimensions that are multiples of 16, of 128 at most";
    else if (attention->score & SQA_SCORE_DROPOUT)
        *why = "does not drop weights";
    else
        return true;
    return false;
}

/* Rows of both tiles are an odd number of 16 bytes long. */
static uint64_t local_bytes(const int32_t *value, const sqa_attention *attention)
{
    const uint32_t chunks = (attention->head_dim / 8 | 1) + (attention->value_dim / 8 | 1);
    return 16u * (uint64_t)value[BN] * chunks + 2 * sizeof(int32_t);
}

/* Of a work-item: Q, the output, and scores with the weights they become. */
static uint32_t registers(const int32_t *value, const sqa_attention *attention)
{
    return attention->head_dim / 4 + attention->value_dim / 2 + 3 * (uint32_t)value[BN] / 4;
}

static bool is_valid(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                     const char **why)
{
    const sqa_attention *attention = &problem->of.attention;
    const int32_t *value = config->value;
    if ((size_t)value[BM] * 2 > device->limits.max_work_group_size)
        *why = "the work-group is larger than the device allows";
    else if (value[BM] > parameters[BM].values[0] &&
             (uint64_t)value[BM] >= 4 * (uint64_t)attention->q_length)
        *why = "three quarters of the tile would have no rows";
    else if (local_bytes(value, attention) > device->limits.local_memory_bytes)
        *why = "the tiles do not fit the device's local memory";
    else if (has_matrix_units(device) &&
             !sqa_registers_suffice(device, registers(value, attention)))
        *why = "what a thread holds does not fit the registers";
    else
        return true;
    return false;
}

static void default_config(const sqa_problem *problem, const sqa_device *device, sqa_config *config)
{
    const char *why = NULL;
    int32_t *value = config->value;
    memset(config, 0, sizeof *config);
    value[BM] = value[BN] = 64;
    while (value[BM] > parameters[BM].values[0] && !is_valid(config, problem, device, &why))
        value[BM] /= 2;
    while (value[BN] > parameters[BN].values[0] && !is_valid(config, problem, device, &why))
        value[BN] /= 2;
}

static const char *const fragments[] = {
    SQA_FORWARD_FRAGMENTS,
    "forward/sharing.cl",
    "forward/walk_tiles.cl",
    "forward/mma_units.cl",
    "forward/mma_rows.cl",
    "forward/mma.cl",
    NULL,
};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    (void)config;
    sqa_source_exp2(out, device);
    sqa_text_format(out, "#define MATRIX_UNITS %d\n", has_matrix_units(device));
    sqa_source_forward(out, problem, false);
    sqa_source_fragments(out, &sqa_mma_forward);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_attention *attention = &problem->of.attention;
    const int32_t *value = config->value;
    sqa_launch_step *step = sqa_launch_add_step(out, "sqa_mma_forward", 3);
    step->local[0] = 2 * (size_t)value[BM];
    step->local[1] = step->local[2] = 1;
    step->global[0] = sqa_row_blocks(attention, false, value[BM]) * step->local[0];
    step->global[1] = sqa_matrix_count(attention, false);
    step->global[2] = attention->batch;
    sqa_forward_launch(problem, device, 1, value[BN], out);
}

const sqa_kernel_family sqa_mma_forward = {
    .name = "mma",
    .summary = "NVIDIA GPU, f16 and bf16: products by matrix units",
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
