/* Properties of hiding: a value planted in one place must change exactly the
 * outputs that may see it, and leave every other bit alone. */
#include <float.h>
#include <math.h>
#include <stdio.h>

#include "operations/attention/pattern_text.h"
#include "operations/forward/properties.h"
#include "problem/storage.h"

/* Where a value was planted, and in which tensor. */
typedef struct planting {
    char tensor; /* 'K' or 'V' */
    uint32_t batch, head, key, component;
} planting;

static void plant(sqa_host_tensors *test, const planting *at, float value)
{
    const sqa_host_tensor *tensor =
        at->tensor == 'K' ? &test->of[SQA_SLOT_K] : &test->of[SQA_SLOT_V];
    sqa_forward_case_key(test, tensor, at->batch, at->head, at->key)[at->component] = value;
}

static uint32_t rows_of(const sqa_host_tensors *test, uint32_t batch)
{
    return sqa_forward_case_sequence(test, batch).q_length;
}

static bool row_reaches(const sqa_host_tensors *test, const planting *at, uint32_t batch,
                        uint32_t head, uint32_t row)
{
    const sqa_attention *problem = &test->problem.of.attention;
    return batch == at->batch && head / (problem->out_heads / problem->kv_heads) == at->head &&
           sqa_forward_case_sees(test, batch, head, row, at->key);
}

/* Whether the row is as it should be after NaN was planted. In V it reaches one
 * component of the output, and not the LSE. */
static bool row_poisoned(const sqa_host_tensors *test, const planting *at, uint32_t batch,
                         uint32_t head, uint32_t row)
{
    if (at->tensor == 'K')
        return sqa_row_all_nan(test, batch, head, row);
    return isnan(sqa_forward_case_output(test, batch, head, row)[at->component]) &&
           (!test->problem.of.attention.write_lse ||
            !isnan(*sqa_forward_case_lse(test, batch, head, row)));
}

/* Rows that reach the planting are looked at only when `poisoned`. */
static void compare_rows(const sqa_case_pair *pair, const planting *at, float value, bool poisoned,
                         char message[SQA_FINDING_TEXT])
{
    const sqa_attention *p = &pair->before.problem.of.attention;
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->out_heads; h++)
            for (uint32_t i = 0; i < rows_of(&pair->before, b); i++) {
                bool reaches = row_reaches(&pair->before, at, b, h, i);
                if (reaches && (!poisoned || row_poisoned(&pair->after, at, b, h, i)))
                    continue;
                if (!reaches && sqa_row_same_bits(pair, b, h, i))
                    continue;
                snprintf(message, SQA_FINDING_TEXT,
                         "%g in %c at batch %u, kv head %u, key %u %s batch %u, head %u, query %u",
                         (double)value, at->tensor, at->batch, at->head, at->key,
                         reaches ? "did not reach" : "changed", b, h, i);
                return;
            }
}

static sqa_status check_planting(const sqa_property_run *run, const sqa_attention_desc *desc,
                                 const planting *at, float value, bool poisoned,
                                 char message[SQA_FINDING_TEXT])
{
    sqa_case_pair pair;
    sqa_status status = sqa_case_pair_create(&pair, run, desc, desc);
    if (status != SQA_OK)
        return status;
    plant(&pair.after, at, value);
    status = sqa_case_pair_execute(&pair, run, message);
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

sqa_status sqa_property_hidden_values(const sqa_property_run *run, const sqa_problem *problem,
                                      char message[SQA_FINDING_TEXT])
{
    sqa_attention_desc asked;
    const sqa_attention_desc *desc = &asked;
    sqa_problem_to_desc(problem, &asked);
    static const float values[] = {NAN, INFINITY, -INFINITY, FLT_MAX};
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < 8 && status == SQA_OK && !message[0]; i++) {
        planting at = {"KV"[i / 4], desc -> batch - 1, desc -> kv_heads - 1, hidden_key(desc), 2};
        status = check_planting(run, desc, &at, values[i % 4], false, message);
    }
    return status;
}

/* What different hardware makes of 0 / 0, and bits that integer arithmetic could carry
 * into the exponent. */
static float some_nan(size_t i)
{
    static const uint32_t bits[] = {0x7fc00000, 0xffc00000, 0x7fffffff, 0xffffffff, 0x7fc00001};
    return sqa_float_from_bits(bits[i % (sizeof bits / sizeof *bits)]);
}

sqa_status sqa_property_visible_nan(const sqa_property_run *run, const sqa_problem *problem,
                                    char message[SQA_FINDING_TEXT])
{
    sqa_attention_desc asked;
    const sqa_attention_desc *desc = &asked;
    sqa_problem_to_desc(problem, &asked);
    uint32_t keys[] = {0, hidden_key(desc), desc->kv_length - 1};
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < 10 && status == SQA_OK && !message[0]; i++) {
        planting at = {"KV"[i % 2], 0, desc -> kv_heads - 1, keys[i % 3], 3};
        status = check_planting(run, desc, &at, some_nan(i / 2), true, message);
    }
    return status;
}

/* A bias so low that no f32 has the weight. */
static void make_weightless(sqa_host_tensors *test, uint32_t key)
{
    const sqa_attention *a = &test->problem.of.attention;
    for (uint32_t h = 0; h < a->out_heads; h++)
        for (uint32_t i = 0; i < a->q_length; i++)
            sqa_host_tensor_at(&test->of[SQA_SLOT_BIAS], 0, h, i)[key] = -1e4f;
}

static sqa_status check_weightless(const sqa_property_run *run, const sqa_attention_desc *desc,
                                   uint32_t key, char message[SQA_FINDING_TEXT])
{
    const planting at = {'V', desc->batch - 1, 0, key, 2};
    sqa_case_pair pair;
    sqa_status status = sqa_case_pair_create(&pair, run, desc, desc);
    if (status != SQA_OK)
        return status;
    make_weightless(&pair.before, key);
    make_weightless(&pair.after, key);
    plant(&pair.after, &at, NAN);
    status = sqa_case_pair_execute(&pair, run, message);
    if (status == SQA_OK && !message[0])
        compare_rows(&pair, &at, NAN, true, message);
    sqa_case_pair_free(&pair);
    return status;
}

sqa_status sqa_property_weightless_nan(const sqa_property_run *run, const sqa_problem *problem,
                                       char message[SQA_FINDING_TEXT])
{
    sqa_attention_desc desc;
    sqa_problem_to_desc(problem, &desc);
    sqa_status status = sqa_pattern_read("bias=f32/hq", &desc);
    if (status == SQA_OK)
        status = check_weightless(run, &desc, 1, message);
    if (status == SQA_OK && !message[0])
        status = check_weightless(run, &desc, hidden_key(&desc), message);
    return status;
}

static void compare_all_rows(const sqa_case_pair *pair, float value, const char *where,
                             char message[SQA_FINDING_TEXT])
{
    const sqa_attention *p = &pair->before.problem.of.attention;
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->out_heads; h++)
            for (uint32_t i = 0; i < rows_of(&pair->before, b); i++)
                if (!sqa_row_same_bits(pair, b, h, i)) {
                    snprintf(message, SQA_FINDING_TEXT, "%g %s changed batch %u, head %u, query %u",
                             (double)value, where, b, h, i);
                    return;
                }
}

/* Whether some query that reads key/value head `head` sees the key. */
static bool is_seen(const sqa_host_tensors *test, uint32_t batch, uint32_t head, uint32_t key)
{
    const uint32_t group =
        test->problem.of.attention.out_heads / test->problem.of.attention.kv_heads;
    for (uint32_t h = head * group; h < (head + 1) * group; h++)
        for (uint32_t i = 0; i < rows_of(test, batch); i++)
            if (sqa_forward_case_sees(test, batch, h, i, key))
                return true;
    return false;
}

/* All of a key's vector in K and V. */
static void plant_key(sqa_host_tensors *test, uint32_t batch, uint32_t head, uint32_t key,
                      float value)
{
    for (uint32_t d = 0; d < test->problem.of.attention.head_dim; d++)
        sqa_forward_case_key(test, &test->of[SQA_SLOT_K], batch, head, key)[d] = value;
    for (uint32_t d = 0; d < test->problem.of.attention.value_dim; d++)
        sqa_forward_case_key(test, &test->of[SQA_SLOT_V], batch, head, key)[d] = value;
}

static void plant_unseen(sqa_host_tensors *test, float value)
{
    const sqa_attention *p = &test->problem.of.attention;
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->kv_heads; h++)
            for (uint32_t j = 0; j < sqa_forward_case_sequence(test, b).kv_length; j++)
                if (!is_seen(test, b, h, j))
                    plant_key(test, b, h, j, value);
}

static sqa_status check_unseen(const sqa_property_run *run, const sqa_attention_desc *desc,
                               float value, char message[SQA_FINDING_TEXT])
{
    sqa_case_pair pair;
    sqa_status status = sqa_case_pair_create(&pair, run, desc, desc);
    if (status != SQA_OK)
        return status;
    plant_unseen(&pair.after, value);
    status = sqa_case_pair_execute(&pair, run, message);
    if (status == SQA_OK && !message[0])
        compare_all_rows(&pair, value, "in keys that nobody sees", message);
    sqa_case_pair_free(&pair);
    return status;
}

/* A key of some sequence that has any; false: none has. */
static bool random_key(const sqa_property_run *run, const sqa_attention_desc *desc,
                       sqa_random *random, planting *at)
{
    sqa_host_tensors test;
    if (sqa_forward_case_create(&test, desc, run->seed) != SQA_OK)
        return false;
    bool found = false;
    for (int tries = 0; tries < 20 && !found; tries++) {
        at->batch = (uint32_t)sqa_random_below(random, desc->batch);
        const uint32_t keys = sqa_forward_case_sequence(&test, at->batch).kv_length;
        at->head = (uint32_t)sqa_random_below(random, desc->kv_heads);
        at->key = (uint32_t)sqa_random_below(random, keys);
        found = keys > 0;
    }
    sqa_host_tensors_free(&test);
    return found;
}

sqa_status sqa_pattern_hides(const sqa_property_run *run, const sqa_problem *problem,
                             char message[SQA_FINDING_TEXT])
{
    sqa_attention_desc asked;
    const sqa_attention_desc *desc = &asked;
    sqa_problem_to_desc(problem, &asked);
    sqa_random random = {run->seed};
    sqa_status status = check_unseen(run, desc, NAN, message);
    if (status == SQA_OK && !message[0])
        status = check_unseen(run, desc, INFINITY, message);
    for (size_t i = 0; i < 4 && status == SQA_OK && !message[0]; i++) {
        planting at = {"KV"[i % 2], 0, 0, 0, 2};
        if (random_key(run, desc, &random, &at))
            status = check_planting(run, desc, &at, some_nan(i + 2), true, message);
    }
    return status;
}
