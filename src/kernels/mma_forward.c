/* mma: matrix units, f16, bf16 and, for who allows it, f32 as tf32; see cl/forward/mma.cl. A
 * driver's compiler has to be seen to take its instructions and to make the right thing of them:
 * without a measurement it is used only where a probe found that out, in a process of its own. */
#include <stdlib.h>
#include <string.h>

#include "kernels/families.h"
#include "kernels/source.h"
#include "kernels/thread_tiles.h"
#include "kernels/work_division.h"
#include "problem/names.h"

enum { BM, BN, ASYNC, PARAMETER_COUNT };

static const sqa_parameter parameters[PARAMETER_COUNT] = {
    [BM] = {"BM", "query rows of a work-group, 16 of a wave (Xe-HPG: 8)", {16, 32, 64, 128}, 4},
    [BN] = {"BN", "keys of a key tile", {16, 32, 64, 128}, 4},
    [ASYNC] = {"ASYNC", "1: K and V are copied while others are computed with (NVIDIA)", {0, 1}, 2},
};

/* Of a product: places, and what head dimensions are multiples of. */
#define STEP 16
#define LONGEST_DIM 128

/* A wave of `lanes` computes with `rows` query rows. `factor_words`: what a lane has of a
 * product's inner elements of them. `registers`: the most of a lane, by the count below, that
 * compilers spill none of; 0: what the architecture says. Sources of the figures:
 * cl/forward/mma_units.cl. */
typedef struct {
    const char *name; /* of $SQA_CL_TEST_MATRIX_UNITS */
    int number;       /* of the kernel's MATRIX_UNIT */
    const char *vendor, *runtime, *architecture;
    uint32_t nv_major; /* and later */
    uint32_t lanes, rows, factor_words, registers;
} matrix_unit;

static const matrix_unit matrix_units[] = {
    {"mma", 1, "nvidia", "nvidia", "", 8, 32, 16, 4, 0},
    {"mfma", 2, "amd", "amd", "gfx90a", 0, 64, 16, 2, 0},
    {"mfma", 2, "amd", "amd", "gfx94", 0, 64, 16, 2, 0},
    {"wmma", 3, "amd", "amd", "gfx11", 0, 32, 16, 8, 112},
    {"dpas8", 4, "intel", "intel", "xe-hpg", 0, 8, 8, 8, 96},
    {"dpas16", 5, "intel", "intel", "xe-hpc", 0, 16, 16, 8, 96},
};
enum { UNITS = sizeof matrix_units / sizeof *matrix_units };

static const matrix_unit *unit_there(const sqa_device *device)
{
    const sqa_device_identity *is = &device->identity;
    for (size_t i = 0; i < UNITS; i++) {
        const matrix_unit *unit = &matrix_units[i];
        if (!strcmp(is->vendor, unit->vendor) && !strcmp(is->runtime, unit->runtime) &&
            !strncmp(is->architecture, unit->architecture, strlen(unit->architecture)) &&
            device->strings.nv_major >= unit->nv_major)
            return unit;
    }
    return NULL;
}

/* Tests run the kernel elsewhere, with products by definition. */
static const matrix_unit *unit_simulated(const sqa_device *device)
{
#ifdef SQA_CL_TEST_SWITCHES
    const char *name = getenv("SQA_CL_TEST_MATRIX_UNITS");
    for (size_t i = 0; name && device->limits.max_work_group_size >= 256 && i < UNITS; i++)
        if (!strcmp(name, matrix_units[i].name))
            return &matrix_units[i];
#else
    (void)device;
#endif
    return NULL;
}

static bool has_unit(const sqa_device *device)
{
    return unit_there(device) || unit_simulated(device);
}

/* Of a device without one, whose configurations and source may be looked at: the first. */
static const matrix_unit *unit_of(const sqa_device *device)
{
    const matrix_unit *there = unit_there(device);
    const matrix_unit *simulated = unit_simulated(device);
    return there ? there : simulated ? simulated : &matrix_units[0];
}

static bool is_transposed(const matrix_unit *unit)
{
    return unit->number != matrix_units[0].number;
}

static bool supports(const sqa_problem *problem, const sqa_device *device, const char **why)
{
    const sqa_attention *attention = &problem->of.attention;
    if (!has_unit(device))
        *why = "needs matrix units: NVIDIA's of compute capability 8.0 or more, AMD's of gfx90a, "
               "gfx94x and gfx11xx, Intel's of Xe-HPG and Xe-HPC, by their vendors' runtimes";
    else if (attention->kv_dtype != attention->dtype)
        *why = "needs f16 or bf16, the same for all tensors";
    else if (attention->dtype == SQA_DTYPE_F32 && attention->products != SQA_PRODUCTS_TF32)
        *why = "needs f16 or bf16, or f32 whose products may be of tf32";
    else if (attention->dtype == SQA_DTYPE_F32 && is_transposed(unit_of(device)))
        *why = "has products of tf32 by NVIDIA's units only";
    else if (attention->head_dim % STEP || attention->value_dim % STEP ||
             attention->head_dim > LONGEST_DIM || attention->value_dim > LONGEST_DIM)
        *why = "needs head dimensions that are multiples of 16, of 128 at most";
    else if (attention->score & SQA_SCORE_DROPOUT)
        *why = "does not drop weights";
    else
        return true;
    return false;
}

/* Of a lane that needs all of a row of Q, which then lies in local memory. */
#define WHOLE_ROW 8

/* Rows of the tiles are an odd number of 16 bytes long; those of V may be its columns. */
static uint64_t local_bytes(const int32_t *value, const sqa_attention *attention,
                            const matrix_unit *unit)
{
    const uint32_t bn = (uint32_t)value[BN], dim = attention->value_dim;
    const uint32_t chunk = 16 / (uint32_t)sqa_dtype_size(attention->dtype);
    const uint32_t v_chunks = is_transposed(unit) ? dim * (bn / chunk | 1) : bn * (dim / chunk | 1);
    const uint32_t rows = bn + (unit->factor_words == WHOLE_ROW ? (uint32_t)value[BM] : 0);
    return 16 * ((uint64_t)rows * (attention->head_dim / chunk | 1) + v_chunks) +
           2 * sizeof(int32_t);
}

/* Of a work-item: what it has of Q, the output, and scores with the weights they become. */
static uint32_t registers(const int32_t *value, const sqa_attention *attention,
                          const matrix_unit *unit)
{
    const uint32_t held = 16 * unit->rows / unit->lanes;
    const uint32_t per_word = 4 / (uint32_t)sqa_dtype_size(attention->dtype);
    const uint32_t steps =
        unit->factor_words == WHOLE_ROW ? 1 : attention->head_dim / (8 * per_word);
    return steps * unit->factor_words + attention->value_dim / 16 * held +
           (uint32_t)value[BN] / 16 * (held + held / per_word);
}

static bool registers_suffice(const sqa_device *device, const matrix_unit *unit, uint32_t count)
{
    return unit->registers ? count <= unit->registers : sqa_registers_suffice(device, count);
}

static size_t threads(const int32_t *value, const matrix_unit *unit)
{
    return (size_t)value[BM] / unit->rows * unit->lanes;
}

static bool is_valid(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                     const char **why)
{
    const sqa_attention *attention = &problem->of.attention;
    const matrix_unit *unit = unit_of(device);
    const int32_t *value = config->value;
    if (threads(value, unit) > device->limits.max_work_group_size)
        *why = "the work-group is larger than the device allows";
    else if (value[BM] > parameters[BM].values[0] &&
             (uint64_t)value[BM] >= 4 * (uint64_t)attention->q_length)
        *why = "three quarters of the tile would have no rows";
    else if (value[ASYNC] && is_transposed(unit))
        *why = "only NVIDIA's units have copies to local memory that go on by themselves";
    else if (local_bytes(value, attention, unit) > device->limits.local_memory_bytes)
        *why = "the tiles do not fit the device's local memory";
    else if (unit_there(device) &&
             !registers_suffice(device, unit, registers(value, attention, unit)))
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
    /* By reasoning, not measured: it takes no more local memory, registers or barriers, and hides
     * hundreds of cycles that a load takes. */
    value[ASYNC] = !is_transposed(unit_of(device));
    const int32_t least = parameters[BM].values[0];
    for (value[BM] = 64; value[BM] >= least; value[BM] /= 2)
        for (value[BN] = 64; value[BN] >= least; value[BN] /= 2)
            if (is_valid(config, problem, device, &why))
                return;
    value[BM] = value[BN] = least;
}

static const char *const fragments[] = {
    SQA_FORWARD_FRAGMENTS,  "forward/sharing.cl",       "forward/walk_tiles.cl",
    "forward/mma_units.cl", "forward/mma_simulated.cl", "forward/mma_instructions.cl",
    "forward/mma_rows.cl",  "forward/mma.cl",           NULL,
};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    const matrix_unit *unit = unit_of(device);
    (void)config;
    sqa_source_exp2(out, device);
    sqa_source_subgroup_size(out, device, unit->lanes);
    sqa_text_format(out, "#define MATRIX_UNIT %d\n#define SIMULATED %d\n", unit->number,
                    !unit_there(device));
    sqa_source_forward(out, problem, false);
    sqa_source_fragments(out, &sqa_mma_forward);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_attention *attention = &problem->of.attention;
    const int32_t *value = config->value;
    sqa_launch_step *step = sqa_launch_add_step(out, "sqa_mma_forward", 3);
    step->local[0] = threads(value, unit_of(device));
    step->local[1] = step->local[2] = 1;
    step->global[0] = sqa_row_blocks(attention, false, value[BM]) * step->local[0];
    step->global[1] = sqa_matrix_count(attention, false);
    step->global[2] = attention->batch;
    sqa_forward_launch(problem, device, 1, value[BN], out);
}

/* Where there is a larger file, it has the totals, too. */
static sqa_build_needs needs(const sqa_config *config, const sqa_problem *problem,
                             const sqa_device *device)
{
    const sqa_attention *attention = &problem->of.attention;
    const matrix_unit *unit = unit_of(device);
    const uint32_t totals = attention->value_dim * unit->rows / unit->lanes;
    const uint32_t count = registers(config->value, attention, unit) + totals;
    return (sqa_build_needs){NULL, sqa_register_option(device, count)};
}

/* Every instruction there is, with rows and keys beyond whole tiles. */
static const char *const probes[] = {
    "hq=2,hkv=1,nq=50,nk=83,d=64,dtype=f16,causal",
    "hq=2,hkv=1,nq=50,nk=83,d=64,dtype=bf16,causal",
    "hq=2,hkv=1,nq=50,nk=83,d=64,products=tf32,causal",
    NULL,
};

const sqa_kernel_family sqa_mma_forward = {
    .name = "mma",
    .summary = "GPU with matrix units: products by them, of f16, bf16, and f32 where tf32 may do",
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
    .needs = needs,
    .probes = probes,
};
