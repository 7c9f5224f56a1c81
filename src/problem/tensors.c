#include "problem/tensors.h"

#include <string.h>

size_t sqa_element_size(sqa_element element)
{
    static const size_t sizes[] = {
        [SQA_ELEMENT_F32] = 4,  [SQA_ELEMENT_F16] = 2, [SQA_ELEMENT_BF16] = 2,
        [SQA_ELEMENT_BYTE] = 1, [SQA_ELEMENT_INT] = 4,
    };
    return sizes[element];
}

uint64_t sqa_tensor_extent(const sqa_tensor_shape *shape)
{
    return sqa_extent(&shape->strides, shape->batch, shape->heads, shape->length, shape->dim);
}

/* A packed vector of `count` elements. */
static sqa_tensor_shape vector(const char *name, sqa_element element, uint32_t count)
{
    return (sqa_tensor_shape){name, element, false, {count, count, count}, 1, 1, 1, count};
}

/* What an operation reads and writes, a bit per role. */
#define ROLE(name) (1u << SQA_ROLE_##name)
#define OUTPUTS (ROLE(O) | ROLE(LSE))

static const struct {
    uint32_t reads, writes;
} uses[] = {
    [SQA_OPERATION_FORWARD] = {~OUTPUTS, OUTPUTS},
    [SQA_OPERATION_SELECT_BLOCKS] = {ROLE(Q) | ROLE(K), ROLE(BLOCK_OFFSETS) | ROLE(BLOCK_INDICES)},
};

/* Of the problem's descriptor, whatever its operation. */
static bool described(const sqa_problem *p, sqa_role role, sqa_tensor_shape *out)
{
    const sqa_element stored = (sqa_element)p->dtype;
    const bool ragged = p->mask & SQA_MASK_RAGGED;
    const uint32_t batch = ragged && p->batch > 1 ? 1 : p->batch;
    const uint32_t queries = ragged ? p->q_total : p->q_length;
    const uint32_t keys = ragged ? p->kv_total : p->kv_length;
    const sqa_strides lse = {(int64_t)p->out_heads * queries, queries, 1};
    memset(out, 0, sizeof *out);
    switch (role) {
    case SQA_ROLE_Q:
        *out =
            (sqa_tensor_shape){"q", stored, false, p->q, batch, p->q_heads, queries, p->head_dim};
        return true;
    case SQA_ROLE_K:
        *out = (sqa_tensor_shape){"k", stored, false, p->k, batch, p->kv_heads, keys, p->head_dim};
        return true;
    case SQA_ROLE_V:
        *out = (sqa_tensor_shape){"v", stored, false, p->v, batch, p->kv_heads, keys, p->value_dim};
        return true;
    case SQA_ROLE_O:
        *out = (sqa_tensor_shape){"o",   stored,       false,   p->o,
                                  batch, p->out_heads, queries, p->value_dim};
        return true;
    case SQA_ROLE_LSE:
        *out =
            (sqa_tensor_shape){"lse", SQA_ELEMENT_F32, false, lse, batch, p->out_heads, queries, 1};
        return p->write_lse;
    case SQA_ROLE_BIAS:
        *out = (sqa_tensor_shape){"bias",      (sqa_element)p->bias_dtype,
                                  false,       p->bias,
                                  p->batch,    p->out_heads,
                                  p->q_length, p->kv_length};
        return p->score & SQA_SCORE_BIAS;
    case SQA_ROLE_MASK:
        *out = (sqa_tensor_shape){"mask",   SQA_ELEMENT_BYTE, false,       p->pair_mask,
                                  p->batch, p->out_heads,     p->q_length, p->kv_length};
        return p->mask & SQA_MASK_PAIR;
    case SQA_ROLE_KEY_MASK:
        *out = (sqa_tensor_shape){
            "key_mask", SQA_ELEMENT_BYTE, false, {p->kv_length, 0, 0}, p->batch, 1,
            1,          p->kv_length};
        return p->mask & SQA_MASK_KEY;
    case SQA_ROLE_SINKS:
        *out = vector("sinks", SQA_ELEMENT_F32, p->out_heads);
        return p->score & SQA_SCORE_SINKS;
    case SQA_ROLE_SLOPES:
        *out = vector("slopes", SQA_ELEMENT_F32, p->out_heads);
        return p->score & SQA_SCORE_SLOPES;
    case SQA_ROLE_GLOBALS:
        *out = vector("globals", SQA_ELEMENT_INT, p->globals.count);
        return p->mask & SQA_MASK_GLOBALS && p->globals.listed;
    case SQA_ROLE_BLOCK_OFFSETS:
        *out = vector("block_offsets", SQA_ELEMENT_INT, (uint32_t)sqa_problem_block_lists(p) + 1);
        return p->mask & SQA_MASK_BLOCKS;
    case SQA_ROLE_BLOCK_INDICES:
        *out = vector("block_indices", SQA_ELEMENT_INT, p->blocks.entries);
        return p->mask & SQA_MASK_BLOCKS;
    case SQA_ROLE_CU_SEQLENS_Q:
        *out = vector("cu_seqlens_q", SQA_ELEMENT_INT, p->batch + 1);
        return ragged;
    case SQA_ROLE_CU_SEQLENS_KV:
        *out = vector("cu_seqlens_kv", SQA_ELEMENT_INT, p->batch + 1);
        return ragged;
    case SQA_ROLE_WORKSPACE:
    case SQA_ROLE_COUNT: break;
    }
    return false;
}

bool sqa_tensor_shape_of(const sqa_problem *problem, sqa_role role, sqa_tensor_shape *out)
{
    const uint32_t reads = uses[problem->operation].reads, writes = uses[problem->operation].writes;
    const bool present = described(problem, role, out);
    out->output = writes >> role & 1;
    return present && (reads | writes) >> role & 1;
}

/* Without keys no kernel looks at Q, and without queries none runs. */
static bool is_touched(const sqa_problem *problem, sqa_role role)
{
    const uint32_t per_key = ROLE(Q) | ROLE(K) | ROLE(V) | ROLE(BIAS) | ROLE(MASK) | ROLE(KEY_MASK);
    return problem->batch > 0 && problem->q_length > 0 &&
           (problem->kv_length > 0 || !(per_key >> role & 1));
}

void sqa_tensor_needs(const sqa_problem *problem, sqa_tensor_need out[SQA_ROLE_TENSOR_COUNT])
{
    for (int role = 0; role < SQA_ROLE_TENSOR_COUNT; role++) {
        sqa_tensor_shape shape;
        const bool touched = sqa_tensor_shape_of(problem, (sqa_role)role, &shape) &&
                             is_touched(problem, (sqa_role)role);
        out[role] = (sqa_tensor_need){shape.name, touched ? sqa_tensor_extent(&shape) : 0,
                                      sqa_element_size(shape.element)};
    }
}
