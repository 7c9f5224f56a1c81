/* naive, of the matrix product: one work-item per element. Supports every problem on every
 * device, and says plainly what the other families compute. */
#include <string.h>

#include "kernels/elements.h"
#include "kernels/families.h"
#include "kernels/matmul_arguments.h"
#include "kernels/source.h"

enum { CHUNK };

static const sqa_parameter parameters[] = {
    [CHUNK] = {"CHUNK", "products that are added up on their own", {64, 256, 1024}, 3},
};

static void default_config(const sqa_problem *problem, const sqa_device *device, sqa_config *config)
{
    (void)problem, (void)device;
    memset(config, 0, sizeof *config);
    config->value[CHUNK] = 256;
}

static const sqa_argument_row *const tables[] = {sqa_matmul_rows, NULL};
static const char *const fragments[] = {"common/types.cl", "matmul/arguments.cl",
                                        "common/activation.cl", "matmul/naive.cl", NULL};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    (void)config, (void)device;
    sqa_source_matmul(out, problem, tables);
    sqa_source_fragments(out, &sqa_naive_matmul);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_product *p = &problem->of.product;
    (void)config;
    sqa_launch_step *step =
        sqa_elements_add_step(out, device, "sqa_naive_matmul", p->n, p->m, p->batch);
    sqa_arguments_fill(out, step, tables, problem, NULL);
}

const sqa_kernel_family sqa_naive_matmul = {
    .name = "naive",
    .summary = "one work-item per element of C; supports everything, fast nowhere",
    .operation = SQA_OPERATION_MATMUL,
    .space_version = 1,
    .parameters = parameters,
    .parameter_count = sizeof parameters / sizeof *parameters,
    .fragments = fragments,
    .supports = sqa_family_supports_all,
    .is_valid = sqa_family_runs_all,
    .default_config = default_config,
    .source = source,
    .launch = launch,
};
