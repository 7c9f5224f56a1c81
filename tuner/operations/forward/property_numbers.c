/* Properties of numbers: finite inputs, however large or small, give what fp64 gives
 * (include/sqa_cl/attention.h says of which). */
#include <stdio.h>

#include "operations/attention/pattern_text.h"
#include "operations/forward/number_cases.h"
#include "operations/forward/properties.h"

static sqa_status check_numbers(const sqa_property_run *run, const sqa_attention_desc *plain,
                                const sqa_number_case *numbers, char message[SQA_FINDING_TEXT])
{
    sqa_attention_desc desc = *plain;
    sqa_host_tensors test;
    char finding[SQA_FINDING_TEXT] = "";
    desc.scale = numbers->scale;
    sqa_status status = sqa_pattern_read(numbers->pattern, &desc);
    if (status == SQA_OK)
        status = sqa_forward_case_create(&test, &desc, run->seed);
    if (status != SQA_OK)
        return status;
    sqa_number_case_set(numbers, &test);
    status = sqa_property_judge(run, &test, finding);
    if (finding[0])
        snprintf(message, SQA_FINDING_TEXT, "%s: %.200s", numbers->what, finding);
    sqa_host_tensors_free(&test);
    return status;
}

sqa_status sqa_property_numbers(const sqa_property_run *run, const sqa_problem *problem,
                                char message[SQA_FINDING_TEXT])
{
    sqa_attention_desc desc;
    sqa_status status = SQA_OK;
    sqa_problem_to_desc(problem, &desc);
    for (int i = 0; i < SQA_NUMBER_CASES && status == SQA_OK && !message[0]; i++)
        if (sqa_number_case_runs(&sqa_number_cases[i], run->queue))
            status = check_numbers(run, &desc, &sqa_number_cases[i], message);
    return status;
}
