/* naive, of the gradients of linear attention: a work-item goes back through the tokens of a
 * key/value head, by states that it keeps. Supports every problem on every device. */
#include "kernels/families.h"
#include "kernels/linear_arguments.h"
#include "kernels/source.h"
#include "operations/linear/slots.h"

#define CHUNK 32 /* as in cl/linear/naive_backward.cl */

static const char *const fragments[] = {"common/types.cl", "linear/arguments.cl",
                                        "linear/naive_backward.cl", NULL};

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

static void add_step(const sqa_problem *problem, const sqa_linear_values *values,
                     const char *kernel, uint32_t x, uint32_t y, uint32_t z, sqa_launch *out)
{
    sqa_launch_step *step = sqa_launch_add_step(out, kernel, 3);
    step->global[0] = x;
    step->global[1] = y;
    step->global[2] = z;
    step->local[0] = step->local[1] = step->local[2] = 1;
    sqa_arguments_fill(out, step, sqa_linear_backward_tables, problem, values);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_linear *l = &problem->of.linear;
    const sqa_attention *a = &l->attention;
    const uint64_t heads = (uint64_t)a->batch * a->kv_heads;
    const bool copies = a->q_heads < a->out_heads, sums = l->decay == SQA_DECAY_HEAD;
    const uint64_t own = head_floats(l);
    const uint64_t copied =
        copies ? (uint64_t)a->batch * a->out_heads * a->q_length * a->head_dim : 0;
    const sqa_linear_values values = {
        .group = (int32_t)sqa_attention_group(a),
        .dq = sqa_linear_gradient_strides(problem, SQA_SLOT_Q),
        .dk = sqa_linear_gradient_strides(problem, SQA_SLOT_K),
        .dv = sqa_linear_gradient_strides(problem, SQA_SLOT_V),
        .head_floats = (int64_t)own,
        .copies_at = (int64_t)(heads * own),
        .decays_at = (int64_t)(heads * own + copied),
    };
    (void)config, (void)device;
    out->workspace_bytes = (size_t)(heads * own + copied + (sums ? heads : 0) + 1) * sizeof(float);
    if (heads > 0)
        add_step(problem, &values, "sqa_naive_linear_backward", 1, a->kv_heads, a->batch, out);
    if (heads > 0 && copies && a->q_length > 0)
        add_step(problem, &values, "sqa_linear_sum_copies", a->q_length, a->q_heads, a->batch, out);
    if (sums)
        add_step(problem, &values, "sqa_linear_sum_decays", 1, a->kv_heads, 1, out);
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
