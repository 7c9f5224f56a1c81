/* naive: one work-item per output row, two passes over the keys. Supports every
 * problem on every device; the last rung of the lookup and the plain statement of
 * what the other families compute. */
#include <string.h>

#include "kernels/families.h"
#include "kernels/source.h"
#include "kernels/work_division.h"

enum { CHUNK };

static const sqa_parameter parameters[] = {
    [CHUNK] = {"CHUNK", "output columns accumulated in registers per pass", {4, 16, 64}, 3},
};

static void default_config(const sqa_problem *problem, const sqa_device *device, sqa_config *config)
{
    (void)problem, (void)device;
    memset(config, 0, sizeof *config);
    config->value[CHUNK] = 16;
}

static const char *const fragments[] = {SQA_FORWARD_FRAGMENTS, "forward/naive.cl", NULL};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    (void)config, (void)device;
    sqa_source_forward(out, problem, false);
    sqa_source_fragments(out, &sqa_naive_forward);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_attention *attention = &problem->of.attention;
    (void)config, (void)device;
    sqa_launch_step *step = sqa_launch_add_step(out, "sqa_naive_forward", 3);
    step->global[0] = attention->q_length;
    step->global[1] = attention->out_heads;
    step->global[2] = attention->batch;
    sqa_forward_launch(problem, device, 1, 1, out);
}

const sqa_kernel_family sqa_naive_forward = {
    .name = "naive",
    .summary = "one work-item per output row; supports everything, fast nowhere",
    .operation = SQA_OPERATION_FORWARD,
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
