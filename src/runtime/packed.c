#include "runtime/packed.h"

#include <stdlib.h>

#include "device/cl_status.h"
#include "operations/matmul/slots.h"
#include "runtime/context.h"

static const sqa_leaf *leaf_of(const sqa_plan *plan)
{
    return sqa_leaf_in_use(plan->stages[0].leaf);
}

static sqa_status retain(sqa_tensor *out, const sqa_tensor *tensor)
{
    if (!tensor->buffer)
        return SQA_OK;
    const cl_int code = clRetainMemObject(tensor->buffer);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clRetainMemObject");
    *out = *tensor;
    return SQA_OK;
}

/* What it keeps a reference of. */
static sqa_status fill(sqa_matmul_packed *packed, const sqa_plan *plan,
                       const sqa_tensor tensors[SQA_MAX_SLOTS])
{
    const cl_int code = clRetainContext(plan->context->cl);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clRetainContext");
    packed->cl = plan->context->cl;
    packed->product = plan->problem.of.product;
    packed->family = leaf_of(plan)->choice.family;
    packed->packing = leaf_of(plan)->launch.packing;
    sqa_status status = retain(&packed->b, &tensors[SQA_SLOT_MATRIX_B]);
    return status == SQA_OK ? retain(&packed->b2, &tensors[SQA_SLOT_MATRIX_B2]) : status;
}

static sqa_status allocate(sqa_matmul_packed *packed)
{
    cl_int code = CL_SUCCESS;
    if (packed->packing.bytes == 0)
        return SQA_OK;
    packed->buffer =
        clCreateBuffer(packed->cl, CL_MEM_READ_WRITE, packed->packing.bytes, NULL, &code);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clCreateBuffer(packed weights)");
}

static sqa_status pack(const sqa_matmul_packed *packed, const sqa_plan *plan,
                       cl_command_queue queue, cl_uint wait_count, const cl_event *wait_list,
                       cl_event *event)
{
    sqa_tensor tensors[SQA_MAX_SLOTS] = {{0}};
    tensors[SQA_SLOT_MATRIX_B] = packed->b;
    tensors[SQA_SLOT_MATRIX_B2] = packed->b2;
    tensors[SQA_SLOT_PACKED].buffer = packed->buffer;
    return sqa_leaf_pack(leaf_of(plan), tensors, queue, wait_count, wait_list, event);
}

sqa_status sqa_packed_create(sqa_matmul_packed **out, const sqa_plan *plan,
                             const sqa_tensor tensors[SQA_MAX_SLOTS], cl_command_queue queue,
                             cl_uint wait_count, const cl_event *wait_list, cl_event *event)
{
    sqa_matmul_packed *packed = calloc(1, sizeof *packed);
    if (!packed)
        return sqa_fail_memory("packed weights");
    sqa_status status = fill(packed, plan, tensors);
    if (status == SQA_OK)
        status = allocate(packed);
    if (status == SQA_OK)
        status = pack(packed, plan, queue, wait_count, wait_list, event);
    if (status != SQA_OK) {
        sqa_packed_destroy(packed);
        return status;
    }
    *out = packed;
    return SQA_OK;
}

void sqa_packed_destroy(sqa_matmul_packed *packed)
{
    if (!packed)
        return;
    const cl_mem buffers[] = {packed->buffer, packed->b.buffer, packed->b2.buffer};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        if (buffers[i])
            clReleaseMemObject(buffers[i]);
    if (packed->cl)
        clReleaseContext(packed->cl);
    free(packed);
}

/* Matrices B: one, or as many as the batch. */
static int64_t count_of(const sqa_product *p)
{
    return p->b.batch && p->batch > 1 ? (int64_t)p->batch : 1;
}

static int64_t batch_stride_of(const sqa_product *p)
{
    return count_of(p) > 1 ? p->b.batch : 0;
}

static sqa_status check_weights(const sqa_product *packed, const sqa_product *wanted)
{
    const struct {
        const char *what;
        int64_t packed, wanted;
    } facts[] = {
        {"dtype", (int64_t)packed->dtype, (int64_t)wanted->dtype},
        {"n", packed->n, wanted->n},
        {"k", packed->k, wanted->k},
        {"transpose_b", packed->transpose_b, wanted->transpose_b},
        {"gated", packed->gated, wanted->gated},
        {"b.row", packed->b.row, wanted->b.row},
        {"b.batch", batch_stride_of(packed), batch_stride_of(wanted)},
        {"matrices B", count_of(packed), count_of(wanted)},
    };
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (facts[i].packed != facts[i].wanted)
            return sqa_fail(SQA_INVALID_ARGUMENT,
                            "tensors.packed: %s is %lld, expected %lld as in the plan",
                            facts[i].what, (long long)facts[i].packed, (long long)facts[i].wanted);
    return SQA_OK;
}

sqa_status sqa_packed_check(const sqa_matmul_packed *packed, const sqa_plan *plan)
{
    if (packed->cl != plan->context->cl)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "tensors.packed: belongs to another OpenCL context than the plan");
    sqa_status status = check_weights(&packed->product, &plan->problem.of.product);
    const sqa_leaf *leaf = leaf_of(plan);
    if (status == SQA_OK && packed->packing.panel != leaf->launch.packing.panel)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "tensors.packed: was made for another configuration: panels of %d columns "
                        "(%s), expected %d as in the plan (%s); 0: B is read in place",
                        (int)packed->packing.panel, packed->family->name,
                        (int)leaf->launch.packing.panel, leaf->choice.family->name);
    return status;
}
