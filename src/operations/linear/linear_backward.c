/* The gradients of linear attention (include/sqa_cl/linear.h). */
#include "operations/attention/fields.h"
#include "operations/entries.h"
#include "operations/linear/fields.h"
#include "operations/linear/slots.h"
#include "operations/tensors.h"
#include "problem/checks.h"

static sqa_status settle(const void *descriptor, sqa_problem *out)
{
    const sqa_linear_desc *desc = descriptor;
    return sqa_problem_from_linear(out, SQA_OPERATION_LINEAR_BACKWARD, &desc->attention,
                                   &desc->options);
}

#define SLOT(tensor, how)                                                                          \
    .name = #tensor, .use = how, .member = offsetof(sqa_linear_backward_tensors, tensor)
#define INPUT(tensor) SLOT(tensor, SQA_SLOT_INPUT)
#define OUTPUT(tensor) SLOT(tensor, SQA_SLOT_OUTPUT)

static const sqa_tensor_slot slots[SQA_LINEAR_BACKWARD_SLOTS] = {
    [SQA_SLOT_Q] = {INPUT(q), SQA_UNIT_INPUT},
    [SQA_SLOT_K] = {INPUT(k), SQA_UNIT_INPUT, .map = sqa_map_key},
    [SQA_SLOT_V] = {INPUT(v), SQA_UNIT_INPUT},
    [SQA_SLOT_CU_SEQLENS_Q] = {INPUT(cu_seqlens_q), .fill = sqa_fill_q_starts},
    [SQA_SLOT_CU_SEQLENS_KV] = {INPUT(cu_seqlens_kv), .fill = sqa_fill_kv_starts},
    [SQA_SLOT_DECAY] = {INPUT(decay), .low = 0.0f, .high = 1.0f, .map = sqa_map_decay},
    [SQA_SLOT_BETA] = {INPUT(beta), .low = 0.0f, .high = 1.0f},
    [SQA_SLOT_STATE_IN] = {INPUT(state_in), SQA_UNIT_INPUT},
    [SQA_SLOT_SUMS_IN] = {INPUT(sums_in), .low = 0.0f, .high = 1.0f},
    [SQA_SLOT_LINEAR_DOUT] = {INPUT(dout), SQA_UNIT_INPUT},
    [SQA_SLOT_LINEAR_DSTATE] = {INPUT(dstate), SQA_UNIT_INPUT},
    [SQA_SLOT_LINEAR_DSUMS] = {INPUT(dsums), SQA_UNIT_INPUT},
    [SQA_SLOT_LINEAR_DQ] = {OUTPUT(dq)},
    [SQA_SLOT_LINEAR_DK] = {OUTPUT(dk)},
    [SQA_SLOT_LINEAR_DV] = {OUTPUT(dv)},
    [SQA_SLOT_DDECAY] = {OUTPUT(ddecay)},
    [SQA_SLOT_DBETA] = {OUTPUT(dbeta)},
    [SQA_SLOT_DSTATE_IN] = {OUTPUT(dstate_in)},
    [SQA_SLOT_DSUMS_IN] = {OUTPUT(dsums_in)},
};

sqa_strides sqa_linear_gradient_strides(const sqa_problem *problem, uint32_t slot)
{
    sqa_tensor_shape t;
    (void)sqa_attention_tensor(problem, slot, &t);
    if (!sqa_strides_overlap(&t.strides, t.batch, t.heads, t.length, t.dim))
        return t.strides;
    sqa_strides packed = sqa_strides_bhsd(t.heads, t.length, t.dim);
    packed.batch = problem->of.attention.mask & SQA_MASK_RAGGED ? 0 : packed.batch;
    return packed;
}

/* The tensor of the forward pass that another is like. */
static const struct {
    uint32_t slot, of;
} likes[] = {
    {SQA_SLOT_LINEAR_DOUT, SQA_SLOT_O},      {SQA_SLOT_LINEAR_DSTATE, SQA_SLOT_STATE},
    {SQA_SLOT_LINEAR_DSUMS, SQA_SLOT_SUMS},  {SQA_SLOT_LINEAR_DQ, SQA_SLOT_Q},
    {SQA_SLOT_LINEAR_DK, SQA_SLOT_K},        {SQA_SLOT_LINEAR_DV, SQA_SLOT_V},
    {SQA_SLOT_DDECAY, SQA_SLOT_DECAY},       {SQA_SLOT_DBETA, SQA_SLOT_BETA},
    {SQA_SLOT_DSTATE_IN, SQA_SLOT_STATE_IN}, {SQA_SLOT_DSUMS_IN, SQA_SLOT_SUMS_IN},
};

/* Gradients of decay and beta are packed. */
static bool gradient(const sqa_problem *problem, uint32_t slot, uint32_t of, sqa_tensor_shape *out)
{
    const bool there = sqa_linear_tensor(problem, of, out);
    const bool per_token = out->dim > 0 && (slot == SQA_SLOT_DDECAY || slot == SQA_SLOT_DBETA);
    if (slot >= SQA_SLOT_LINEAR_DQ && slot <= SQA_SLOT_LINEAR_DV)
        out->strides = sqa_linear_gradient_strides(problem, of);
    else if (per_token)
        out->strides = sqa_strides_bhsd(out->heads, out->length, out->dim);
    return there;
}

static bool tensor(const sqa_problem *problem, uint32_t slot, sqa_tensor_shape *out)
{
    for (size_t i = 0; i < sizeof likes / sizeof *likes; i++)
        if (likes[i].slot == slot)
            return gradient(problem, slot, likes[i].of, out);
    return slot != SQA_SLOT_O && slot != SQA_SLOT_STATE && slot != SQA_SLOT_SUMS &&
           slot < SQA_LINEAR_SLOTS && sqa_linear_tensor(problem, slot, out);
}

static bool is_touched(const sqa_problem *problem, uint32_t slot)
{
    sqa_tensor_shape shape;
    return tensor(problem, slot, &shape) && sqa_tensor_extent(&shape) > 0;
}

/* Gradients are written, zeros, where there is nothing that they come from. */
static bool is_nothing(const sqa_problem *problem)
{
    for (uint32_t slot = SQA_SLOT_LINEAR_DQ; slot < SQA_LINEAR_BACKWARD_SLOTS; slot++)
        if (is_touched(problem, slot))
            return false;
    return true;
}

/* 2 head_dim value_dim per key and head for the state again, its gradient, dK and dV, and per
 * query and output head for dQ and what it adds to the gradient; the delta rule twice more. */
static double flop(const sqa_problem *problem)
{
    const sqa_linear *l = &problem->of.linear;
    const sqa_attention *a = &l->attention;
    const double keys = (double)a->kv_length * a->kv_heads * (l->delta ? 5.0 : 3.0);
    const double queries = (double)a->q_length * a->out_heads * 2.0;
    return 2.0 * a->head_dim * a->value_dim * a->batch * (keys + queries);
}

const sqa_operation_entry sqa_operation_linear_backward = {
    .id = SQA_OPERATION_LINEAR_BACKWARD,
    .name = "linear_backward",
    .summary = "gradients of linear attention: dQ, dK, dV, of decay, beta and the first state",
    .fields = sqa_linear_fields,
    .needs = sqa_attention_needs,
    .descriptor_bytes = sizeof(sqa_linear_desc),
    .start = sqa_linear_start,
    .settle = settle,
    .describe = sqa_linear_describe,
    .class_parts = sqa_linear_class_parts,
    .tensors = {SQA_LINEAR_BACKWARD_TENSORS_VERSION,
                offsetof(sqa_linear_backward_tensors, workspace)},
    .slots = slots,
    .slot_count = SQA_LINEAR_BACKWARD_SLOTS,
    .tensor = tensor,
    .is_touched = is_touched,
    .is_nothing = is_nothing,
    .flop = flop,
    .relative = sqa_linear_relative,
    .groups = sqa_linear_gradient_groups,
    .tolerances = sqa_linear_gradient_tolerances,
    .tolerance_count = SQA_LINEAR_GRADIENT_TOLERANCES,
};
