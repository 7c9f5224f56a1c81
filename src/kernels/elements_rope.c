/* elements, of rotary position embedding: for CPUs. Vectors of a row, one after the other; the
 * cosines and sines of a position serve all heads. */
#include <string.h>

#include "kernels/families.h"
#include "kernels/register_tiles.h"
#include "kernels/rope_arguments.h"
#include "kernels/source.h"
#include "kernels/thread_tiles.h"

enum { LANES, ROWS };

static const sqa_parameter parameters[] = {
    [LANES] = {"LANES", "elements of a vector", {4, 8, 16}, 3},
    [ROWS] = {"ROWS", "positions of a work-item", {1, 4, 16, 64}, 4},
};

static const char *const fragments[] = {"common/types.cl",  "common/vectors.cl", "common/stored.cl",
                                        "rope/position.cl", "rope/elements.cl",  NULL};

static bool supports(const sqa_problem *problem, const sqa_device *device, const char **why)
{
    *why = "Hadamard blocks are for naive only";
    return !problem->of.rotation.hadamard && sqa_vectors_can_run(device, why);
}

static void default_config(const sqa_problem *problem, const sqa_device *device, sqa_config *config)
{
    const sqa_rotation *r = &problem->of.rotation;
    (void)device;
    memset(config, 0, sizeof *config);
    config->value[LANES] = 8;
    config->value[ROWS] = (uint64_t)r->length * r->batch < 64  ? 1
                          : (uint64_t)r->heads * r->dim < 1024 ? 16
                                                               : 4;
}

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    (void)config, (void)device;
    sqa_source_rope(out, problem);
    sqa_source_fragments(out, &sqa_elements_rope);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_rotation *r = &problem->of.rotation;
    (void)device;
    sqa_launch_step *step = sqa_launch_add_step(out, "sqa_rope", 2);
    step->global[0] = sqa_divide_up(r->length, (uint32_t)config->value[ROWS]);
    step->global[1] = r->batch;
    step->local[0] = step->local[1] = 1;
    sqa_arguments_fill(out, step, sqa_rope_tables, problem, NULL);
}

const sqa_kernel_family sqa_elements_rope = {
    .name = "elements",
    .summary = "CPU: vectors of a row, one after the other",
    .operation = SQA_OPERATION_ROPE,
    .space_version = 1,
    .parameters = parameters,
    .parameter_count = sizeof parameters / sizeof *parameters,
    .fragments = fragments,
    .supports = supports,
    .is_valid = sqa_family_runs_all,
    .default_config = default_config,
    .source = source,
    .launch = launch,
};
