/* naive, of normalisation and its gradients: one work-item per row; of sums over rows one per
 * column and part of the rows, whose sums are added up in order. */
#include "kernels/elements.h"
#include "kernels/families.h"
#include "kernels/norm_arguments.h"
#include "kernels/source.h"

#include <string.h>

static const char *const fragments[] = {"common/types.cl", "norm/rows.cl", "norm/naive.cl", NULL};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    (void)config, (void)device;
    sqa_source_norm(out, problem);
    sqa_source_fragments(out, &sqa_naive_norm);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_normalisation *n = &problem->of.norm;
    (void)config;
    sqa_launch_step *step =
        sqa_elements_add_step(out, device, "sqa_naive_norm", n->length, n->heads, n->batch);
    sqa_arguments_fill(out, step, sqa_norm_tables, problem, NULL);
}

const sqa_kernel_family sqa_naive_norm = {
    .name = "naive",
    .summary = "one work-item per row",
    .operation = SQA_OPERATION_NORM,
    .space_version = 1,
    .fragments = fragments,
    .supports = sqa_family_supports_all,
    .is_valid = sqa_family_runs_all,
    .default_config = sqa_family_no_parameters,
    .source = source,
    .launch = launch,
};

/* Gradients */

enum { PARTS };

static const sqa_parameter backward_parameters[] = {
    [PARTS] = {"PARTS",
               "parts of the rows that are added up on their own",
               {1, 8, 32, 128, 512},
               5},
};

static const char *const backward_fragments[] = {"common/types.cl", "norm/rows.cl", "norm/sums.cl",
                                                 "norm/naive_backward.cl", NULL};

static void backward_default(const sqa_problem *problem, const sqa_device *device,
                             sqa_config *config)
{
    const uint64_t rows = sqa_normalisation_rows(&problem->of.norm);
    (void)device;
    memset(config, 0, sizeof *config);
    config->value[PARTS] = rows < 64 ? 1 : rows < 1024 ? 8 : 32;
}

static bool backward_is_valid(const sqa_config *config, const sqa_problem *problem,
                              const sqa_device *device, const char **why)
{
    const sqa_normalisation *n = &problem->of.norm;
    const sqa_norm_parts parts = sqa_norm_parts_of(n, config->value[PARTS], true);
    return sqa_norm_parts_fit(&parts, device, why);
}

static void backward_source(const sqa_config *config, const sqa_problem *problem,
                            const sqa_device *device, sqa_text *out)
{
    (void)config, (void)device;
    sqa_source_norm(out, problem);
    sqa_source_fragments(out, &sqa_naive_norm_backward);
}

static void add(const char *kernel, size_t width, size_t rows, size_t matrices,
                const sqa_problem *problem, const sqa_norm_parts *parts, const sqa_device *device,
                sqa_launch *out)
{
    sqa_launch_step *step = sqa_elements_add_step(out, device, kernel, width, rows, matrices);
    sqa_arguments_fill(out, step, sqa_norm_backward_tables, problem, parts);
}

static void backward_launch(const sqa_config *config, const sqa_problem *problem,
                            const sqa_device *device, sqa_launch *out)
{
    const sqa_normalisation *n = &problem->of.norm;
    const sqa_norm_parts parts = sqa_norm_parts_of(n, config->value[PARTS], true);
    if (n->gradients != SQA_NORM_GRADIENT_BIAS && sqa_normalisation_rows(n) > 0)
        add("sqa_naive_norm_rows", n->length, n->heads, n->batch, problem, &parts, device, out);
    if (n->gradients == SQA_NORM_GRADIENT_X)
        return;
    add("sqa_naive_norm_parts", n->dim, (size_t)config->value[PARTS], 1, problem, &parts, device,
        out);
    add("sqa_norm_sums", n->dim, 1, 1, problem, &parts, device, out);
    out->workspace_bytes = (size_t)parts.workspace_bytes;
}

const sqa_kernel_family sqa_naive_norm_backward = {
    .name = "naive",
    .summary = "one work-item per row, or per column and part of the rows",
    .operation = SQA_OPERATION_NORM_BACKWARD,
    .space_version = 1,
    .parameters = backward_parameters,
    .parameter_count = sizeof backward_parameters / sizeof *backward_parameters,
    .fragments = backward_fragments,
    .supports = sqa_family_supports_all,
    .is_valid = backward_is_valid,
    .default_config = backward_default,
    .source = backward_source,
    .launch = backward_launch,
};
