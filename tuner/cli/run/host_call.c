/* Buffers, a queue, one call. Knows no files and no operation. */
#include "cli/run/host_call.h"

#include <stdbool.h>
#include <stdlib.h>

#include "device/cl_status.h"
#include "problem/storage.h"
#include "runtime/plan.h"

/* Elements that cross at a time, so that a long tensor is never there three times. */
enum { PIECE = 1 << 20 };

typedef struct transfer {
    cl_context context;
    cl_command_queue queue;
    void *stored; /* room for a piece as the device stores it */
} transfer;

/* What the call does to it; what it updates goes there and comes back. */
typedef enum direction { READ, WRITTEN, UPDATED } direction;

static sqa_status create_buffer(const transfer *by, const sqa_host_array *array, direction which,
                                cl_mem *out)
{
    static const cl_mem_flags flags[] = {CL_MEM_READ_ONLY, CL_MEM_WRITE_ONLY, CL_MEM_READ_WRITE};
    const size_t bytes = (size_t)sqa_element_bytes(array->element, array->count);
    cl_int code = CL_SUCCESS;
    *out = clCreateBuffer(by->context, flags[which], bytes, NULL, &code);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clCreateBuffer");
}

static sqa_status write_piece(const transfer *by, const sqa_host_array *array, cl_mem buffer,
                              size_t first, size_t count)
{
    const size_t begin = (size_t)sqa_element_bytes(array->element, first);
    const size_t bytes = (size_t)sqa_element_bytes(array->element, count);
    const void *piece = by->stored;
    if (sqa_element_is_float(array->element))
        sqa_storage_encode((sqa_dtype)array->element, (const float *)*array->memory + first,
                           by->stored, count);
    else
        piece = (const char *)*array->memory + begin;
    cl_int code =
        clEnqueueWriteBuffer(by->queue, buffer, CL_TRUE, begin, bytes, piece, 0, NULL, NULL);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clEnqueueWriteBuffer");
}

static sqa_status read_piece(const transfer *by, const sqa_host_array *array, cl_mem buffer,
                             size_t first, size_t count)
{
    const size_t begin = (size_t)sqa_element_bytes(array->element, first);
    const size_t bytes = (size_t)sqa_element_bytes(array->element, count);
    cl_int code =
        clEnqueueReadBuffer(by->queue, buffer, CL_TRUE, begin, bytes, by->stored, 0, NULL, NULL);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clEnqueueReadBuffer");
    sqa_storage_decode((sqa_dtype)array->element, by->stored, (float *)*array->memory + first,
                       count);
    return SQA_OK;
}

static sqa_status move(const transfer *by, const sqa_host_array *array, cl_mem buffer, bool output)
{
    sqa_status status = SQA_OK;
    for (size_t first = 0; first < array->count && !status; first += PIECE) {
        const size_t left = array->count - first, count = left < PIECE ? left : PIECE;
        status = output ? read_piece(by, array, buffer, first, count)
                        : write_piece(by, array, buffer, first, count);
    }
    return status;
}

/* Makes the buffer. What is only read is no longer needed here afterwards. */
static sqa_status prepare(const transfer *by, const sqa_host_array *array, direction which,
                          cl_mem *out)
{
    if (array->count == 0)
        return SQA_OK;
    sqa_status status = create_buffer(by, array, which, out);
    if (status || which == WRITTEN)
        return status;
    status = move(by, array, *out, false);
    if (which == UPDATED)
        return status;
    free(*array->memory);
    *array->memory = NULL;
    return status;
}

/* What the plan needs is there, or comes from an array that is long enough. */
static sqa_status check_arrays(const sqa_plan *plan, const sqa_host_array arrays[SQA_MAX_TENSORS],
                               const cl_mem there[SQA_MAX_TENSORS])
{
    for (uint32_t i = 0; i < plan->need_count; i++) {
        const sqa_tensor_need *need = &plan->needs[i];
        if (!there[need->slot] && arrays[need->slot].count < need->extent)
            return sqa_fail(SQA_INVALID_ARGUMENT, "%s: %zu elements, but %llu are needed",
                            need->name, arrays[need->slot].count, (unsigned long long)need->extent);
    }
    return SQA_OK;
}

static direction direction_of(const sqa_problem *problem, uint32_t slot)
{
    return sqa_tensor_is_updated(problem, slot)  ? UPDATED
           : sqa_tensor_is_output(problem, slot) ? WRITTEN
                                                 : READ;
}

static sqa_status run_on(const transfer *by, sqa_plan *plan,
                         const sqa_host_array arrays[SQA_MAX_TENSORS],
                         const cl_mem there[SQA_MAX_TENSORS], cl_mem made[SQA_MAX_TENSORS])
{
    sqa_tensor tensors[SQA_MAX_SLOTS] = {{0}};
    sqa_status status = check_arrays(plan, arrays, there);
    for (int slot = 0; slot < SQA_MAX_TENSORS && !status; slot++) {
        status =
            prepare(by, &arrays[slot], direction_of(&plan->problem, (uint32_t)slot), &made[slot]);
        tensors[slot] = (sqa_tensor){made[slot] ? made[slot] : there[slot], 0};
    }
    tensors[SQA_SLOT_WORKSPACE] = (sqa_tensor){plan->workspace, 0};
    if (!status)
        status = sqa_plan_enqueue(plan, tensors, by->queue, 0, NULL, NULL);
    for (int slot = 0; slot < SQA_MAX_TENSORS && !status; slot++)
        if (sqa_tensor_is_output(&plan->problem, (uint32_t)slot))
            status = move(by, &arrays[slot], made[slot], true);
    return status;
}

static sqa_status open_transfer(sqa_context *context, transfer *out)
{
    cl_int code = CL_SUCCESS;
    *out = (transfer){.context = sqa_context_cl(context)};
    out->queue = clCreateCommandQueue(out->context, sqa_context_cl_device(context), 0, &code);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clCreateCommandQueue");
    out->stored = malloc(PIECE * sizeof(float));
    return out->stored ? SQA_OK : sqa_fail_memory("a piece of a tensor");
}

static void close_transfer(transfer *by)
{
    free(by->stored);
    if (!by->queue)
        return;
    clFinish(by->queue);
    clReleaseCommandQueue(by->queue);
}

sqa_status sqa_host_upload(sqa_context *context, const sqa_host_array *array, cl_mem *out)
{
    transfer by;
    sqa_status status = open_transfer(context, &by);
    if (status == SQA_OK)
        status = prepare(&by, array, READ, out);
    close_transfer(&by);
    return status;
}

sqa_status sqa_host_call(sqa_context *context, sqa_plan *plan,
                         const sqa_host_array arrays[SQA_MAX_TENSORS],
                         const cl_mem there[SQA_MAX_TENSORS])
{
    cl_mem made[SQA_MAX_TENSORS] = {NULL};
    transfer by;
    sqa_status status = open_transfer(context, &by);
    if (status == SQA_OK)
        status = run_on(&by, plan, arrays, there, made);
    close_transfer(&by);
    for (int slot = 0; slot < SQA_MAX_TENSORS; slot++)
        if (made[slot])
            clReleaseMemObject(made[slot]);
    return status;
}
