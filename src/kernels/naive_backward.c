/* naive, of the stages of a backward pass: one work-item per row or element of a gradient.
 * They support every problem on every device, and say plainly what other families compute. */

#include "kernels/backward_arguments.h"
#include "kernels/families.h"
#include "kernels/source.h"
#include "operations/backward/slots.h"

/* delta */

#define INT(name, member) #name, SQA_TYPE_INT, SQA_IN_PROBLEM(backward.attention.member)

static const sqa_argument_row delta_rows[] = {
    {SQA_READ(o, "sqa_stored", SQA_SLOT_O)},
    {SQA_READ(dout, "sqa_stored", SQA_SLOT_DOUT)},
    {SQA_READ(lse, "float", SQA_SLOT_LSE)},
    {SQA_WRITTEN(delta, "float", SQA_SLOT_DELTA)},
    {"o", SQA_TYPE_STRIDES, SQA_IN_PROBLEM(backward.attention.o)},
    {"dout", SQA_TYPE_STRIDES, SQA_IN_PROBLEM(backward.dout)},
    {INT(heads, out_heads)},
    {INT(rows, q_length)},
    {0},
};

static const sqa_argument_row *const delta_tables[] = {delta_rows, NULL};
static const char *const delta_fragments[] = {"common/types.cl", "backward/naive_delta.cl", NULL};

static void delta_source(const sqa_config *config, const sqa_problem *problem,
                         const sqa_device *device, sqa_text *out)
{
    const sqa_attention *a = &problem->of.attention;
    (void)config, (void)device;
    sqa_text_format(out, "#define SQA_VALUE_DIM %u\n#define SQA_DTYPE %d\n", a->value_dim,
                    (int)a->dtype);
    sqa_arguments_print(out, "SQA_DELTA_ARGUMENTS", delta_tables, problem);
    sqa_source_fragments(out, &sqa_naive_backward_delta);
}

static void set_global(sqa_launch_step *step, size_t x, size_t y, size_t z)
{
    step->global[0] = x;
    step->global[1] = y;
    step->global[2] = z;
}

static void delta_launch(const sqa_config *config, const sqa_problem *problem,
                         const sqa_device *device, sqa_launch *out)
{
    const sqa_attention *a = &problem->of.attention;
    (void)config, (void)device;
    sqa_launch_step *step = sqa_launch_add_step(out, "sqa_naive_delta", 3);
    set_global(step, a->q_length, a->out_heads, a->batch);
    sqa_arguments_fill(out, step, delta_tables, problem, NULL);
}

const sqa_kernel_family sqa_naive_backward_delta = {
    .name = "naive",
    .summary = "one work-item per row",
    .operation = SQA_OPERATION_BACKWARD_DELTA,
    .space_version = 1,
    .fragments = delta_fragments,
    .supports = sqa_family_supports_all,
    .is_valid = sqa_family_runs_all,
    .default_config = sqa_family_no_parameters,
    .source = delta_source,
    .launch = delta_launch,
};

/* dQ, dK, dV */

enum { CHUNK };

static const sqa_parameter core_parameters[] = {
    [CHUNK] = {"CHUNK", "columns of a gradient that are summed at a time", {16, 64, 256}, 3},
};

static void core_default(const sqa_problem *problem, const sqa_device *device, sqa_config *config)
{
    sqa_family_no_parameters(problem, device, config);
    config->value[CHUNK] = 64;
}

static const sqa_argument_row *const core_tables[] = {sqa_backward_rows, sqa_core_gradient_rows,
                                                      sqa_pattern_rows, NULL};
static const char *const core_fragments[] = {SQA_BACKWARD_FRAGMENTS, "backward/naive_pair.cl",
                                             "backward/naive_core.cl", NULL};

static void core_source(const sqa_config *config, const sqa_problem *problem,
                        const sqa_device *device, sqa_text *out)
{
    (void)config, (void)device;
    sqa_source_backward(out, problem);
    sqa_arguments_print(out, "SQA_BACKWARD_ARGUMENTS", core_tables, problem);
    sqa_source_fragments(out, &sqa_naive_backward_core);
}

static void add_core_step(const char *kernel, uint32_t rows, uint32_t heads,
                          const sqa_problem *problem, sqa_launch *out)
{
    const sqa_attention *a = &problem->of.attention;
    const sqa_forward_values values = sqa_forward_values_of(a);
    if (rows == 0)
        return;
    sqa_launch_step *step = sqa_launch_add_step(out, kernel, 3);
    set_global(step, rows, heads, a->batch);
    sqa_arguments_fill(out, step, core_tables, problem, &values);
}

static void core_launch(const sqa_config *config, const sqa_problem *problem,
                        const sqa_device *device, sqa_launch *out)
{
    const sqa_backward_pass *pass = &problem->of.backward;
    const sqa_attention *a = &pass->attention;
    (void)config, (void)device;
    if (pass->gradients & SQA_GRADIENT_Q)
        add_core_step("sqa_naive_backward_q", a->q_length, a->q_heads, problem, out);
    if (pass->gradients & (SQA_GRADIENT_K | SQA_GRADIENT_V))
        add_core_step("sqa_naive_backward_kv", a->kv_length, a->kv_heads, problem, out);
}

const sqa_kernel_family sqa_naive_backward_core = {
    .name = "naive",
    .summary = "one work-item per row of a gradient; supports everything, fast nowhere",
    .operation = SQA_OPERATION_BACKWARD_CORE,
    .space_version = 1,
    .parameters = core_parameters,
    .parameter_count = sizeof core_parameters / sizeof *core_parameters,
    .fragments = core_fragments,
    .supports = sqa_family_supports_all,
    .is_valid = sqa_family_runs_all,
    .default_config = core_default,
    .source = core_source,
    .launch = core_launch,
};

/* dBias, dSinks, dSlopes */

typedef struct scores_values {
    sqa_forward_values forward;
    int32_t bias_batches, bias_heads, bias_queries; /* of dBias: 1 where it is a sum */
} scores_values;

#define VALUE(name) #name, SQA_TYPE_INT, SQA_IN_VALUES(scores_values, name)

static bool wants_bias(const sqa_problem *problem)
{
    return problem->of.backward.gradients & SQA_GRADIENT_BIAS;
}

static bool wants_slopes(const sqa_problem *problem)
{
    return problem->of.backward.gradients & SQA_GRADIENT_SLOPES;
}

static const sqa_argument_row scores_rows[] = {
    {VALUE(bias_batches), .when = wants_bias},
    {VALUE(bias_heads), .when = wants_bias},
    {VALUE(bias_queries), .when = wants_bias},
    {SQA_WORKSPACE("float *restrict "), .when = wants_slopes},
    {0},
};

static const sqa_argument_row *const scores_tables[] = {sqa_backward_rows, sqa_score_gradient_rows,
                                                        scores_rows, sqa_pattern_rows, NULL};
static const char *const scores_fragments[] = {SQA_BACKWARD_FRAGMENTS, "backward/naive_pair.cl",
                                               "backward/naive_scores.cl", NULL};

static void scores_source(const sqa_config *config, const sqa_problem *problem,
                          const sqa_device *device, sqa_text *out)
{
    (void)config, (void)device;
    sqa_source_backward(out, problem);
    sqa_arguments_print(out, "SQA_BACKWARD_ARGUMENTS", scores_tables, problem);
    sqa_source_fragments(out, &sqa_naive_backward_scores);
}

static void add_scores_step(const char *kernel, size_t x, size_t y, size_t z,
                            const sqa_problem *problem, const scores_values *values,
                            sqa_launch *out)
{
    if (x == 0 || y == 0 || z == 0)
        return;
    sqa_launch_step *step = sqa_launch_add_step(out, kernel, 3);
    set_global(step, x, y, z);
    sqa_arguments_fill(out, step, scores_tables, problem, values);
}

static void scores_launch(const sqa_config *config, const sqa_problem *problem,
                          const sqa_device *device, sqa_launch *out)
{
    const sqa_backward_pass *pass = &problem->of.backward;
    const sqa_attention *a = &pass->attention;
    const size_t rows = (size_t)a->batch * a->out_heads * a->q_length;
    const scores_values values = {sqa_forward_values_of(a), a->bias.batch ? (int32_t)a->batch : 1,
                                  a->bias.head ? (int32_t)a->out_heads : 1,
                                  a->bias.sequence ? (int32_t)a->q_length : 1};
    (void)config, (void)device;
    if (pass->gradients & SQA_GRADIENT_BIAS && rows > 0)
        add_scores_step("sqa_naive_backward_bias", a->kv_length, (size_t)values.bias_queries,
                        (size_t)values.bias_heads * (size_t)values.bias_batches, problem, &values,
                        out);
    if (pass->gradients & SQA_GRADIENT_SLOPES) {
        add_scores_step("sqa_naive_backward_slopes", a->q_length, a->out_heads, a->batch, problem,
                        &values, out);
        out->workspace_bytes = rows * sizeof(float);
    }
    if (pass->gradients & (SQA_GRADIENT_SINKS | SQA_GRADIENT_SLOPES))
        add_scores_step("sqa_naive_backward_heads", a->out_heads, 1, 1, problem, &values, out);
}

const sqa_kernel_family sqa_naive_backward_scores = {
    .name = "naive",
    .summary = "one work-item per element of a gradient, or row of a sum",
    .operation = SQA_OPERATION_BACKWARD_SCORES,
    .space_version = 1,
    .fragments = scores_fragments,
    .supports = sqa_family_supports_all,
    .is_valid = sqa_family_runs_all,
    .default_config = sqa_family_no_parameters,
    .source = scores_source,
    .launch = scores_launch,
};
