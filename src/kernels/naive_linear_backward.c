/* naive, of the gradients of linear attention: a work-item goes back through the tokens of a
 * key/value head, by states that it keeps. Supports every problem on every device. */
#include "kernels/families.h"
#include "kernels/linear_arguments.h"
#include "kernels/source.h"

#define CHUNK 32 /* as in cl/linear/naive_backward.cl */

static const char *const fragments[] = {"common/types.cl", "linear/arguments.cl",
                                        "linear/gradients.cl", "linear/naive_backward.cl", NULL};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    (void)config, (void)device;
    sqa_source_linear(out, problem, sqa_linear_backward_tables);
    sqa_source_fragments(out, &sqa_naive_linear_backward);
}

/* Of a head, besides states at every CHUNK-th token and at each of a CHUNK: its gradient, and the
 * state that is looked at. */
static uint64_t head_floats(const sqa_linear *l)
{
    const sqa_attention *a = &l->attention;
    const uint64_t kept = l->causal ? (a->kv_length + CHUNK - 1u) / CHUNK + CHUNK : 1;
    return (kept + 2) * a->head_dim * (a->value_dim + (uint64_t)l->normalise);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_linear_step step = {"sqa_naive_linear_backward", 1, 1, 1};
    (void)config, (void)device;
    sqa_linear_backward_launch(problem, &step, 1, head_floats(&problem->of.linear), 1, out);
}

const sqa_kernel_family sqa_naive_linear_backward = {
    .name = "naive",
    .summary = "one work-item per key/value head, by states that it keeps; fast nowhere",
    .operation = SQA_OPERATION_LINEAR_BACKWARD,
    .space_version = 1,
    .fragments = fragments,
    .supports = sqa_family_supports_all,
    .is_valid = sqa_family_runs_all,
    .default_config = sqa_family_no_parameters,
    .source = source,
    .launch = launch,
};
