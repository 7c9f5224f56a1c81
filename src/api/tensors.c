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
                               size_t element)
{
    if (extent == 0)
        return SQA_OK;
    uint64_t bytes = 0;
    sqa_status status = buffer_bytes(name, tensor->buffer, &bytes);
    if (status != SQA_OK)
        return status;
    uint64_t elements = bytes / element;
    if (extent > elements || tensor->offset > elements - extent)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "tensors.%s: the view needs elements %llu..%llu, the buffer has %llu", name,
                        (unsigned long long)tensor->offset,
                        (unsigned long long)(tensor->offset + extent - 1),
                        (unsigned long long)elements);
    return SQA_OK;
}

/* Where each role's member is in sqa_tensors. */
static const size_t members[SQA_ROLE_TENSOR_COUNT] = {
    [SQA_ROLE_Q] = offsetof(sqa_tensors, q),
    [SQA_ROLE_K] = offsetof(sqa_tensors, k),
    [SQA_ROLE_V] = offsetof(sqa_tensors, v),
    [SQA_ROLE_O] = offsetof(sqa_tensors, o),
    [SQA_ROLE_LSE] = offsetof(sqa_tensors, lse),
    [SQA_ROLE_BIAS] = offsetof(sqa_tensors, bias),
    [SQA_ROLE_MASK] = offsetof(sqa_tensors, mask),
    [SQA_ROLE_KEY_MASK] = offsetof(sqa_tensors, key_mask),
    [SQA_ROLE_SINKS] = offsetof(sqa_tensors, sinks),
    [SQA_ROLE_SLOPES] = offsetof(sqa_tensors, slopes),
    [SQA_ROLE_GLOBALS] = offsetof(sqa_tensors, globals),
    [SQA_ROLE_BLOCK_OFFSETS] = offsetof(sqa_tensors, block_offsets),
    [SQA_ROLE_BLOCK_INDICES] = offsetof(sqa_tensors, block_indices),
    [SQA_ROLE_CU_SEQLENS_Q] = offsetof(sqa_tensors, cu_seqlens_q),
    [SQA_ROLE_CU_SEQLENS_KV] = offsetof(sqa_tensors, cu_seqlens_kv),
};

sqa_tensor *sqa_tensors_member(sqa_tensors *tensors, sqa_role role)
{
    return (sqa_tensor *)(void *)((char *)tensors + members[role]);
}

sqa_status sqa_check_tensors(sqa_tensor out[SQA_ROLE_COUNT], const sqa_tensors *tensors,
                             const sqa_tensor_need needs[SQA_ROLE_TENSOR_COUNT], cl_mem workspace,
                             size_t workspace_bytes)
{
    if (tensors->version != SQA_TENSORS_VERSION)
        return sqa_fail(SQA_INVALID_ARGUMENT, "tensors.version: %u is not %u", tensors->version,
                        SQA_TENSORS_VERSION);
    for (int role = 0; role < SQA_ROLE_TENSOR_COUNT; role++) {
        out[role] = *(const sqa_tensor *)(const void *)((const char *)tensors + members[role]);
        sqa_status status = check_tensor(needs[role].name, &out[role], needs[role].extent,
                                         needs[role].element_size);
        if (status != SQA_OK)
            return status;
    }
    out[SQA_ROLE_WORKSPACE] = (sqa_tensor){tensors->workspace ? tensors->workspace : workspace, 0};
    const sqa_tensor *scratch = &out[SQA_ROLE_WORKSPACE];
    return check_tensor("workspace", scratch, workspace_bytes, 1);
}
