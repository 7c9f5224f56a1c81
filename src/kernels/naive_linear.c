/* naive, of linear attention: the recurrence, one work-item per column of a state. Supports every
 * problem on every device, and says plainly what the other families compute. */
#include "kernels/families.h"
#include "kernels/linear_arguments.h"
#include "kernels/source.h"

static const char *const fragments[] = {SQA_LINEAR_FRAGMENTS, "linear/naive.cl", NULL};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    (void)config, (void)device;
    sqa_source_linear(out, problem, sqa_linear_tables);
    sqa_source_fragments(out, &sqa_naive_linear);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    (void)config, (void)device;
    sqa_linear_launch(problem, "sqa_naive_linear", problem->of.attention.value_dim, 1, 1, out);
}

const sqa_kernel_family sqa_naive_linear = {
    .name = "naive",
    .summary = "one work-item per column of a state; supports everything, fast nowhere",
    .operation = SQA_OPERATION_LINEAR_FORWARD,
    .space_version = 1,
    .fragments = fragments,
    .supports = sqa_family_supports_all,
    .is_valid = sqa_family_runs_all,
    .default_config = sqa_family_no_parameters,
    .source = source,
    .launch = launch,
};
