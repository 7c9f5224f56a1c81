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

/* Makes the slot's buffer; an input's is filled. `stored` has room for its elements. */
static sqa_status create_buffer(cl_context cl, const array_slot *slot, bool input, void *stored)
{
    cl_int code = CL_SUCCESS;
    cl_mem_flags flags = input ? CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR : CL_MEM_WRITE_ONLY;
    if (input)
        sqa_storage_encode(slot->dtype, slot->array->data, stored, slot->array->count);
    slot->tensor->buffer =
        clCreateBuffer(cl, flags, stored_bytes(slot), input ? stored : NULL, &code);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clCreateBuffer");
}

static sqa_status read_back(cl_command_queue queue, const array_slot *slot, void *stored)
{
    cl_int code = clEnqueueReadBuffer(queue, slot->tensor->buffer, CL_TRUE, 0, stored_bytes(slot),
                                      stored, 0, NULL, NULL);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clEnqueueReadBuffer");
    sqa_storage_decode(slot->dtype, stored, slot->array->data, slot->array->count);
    return SQA_OK;
}

/* Room for any one of the arrays as the device stores it. */
static void *allocate_stored(const array_slot slots[ARRAY_COUNT])
{
    size_t most = 1;
    for (int i = 0; i < ARRAY_COUNT; i++)
        most = stored_bytes(&slots[i]) > most ? stored_bytes(&slots[i]) : most;
    return malloc(most);
}

static sqa_status run_on(cl_command_queue queue, cl_context cl, sqa_plan *plan,
                         const array_slot slots[ARRAY_COUNT], const sqa_tensors *tensors)
{
    void *stored = allocate_stored(slots);
    sqa_status status = stored ? SQA_OK : sqa_fail_memory("a tensor as the device stores it");
    for (int i = 0; i < ARRAY_COUNT && !status; i++)
        if (slots[i].array->count > 0)
            status = create_buffer(cl, &slots[i], i < INPUT_COUNT, stored);
    if (!status)
        status = sqa_forward(plan, queue, tensors, 0, NULL, NULL);
    for (int i = INPUT_COUNT; i < ARRAY_COUNT && !status; i++)
        if (slots[i].array->count > 0)
            status = read_back(queue, &slots[i], stored);
    free(stored);
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
