/* Buffers, a queue, one call of sqa_forward(). Knows no files and no shapes. */
#include "cli/host_forward.h"

#include <stdbool.h>
#include <stdlib.h>

#include "device/cl_status.h"
#include "problem/names.h"
#include "problem/storage.h"

enum { ARRAY_COUNT = 5, INPUT_COUNT = 3 };

typedef struct array_slot {
    const sqa_host_array *array;
    sqa_tensor *tensor;
    sqa_dtype dtype;
} array_slot;

static size_t stored_bytes(const array_slot *slot)
{
    return slot->array->count * sqa_dtype_size(slot->dtype);
}

/* Elements that cross at a time, so that a long tensor is never there three times. */
enum { PIECE = 1 << 20 };

typedef struct transfer {
    cl_command_queue queue;
    void *stored; /* room for a piece as the device stores it */
} transfer;

static sqa_status create_buffer(cl_context cl, const array_slot *slot, bool input)
{
    cl_int code = CL_SUCCESS;
    slot->tensor->buffer = clCreateBuffer(cl, input ? CL_MEM_READ_ONLY : CL_MEM_WRITE_ONLY,
                                          stored_bytes(slot), NULL, &code);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clCreateBuffer");
}

static sqa_status move_piece(const transfer *by, const array_slot *slot, bool input, size_t first,
                             size_t count)
{
    const size_t element = sqa_dtype_size(slot->dtype);
    float *values = *slot->array->data + first;
    cl_int code;
    if (input) {
        sqa_storage_encode(slot->dtype, values, by->stored, count);
        code = clEnqueueWriteBuffer(by->queue, slot->tensor->buffer, CL_TRUE, first * element,
                                    count * element, by->stored, 0, NULL, NULL);
        return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clEnqueueWriteBuffer");
    }
    code = clEnqueueReadBuffer(by->queue, slot->tensor->buffer, CL_TRUE, first * element,
                               count * element, by->stored, 0, NULL, NULL);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clEnqueueReadBuffer");
    sqa_storage_decode(slot->dtype, by->stored, values, count);
    return SQA_OK;
}

static sqa_status move(const transfer *by, const array_slot *slot, bool input)
{
    sqa_status status = SQA_OK;
    for (size_t first = 0; first < slot->array->count && !status; first += PIECE) {
        size_t left = slot->array->count - first;
        status = move_piece(by, slot, input, first, left < PIECE ? left : PIECE);
    }
    return status;
}

/* Makes the slot's buffer. An input goes there, and is no longer needed here. */
static sqa_status prepare(const transfer *by, cl_context cl, const array_slot *slot, bool input)
{
    if (slot->array->count == 0)
        return SQA_OK;
    sqa_status status = create_buffer(cl, slot, input);
    if (status || !input)
        return status;
    status = move(by, slot, true);
    free(*slot->array->data);
    *slot->array->data = NULL;
    return status;
}

static sqa_status run_on(cl_command_queue queue, cl_context cl, sqa_plan *plan,
                         const array_slot slots[ARRAY_COUNT], const sqa_tensors *tensors)
{
    const transfer by = {queue, malloc(PIECE * sizeof(float))};
    sqa_status status = by.stored ? SQA_OK : sqa_fail_memory("a piece of a tensor");
    for (int i = 0; i < ARRAY_COUNT && !status; i++)
        status = prepare(&by, cl, &slots[i], i < INPUT_COUNT);
    if (!status)
        status = sqa_forward(plan, queue, tensors, 0, NULL, NULL);
    for (int i = INPUT_COUNT; i < ARRAY_COUNT && !status; i++)
        status = move(&by, &slots[i], false);
    free(by.stored);
    return status;
}

sqa_status sqa_host_forward(sqa_context *context, sqa_plan *plan, sqa_dtype dtype,
                            const sqa_host_arrays *arrays)
{
    sqa_tensors tensors = SQA_TENSORS_INIT;
    const array_slot slots[ARRAY_COUNT] = {
        {&arrays->q, &tensors.q, dtype},
        {&arrays->k, &tensors.k, dtype},
        {&arrays->v, &tensors.v, dtype},
        {&arrays->o, &tensors.o, dtype},
        {&arrays->lse, &tensors.lse, SQA_DTYPE_F32},
    };
    cl_context cl = sqa_context_cl(context);
    cl_int code = CL_SUCCESS;
    cl_command_queue queue = clCreateCommandQueue(cl, sqa_context_cl_device(context), 0, &code);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clCreateCommandQueue");
    sqa_status status = run_on(queue, cl, plan, slots, &tensors);
    clFinish(queue);
    for (int i = 0; i < ARRAY_COUNT; i++)
        if (slots[i].tensor->buffer)
            clReleaseMemObject(slots[i].tensor->buffer);
    clReleaseCommandQueue(queue);
    return status;
}
