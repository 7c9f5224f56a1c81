#include "api/tensors.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/status.h"
#include "device/cl_status.h"

static sqa_status buffer_bytes(const char *name, cl_mem buffer, uint64_t *out)
{
    size_t bytes = 0;
    if (!buffer)
        return sqa_fail(SQA_INVALID_ARGUMENT, "tensors.%s: the buffer must not be NULL", name);
    cl_int code = clGetMemObjectInfo(buffer, CL_MEM_SIZE, sizeof bytes, &bytes, NULL);
    if (code != CL_SUCCESS)
        return sqa_fail(SQA_INVALID_ARGUMENT, "tensors.%s: not a buffer (%s)", name,
                        sqa_cl_error_name(code));
    *out = bytes;
    return SQA_OK;
}

static sqa_status check_tensor(const char *name, const sqa_tensor *tensor, uint64_t extent,
                               uint32_t bits)
{
    if (extent == 0)
        return SQA_OK;
    uint64_t bytes = 0;
    sqa_status status = buffer_bytes(name, tensor->buffer, &bytes);
    if (status != SQA_OK)
        return status;
    const uint64_t elements = bytes / bits * 8 + bytes % bits * 8 / bits;
    if (extent > elements || tensor->offset > elements - extent)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "tensors.%s: the view needs elements %llu..%llu, the buffer has %llu", name,
                        (unsigned long long)tensor->offset,
                        (unsigned long long)(tensor->offset + extent - 1),
                        (unsigned long long)elements);
    return SQA_OK;
}

sqa_status sqa_check_tensors(sqa_tensor out[SQA_MAX_SLOTS], const void *tensors,
                             const sqa_tensor_need needs[SQA_MAX_TENSORS], cl_mem workspace,
                             size_t workspace_bytes)
{
    memset(out, 0, SQA_MAX_SLOTS * sizeof *out);
    for (int slot = 0; slot < SQA_MAX_TENSORS; slot++) {
        if (!needs[slot].name)
            continue;
        memcpy(&out[slot], (const char *)tensors + needs[slot].member, sizeof out[slot]);
        sqa_status status =
            check_tensor(needs[slot].name, &out[slot], needs[slot].extent, needs[slot].bits);
        if (status != SQA_OK)
            return status;
    }
    out[SQA_SLOT_WORKSPACE] = (sqa_tensor){workspace, 0};
    return check_tensor("workspace", &out[SQA_SLOT_WORKSPACE], workspace_bytes, 8);
}
