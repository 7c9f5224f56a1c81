/* The oracle, from the definition and nothing else: no tiles, no online softmax,
 * no shared code with any kernel. Slow on purpose. Does not know OpenCL. */
#include "reference/reference.h"

#include <math.h>
#include <stdint.h>

/* Element `index` of the vector at (batch, head, position) of a strided tensor. */
static int64_t element_at(const sqa_strides *strides, uint32_t batch, uint32_t head,
                          uint32_t position, uint32_t index)
{
    return (int64_t)batch * strides->batch + (int64_t)head * strides->head +
           (int64_t)position * strides->sequence + index;
}

static const float *vector_at(const sqa_reference_inputs *inputs, sqa_role role,
                              const sqa_strides *strides, uint32_t batch, uint32_t head,
                              uint32_t position)
{
    return (const float *)inputs->by_role[role] + element_at(strides, batch, head, position, 0);
}

static int32_t integer_at(const sqa_reference_inputs *inputs, sqa_role role, uint64_t index)
{
    return ((const int32_t *)inputs->by_role[role])[index];
}

sqa_sequence sqa_reference_sequence(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                                    uint32_t batch)
{
    sqa_sequence s = {0, problem->q_length, 0, problem->kv_length, problem->diagonal};
    if (!(problem->mask & SQA_MASK_RAGGED))
        return s;
    s.q_begin = (uint32_t)integer_at(inputs, SQA_ROLE_CU_SEQLENS_Q, batch);
    s.q_length = (uint32_t)integer_at(inputs, SQA_ROLE_CU_SEQLENS_Q, batch + 1u) - s.q_begin;
    s.kv_begin = (uint32_t)integer_at(inputs, SQA_ROLE_CU_SEQLENS_KV, batch);
    s.kv_length = (uint32_t)integer_at(inputs, SQA_ROLE_CU_SEQLENS_KV, batch + 1u) - s.kv_begin;
    s.diagonal = problem->bottom_right ? (int64_t)s.kv_length - s.q_length : 0;
    return s;
}

static bool is_global(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                      int64_t position)
{
    if (!problem->globals.listed)
        return position >= 0 && position < problem->globals.count;
    for (uint32_t i = 0; i < problem->globals.count; i++)
        if (integer_at(inputs, SQA_ROLE_GLOBALS, i) == position)
            return true;
    return false;
}

static bool sees_by_window(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                           int64_t position, int64_t key)
{
    if (key >= position - problem->window.left && key <= position + problem->window.right)
        return true;
    return problem->mask & SQA_MASK_GLOBALS &&
           (is_global(problem, inputs, position) || is_global(problem, inputs, key));
}

static bool sees_by_blocks(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                           uint32_t batch, uint32_t head, uint32_t row, uint32_t key)
{
    const sqa_blocks *blocks = &problem->blocks;
    const uint32_t rows = (problem->q_length + blocks->query_size - 1) / blocks->query_size;
    const uint32_t list_batch = blocks->batch > 1 ? batch : 0;
    const uint32_t list_head = head / (problem->out_heads / blocks->heads);
    const uint64_t list =
        ((uint64_t)list_batch * blocks->heads + list_head) * rows + row / blocks->query_size;
    const int32_t end = integer_at(inputs, SQA_ROLE_BLOCK_OFFSETS, list + 1);
    for (int32_t i = integer_at(inputs, SQA_ROLE_BLOCK_OFFSETS, list); i < end; i++)
        if (integer_at(inputs, SQA_ROLE_BLOCK_INDICES, (uint64_t)i) ==
            (int32_t)(key / blocks->key_size))
            return true;
    return false;
}

static bool sees_by_bytes(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                          uint32_t batch, uint32_t head, uint32_t row, uint32_t key)
{
    const uint8_t *keys = inputs->by_role[SQA_ROLE_KEY_MASK];
    const uint8_t *pairs = inputs->by_role[SQA_ROLE_MASK];
    if (problem->mask & SQA_MASK_KEY && !keys[(uint64_t)batch * problem->kv_length + key])
        return false;
    return !(problem->mask & SQA_MASK_PAIR) ||
           pairs[element_at(&problem->pair_mask, batch, head, row, key)];
}

static double bias_at(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                      uint32_t batch, uint32_t head, uint32_t row, uint32_t key)
{
    if (!(problem->score & SQA_SCORE_BIAS))
        return 0.0;
    return (double)vector_at(inputs, SQA_ROLE_BIAS, &problem->bias, batch, head, row)[key];
}

bool sqa_reference_sees(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                        uint32_t batch, uint32_t head, uint32_t row, uint32_t key)
{
    const sqa_sequence sequence = sqa_reference_sequence(problem, inputs, batch);
    const int64_t position = row + sequence.diagonal;
    if (row >= sequence.q_length || key >= sequence.kv_length)
        return false;
    if (problem->mask & SQA_MASK_CAUSAL && key > position)
        return false;
    if (problem->mask & SQA_MASK_WINDOW && !sees_by_window(problem, inputs, position, key))
        return false;
    if (problem->mask & SQA_MASK_BLOCKS && !sees_by_blocks(problem, inputs, batch, head, row, key))
        return false;
    return sees_by_bytes(problem, inputs, batch, head, row, key) &&
           bias_at(problem, inputs, batch, head, row, key) != -(double)INFINITY;
}

/* ALiBi's slope for a head (arXiv 2108.12409 and its published code, for head counts
 * that are no powers of two). */
static double geometric_slope(uint32_t head, uint32_t heads)
{
    uint32_t power = 1;
    while (power <= heads / 2)
        power *= 2;
    if (head < power)
        return pow(2.0, -8.0 * (head + 1.0) / power);
    return pow(2.0, -8.0 * (2.0 * (head - power) + 1.0) / (2.0 * power));
}

static double slope_of(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                       uint32_t head)
{
    if (problem->score & SQA_SCORE_SLOPES)
        return (double)((const float *)inputs->by_role[SQA_ROLE_SLOPES])[head];
    return problem->score & SQA_SCORE_ALIBI ? geometric_slope(head, problem->out_heads) : 0.0;
}

/* A row's score of a key that it sees. */
static double score(const sqa_problem *problem, const sqa_reference_inputs *inputs, uint32_t batch,
                    uint32_t head, uint32_t row, uint32_t key)
{
    const sqa_sequence at = sqa_reference_sequence(problem, inputs, batch);
    const uint32_t kv_head = head / (problem->out_heads / problem->kv_heads);
    const float *q = vector_at(inputs, SQA_ROLE_Q, &problem->q, batch, head % problem->q_heads,
                               at.q_begin + row);
    const float *k = vector_at(inputs, SQA_ROLE_K, &problem->k, batch, kv_head, at.kv_begin + key);
    double dot = 0.0;
    for (uint32_t d = 0; d < problem->head_dim; d++)
        dot += (double)q[d] * (double)k[d];
    double s = (double)problem->scale * dot;
    if (problem->score & SQA_SCORE_SOFTCAP)
        s = (double)problem->softcap * tanh(s / (double)problem->softcap);
    const double distance = fabs((double)row + (double)at.diagonal - (double)key);
    return s + bias_at(problem, inputs, batch, head, row, key) -
           slope_of(problem, inputs, head) * distance;
}

/* The largest score a row sees, NaN if one is NaN; -infinity without keys. */
static double largest_score(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                            uint32_t batch, uint32_t head, uint32_t row, uint32_t keys, bool *any)
{
    double largest = -(double)INFINITY;
    *any = false;
    for (uint32_t j = 0; j < keys && !isnan(largest); j++) {
        if (!sqa_reference_sees(problem, inputs, batch, head, row, j))
            continue;
        const double s = score(problem, inputs, batch, head, row, j);
        *any = true;
        if (isnan(s) || s > largest)
            largest = s;
    }
    return largest;
}

void sqa_reference_forward_row(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                               uint32_t batch, uint32_t head, uint32_t row, double *o, double *lse)
{
    const sqa_sequence at = sqa_reference_sequence(problem, inputs, batch);
    const uint32_t kv_head = head / (problem->out_heads / problem->kv_heads);
    for (uint32_t d = 0; d < problem->value_dim; d++)
        o[d] = 0.0;
    *lse = -(double)INFINITY;

    bool any;
    double largest = largest_score(problem, inputs, batch, head, row, at.kv_length, &any);
    if (!any)
        return;
    double sum = 0.0;
    if (problem->score & SQA_SCORE_SINKS) {
        const double sink = (double)((const float *)inputs->by_role[SQA_ROLE_SINKS])[head];
        largest = sink > largest ? sink : largest;
        sum = exp(sink - largest);
    }
    for (uint32_t j = 0; j < at.kv_length; j++) {
        if (!sqa_reference_sees(problem, inputs, batch, head, row, j))
            continue;
        const double p = exp(score(problem, inputs, batch, head, row, j) - largest);
        const float *value =
            vector_at(inputs, SQA_ROLE_V, &problem->v, batch, kv_head, at.kv_begin + j);
        sum += p;
        for (uint32_t d = 0; d < problem->value_dim; d++)
            o[d] += p * (double)value[d];
    }
    for (uint32_t d = 0; d < problem->value_dim; d++)
        o[d] /= sum;
    *lse = largest + log(sum);
}
