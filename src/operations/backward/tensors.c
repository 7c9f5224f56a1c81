/* Which tensors a backward pass has, and of what shape. */
#include "operations/tensors.h"
#include "operations/backward/slots.h"
#include "operations/operations.h"

/* Like the tensor in another slot, but for the strides. */
static bool like(const sqa_problem *problem, uint32_t slot, const sqa_strides *strides,
                 sqa_tensor_shape *out)
{
    const bool there = sqa_attention_tensor(problem, slot, out);
    out->strides = *strides;
    return there;
}

static bool gradient(const sqa_problem *problem, uint32_t slot, sqa_tensor_shape *out)
{
    const sqa_backward_pass *pass = &problem->of.backward;
    switch (slot) {
    case SQA_SLOT_DQ:
        return like(problem, SQA_SLOT_Q, &pass->dq, out) && pass->gradients & SQA_GRADIENT_Q;
    case SQA_SLOT_DK:
        return like(problem, SQA_SLOT_K, &pass->dk, out) && pass->gradients & SQA_GRADIENT_K;
    case SQA_SLOT_DV:
        return like(problem, SQA_SLOT_V, &pass->dv, out) && pass->gradients & SQA_GRADIENT_V;
    case SQA_SLOT_DBIAS:
        return like(problem, SQA_SLOT_BIAS, &pass->dbias, out) &&
               pass->gradients & SQA_GRADIENT_BIAS;
    case SQA_SLOT_DSINKS:
        return sqa_attention_tensor(problem, SQA_SLOT_SINKS, out) &&
               pass->gradients & SQA_GRADIENT_SINKS;
    case SQA_SLOT_DSLOPES:
        return sqa_attention_tensor(problem, SQA_SLOT_SLOPES, out) &&
               pass->gradients & SQA_GRADIENT_SLOPES;
    default: return false;
    }
}

bool sqa_backward_tensor(const sqa_problem *problem, uint32_t slot, sqa_tensor_shape *out)
{
    const sqa_backward_pass *pass = &problem->of.backward;
    if (slot < SQA_ATTENTION_SLOTS)
        return sqa_attention_tensor(problem, slot, out);
    if (slot == SQA_SLOT_DOUT)
        return like(problem, SQA_SLOT_O, &pass->dout, out);
    if (slot == SQA_SLOT_DELTA)
        return sqa_attention_tensor(problem, SQA_SLOT_LSE, out);
    return gradient(problem, slot, out);
}

/* delta is nobody's gradient. */
bool sqa_backward_is_updated(const sqa_problem *problem, uint32_t slot)
{
    return problem->of.backward.accumulate && slot != SQA_SLOT_DELTA;
}

/* Without queries only the starts of sequences are read. */
bool sqa_backward_is_touched(const sqa_problem *problem, uint32_t slot)
{
    const sqa_attention *a = &problem->of.attention;
    if (sqa_tensor_is_output(problem, slot))
        return true;
    if (slot == SQA_SLOT_CU_SEQLENS_Q || slot == SQA_SLOT_CU_SEQLENS_KV)
        return a->batch > 0;
    return a->batch > 0 && a->q_length > 0 &&
           (slot >= SQA_ATTENTION_SLOTS || sqa_attention_is_touched(problem, slot));
}

void sqa_backward_relative(const sqa_problem *problem, sqa_relative which, sqa_problem *out)
{
    *out = *problem;
    sqa_attention_relative(&problem->of.attention, which, &out->of.attention);
    sqa_backward_pack(&out->of.backward);
}
