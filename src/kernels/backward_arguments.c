#include "kernels/backward_arguments.h"

#include "operations/backward/slots.h"

#define WHEN(name, gradient)                                                                       \
    static bool name(const sqa_problem *problem)                                                   \
    {                                                                                              \
        return problem->of.backward.gradients & SQA_GRADIENT_##gradient;                           \
    }

WHEN(wants_q, Q)
WHEN(wants_k, K)
WHEN(wants_v, V)
WHEN(wants_bias, BIAS)
WHEN(wants_sinks, SINKS)
WHEN(wants_slopes, SLOPES)

#define STRIDES(name, member) #name, SQA_TYPE_STRIDES, SQA_IN_PROBLEM(backward.member)
#define INT(name, member) #name, SQA_TYPE_INT, SQA_IN_PROBLEM(attention.member)
#define FACTOR(name) #name, SQA_TYPE_FLOAT, SQA_IN_VALUES(sqa_forward_values, scale.name)

const sqa_argument_row sqa_backward_rows[] = {
    {SQA_READ(q, "sqa_stored", SQA_SLOT_Q)},
    {SQA_READ(k, "sqa_stored", SQA_SLOT_K)},
    {SQA_READ(v, "sqa_stored", SQA_SLOT_V)},
    {SQA_READ(dout, "sqa_stored", SQA_SLOT_DOUT)},
    {SQA_READ(lse, "float", SQA_SLOT_LSE)},
    {SQA_READ(delta, "float", SQA_SLOT_DELTA)},
    {STRIDES(q, attention.q)},
    {STRIDES(k, attention.k)},
    {STRIDES(v, attention.v)},
    {STRIDES(dout, dout)},
    {INT(batches, batch)},
    {INT(q_heads, q_heads)},
    {INT(out_heads, out_heads)},
    {"group", SQA_TYPE_INT, SQA_IN_VALUES(sqa_forward_values, group)},
    {FACTOR(query_factor)},
    {FACTOR(score_power)},
    {FACTOR(flow_factor)},
    {FACTOR(sum_factor)},
    {0},
};

const sqa_argument_row sqa_core_gradient_rows[] = {
    {SQA_WRITTEN(dq, "sqa_stored", SQA_SLOT_DQ), .when = wants_q},
    {SQA_WRITTEN(dk, "sqa_stored", SQA_SLOT_DK), .when = wants_k},
    {SQA_WRITTEN(dv, "sqa_stored", SQA_SLOT_DV), .when = wants_v},
    {STRIDES(dq, dq), .when = wants_q},
    {STRIDES(dk, dk), .when = wants_k},
    {STRIDES(dv, dv), .when = wants_v},
    {0},
};

const sqa_argument_row sqa_backward_sum_rows[] = {
    {SQA_WORKSPACE("float *restrict "), .when = wants_q},
    {0},
};

const sqa_argument_row sqa_score_gradient_rows[] = {
    {SQA_WRITTEN(dbias, "sqa_bias_stored", SQA_SLOT_DBIAS), .when = wants_bias},
    {SQA_WRITTEN(dsinks, "float", SQA_SLOT_DSINKS), .when = wants_sinks},
    {SQA_WRITTEN(dslopes, "float", SQA_SLOT_DSLOPES), .when = wants_slopes},
    {STRIDES(dbias, dbias), .when = wants_bias},
    {0},
};

void sqa_backward_add_sums(sqa_launch *out, const sqa_problem *problem,
                           const sqa_argument_row *const *tables, uint32_t copies, uint32_t columns)
{
    const sqa_attention *a = &problem->of.attention;
    const sqa_forward_values values = sqa_forward_values_of(a);
    if (!wants_q(problem) || a->q_length == 0)
        return;
    sqa_launch_step *step = sqa_launch_add_step(out, "sqa_backward_sum", 3);
    step->global[0] = a->q_length;
    step->global[1] = a->q_heads;
    step->global[2] = a->batch;
    sqa_arguments_fill(out, step, tables, problem, &values);
    const size_t rows = a->mask & SQA_MASK_RAGGED ? a->q_total : (size_t)a->batch * a->q_length;
    out->workspace_bytes = sizeof(float) * copies * a->out_heads * rows * columns;
}
