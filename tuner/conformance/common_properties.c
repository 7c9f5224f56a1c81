#include "conformance/common_properties.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "conformance/check.h"
#include "runtime/plan.h"

sqa_status sqa_property_execute(const sqa_property_run *run, sqa_host_tensors *tensors,
                                char finding[SQA_FINDING_TEXT])
{
    sqa_plan *plan = NULL;
    sqa_status status = sqa_plan_build(&plan, run->context, &tensors->problem, run->options);
    if (status == SQA_OK)
        status = sqa_check_run(plan, tensors, run->queue, finding);
    sqa_plan_destroy(plan);
    return status;
}

sqa_status sqa_property_compare(const sqa_property_run *run, sqa_host_tensors *tensors,
                                char finding[SQA_FINDING_TEXT])
{
    sqa_judgement judgement;
    sqa_status status = sqa_judge(tensors, true, run->seed, finding, &judgement);
    if (status == SQA_OK && !judgement.passed)
        snprintf(finding, SQA_FINDING_TEXT, "%s", judgement.message);
    return status;
}

sqa_status sqa_property_judge(const sqa_property_run *run, sqa_host_tensors *tensors,
                              char finding[SQA_FINDING_TEXT])
{
    sqa_status status = sqa_property_execute(run, tensors, finding);
    return status == SQA_OK ? sqa_property_compare(run, tensors, finding) : status;
}

void sqa_tell_rows_apart(sqa_host_tensor *tensor)
{
    sqa_host_tensor_fill(tensor, 0.0f);
    for (uint32_t b = 0; b < tensor->batch; b++)
        for (uint32_t h = 0; h < tensor->heads; h++)
            for (uint32_t i = 0; i < tensor->length; i++)
                sqa_host_tensor_at(tensor, b, h, i)[i] = 1.0f;
}

/* The name of an output whose bits differ; NULL: none. Elements of four bytes on the host. */
static const char *different_output(const sqa_host_tensors *a, const sqa_host_tensors *b)
{
    for (uint32_t slot = 0; slot < SQA_MAX_TENSORS; slot++)
        if (a->of[slot].data && sqa_tensor_is_output(&a->problem, slot) &&
            memcmp(a->of[slot].data, b->of[slot].data, a->of[slot].count * sizeof(float)) != 0)
            return sqa_tensor_name(&a->problem, slot);
    return NULL;
}

/* Runs the second on `plan`, or on one of its own, and compares it with the first. */
static sqa_status run_and_compare(const sqa_property_run *run, sqa_plan *plan,
                                  const sqa_host_tensors *first, sqa_host_tensors *second,
                                  const char *circumstance, char finding[SQA_FINDING_TEXT])
{
    sqa_status status = plan ? sqa_check_run(plan, second, run->queue, finding)
                             : sqa_property_execute(run, second, finding);
    const char *output = status == SQA_OK ? different_output(first, second) : NULL;
    if (output && !finding[0])
        snprintf(finding, SQA_FINDING_TEXT, "%s gave other bits of %s", circumstance, output);
    return status;
}

static sqa_status create_two(const sqa_property_run *run, const sqa_problem *problem,
                             sqa_host_tensors *first, sqa_host_tensors *second)
{
    sqa_status status = sqa_host_tensors_create(first, problem, run->seed, true);
    if (status != SQA_OK)
        return status;
    status = sqa_host_tensors_create(second, problem, run->seed, true);
    if (status != SQA_OK)
        sqa_host_tensors_free(first);
    return status;
}

sqa_status sqa_property_determinism(const sqa_property_run *run, const sqa_problem *problem,
                                    char finding[SQA_FINDING_TEXT])
{
    sqa_host_tensors first, second;
    sqa_plan *plan = NULL;
    sqa_status status = create_two(run, problem, &first, &second);
    if (status != SQA_OK)
        return status;
    status = sqa_plan_build(&plan, run->context, problem, run->options);
    if (status == SQA_OK)
        status = sqa_check_run(plan, &first, run->queue, finding);
    if (status == SQA_OK && !finding[0])
        status = run_and_compare(run, plan, &first, &second, "the second run of a plan", finding);
    if (status == SQA_OK && !finding[0])
        status = run_and_compare(run, NULL, &first, &second, "an equal plan", finding);
    sqa_plan_destroy(plan);
    sqa_host_tensors_free(&first);
    sqa_host_tensors_free(&second);
    return status;
}

static void fill_gaps(sqa_host_tensors *tensors, float value)
{
    for (uint32_t slot = 0; slot < SQA_MAX_TENSORS; slot++)
        if (tensors->of[slot].data && sqa_element_is_float(tensors->of[slot].element))
            sqa_host_tensor_fill_gaps(&tensors->of[slot], value);
}

sqa_status sqa_property_gap_values(const sqa_property_run *run, const sqa_problem *problem,
                                   char finding[SQA_FINDING_TEXT])
{
    static const float values[] = {0.0f, INFINITY, -FLT_MAX};
    sqa_host_tensors first, second;
    char circumstance[64];
    sqa_status status = create_two(run, problem, &first, &second);
    if (status != SQA_OK)
        return status;
    status = sqa_property_execute(run, &first, finding);
    for (size_t i = 0; i < 3 && status == SQA_OK && !finding[0]; i++) {
        fill_gaps(&second, values[i]);
        snprintf(circumstance, sizeof circumstance, "%g between the vectors", (double)values[i]);
        status = run_and_compare(run, NULL, &first, &second, circumstance, finding);
    }
    sqa_host_tensors_free(&first);
    sqa_host_tensors_free(&second);
    return status;
}
