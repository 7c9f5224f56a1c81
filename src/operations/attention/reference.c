/* The oracle, from the definition and nothing else: no tiles, no online softmax,
 * no shared code with any kernel. Slow on purpose. Does not know OpenCL. */
#include "operations/attention/reference.h"

#include <math.h>
#include <stdint.h>

#include "operations/dropout.h"

/* Element `index` of the vector at (batch, head, position) of a strided tensor. */
static int64_t element_at(const sqa_strides *strides, uint32_t batch, uint32_t head,
                          uint32_t position, uint32_t index)
{
    return (int64_t)batch * strides->batch + (int64_t)head * strides->head +
           (int64_t)position * strides->sequence + index;
}

const float *sqa_reference_vector(const sqa_reference_inputs *inputs, uint32_t slot,
                                  const sqa_strides *strides, uint32_t batch, uint32_t head,
                                  uint32_t position)
{
    return (const float *)inputs->by_slot[slot] + element_at(strides, batch, head, position, 0);
}

static int32_t integer_at(const sqa_reference_inputs *inputs, uint32_t slot, uint64_t index)
{
    return ((const int32_t *)inputs->by_slot[slot])[index];
}

const float *sqa_reference_key(const sqa_attention *attention, const sqa_reference_inputs *inputs,
                               uint32_t slot, const sqa_sequence *sequence, uint32_t batch,
                               uint32_t kv_head, uint32_t key)
{
    const sqa_strides *strides = slot == SQA_SLOT_K ? &attention->k : &attention->v;
    const uint32_t size = attention->paged.page_size;
    if (!(attention->mask & SQA_MASK_PAGED))
        return sqa_reference_vector(inputs, slot, strides, batch, kv_head,
                                    sequence->kv_begin + key);
    const uint64_t row = (attention->kv_length + (uint64_t)size - 1) / size;
    const int32_t page = integer_at(inputs, SQA_SLOT_BLOCK_TABLE, batch * row + key / size);
    return sqa_reference_vector(inputs, slot, strides, (uint32_t)page, kv_head, key % size);
}

sqa_sequence sqa_reference_sequence(const sqa_attention *attention,
                                    const sqa_reference_inputs *inputs, uint32_t batch)
{
    sqa_sequence s = {0, attention->q_length, 0, attention->kv_length, attention->diagonal};
    if (!(attention->mask & (SQA_MASK_RAGGED | SQA_MASK_PAGED)))
        return s;
    if (attention->mask & SQA_MASK_RAGGED) {
        s.q_begin = (uint32_t)integer_at(inputs, SQA_SLOT_CU_SEQLENS_Q, batch);
        s.q_length = (uint32_t)integer_at(inputs, SQA_SLOT_CU_SEQLENS_Q, batch + 1u) - s.q_begin;
    }
    if (attention->mask & SQA_MASK_PAGED) {
        s.kv_length = (uint32_t)integer_at(inputs, SQA_SLOT_KV_LENGTHS, batch);
    } else if (!inputs->by_slot[SQA_SLOT_CU_SEQLENS_KV]) { /* as causal linear attention */
        s.kv_begin = s.q_begin;
        s.kv_length = s.q_length;
    } else {
        s.kv_begin = (uint32_t)integer_at(inputs, SQA_SLOT_CU_SEQLENS_KV, batch);
        s.kv_length = (uint32_t)integer_at(inputs, SQA_SLOT_CU_SEQLENS_KV, batch + 1u) - s.kv_begin;
    }
    s.diagonal = attention->bottom_right ? (int64_t)s.kv_length - s.q_length : 0;
    return s;
}

static bool is_global(const sqa_attention *attention, const sqa_reference_inputs *inputs,
                      int64_t position)
{
    if (!attention->globals.listed)
        return position >= 0 && position < attention->globals.count;
    for (uint32_t i = 0; i < attention->globals.count; i++)
        if (integer_at(inputs, SQA_SLOT_GLOBALS, i) == position)
            return true;
    return false;
}

static bool sees_by_window(const sqa_attention *attention, const sqa_reference_inputs *inputs,
                           int64_t position, int64_t key)
{
    if (key >= position - attention->window.left && key <= position + attention->window.right)
        return true;
    return attention->mask & SQA_MASK_GLOBALS &&
           (is_global(attention, inputs, position) || is_global(attention, inputs, key));
}

static bool sees_by_blocks(const sqa_attention *attention, const sqa_reference_inputs *inputs,
                           uint32_t batch, uint32_t head, uint32_t row, uint32_t key)
{
    const sqa_blocks *blocks = &attention->blocks;
    const uint32_t rows = (attention->q_length + blocks->query_size - 1) / blocks->query_size;
    const uint32_t list_batch = blocks->batch > 1 ? batch : 0;
    const uint32_t list_head = head / (attention->out_heads / blocks->heads);
    const uint64_t list =
        ((uint64_t)list_batch * blocks->heads + list_head) * rows + row / blocks->query_size;
    const int32_t end = integer_at(inputs, SQA_SLOT_BLOCK_OFFSETS, list + 1);
    for (int32_t i = integer_at(inputs, SQA_SLOT_BLOCK_OFFSETS, list); i < end; i++)
        if (integer_at(inputs, SQA_SLOT_BLOCK_INDICES, (uint64_t)i) ==
            (int32_t)(key / blocks->key_size))
            return true;
    return false;
}

static bool sees_by_bytes(const sqa_attention *attention, const sqa_reference_inputs *inputs,
                          uint32_t batch, uint32_t head, uint32_t row, uint32_t key)
{
    const uint8_t *keys = inputs->by_slot[SQA_SLOT_KEY_MASK];
    const uint8_t *pairs = inputs->by_slot[SQA_SLOT_MASK];
    if (attention->mask & SQA_MASK_KEY && !keys[(uint64_t)batch * attention->kv_length + key])
        return false;
    return !(attention->mask & SQA_MASK_PAIR) ||
           pairs[element_at(&attention->pair_mask, batch, head, row, key)];
}

static double bias_at(const sqa_attention *attention, const sqa_reference_inputs *inputs,
                      uint32_t batch, uint32_t head, uint32_t row, uint32_t key)
{
    if (!(attention->score & SQA_SCORE_BIAS))
        return 0.0;
    return (double)sqa_reference_vector(inputs, SQA_SLOT_BIAS, &attention->bias, batch, head,
                                        row)[key];
}

bool sqa_reference_sees(const sqa_attention *attention, const sqa_reference_inputs *inputs,
                        uint32_t batch, uint32_t head, uint32_t row, uint32_t key)
{
    const sqa_sequence sequence = sqa_reference_sequence(attention, inputs, batch);
    const int64_t position = row + sequence.diagonal;
    if (row >= sequence.q_length || key >= sequence.kv_length)
        return false;
    if (attention->mask & SQA_MASK_CAUSAL && key > position)
        return false;
    if (attention->mask & SQA_MASK_WINDOW && !sees_by_window(attention, inputs, position, key))
        return false;
    if (attention->mask & SQA_MASK_BLOCKS &&
        !sees_by_blocks(attention, inputs, batch, head, row, key))
        return false;
    return sees_by_bytes(attention, inputs, batch, head, row, key) &&
           bias_at(attention, inputs, batch, head, row, key) != -(double)INFINITY;
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

static double slope_of(const sqa_attention *attention, const sqa_reference_inputs *inputs,
                       uint32_t head)
{
    if (attention->score & SQA_SCORE_SLOPES)
        return (double)((const float *)inputs->by_slot[SQA_SLOT_SLOPES])[head];
    return attention->score & SQA_SCORE_ALIBI ? geometric_slope(head, attention->out_heads) : 0.0;
}

double sqa_reference_score(const sqa_attention *attention, const sqa_reference_inputs *inputs,
                           uint32_t batch, uint32_t head, uint32_t row, uint32_t key,
                           double *steepness)
{
    const sqa_sequence at = sqa_reference_sequence(attention, inputs, batch);
    const uint32_t kv_head = head / (attention->out_heads / attention->kv_heads);
    const float *q = sqa_reference_vector(inputs, SQA_SLOT_Q, &attention->q, batch,
                                          head % attention->q_heads, at.q_begin + row);
    const float *k = sqa_reference_key(attention, inputs, SQA_SLOT_K, &at, batch, kv_head, key);
    double dot = 0.0;
    for (uint32_t d = 0; d < attention->head_dim; d++)
        dot += (double)q[d] * (double)k[d];
    double s = (double)attention->scale * dot, steep = 1.0;
    if (attention->score & SQA_SCORE_SOFTCAP) {
        const double capped = tanh(s / (double)attention->softcap);
        s = (double)attention->softcap * capped;
        steep = 1.0 - capped * capped;
    }
    if (steepness)
        *steepness = steep;
    const double distance = fabs((double)row + (double)at.diagonal - (double)key);
    return s + bias_at(attention, inputs, batch, head, row, key) -
           slope_of(attention, inputs, head) * distance;
}

/* The largest score a row sees, NaN if one is NaN; -infinity without keys. */
static double largest_score(const sqa_attention *attention, const sqa_reference_inputs *inputs,
                            uint32_t batch, uint32_t head, uint32_t row, uint32_t keys, bool *any)
{
    double largest = -(double)INFINITY;
    *any = false;
    for (uint32_t j = 0; j < keys && !isnan(largest); j++) {
        if (!sqa_reference_sees(attention, inputs, batch, head, row, j))
            continue;
        const double s = sqa_reference_score(attention, inputs, batch, head, row, j, NULL);
        *any = true;
        if (isnan(s) || s > largest)
            largest = s;
    }
    return largest;
}

double sqa_reference_kept_weight(const sqa_attention *attention, const sqa_reference_inputs *inputs,
                                 uint32_t batch, uint32_t head, uint32_t row, uint32_t key)
{
    return sqa_reference_kept(attention->dropout, inputs->by_slot[SQA_SLOT_DROPOUT_SEED], batch,
                              head, row, key);
}

void sqa_reference_forward_row(const sqa_attention *attention, const sqa_reference_inputs *inputs,
                               uint32_t batch, uint32_t head, uint32_t row, double *o, double *lse)
{
    const sqa_sequence at = sqa_reference_sequence(attention, inputs, batch);
    const uint32_t kv_head = head / (attention->out_heads / attention->kv_heads);
    for (uint32_t d = 0; d < attention->value_dim; d++)
        o[d] = 0.0;
    *lse = -(double)INFINITY;

    bool any;
    double largest = largest_score(attention, inputs, batch, head, row, at.kv_length, &any);
    if (!any)
        return;
    double sum = 0.0;
    if (attention->score & SQA_SCORE_SINKS) {
        const double sink = (double)((const float *)inputs->by_slot[SQA_SLOT_SINKS])[head];
        largest = sink > largest ? sink : largest;
        sum = exp(sink - largest);
    }
    for (uint32_t j = 0; j < at.kv_length; j++) {
        if (!sqa_reference_sees(attention, inputs, batch, head, row, j))
            continue;
        const double kept = sqa_reference_kept_weight(attention, inputs, batch, head, row, j);
        const double p =
            exp(sqa_reference_score(attention, inputs, batch, head, row, j, NULL) - largest);
        const float *value =
            sqa_reference_key(attention, inputs, SQA_SLOT_V, &at, batch, kv_head, j);
        sum += p;
        for (uint32_t d = 0; d < attention->value_dim; d++)
            o[d] += kept * p * (double)value[d];
    }
    for (uint32_t d = 0; d < attention->value_dim; d++)
        o[d] /= sum;
    *lse = largest + log(sum);
}
