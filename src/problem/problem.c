#include "problem/problem.h"

#include <string.h>

#include "base/status.h"

sqa_status sqa_problem_from_desc(sqa_problem *out, const sqa_attention_desc *desc)
{
    if (desc && desc->operation != SQA_OPERATION_FORWARD)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.operation: %d is not forward attention; other operations are planned "
                        "by functions of their own",
                        (int)desc->operation);
    sqa_problem problem;
    memset(&problem, 0, sizeof problem);
    problem.operation = SQA_OPERATION_FORWARD;
    sqa_status status = sqa_attention_from_desc(&problem.of.attention, desc);
    if (status == SQA_OK)
        memcpy(out, &problem, sizeof problem);
    return status;
}

void sqa_problem_to_desc(const sqa_problem *problem, sqa_attention_desc *out)
{
    sqa_attention_to_desc(&problem->of.attention, out);
}
