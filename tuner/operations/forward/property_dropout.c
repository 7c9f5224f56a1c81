/* What dropout drops, by the definition in include/sqa_cl/pattern.h: with a column of V for each
 * key, O is zero just where a weight is. */
#include <stdio.h>

#include "operations/forward/properties.h"

static void check_row(const sqa_host_tensors *test, uint32_t batch, uint32_t head, uint32_t row,
                      char message[SQA_FINDING_TEXT])
{
    const sqa_attention *a = &test->problem.of.attention;
    const sqa_reference_inputs inputs = sqa_host_tensors_views(test);
    const float *o = sqa_forward_case_output(test, batch, head, row);
    for (uint32_t j = 0; j < a->kv_length; j++) {
        const bool counts = sqa_forward_case_sees(test, batch, head, row, j) &&
                            sqa_reference_kept_weight(a, &inputs, batch, head, row, j) > 0.0;
        if ((o[j] != 0.0f) != counts) {
            snprintf(message, SQA_FINDING_TEXT,
                     "batch %u, head %u, query %u: the weight of key %u is %s", batch, head, row, j,
                     counts ? "dropped" : "not dropped");
            return;
        }
    }
}

sqa_status sqa_property_dropout(const sqa_property_run *run, const sqa_problem *problem,
                                char message[SQA_FINDING_TEXT])
{
    const sqa_attention *a = &problem->of.attention;
    sqa_host_tensors test;
    sqa_status status = sqa_host_tensors_create(&test, problem, run->seed, true);
    if (status != SQA_OK)
        return status;
    sqa_tell_rows_apart(&test.of[SQA_SLOT_V]);
    status = sqa_property_execute(run, &test, message);
    for (uint32_t b = 0; b < a->batch && status == SQA_OK; b++)
        for (uint32_t h = 0; h < a->out_heads; h++)
            for (uint32_t i = 0; i < a->q_length && !message[0]; i++)
                check_row(&test, b, h, i, message);
    sqa_host_tensors_free(&test);
    return status;
}
