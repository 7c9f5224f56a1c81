/* Buffers, a queue, one call of sqa_forward(). Knows no files and no shapes. */
#include "cli/host_forward.h"

#include <stdbool.h>

#include "device/cl_status.h"

enum { ARRAY_COUNT = 5, INPUT_COUNT = 3 };

typedef struct array_slot {
    const sqa_host_array *array;
    sqa_tensor *tensor;
    const char *name;
} array_slot;

static sqa_status create_buffer(cl_context cl, const array_slot *slot, bool input)
{
    if (slot->array->count == 0)
        return SQA_OK;
    cl_int code = CL_SUCCESS;
    cl_mem_flags flags = input ? CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR : CL_MEM_WRITE_ONLY;
    slot->tensor->buffer = clCreateBuffer(cl, flags, slot->array->count * sizeof(float),
                                          input ? slot->array->data : NULL, &code);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, slot->name);
}

static sqa_status read_back(cl_command_queue queue, const array_slot *slot)
{
    if (slot->array->count == 0)
        return SQA_OK;
    cl_int code =
        clEnqueueReadBuffer(queue, slot->tensor->buffer, CL_TRUE, 0,
                            slot->array->count * sizeof(float), slot->array->data, 0, NULL, NULL);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clEnqueueReadBuffer");
}

static sqa_status run_on(cl_command_queue queue, cl_context cl, sqa_plan *plan,
                         const array_slot slots[ARRAY_COUNT], const sqa_tensors *tensors)
{
    sqa_status status = SQA_OK;
    for (int i = 0; i < ARRAY_COUNT && !status; i++)
        status = create_buffer(cl, &slots[i], i < INPUT_COUNT);
    if (!status)
        status = sqa_forward(plan, queue, tensors, 0, NULL, NULL);
    for (int i = INPUT_COUNT; i < ARRAY_COUNT && !status; i++)
        status = read_back(queue, &slots[i]);
    return status;
}

sqa_status sqa_host_forward(sqa_context *context, sqa_plan *plan, const sqa_host_arrays *arrays)
{
    sqa_tensors tensors = SQA_TENSORS_INIT;
    const array_slot slots[ARRAY_COUNT] = {
        {&arrays->q, &tensors.q, "clCreateBuffer(Q)"},
        {&arrays->k, &tensors.k, "clCreateBuffer(K)"},
        {&arrays->v, &tensors.v, "clCreateBuffer(V)"},
        {&arrays->o, &tensors.o, "clCreateBuffer(O)"},
        {&arrays->lse, &tensors.lse, "clCreateBuffer(LSE)"},
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
