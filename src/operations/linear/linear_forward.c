/* Linear attention (include/sqa_cl/linear.h). */
#include <string.h>

#include "operations/attention/fields.h"
#include "operations/entries.h"
#include "operations/linear/fields.h"
#include "operations/linear/slots.h"
#include "operations/problem_class.h"
#include "operations/tensors.h"
#include "problem/names.h"

static sqa_status settle(const void *descriptor, sqa_problem *out)
{
    const sqa_linear_desc *desc = descriptor;
    return sqa_problem_from_linear(out, SQA_OPERATION_LINEAR_FORWARD, &desc->attention,
                                   &desc->options);
}

static uint32_t dtype_of(const sqa_problem *problem)
{
    return (uint32_t)problem->of.attention.dtype;
}

static uint32_t head_dim_of(const sqa_problem *problem)
{
    return problem->of.attention.head_dim;
}

static uint32_t value_dim_of(const sqa_problem *problem)
{
    return problem->of.attention.value_dim;
}

/* Bits in the order of rule_words. A decay per head or token costs the same; what happens to
 * elements before and after the products costs hardly anything. */
static uint32_t rule_of(const sqa_problem *problem)
{
    const sqa_linear *l = &problem->of.linear;
    return (l->causal ? 1u : 0u) | (l->decay != SQA_DECAY_NONE ? 2u : 0u) |
           (l->decay == SQA_DECAY_CHANNEL ? 4u : 0u) | (l->delta ? 8u : 0u) |
           (l->normalise ? 16u : 0u);
}

static uint32_t group_of(const sqa_problem *problem)
{
    return sqa_attention_group(&problem->of.attention);
}

static uint32_t q_bucket_of(const sqa_problem *problem)
{
    return sqa_bucket(problem->of.attention.q_length);
}

static uint32_t kv_bucket_of(const sqa_problem *problem)
{
    return sqa_bucket(problem->of.attention.kv_length);
}

/* How many states there are. */
static uint32_t states_bucket_of(const sqa_problem *problem)
{
    const sqa_attention *a = &problem->of.attention;
    return sqa_bucket((uint64_t)a->batch * a->kv_heads);
}

static const char *const rule_words[] = {"causal", "decay", "channel", "delta", "normalise", NULL};

const sqa_class_part sqa_linear_class_parts[] = {
    {"dtype", SQA_CLASS_WORD, 0, 0, sqa_dtype_words, dtype_of},
    {"d", SQA_CLASS_COUNT, 1, SQA_MAX_HEAD_DIM, NULL, head_dim_of},
    {"dv", SQA_CLASS_COUNT, 1, SQA_MAX_HEAD_DIM, NULL, value_dim_of},
    {"rule", SQA_CLASS_BITS, 0, 0, rule_words, rule_of},
    {"group", SQA_CLASS_RATIO, 1, 65535, NULL, group_of},
    {"q", SQA_CLASS_BUCKET, 0, 63, NULL, q_bucket_of},
    {"kv", SQA_CLASS_BUCKET, 0, 63, NULL, kv_bucket_of},
    {"states", SQA_CLASS_BUCKET, 0, 63, NULL, states_bucket_of},
    {0},
};

#define SLOT(tensor, how)                                                                          \
    .name = #tensor, .use = how, .member = offsetof(sqa_linear_tensors, tensor)

static const sqa_tensor_slot slots[SQA_LINEAR_SLOTS] = {
    [SQA_SLOT_Q] = {SLOT(q, SQA_SLOT_INPUT), SQA_UNIT_INPUT},
    [SQA_SLOT_K] = {SLOT(k, SQA_SLOT_INPUT), SQA_UNIT_INPUT, .map = sqa_map_key},
    [SQA_SLOT_V] = {SLOT(v, SQA_SLOT_INPUT), SQA_UNIT_INPUT},
    [SQA_SLOT_O] = {SLOT(o, SQA_SLOT_OUTPUT)},
    [SQA_SLOT_CU_SEQLENS_Q] = {SLOT(cu_seqlens_q, SQA_SLOT_INPUT), .fill = sqa_fill_q_starts},
    [SQA_SLOT_CU_SEQLENS_KV] = {SLOT(cu_seqlens_kv, SQA_SLOT_INPUT), .fill = sqa_fill_kv_starts},
    [SQA_SLOT_DECAY] = {SLOT(decay, SQA_SLOT_INPUT), .low = 0.0f, .high = 1.0f,
                        .map = sqa_map_decay},
    [SQA_SLOT_BETA] = {SLOT(beta, SQA_SLOT_INPUT), .low = 0.0f, .high = 1.0f},
    [SQA_SLOT_STATE_IN] = {SLOT(state_in, SQA_SLOT_INPUT), SQA_UNIT_INPUT},
    [SQA_SLOT_SUMS_IN] = {SLOT(sums_in, SQA_SLOT_INPUT), .low = 0.0f, .high = 1.0f},
    [SQA_SLOT_STATE] = {SLOT(state, SQA_SLOT_OUTPUT), SQA_UNIT_INPUT},
    [SQA_SLOT_SUMS] = {SLOT(sums, SQA_SLOT_OUTPUT), .low = 0.0f, .high = 1.0f},
};

/* Of every key/value head at every token. */
static sqa_tensor_shape token_tensor(const sqa_linear *l, const sqa_strides *strides, uint32_t dim)
{
    const sqa_attention *a = &l->attention;
    const uint32_t batch = a->mask & SQA_MASK_RAGGED && a->batch > 1 ? 1 : a->batch;
    return (sqa_tensor_shape){SQA_ELEMENT_F32,      *strides, batch, a->kv_heads,
                              sqa_linear_tokens(l), dim};
}

static sqa_tensor_shape state_tensor(const sqa_attention *a, uint32_t rows, uint32_t columns)
{
    return (sqa_tensor_shape){
        SQA_ELEMENT_F32, sqa_strides_bhsd(a->kv_heads, rows, columns), a->batch, a->kv_heads, rows,
        columns};
}

bool sqa_linear_tensor(const sqa_problem *problem, uint32_t slot, sqa_tensor_shape *out)
{
    const sqa_linear *l = &problem->of.linear;
    const sqa_attention *a = &l->attention;
    switch (slot) {
    case SQA_SLOT_CU_SEQLENS_KV: return sqa_attention_tensor(problem, slot, out) && !l->causal;
    case SQA_SLOT_DECAY:
        *out = l->decay == SQA_DECAY_HEAD
                   ? (sqa_tensor_shape){SQA_ELEMENT_F32,
                                        {a->kv_heads, a->kv_heads, a->kv_heads},
                                        1,
                                        1,
                                        1,
                                        a->kv_heads}
                   : token_tensor(l, &l->decay_strides, sqa_linear_decay_dim(l));
        return l->decay != SQA_DECAY_NONE;
    case SQA_SLOT_BETA: *out = token_tensor(l, &l->beta_strides, 1); return l->delta;
    case SQA_SLOT_STATE_IN:
    case SQA_SLOT_STATE:
        *out = state_tensor(a, a->head_dim, a->value_dim);
        return slot == SQA_SLOT_STATE ? sqa_linear_ends(l)
                                      : sqa_linear_starts(l) && l->state != SQA_STATE_IN_PLACE;
    case SQA_SLOT_SUMS_IN:
    case SQA_SLOT_SUMS:
        *out = state_tensor(a, 1, a->head_dim);
        return l->normalise &&
               sqa_linear_tensor(problem,
                                 slot == SQA_SLOT_SUMS ? SQA_SLOT_STATE : SQA_SLOT_STATE_IN,
                                 &(sqa_tensor_shape){0});
    default: return sqa_attention_tensor(problem, slot, out);
    }
}

static bool is_touched(const sqa_problem *problem, uint32_t slot)
{
    sqa_tensor_shape shape;
    return sqa_linear_tensor(problem, slot, &shape) && sqa_tensor_extent(&shape) > 0;
}

static bool is_updated(const sqa_problem *problem, uint32_t slot)
{
    return problem->of.linear.state == SQA_STATE_IN_PLACE &&
           (slot == SQA_SLOT_STATE || slot == SQA_SLOT_SUMS);
}

bool sqa_linear_is_nothing(const sqa_problem *problem)
{
    const sqa_linear *l = &problem->of.linear;
    return l->attention.batch == 0 || (sqa_attention_is_nothing(problem) && !sqa_linear_ends(l));
}

/* 2 head_dim value_dim per key and head to make the state, per query and output head to read it,
 * and per key and head to correct it. */
static double flop(const sqa_problem *problem)
{
    const sqa_linear *l = &problem->of.linear;
    const sqa_attention *a = &l->attention;
    const double keys = (double)a->kv_length * a->kv_heads * (l->delta ? 2.0 : 1.0);
    const double queries = (double)a->q_length * a->out_heads;
    return 2.0 * a->head_dim * a->value_dim * a->batch * (keys + queries);
}

void sqa_linear_relative(const sqa_problem *problem, sqa_relative which, sqa_problem *out)
{
    *out = *problem;
    sqa_linear *l = &out->of.linear;
    sqa_attention *a = &l->attention;
    sqa_attention_relative(&problem->of.attention, which, a);
    if (l->causal) {
        a->kv_length = a->q_length;
        a->kv_total = a->q_total;
        a->k = sqa_strides_bhsd(a->kv_heads, a->kv_length, a->head_dim);
        a->v = sqa_strides_bhsd(a->kv_heads, a->kv_length, a->value_dim);
    }
    sqa_linear_pack(l);
}

const sqa_operation_entry sqa_operation_linear_forward = {
    .id = SQA_OPERATION_LINEAR_FORWARD,
    .name = "linear",
    .summary = "linear attention: O and states from Q, K, V",
    .fields = sqa_linear_fields,
    .needs = sqa_attention_needs,
    .descriptor_bytes = sizeof(sqa_linear_desc),
    .start = sqa_linear_start,
    .settle = settle,
    .describe = sqa_linear_describe,
    .class_parts = sqa_linear_class_parts,
    .tensors = {SQA_LINEAR_TENSORS_VERSION, offsetof(sqa_linear_tensors, workspace)},
    .slots = slots,
    .slot_count = SQA_LINEAR_SLOTS,
    .tensor = sqa_linear_tensor,
    .is_touched = is_touched,
    .is_updated = is_updated,
    .is_nothing = sqa_linear_is_nothing,
    .flop = flop,
    .relative = sqa_linear_relative,
    .groups = sqa_linear_groups,
    .tolerances = sqa_linear_tolerances,
    .tolerance_count = SQA_LINEAR_TOLERANCES,
};
