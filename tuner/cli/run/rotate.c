/* See rotate.h. */
#include "cli/run/rotate.h"

#include <stdlib.h>

#include "base/status.h"
#include "cli/run/host_call.h"
#include "operations/rope/slots.h"

/* With what comes out in memory of its own: inputs do not outlive a call. */
static sqa_status call(sqa_context *context, sqa_plan *plan, sqa_npy *tensor)
{
    void *out = malloc(tensor->count * sizeof(float));
    if (!out)
        return sqa_fail_memory("a rotated tensor");
    const sqa_host_array arrays[SQA_MAX_TENSORS] = {
        [SQA_SLOT_ROPE_X] = {SQA_ELEMENT_F32, &tensor->memory, tensor->count},
        [SQA_SLOT_ROPE_Y] = {SQA_ELEMENT_F32, &out, tensor->count},
    };
    const cl_mem there[SQA_MAX_TENSORS] = {NULL};
    const sqa_status status = sqa_host_call(context, plan, arrays, there);
    if (status != SQA_OK) {
        free(out);
        return status;
    }
    free(tensor->memory);
    tensor->memory = out;
    return SQA_OK;
}

sqa_status sqa_run_rotate(sqa_context *context, sqa_npy *tensor)
{
    sqa_rope_desc desc = SQA_ROPE_DESC_INIT;
    sqa_plan *plan = NULL;
    if (tensor->count == 0)
        return SQA_OK;
    desc.heads = 1;
    desc.dim = (uint32_t)tensor->shape[tensor->rank - 1];
    desc.length = (uint32_t)(tensor->count / desc.dim);
    desc.rotary = 0;
    desc.hadamard = 1;
    sqa_status status = sqa_rope_plan_create(&plan, context, &desc, NULL);
    if (status == SQA_OK)
        status = call(context, plan, tensor);
    sqa_plan_destroy(plan);
    return status;
}
