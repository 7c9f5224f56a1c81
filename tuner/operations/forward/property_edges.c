/* Properties at the edges: lengths far apart or zero, rows without a key. */
#include <math.h>
#include <stdio.h>

#include "conformance/check.h"
#include "operations/forward/layout.h"
#include "operations/forward/properties.h"

/* The oracle's verdict on the problem with other lengths. */
static sqa_status check_lengths(const sqa_property_run *run, const sqa_attention_desc *desc,
                                uint32_t q_length, uint32_t kv_length, sqa_causal causal,
                                char message[SQA_FINDING_TEXT])
{
    sqa_attention_desc changed = *desc;
    changed.q_length = q_length;
    changed.kv_length = kv_length;
    changed.causal = causal;
    sqa_layout_apply(SQA_LAYOUT_PADDED, &changed);
    sqa_problem problem;
    sqa_judgement judgement;
    sqa_status status = sqa_problem_from_desc(&problem, &changed);
    if (status == SQA_OK)
        status = sqa_check(run->context, run->queue, &problem, run->options, run->seed, false,
                           &judgement);
    if (status == SQA_OK && !judgement.passed)
        snprintf(message, SQA_FINDING_TEXT, "%u queries, %u keys: %.200s", q_length, kv_length,
                 judgement.message);
    return status;
}

sqa_status sqa_property_lengths_apart(const sqa_property_run *run, const sqa_problem *problem,
                                      char message[SQA_FINDING_TEXT])
{
    sqa_attention_desc asked;
    const sqa_attention_desc *desc = &asked;
    sqa_problem_to_desc(problem, &asked);
    uint32_t longest = run->small ? 61 : 3001;
    const struct {
        uint32_t q_length, kv_length;
        sqa_causal causal;
    } cases[] = {
        {3, longest, SQA_CAUSAL_BOTTOM_RIGHT},
        {3, longest, SQA_CAUSAL_TOP_LEFT},
        {longest, 3, SQA_CAUSAL_BOTTOM_RIGHT},
        {longest, 3, SQA_CAUSAL_TOP_LEFT},
    };
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < sizeof cases / sizeof *cases && status == SQA_OK && !message[0]; i++)
        status = check_lengths(run, desc, cases[i].q_length, cases[i].kv_length, cases[i].causal,
                               message);
    return status;
}

/* Sums lose digits with every key: what is promised of the error holds for long rows, too. */
sqa_status sqa_property_long_rows(const sqa_property_run *run, const sqa_problem *problem,
                                  char message[SQA_FINDING_TEXT])
{
    sqa_attention_desc asked;
    const sqa_attention_desc *desc = &asked;
    sqa_problem_to_desc(problem, &asked);
    sqa_attention_desc one = *desc;
    one.batch = 1;
    return run->small ? check_lengths(run, &one, 1, 2100, SQA_CAUSAL_NONE, message)
                      : check_lengths(run, &one, 2, 200000, SQA_CAUSAL_NONE, message);
}

static bool sees_any_key(const sqa_host_tensors *test, uint32_t head, uint32_t row)
{
    bool any = false;
    for (uint32_t key = 0; key < test->problem.of.attention.kv_length && !any; key++)
        any = sqa_forward_case_sees(test, 0, head, row, key);
    return any;
}

/* Rows that see no key must be exactly 0, not nearly. */
static void check_dead_rows(const sqa_host_tensors *test, char message[SQA_FINDING_TEXT])
{
    const sqa_attention *p = &test->problem.of.attention;
    for (uint32_t h = 0; h < p->out_heads; h++)
        for (uint32_t i = 0; i < p->q_length; i++) {
            if (sees_any_key(test, h, i))
                continue;
            const float *o = sqa_host_tensor_at(&test->of[SQA_SLOT_O], 0, h, i);
            bool zero = *sqa_host_tensor_at(&test->of[SQA_SLOT_LSE], 0, h, i) == -INFINITY;
            for (uint32_t d = 0; d < p->value_dim; d++)
                zero = zero && o[d] == 0.0f;
            if (!zero) {
                snprintf(message, SQA_FINDING_TEXT,
                         "head %u, query %u of %u sees none of %u keys, but is not O = 0 with "
                         "LSE = -inf",
                         h, i, p->q_length, p->kv_length);
                return;
            }
        }
}

sqa_status sqa_property_nothing_to_see(const sqa_property_run *run, const sqa_problem *problem,
                                       char message[SQA_FINDING_TEXT])
{
    sqa_attention_desc asked;
    const sqa_attention_desc *desc = &asked;
    sqa_problem_to_desc(problem, &asked);
    static const struct {
        uint32_t batch, q_length, kv_length;
    } cases[] = {{1, 16, 7}, {1, 7, 0}, {1, 0, 7}, {1, 0, 0}, {0, 7, 7}, {1, 41, 7}};
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < sizeof cases / sizeof *cases && status == SQA_OK && !message[0]; i++) {
        sqa_attention_desc changed = *desc;
        changed.batch = cases[i].batch;
        changed.q_length = cases[i].q_length;
        changed.kv_length = cases[i].kv_length;
        sqa_layout_apply(SQA_LAYOUT_PADDED, &changed);
        sqa_host_tensors test;
        status = sqa_forward_case_create(&test, &changed, run->seed);
        if (status != SQA_OK)
            return status;
        status = sqa_property_execute(run, &test, message);
        if (status == SQA_OK && !message[0] && changed.batch)
            check_dead_rows(&test, message);
        sqa_host_tensors_free(&test);
    }
    return status;
}
