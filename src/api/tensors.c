#include "api/tensors.h"

#include <stdint.h>
#include <string.h>

#include "base/status.h"
#include "device/cl_status.h"
#include "problem/names.h"

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

sqa_status sqa_check_tensors(sqa_tensor out[SQA_ROLE_COUNT], const sqa_tensors *tensors,
                             const sqa_problem *problem, cl_mem workspace, size_t workspace_bytes)
{
    if (tensors->version != SQA_TENSORS_VERSION)
        return sqa_fail(SQA_INVALID_ARGUMENT, "tensors.version: %u is not %u", tensors->version,
                        SQA_TENSORS_VERSION);
    const sqa_problem *p = problem;
    const size_t stored = sqa_dtype_size(p->dtype);
    const sqa_strides lse = {(int64_t)p->out_heads * p->q_length, p->q_length, 1};
    const uint32_t lse_length = p->write_lse ? p->q_length : 0;
    /* Keys are read only for queries, queries only against keys; outputs always written. */
    const uint32_t read_queries = p->kv_length ? p->q_length : 0;
    const uint32_t read_keys = p->q_length ? p->kv_length : 0;
    const struct {
        const char *name;
        sqa_role role;
        const sqa_tensor *tensor;
        uint64_t extent;
        size_t element;
    } rows[] = {
        {"q", SQA_ROLE_Q, &tensors->q,
         sqa_extent(&p->q, p->batch, p->q_heads, read_queries, p->head_dim), stored},
        {"k", SQA_ROLE_K, &tensors->k,
         sqa_extent(&p->k, p->batch, p->kv_heads, read_keys, p->head_dim), stored},
        {"v", SQA_ROLE_V, &tensors->v,
         sqa_extent(&p->v, p->batch, p->kv_heads, read_keys, p->value_dim), stored},
        {"o", SQA_ROLE_O, &tensors->o,
         sqa_extent(&p->o, p->batch, p->out_heads, p->q_length, p->value_dim), stored},
        {"lse", SQA_ROLE_LSE, &tensors->lse,
         sqa_extent(&lse, p->batch, p->out_heads, lse_length, 1), sizeof(cl_float)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sqa_status status =
            check_tensor(rows[i].name, rows[i].tensor, rows[i].extent, rows[i].element);
        if (status != SQA_OK)
            return status;
        out[rows[i].role] = *rows[i].tensor;
    }
    out[SQA_ROLE_WORKSPACE] = (sqa_tensor){tensors->workspace ? tensors->workspace : workspace, 0};
    const sqa_tensor *scratch = &out[SQA_ROLE_WORKSPACE];
    return check_tensor("workspace", scratch, workspace_bytes, 1);
}
