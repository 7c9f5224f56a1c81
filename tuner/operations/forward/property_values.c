/* Properties of the algebra: what softmax and the sharing of heads imply about
 * outputs, whatever the inputs. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "operations/forward/layout.h"
#include "operations/forward/properties.h"
#include "reference/judge.h"

/* Rounding differs when sums are taken in another order: twice the tolerance
 * against the reference, since either side may be off. V is below 1. */
static double allowed_difference(const sqa_host_tensors *test)
{
    double limit = 0.0;
    (void)sqa_judge_limit(&test->problem, &limit); /* 0 allows nothing */
    return 2.0 * limit;
}

/* For visiting every output row. */
typedef struct row_cursor {
    uint32_t batch, head, row;
} row_cursor;

static bool next_row(const sqa_host_tensors *test, row_cursor *at)
{
    const sqa_attention *a = &test->problem.of.attention;
    if (++at->row < a->q_length)
        return true;
    at->row = 0;
    if (++at->head < a->out_heads)
        return true;
    at->head = 0;
    return ++at->batch < a->batch;
}

/* How far a row's LSE in the second output should be above that in the first. */
typedef double (*lse_shift)(const sqa_host_tensors *test, const row_cursor *at);

static double no_shift(const sqa_host_tensors *test, const row_cursor *at)
{
    (void)test;
    (void)at;
    return 0.0;
}

/* Finds a row whose outputs differ by more than is allowed. */
static void compare_outputs(const sqa_case_pair *pair, lse_shift shift, double allowed_o,
                            double allowed_lse, char message[SQA_FINDING_TEXT])
{
    const sqa_host_tensors *a = &pair->before, *b = &pair->after;
    row_cursor at = {0, 0, 0};
    do {
        const float *x = sqa_host_tensor_at(&a->of[SQA_SLOT_O], at.batch, at.head, at.row);
        const float *y = sqa_host_tensor_at(&b->of[SQA_SLOT_O], at.batch, at.head, at.row);
        double lse = (double)*sqa_host_tensor_at(&a->of[SQA_SLOT_LSE], at.batch, at.head, at.row);
        double shifted =
            (double)*sqa_host_tensor_at(&b->of[SQA_SLOT_LSE], at.batch, at.head, at.row);
        double worst = 0.0;
        for (uint32_t d = 0; d < a->problem.of.attention.value_dim; d++)
            worst = fmax(worst, sqa_difference((double)x[d], (double)y[d]));
        double lse_off = sqa_difference(shifted, lse + shift(a, &at));
        if (worst > allowed_o || lse_off > allowed_lse) {
            snprintf(message, SQA_FINDING_TEXT,
                     "batch %u, head %u, query %u: O differs by %.2g (allowed %.2g), LSE by %.2g "
                     "(allowed %.2g)",
                     at.batch, at.head, at.row, worst, allowed_o, lse_off, allowed_lse);
            return;
        }
    } while (next_row(a, &at));
}

static void check_ones(const sqa_host_tensors *test, char message[SQA_FINDING_TEXT])
{
    row_cursor at = {0, 0, 0};
    do {
        const float *o = sqa_host_tensor_at(&test->of[SQA_SLOT_O], at.batch, at.head, at.row);
        double expected = sqa_forward_case_sees(test, at.batch, at.head, at.row, 0) ? 1.0 : 0.0;
        for (uint32_t d = 0; d < test->problem.of.attention.value_dim; d++)
            if (sqa_difference((double)o[d], expected) > allowed_difference(test)) {
                snprintf(message, SQA_FINDING_TEXT,
                         "batch %u, head %u, query %u: O is %.9g, should be %g", at.batch, at.head,
                         at.row, (double)o[d], expected);
                return;
            }
    } while (next_row(test, &at));
}

sqa_status sqa_property_ones(const sqa_property_run *run, const sqa_problem *problem,
                             char message[SQA_FINDING_TEXT])
{
    sqa_attention_desc asked;
    const sqa_attention_desc *desc = &asked;
    sqa_problem_to_desc(problem, &asked);
    /* More queries than keys: under bottom-right the first rows see nothing. */
    sqa_attention_desc swapped = *desc;
    swapped.q_length = desc->kv_length;
    swapped.kv_length = desc->q_length;
    sqa_layout_apply(SQA_LAYOUT_PADDED, &swapped);
    sqa_host_tensors test;
    sqa_status status = sqa_forward_case_create(&test, &swapped, run->seed);
    if (status != SQA_OK)
        return status;
    sqa_host_tensor_fill(&test.of[SQA_SLOT_V], 1.0f);
    status = sqa_property_execute(run, &test, message);
    if (status == SQA_OK && !message[0])
        check_ones(&test, message);
    sqa_host_tensors_free(&test);
    return status;
}

/* Key j of `to` becomes key (5 j + 3) mod length of `from`: a permutation when 5
 * does not divide the length. */
static void permute(const sqa_host_tensor *from, sqa_host_tensor *to)
{
    for (uint32_t b = 0; b < from->batch; b++)
        for (uint32_t h = 0; h < from->heads; h++)
            for (uint32_t j = 0; j < from->length; j++)
                memcpy(sqa_host_tensor_at(to, b, h, j),
                       sqa_host_tensor_at(from, b, h, (5 * j + 3) % from->length),
                       from->dim * sizeof(float));
}

sqa_status sqa_property_permuted_keys(const sqa_property_run *run, const sqa_problem *problem,
                                      char message[SQA_FINDING_TEXT])
{
    sqa_attention_desc asked;
    const sqa_attention_desc *desc = &asked;
    sqa_problem_to_desc(problem, &asked);
    sqa_case_pair pair;
    sqa_status status = sqa_case_pair_create(&pair, run, desc, desc);
    if (status != SQA_OK)
        return status;
    permute(&pair.before.of[SQA_SLOT_K], &pair.after.of[SQA_SLOT_K]);
    permute(&pair.before.of[SQA_SLOT_V], &pair.after.of[SQA_SLOT_V]);
    status = sqa_case_pair_execute(&pair, run, message);
    if (status == SQA_OK && !message[0])
        compare_outputs(&pair, no_shift, allowed_difference(&pair.before), 1e-5, message);
    sqa_case_pair_free(&pair);
    return status;
}

/* Far enough that exp() without its maximum subtracted would overflow (88). */
static const float key_shift = 1000.0f;

static double shift_of_row(const sqa_host_tensors *test, const row_cursor *at)
{
    const float *query = sqa_host_tensor_at(&test->of[SQA_SLOT_Q], at->batch,
                                            at->head % test->problem.of.attention.q_heads, at->row);
    return (double)test->problem.of.attention.scale * (double)query[0] * (double)key_shift;
}

static void set_component(sqa_host_tensor *tensor, float value)
{
    for (uint32_t b = 0; b < tensor->batch; b++)
        for (uint32_t h = 0; h < tensor->heads; h++)
            for (uint32_t j = 0; j < tensor->length; j++)
                *sqa_host_tensor_at(tensor, b, h, j) = value;
}

sqa_status sqa_property_shifted_logits(const sqa_property_run *run, const sqa_problem *problem,
                                       char message[SQA_FINDING_TEXT])
{
    sqa_attention_desc asked;
    const sqa_attention_desc *desc = &asked;
    sqa_problem_to_desc(problem, &asked);
    sqa_case_pair pair;
    sqa_status status = sqa_case_pair_create(&pair, run, desc, desc);
    if (status != SQA_OK)
        return status;
    set_component(&pair.before.of[SQA_SLOT_K], 0.0f);
    set_component(&pair.after.of[SQA_SLOT_K], key_shift);
    status = sqa_case_pair_execute(&pair, run, message);
    /* Logits near 200 are known to 3e-5 each in f32, and so are the weights. */
    if (status == SQA_OK && !message[0])
        compare_outputs(&pair, shift_of_row, 1e-3, 1e-3, message);
    sqa_case_pair_free(&pair);
    return status;
}

/* The heads of `to` become those of `from`, repeated in turn (as rSQA shares query
 * heads) or each next to itself (as GQA shares key/value heads). */
static void repeat_heads(const sqa_host_tensor *from, sqa_host_tensor *to, bool in_turn)
{
    uint32_t times = to->heads / from->heads;
    for (uint32_t b = 0; b < to->batch; b++)
        for (uint32_t h = 0; h < to->heads; h++)
            for (uint32_t i = 0; i < to->length; i++)
                memcpy(sqa_host_tensor_at(to, b, h, i),
                       sqa_host_tensor_at(from, b, in_turn ? h % from->heads : h / times, i),
                       to->dim * sizeof(float));
}

static sqa_status check_repeated(const sqa_property_run *run, const sqa_attention_desc *desc,
                                 uint32_t q_heads, uint32_t kv_heads,
                                 char message[SQA_FINDING_TEXT])
{
    sqa_attention_desc shared = *desc, repeated = *desc;
    shared.q_heads = q_heads;
    shared.kv_heads = kv_heads;
    repeated.q_heads = repeated.kv_heads = q_heads > kv_heads ? q_heads : kv_heads;
    sqa_layout_apply(SQA_LAYOUT_PADDED, &shared);
    sqa_layout_apply(SQA_LAYOUT_BSHD, &repeated);
    sqa_case_pair pair;
    sqa_status status = sqa_case_pair_create(&pair, run, &shared, &repeated);
    if (status != SQA_OK)
        return status;
    repeat_heads(&pair.before.of[SQA_SLOT_Q], &pair.after.of[SQA_SLOT_Q], true);
    repeat_heads(&pair.before.of[SQA_SLOT_K], &pair.after.of[SQA_SLOT_K], false);
    repeat_heads(&pair.before.of[SQA_SLOT_V], &pair.after.of[SQA_SLOT_V], false);
    status = sqa_case_pair_execute(&pair, run, message);
    if (status == SQA_OK && !message[0])
        compare_outputs(&pair, no_shift, allowed_difference(&pair.before), 1e-5, message);
    sqa_case_pair_free(&pair);
    return status;
}

sqa_status sqa_property_repeated_heads(const sqa_property_run *run, const sqa_problem *problem,
                                       char message[SQA_FINDING_TEXT])
{
    sqa_attention_desc asked;
    const sqa_attention_desc *desc = &asked;
    sqa_problem_to_desc(problem, &asked);
    sqa_status status = check_repeated(run, desc, 2, 6, message);
    if (status == SQA_OK && !message[0])
        status = check_repeated(run, desc, 6, 2, message);
    return status;
}
