/* Properties of hiding: a value planted in one place must change exactly the
 * outputs that may see it, and leave every other bit alone. */
#include <float.h>
#include <math.h>
#include <stdio.h>

#include "conformance/properties.h"

/* Where a value was planted, and in which tensor. */
typedef struct planting {
    char tensor; /* 'K' or 'V' */
    uint32_t batch, head, key, component;
} planting;

static void plant(sqa_forward_case *test, const planting *at, float value)
{
    sqa_host_tensor *tensor = at->tensor == 'K' ? &test->k : &test->v;
    sqa_host_tensor_at(tensor, at->batch, at->head, at->key)[at->component] = value;
}

static bool row_reaches(const sqa_forward_case *test, const planting *at, uint32_t batch,
                        uint32_t head, uint32_t row)
{
    const sqa_problem *problem = &test->problem;
    return batch == at->batch && head / (problem->out_heads / problem->kv_heads) == at->head &&
           sqa_forward_case_sees(test, batch, head, row, at->key);
}

/* Whether the row is as it should be after NaN was planted. In V it reaches one
 * component of the output, and not the LSE. */
static bool row_poisoned(const sqa_forward_case *test, const planting *at, uint32_t batch,
                         uint32_t head, uint32_t row)
{
    if (at->tensor == 'K')
        return sqa_row_all_nan(test, batch, head, row);
    return isnan(sqa_host_tensor_at(&test->o, batch, head, row)[at->component]) &&
           !isnan(*sqa_host_tensor_at(&test->lse, batch, head, row));
}

/* Rows that reach the planting are looked at only when `poisoned`. */
static void compare_rows(const sqa_case_pair *pair, const planting *at, float value, bool poisoned,
                         char message[SQA_CASE_MESSAGE])
{
    const sqa_problem *p = &pair->before.problem;
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->out_heads; h++)
            for (uint32_t i = 0; i < p->q_length; i++) {
                bool reaches = row_reaches(&pair->before, at, b, h, i);
                if (reaches && (!poisoned || row_poisoned(&pair->after, at, b, h, i)))
                    continue;
                if (!reaches && sqa_row_same_bits(pair, b, h, i))
                    continue;
                snprintf(message, SQA_CASE_MESSAGE,
                         "%g in %c at batch %u, kv head %u, key %u %s batch %u, head %u, query %u",
                         (double)value, at->tensor, at->batch, at->head, at->key,
                         reaches ? "did not reach" : "changed", b, h, i);
                return;
            }
}

static sqa_status check_planting(const sqa_property_run *run, const sqa_attention_desc *desc,
                                 const planting *at, float value, bool poisoned,
                                 char message[SQA_CASE_MESSAGE])
{
    sqa_case_pair pair;
    sqa_status status = sqa_case_pair_create(&pair, run, desc, desc);
    if (status != SQA_OK)
        return status;
    plant(&pair.after, at, value);
    status = sqa_case_pair_execute(&pair, run, desc, desc, message);
    if (status == SQA_OK && !message[0])
        compare_rows(&pair, at, value, poisoned, message);
    sqa_case_pair_free(&pair);
    return status;
}

/* Bottom-right: the first key that only the second half of the queries sees.
 * Top-left: one beyond the last query, which nobody sees (keys outnumber queries). */
static uint32_t hidden_key(const sqa_attention_desc *desc)
{
    if (desc->causal == SQA_CAUSAL_TOP_LEFT)
        return desc->q_length + 1;
    return desc->kv_length - desc->q_length / 2;
}

sqa_status sqa_property_hidden_values(const sqa_property_run *run, const sqa_attention_desc *desc,
                                      char message[SQA_CASE_MESSAGE])
{
    static const float values[] = {NAN, INFINITY, -INFINITY, FLT_MAX};
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < 8 && status == SQA_OK && !message[0]; i++) {
        planting at = {"KV"[i / 4], desc -> batch - 1, desc -> kv_heads - 1, hidden_key(desc), 2};
        status = check_planting(run, desc, &at, values[i % 4], false, message);
    }
    return status;
}

sqa_status sqa_property_visible_nan(const sqa_property_run *run, const sqa_attention_desc *desc,
                                    char message[SQA_CASE_MESSAGE])
{
    uint32_t keys[] = {0, hidden_key(desc), desc->kv_length - 1};
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < 6 && status == SQA_OK && !message[0]; i++) {
        planting at = {"KV"[i / 3], 0, desc -> kv_heads - 1, keys[i % 3], 3};
        status = check_planting(run, desc, &at, NAN, true, message);
    }
    return status;
}

static void compare_all_rows(const sqa_case_pair *pair, float value, char message[SQA_CASE_MESSAGE])
{
    const sqa_problem *p = &pair->before.problem;
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->out_heads; h++)
            for (uint32_t i = 0; i < p->q_length; i++)
                if (!sqa_row_same_bits(pair, b, h, i)) {
                    snprintf(message, SQA_CASE_MESSAGE,
                             "%g between the vectors changed batch %u, head %u, query %u",
                             (double)value, b, h, i);
                    return;
                }
}

sqa_status sqa_property_gap_values(const sqa_property_run *run, const sqa_attention_desc *desc,
                                   char message[SQA_CASE_MESSAGE])
{
    static const float values[] = {0.0f, INFINITY, -FLT_MAX};
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < 3 && status == SQA_OK && !message[0]; i++) {
        sqa_case_pair pair;
        status = sqa_case_pair_create(&pair, run, desc, desc);
        if (status != SQA_OK)
            return status;
        sqa_host_tensor_fill_gaps(&pair.after.q, values[i]);
        sqa_host_tensor_fill_gaps(&pair.after.k, values[i]);
        sqa_host_tensor_fill_gaps(&pair.after.v, values[i]);
        status = sqa_case_pair_execute(&pair, run, desc, desc, message);
        if (status == SQA_OK && !message[0])
            compare_all_rows(&pair, values[i], message);
        sqa_case_pair_free(&pair);
    }
    return status;
}
