/* elements, of normalisation and its gradients: for CPUs. Vectors of a row, one after the other,
 * and rows likewise, so that each is read from memory once; that is what these wait for. */
#include <string.h>

#include "kernels/elements.h"
#include "kernels/families.h"
#include "kernels/norm_arguments.h"
#include "kernels/register_tiles.h"
#include "kernels/source.h"
#include "kernels/thread_tiles.h"

static bool supports(const sqa_problem *problem, const sqa_device *device, const char **why)
{
    (void)problem;
    return sqa_vectors_can_run(device, why);
}

/* Two registers of most CPUs: sums need not wait for the one before. */
static int32_t lanes_for(const sqa_normalisation *n)
{
    return n->dim >= 16 ? 16 : n->dim >= 8 ? 8 : 4;
}

enum { LANES, ROWS };

static const sqa_parameter parameters[] = {
    [LANES] = {"LANES", "elements of a vector", {4, 8, 16}, 3},
    [ROWS] = {"ROWS", "rows of a work-item", {1, 4, 16, 64, 256}, 5},
};

static const char *const fragments[] = {"common/types.cl", "common/vectors.cl", "common/stored.cl",
                                        "norm/vectors.cl", "norm/elements.cl",  NULL};

/* Rows of 64 KiB or so together: enough that starting a work-item costs nothing beside them. */
static void default_config(const sqa_problem *problem, const sqa_device *device, sqa_config *config)
{
    const sqa_normalisation *n = &problem->of.norm;
    (void)device;
    memset(config, 0, sizeof *config);
    config->value[LANES] = lanes_for(n);
    config->value[ROWS] = n->dim >= 4096 ? 4 : n->dim >= 512 ? 16 : 64;
}

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    (void)config, (void)device;
    sqa_source_norm(out, problem);
    sqa_source_fragments(out, &sqa_elements_norm);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_normalisation *n = &problem->of.norm;
    (void)device;
    sqa_launch_step *step = sqa_launch_add_step(out, "sqa_norm", 3);
    step->global[0] = sqa_divide_up(n->length, (uint32_t)config->value[ROWS]);
    step->global[1] = n->heads;
    step->global[2] = n->batch;
    step->local[0] = step->local[1] = step->local[2] = 1;
    sqa_arguments_fill(out, step, sqa_norm_tables, problem, NULL);
}

const sqa_kernel_family sqa_elements_norm = {
    .name = "elements",
    .summary = "CPU: vectors of a row, one after the other",
    .operation = SQA_OPERATION_NORM,
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

/* Gradients */

enum { BACKWARD_LANES, PARTS };

static const sqa_parameter backward_parameters[] = {
    [BACKWARD_LANES] = {"LANES", "elements of a vector", {4, 8, 16}, 3},
    [PARTS] = {"PARTS",
               "parts of the rows, one to a work-item, that are added up on their own",
               {1, 8, 32, 128, 512},
               5},
};

static const char *const backward_fragments[] = {"common/types.cl",
                                                 "common/vectors.cl",
                                                 "common/stored.cl",
                                                 "norm/vectors.cl",
                                                 "norm/sums.cl",
                                                 "norm/elements_backward.cl",
                                                 NULL};

static void backward_default(const sqa_problem *problem, const sqa_device *device,
                             sqa_config *config)
{
    const uint64_t rows = sqa_normalisation_rows(&problem->of.norm);
    (void)device;
    memset(config, 0, sizeof *config);
    config->value[BACKWARD_LANES] = lanes_for(&problem->of.norm);
    config->value[PARTS] = rows < 16 ? 1 : rows < 512 ? 8 : rows < 16384 ? 32 : 128;
}

static bool backward_is_valid(const sqa_config *config, const sqa_problem *problem,
                              const sqa_device *device, const char **why)
{
    const sqa_norm_parts parts = sqa_norm_parts_of(&problem->of.norm, config->value[PARTS], false);
    return sqa_norm_parts_fit(&parts, device, why);
}

static void backward_source(const sqa_config *config, const sqa_problem *problem,
                            const sqa_device *device, sqa_text *out)
{
    (void)config, (void)device;
    sqa_source_norm(out, problem);
    sqa_source_fragments(out, &sqa_elements_norm_backward);
}

static void backward_launch(const sqa_config *config, const sqa_problem *problem,
                            const sqa_device *device, sqa_launch *out)
{
    const sqa_normalisation *n = &problem->of.norm;
    const sqa_norm_parts parts = sqa_norm_parts_of(n, config->value[PARTS], false);
    sqa_launch_step *step = sqa_launch_add_step(out, "sqa_norm_backward", 1);
    step->global[0] = (size_t)config->value[PARTS];
    step->local[0] = 1;
    sqa_arguments_fill(out, step, sqa_norm_backward_tables, problem, &parts);
    if (n->gradients == SQA_NORM_GRADIENT_X)
        return;
    step = sqa_elements_add_step(out, device, "sqa_norm_sums", n->dim, 1, 1);
    sqa_arguments_fill(out, step, sqa_norm_backward_tables, problem, &parts);
    out->workspace_bytes = (size_t)parts.workspace_bytes;
}

const sqa_kernel_family sqa_elements_norm_backward = {
    .name = "elements",
    .summary = "CPU: vectors of a row, one after the other; a part of the rows a work-item",
    .operation = SQA_OPERATION_NORM_BACKWARD,
    .space_version = 1,
    .parameters = backward_parameters,
    .parameter_count = sizeof backward_parameters / sizeof *backward_parameters,
    .fragments = backward_fragments,
    .supports = supports,
    .is_valid = backward_is_valid,
    .default_config = backward_default,
    .source = backward_source,
    .launch = backward_launch,
};
