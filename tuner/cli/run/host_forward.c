/* Buffers, a queue, one call of sqa_forward(). Knows no files and no shapes. */
#include "cli/run/host_forward.h"

#include <stdbool.h>
#include <stdlib.h>

#include "api/tensors.h"
#include "device/cl_status.h"
#include "problem/storage.h"

/* Elements that cross at a time, so that a long tensor is never there three times. */
enum { PIECE = 1 << 20 };

typedef struct transfer {
    cl_context context;
    cl_command_queue queue;
    void *stored; /* room for a piece as the device stores it */
} transfer;

static bool is_output(int role)
{
    return role == SQA_ROLE_O || role == SQA_ROLE_LSE;
}

static bool is_float(const sqa_host_array *array)
{
    return array->element <= SQA_ELEMENT_BF16;
}

static sqa_status create_buffer(const transfer *by, const sqa_host_array *array, bool output,
                                cl_mem *out)
{
    const size_t bytes = array->count * sqa_element_size(array->element);
    cl_int code = CL_SUCCESS;
    *out = clCreateBuffer(by->context, output ? CL_MEM_WRITE_ONLY : CL_MEM_READ_ONLY, bytes, NULL,
                          &code);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clCreateBuffer");
}

static sqa_status write_piece(const transfer *by, const sqa_host_array *array, cl_mem buffer,
                              size_t first, size_t count)
{
    const size_t element = sqa_element_size(array->element);
    const void *piece = by->stored;
    if (is_float(array))
        sqa_storage_encode((sqa_dtype)array->element, (const float *)*array->memory + first,
                           by->stored, count);
    else
        piece = (const char *)*array->memory + first * element;
    cl_int code = clEnqueueWriteBuffer(by->queue, buffer, CL_TRUE, first * element, count * element,
                                       piece, 0, NULL, NULL);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clEnqueueWriteBuffer");
}

static sqa_status read_piece(const transfer *by, const sqa_host_array *array, cl_mem buffer,
                             size_t first, size_t count)
{
    const size_t element = sqa_element_size(array->element);
    cl_int code = clEnqueueReadBuffer(by->queue, buffer, CL_TRUE, first * element, count * element,
                                      by->stored, 0, NULL, NULL);
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

/* Makes the buffer. An input goes there, and is no longer needed here. */
static sqa_status prepare(const transfer *by, const sqa_host_array *array, bool output, cl_mem *out)
{
    if (array->count == 0)
        return SQA_OK;
    sqa_status status = create_buffer(by, array, output, out);
    if (status || output)
        return status;
    status = move(by, array, *out, false);
    free(*array->memory);
    *array->memory = NULL;
    return status;
}

static sqa_status run_on(const transfer *by, sqa_plan *plan,
                         const sqa_host_array arrays[SQA_ROLE_TENSOR_COUNT], sqa_tensors *tensors,
                         cl_mem made[SQA_ROLE_TENSOR_COUNT])
{
    sqa_status status = by->stored ? SQA_OK : sqa_fail_memory("a piece of a tensor");
    for (int role = 0; role < SQA_ROLE_TENSOR_COUNT && !status; role++) {
        status = prepare(by, &arrays[role], is_output(role), &made[role]);
        if (made[role])
            sqa_tensors_member(tensors, (sqa_role)role)->buffer = made[role];
    }
    if (!status)
        status = sqa_forward(plan, by->queue, tensors, 0, NULL, NULL);
    for (int role = 0; role < SQA_ROLE_TENSOR_COUNT && !status; role++)
        if (is_output(role))
            status = move(by, &arrays[role], made[role], true);
    return status;
}

sqa_status sqa_host_forward(sqa_context *context, sqa_plan *plan,
                            const sqa_host_array arrays[SQA_ROLE_TENSOR_COUNT],
                            const sqa_tensors *there)
{
    sqa_tensors tensors = *there;
    cl_mem made[SQA_ROLE_TENSOR_COUNT] = {NULL};
    transfer by = {.context = sqa_context_cl(context)};
    cl_int code = CL_SUCCESS;
    by.queue = clCreateCommandQueue(by.context, sqa_context_cl_device(context), 0, &code);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clCreateCommandQueue");
    by.stored = malloc(PIECE * sizeof(float));
    sqa_status status = run_on(&by, plan, arrays, &tensors, made);
    clFinish(by.queue);
    free(by.stored);
    for (int role = 0; role < SQA_ROLE_TENSOR_COUNT; role++)
        if (made[role])
            clReleaseMemObject(made[role]);
    clReleaseCommandQueue(by.queue);
    return status;
}
