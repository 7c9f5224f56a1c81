#include "operations/attention/selection_reference.h"

#include <math.h>
#include <stddef.h>

/* Column d of the mean of rows begin .. end - 1 of a matrix, and of their magnitudes. */
static void mean_of(const float *matrix, int64_t stride, uint32_t begin, uint32_t end, uint32_t d,
                    double *mean, double *magnitude)
{
    double sum = 0.0, sum_of_magnitudes = 0.0;
    for (uint32_t i = begin; i < end; i++) {
        const double x = (double)matrix[(int64_t)i * stride + d];
        sum += x;
        sum_of_magnitudes += fabs(x);
    }
    *mean = sum / (end - begin);
    *magnitude = sum_of_magnitudes / (end - begin);
}

static uint32_t block_end(uint32_t block, uint32_t size, uint32_t length)
{
    const uint64_t end = ((uint64_t)block + 1) * size;
    return end < length ? (uint32_t)end : length;
}

/* Adds one output head's score of a block pair. */
static void add_score(const sqa_attention *p, const sqa_reference_inputs *inputs, uint32_t batch,
                      uint32_t head, uint32_t row, uint32_t block, double *score, double *magnitude)
{
    const float *q = (const float *)inputs->by_slot[SQA_SLOT_Q] + batch * p->q.batch +
                     head % p->q_heads * p->q.head;
    const float *k = (const float *)inputs->by_slot[SQA_SLOT_K] + batch * p->k.batch +
                     head / (p->out_heads / p->kv_heads) * p->k.head;
    const uint32_t q_end = block_end(row, p->blocks.query_size, p->q_length);
    const uint32_t k_end = block_end(block, p->blocks.key_size, p->kv_length);
    for (uint32_t d = 0; d < p->head_dim; d++) {
        double q_mean, k_mean, q_magnitude, k_magnitude;
        mean_of(q, p->q.sequence, row * p->blocks.query_size, q_end, d, &q_mean, &q_magnitude);
        mean_of(k, p->k.sequence, block * p->blocks.key_size, k_end, d, &k_mean, &k_magnitude);
        *score += (double)p->scale * q_mean * k_mean;
        *magnitude += fabs((double)p->scale) * q_magnitude * k_magnitude;
    }
}

void sqa_reference_block_scores(const sqa_selection *selection, const sqa_reference_inputs *inputs,
                                uint32_t batch, uint32_t list_head, uint32_t row, double *scores,
                                double *magnitudes)
{
    const uint32_t heads = selection->attention.out_heads / selection->attention.blocks.heads;
    for (uint32_t block = 0; block < sqa_attention_key_blocks(&selection->attention); block++) {
        scores[block] = magnitudes[block] = 0.0;
        for (uint32_t i = 0; i < heads; i++)
            add_score(&selection->attention, inputs, batch, list_head * heads + i, row, block,
                      &scores[block], &magnitudes[block]);
    }
}

static int64_t last_query(const sqa_selection *selection, uint32_t row)
{
    return (int64_t)block_end(row, selection->attention.blocks.query_size,
                              selection->attention.q_length) -
           1;
}

uint32_t sqa_reference_candidates(const sqa_selection *selection, uint32_t row)
{
    const uint32_t blocks = sqa_attention_key_blocks(&selection->attention);
    uint32_t count = 0;
    if (!(selection->attention.mask & SQA_MASK_CAUSAL))
        return blocks;
    while (count < blocks && (int64_t)count * selection->attention.blocks.key_size <=
                                 last_query(selection, row) + selection->attention.diagonal)
        count++;
    return count;
}

bool sqa_reference_is_forced(const sqa_selection *selection, uint32_t row, uint32_t block)
{
    const uint32_t count = sqa_reference_candidates(selection, row);
    const int64_t position = last_query(selection, row) + selection->attention.diagonal;
    if (block >= count)
        return false;
    if (block < selection->sink_blocks)
        return true;
    if (position < 0)
        return false;
    const int64_t own = position / selection->attention.blocks.key_size;
    const int64_t last = own < count ? own : (int64_t)count - 1;
    return block <= last && block > last - (int64_t)selection->local_blocks;
}

/* Whether block a is to be chosen before block b. */
static bool is_before(const sqa_selection *selection, uint32_t row, const double *scores,
                      uint32_t a, uint32_t b)
{
    const bool a_forced = sqa_reference_is_forced(selection, row, a);
    const bool b_forced = sqa_reference_is_forced(selection, row, b);
    if (a_forced != b_forced)
        return a_forced;
    if (isnan(scores[a]) != isnan(scores[b]))
        return isnan(scores[b]);
    if (scores[a] > scores[b] || scores[a] < scores[b])
        return scores[a] > scores[b];
    return a < b;
}

uint32_t sqa_reference_select(const sqa_selection *selection, uint32_t row, const double *scores,
                              int32_t *list)
{
    const uint32_t candidates = sqa_reference_candidates(selection, row);
    uint32_t count = 0;
    for (uint32_t block = 0; block < candidates; block++) {
        uint32_t better = 0;
        for (uint32_t other = 0; other < candidates; other++)
            better += is_before(selection, row, scores, other, block);
        if (better < selection->top_k)
            list[count++] = (int32_t)block;
    }
    return count;
}

static bool is_listed(const int32_t *list, uint32_t count, uint32_t block)
{
    for (uint32_t i = 0; i < count; i++)
        if (list[i] == (int32_t)block)
            return true;
    return false;
}

static const char *form_fault(const sqa_selection *selection, uint32_t row, const int32_t *list,
                              uint32_t count)
{
    const uint32_t candidates = sqa_reference_candidates(selection, row);
    const uint32_t top_k = selection->top_k;
    if (count != (candidates < top_k ? candidates : top_k))
        return "has the wrong length";
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] < 0 || (uint32_t)list[i] >= candidates)
            return "has a block that no query of the row sees";
        if (i > 0 && list[i] <= list[i - 1])
            return "does not ascend";
    }
    return NULL;
}

const char *sqa_reference_list_fault(const sqa_selection *selection, uint32_t row,
                                     const double *scores, const double *magnitudes,
                                     const int32_t *list, uint32_t count)
{
    const uint32_t candidates = sqa_reference_candidates(selection, row);
    const char *fault = form_fault(selection, row, list, count);
    for (uint32_t other = 0; other < candidates && !fault; other++) {
        if (is_listed(list, count, other))
            continue;
        if (sqa_reference_is_forced(selection, row, other))
            fault = "lacks a block that it has to have";
        for (uint32_t i = 0; i < count && !fault; i++) {
            const uint32_t block = (uint32_t)list[i];
            const double slack = SQA_SELECTION_ROUNDING * (magnitudes[other] + magnitudes[block]);
            if (sqa_reference_is_forced(selection, row, block) || isnan(scores[other]))
                continue;
            if (isnan(scores[block]) || scores[block] < scores[other] - slack)
                fault = "lacks a block that is better than one that it has";
        }
    }
    return fault;
}

bool sqa_reference_is_close(const sqa_selection *selection, uint32_t row, const double *scores,
                            const double *magnitudes, const int32_t *list, uint32_t count)
{
    const uint32_t candidates = sqa_reference_candidates(selection, row);
    for (uint32_t other = 0; other < candidates; other++) {
        if (is_listed(list, count, other))
            continue;
        for (uint32_t i = 0; i < count; i++) {
            const uint32_t block = (uint32_t)list[i];
            const double slack = SQA_SELECTION_ROUNDING * (magnitudes[other] + magnitudes[block]);
            if (!sqa_reference_is_forced(selection, row, block) &&
                !(scores[block] - scores[other] > slack))
                return true;
        }
    }
    return false;
}
