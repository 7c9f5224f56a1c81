#include "operations/linear/property_parts.h"

#include <stdio.h>
#include <string.h>

#include "conformance/common_properties.h"
#include "operations/linear/reference.h"
#include "operations/operations.h"
#include "reference/error.h"

/* The tokens from `first` on, packed. */
static sqa_problem part_of(const sqa_problem *whole, uint32_t tokens)
{
    sqa_problem part = *whole;
    sqa_attention *a = &part.of.linear.attention;
    a->q_length = a->kv_length = tokens;
    a->q = sqa_strides_bhsd(a->q_heads, tokens, a->head_dim);
    a->k = sqa_strides_bhsd(a->kv_heads, tokens, a->head_dim);
    a->v = sqa_strides_bhsd(a->kv_heads, tokens, a->value_dim);
    a->o = sqa_strides_bhsd(a->out_heads, tokens, a->value_dim);
    sqa_linear_pack(&part.of.linear);
    return part;
}

/* All vectors of the smaller tensor, from `first` on of the whole one's positions. */
static void copy_rows(const sqa_host_tensor *whole, uint32_t first, sqa_host_tensor *part)
{
    for (uint32_t b = 0; b < part->batch; b++)
        for (uint32_t h = 0; h < part->heads; h++)
            for (uint32_t i = 0; i < part->length; i++)
                memcpy(sqa_host_tensor_at(part, b, h, i),
                       sqa_host_tensor_at(whole, b, h, first + i), part->dim * sizeof(float));
}

static void copy_inputs(const sqa_host_tensors *whole, uint32_t first, sqa_host_tensors *part)
{
    static const uint32_t slots[] = {SQA_SLOT_Q,     SQA_SLOT_K,    SQA_SLOT_V,
                                     SQA_SLOT_DECAY, SQA_SLOT_BETA, SQA_SLOT_LINEAR_DOUT};
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
        if (part->of[slots[i]].data)
            copy_rows(&whole->of[slots[i]], first, &part->of[slots[i]]);
}

/* The state `from` one call, or what another began with, becomes what `to` begins with. */
static void copy_state(const sqa_host_tensors *from, uint32_t state, uint32_t sums,
                       sqa_host_tensors *to)
{
    copy_rows(&from->of[state], 0, &to->of[SQA_SLOT_STATE_IN]);
    if (to->of[SQA_SLOT_SUMS_IN].data)
        copy_rows(&from->of[sums], 0, &to->of[SQA_SLOT_SUMS_IN]);
}

static void compare(const sqa_host_tensors *whole, const sqa_host_tensors *part, uint32_t slot,
                    uint32_t first, uint32_t tokens, char finding[SQA_FINDING_TEXT])
{
    const sqa_host_tensor *a = &whole->of[slot], *b = &part->of[slot];
    const sqa_tolerance *promise;
    sqa_error_sum error = {0};
    if (finding[0] || !b->data ||
        sqa_operation_tolerance(sqa_operation_of(&whole->problem), &whole->problem, slot,
                                a->element, &promise))
        return;
    for (uint32_t i = 0; i < b->batch; i++)
        for (uint32_t h = 0; h < b->heads; h++)
            for (uint32_t t = 0; t < b->length; t++)
                for (uint32_t d = 0; d < b->dim; d++)
                    sqa_error_add(&error, (double)sqa_host_tensor_at(b, i, h, t)[d],
                                  (double)sqa_host_tensor_at(a, i, h, first + t)[d]);
    if (!(sqa_error_rms(&error) <= 2.0 * promise->rms))
        snprintf(finding, SQA_FINDING_TEXT,
                 "%s of the part of %u tokens from %u on differs from the whole's: relative rms "
                 "%.2g (allowed %.2g)",
                 sqa_tensor_name(&whole->problem, slot), tokens, first, sqa_error_rms(&error),
                 2.0 * promise->rms);
}

/* Forward, the parts before and behind token `cut`. */
static sqa_status run_forward(const sqa_property_run *run, const sqa_host_tensors *whole,
                              uint32_t cut, sqa_host_tensors *head, sqa_host_tensors *tail,
                              char finding[SQA_FINDING_TEXT])
{
    copy_inputs(whole, 0, head);
    copy_state(whole, SQA_SLOT_STATE_IN, SQA_SLOT_SUMS_IN, head);
    sqa_status status = sqa_property_execute(run, head, finding);
    if (status != SQA_OK || finding[0])
        return status;
    copy_inputs(whole, cut, tail);
    copy_state(head, SQA_SLOT_STATE, SQA_SLOT_SUMS, tail);
    status = sqa_property_execute(run, tail, finding);
    if (status != SQA_OK || finding[0])
        return status;
    const uint32_t tokens = whole->problem.of.attention.q_length;
    compare(whole, head, SQA_SLOT_O, 0, cut, finding);
    compare(whole, tail, SQA_SLOT_O, cut, tokens - cut, finding);
    compare(whole, tail, SQA_SLOT_STATE, 0, tokens - cut, finding);
    compare(whole, tail, SQA_SLOT_SUMS, 0, tokens - cut, finding);
    return SQA_OK;
}

/* What the recurrence of the reference has before token `cut`, as the second part begins with it.
 */
static void set_state(const sqa_host_tensors *whole, uint32_t cut, sqa_host_tensors *tail)
{
    const sqa_linear *linear = &whole->problem.of.linear;
    const sqa_attention *a = &linear->attention;
    const sqa_reference_inputs views = sqa_host_tensors_views(whole);
    const uint32_t columns = a->value_dim + linear->normalise;
    double column[SQA_MAX_HEAD_DIM];
    for (uint32_t b = 0; b < a->batch; b++)
        for (uint32_t h = 0; h < a->kv_heads; h++) {
            const sqa_linear_place at = sqa_linear_place_of(linear, &views, b, h);
            for (uint32_t j = 0; j < columns; j++) {
                sqa_linear_state_column(&at, cut, j, column);
                for (uint32_t d = 0; d < a->head_dim; d++)
                    *(j < a->value_dim
                          ? sqa_host_tensor_at(&tail->of[SQA_SLOT_STATE_IN], b, h, d) + j
                          : sqa_host_tensor_at(&tail->of[SQA_SLOT_SUMS_IN], b, h, 0) + d) =
                        (float)column[d];
            }
        }
}

/* A gradient of the state that one call ended with, or another was given. */
static void copy_gradient(const sqa_host_tensors *from, uint32_t state, uint32_t sums,
                          sqa_host_tensors *to)
{
    copy_rows(&from->of[state], 0, &to->of[SQA_SLOT_LINEAR_DSTATE]);
    if (to->of[SQA_SLOT_LINEAR_DSUMS].data)
        copy_rows(&from->of[sums], 0, &to->of[SQA_SLOT_LINEAR_DSUMS]);
}

/* Backward, the part behind `cut` first, whose gradient of its state is that of the other's. */
static sqa_status run_backward(const sqa_property_run *run, const sqa_host_tensors *whole,
                               uint32_t cut, sqa_host_tensors *head, sqa_host_tensors *tail,
                               char finding[SQA_FINDING_TEXT])
{
    static const uint32_t of_tokens[] = {SQA_SLOT_LINEAR_DQ, SQA_SLOT_LINEAR_DK, SQA_SLOT_LINEAR_DV,
                                         SQA_SLOT_DDECAY, SQA_SLOT_DBETA};
    const uint32_t tokens = whole->problem.of.attention.q_length;
    copy_inputs(whole, cut, tail);
    set_state(whole, cut, tail);
    copy_gradient(whole, SQA_SLOT_LINEAR_DSTATE, SQA_SLOT_LINEAR_DSUMS, tail);
    sqa_status status = sqa_property_execute(run, tail, finding);
    if (status != SQA_OK || finding[0])
        return status;
    copy_inputs(whole, 0, head);
    copy_state(whole, SQA_SLOT_STATE_IN, SQA_SLOT_SUMS_IN, head);
    copy_gradient(tail, SQA_SLOT_DSTATE_IN, SQA_SLOT_DSUMS_IN, head);
    status = sqa_property_execute(run, head, finding);
    for (size_t i = 0; i < sizeof of_tokens / sizeof *of_tokens && status == SQA_OK; i++) {
        compare(whole, head, of_tokens[i], 0, cut, finding);
        compare(whole, tail, of_tokens[i], cut, tokens - cut, finding);
    }
    compare(whole, head, SQA_SLOT_DSTATE_IN, 0, cut, finding);
    compare(whole, head, SQA_SLOT_DSUMS_IN, 0, cut, finding);
    return status;
}

static sqa_status check_cut(const sqa_property_run *run, const sqa_host_tensors *whole,
                            uint32_t cut, char finding[SQA_FINDING_TEXT])
{
    const sqa_problem first = part_of(&whole->problem, cut);
    const sqa_problem last = part_of(&whole->problem, whole->problem.of.attention.q_length - cut);
    sqa_host_tensors head, tail;
    sqa_status status = sqa_host_tensors_create(&head, &first, run->seed, true);
    if (status != SQA_OK)
        return status;
    status = sqa_host_tensors_create(&tail, &last, run->seed, true);
    if (status == SQA_OK) {
        const bool forward = whole->problem.operation == SQA_OPERATION_LINEAR_FORWARD;
        status = (forward ? run_forward : run_backward)(run, whole, cut, &head, &tail, finding);
        sqa_host_tensors_free(&tail);
    }
    sqa_host_tensors_free(&head);
    return status;
}

sqa_status sqa_property_linear_parts(const sqa_property_run *run, const sqa_problem *problem,
                                     char finding[SQA_FINDING_TEXT])
{
    const uint32_t tokens = problem->of.attention.q_length;
    sqa_random random = {run->seed};
    const uint32_t anywhere = 1 + (uint32_t)sqa_random_below(&random, tokens - 1);
    const uint32_t cuts[] = {1, tokens / 3, tokens / 2, tokens - 1, anywhere};
    sqa_host_tensors whole;
    sqa_status status = sqa_host_tensors_create(&whole, problem, run->seed, true);
    if (status != SQA_OK)
        return status;
    status = sqa_property_execute(run, &whole, finding);
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts && status == SQA_OK && !finding[0]; i++)
        status = check_cut(run, &whole, cuts[i], finding);
    sqa_host_tensors_free(&whole);
    return status;
}
