/* Finite inputs, however large or small, give the gradients that fp64 gives
 * (include/sqa_cl/backward.h says of which). */
#include <stdio.h>

#include "conformance/common_properties.h"
#include "operations/attention/pattern_text.h"
#include "operations/backward/fields.h"
#include "operations/backward/gradient_rows.h"
#include "operations/backward/properties.h"
#include "operations/forward/number_cases.h"
#include "operations/operations.h"

enum { MOST_HEADS = 8 };

/* What a forward pass leaves as LSE; dQ, dK and dV know of sinks by it alone. */
static void set_lse(sqa_host_tensors *test, const sqa_number_case *numbers)
{
    sqa_attention a = test->problem.of.attention;
    sqa_reference_inputs views = sqa_host_tensors_views(test);
    float sinks[MOST_HEADS] = {0};
    if (numbers->sinks != 0.0f && !views.by_slot[SQA_SLOT_SINKS]) {
        sqa_number_case_ends(sinks, a.out_heads, numbers->sinks);
        views.by_slot[SQA_SLOT_SINKS] = sinks;
        a.score |= SQA_SCORE_SINKS;
    }
    sqa_set_outputs_of(test, &a, &views);
}

/* The operation's gradients that there are; 0: none. */
static uint32_t gradients_of(const sqa_problem *problem, const sqa_attention_desc *desc)
{
    if (problem->of.backward.gradients & SQA_GRADIENT_Q)
        return problem->of.backward.gradients;
    return (desc->bias.present ? SQA_GRADIENT_BIAS : 0u) | (desc->sinks ? SQA_GRADIENT_SINKS : 0u) |
           (desc->alibi == SQA_ALIBI_SLOPES ? SQA_GRADIENT_SLOPES : 0u);
}

/* All gradients are computed, so that cases share programs; judged are those the case is about. */
static sqa_status judge(const sqa_property_run *run, const sqa_number_case *numbers,
                        sqa_host_tensors *test, char finding[SQA_FINDING_TEXT])
{
    sqa_status status = sqa_property_execute(run, test, finding);
    if (numbers->gradients)
        test->problem.of.backward.gradients &= numbers->gradients;
    return status == SQA_OK ? sqa_property_compare(run, test, finding) : status;
}

static sqa_status check_numbers(const sqa_property_run *run, const sqa_problem *problem,
                                const sqa_number_case *numbers, char finding[SQA_FINDING_TEXT])
{
    sqa_backward_desc desc;
    sqa_problem changed;
    sqa_host_tensors test;
    char text[SQA_FINDING_TEXT] = "";
    sqa_backward_describe(problem, &desc);
    desc.attention.scale = numbers->scale;
    desc.attention.bias.present = desc.attention.sinks = 0;
    desc.attention.alibi = SQA_ALIBI_NONE;
    sqa_status status = sqa_pattern_read(numbers->pattern, &desc.attention);
    desc.options.gradients = gradients_of(problem, &desc.attention);
    if (status != SQA_OK || desc.options.gradients == 0)
        return status;
    status = sqa_operation_of(problem)->settle(&desc, &changed);
    if (status == SQA_OK)
        status = sqa_host_tensors_create(&test, &changed, run->seed, true);
    if (status != SQA_OK)
        return status;
    sqa_number_case_set(numbers, &test);
    if (numbers->dout != 0.0f)
        sqa_host_tensor_multiply(&test.of[SQA_SLOT_DOUT], numbers->dout);
    set_lse(&test, numbers);
    status = judge(run, numbers, &test, text);
    if (text[0])
        snprintf(finding, SQA_FINDING_TEXT, "%s: %.200s", numbers->what, text);
    sqa_host_tensors_free(&test);
    return status;
}

sqa_status sqa_backward_numbers(const sqa_property_run *run, const sqa_problem *problem,
                                char finding[SQA_FINDING_TEXT])
{
    sqa_status status = SQA_OK;
    for (int i = 0; i < SQA_NUMBER_CASES && status == SQA_OK && !finding[0]; i++)
        if (!sqa_number_cases[i].vague && sqa_number_case_runs(&sqa_number_cases[i], run->queue))
            status = check_numbers(run, problem, &sqa_number_cases[i], finding);
    return status;
}
