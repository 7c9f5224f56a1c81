/* See timing_tensors.h. */
#include "trial/timing_tensors.h"

#include <stdlib.h>

#include "api/tensors.h"
#include "base/status.h"
#include "device/cl_status.h"
#include "reference/inputs.h"

/* Numbers of either sign and at most 1, so that no score is a special value. The
 * short types get a fixed exponent and random fractions: 0.5 to 1. */
static void random_values(void *values, size_t bytes, sqa_dtype dtype, uint64_t seed)
{
    static const uint16_t half[] = {[SQA_DTYPE_F16] = 0x3800, [SQA_DTYPE_BF16] = 0x3f00};
    static const uint16_t varied[] = {[SQA_DTYPE_F16] = 0x83ff, [SQA_DTYPE_BF16] = 0x807f};
    sqa_random random = {seed};
    if (dtype == SQA_DTYPE_F32) {
        sqa_random_floats(&random, values, bytes / sizeof(float), -1.0f, 1.0f);
        return;
    }
    uint16_t *words = values;
    for (size_t i = 0; i < bytes / sizeof *words; i++)
        words[i] = (uint16_t)(half[dtype] | (sqa_random_next(&random) & varied[dtype]));
}

static bool is_float(const sqa_tensor_shape *shape)
{
    return shape->element <= SQA_ELEMENT_BF16;
}

/* What the numbers of an index tensor have to be depends on the very problem; those
 * of floating-point tensors do not. */
static void fill_values(const sqa_problem *problem, sqa_role role, const sqa_tensor_shape *shape,
                        void *values, size_t bytes)
{
    sqa_random random = {(uint64_t)role};
    const bool drawn = role == SQA_ROLE_SINKS || role == SQA_ROLE_SLOPES || !is_float(shape);
    if (drawn)
        sqa_random_input(problem, role, false, &random, values);
    else
        random_values(values, bytes, (sqa_dtype)shape->element, (uint64_t)role);
}

static sqa_status fill(cl_mem buffer, const sqa_problem *problem, sqa_role role,
                       const sqa_tensor_shape *shape, size_t bytes, cl_command_queue queue)
{
    void *values = malloc(bytes);
    if (!values)
        return sqa_fail_memory("random tensors");
    fill_values(problem, role, shape, values, bytes);
    cl_int code = clEnqueueWriteBuffer(queue, buffer, CL_TRUE, 0, bytes, values, 0, NULL, NULL);
    free(values);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clEnqueueWriteBuffer");
}

/* A buffer that is there and large enough is kept, with its values where any will do. */
static sqa_status reserve(sqa_timing_tensors *tensors, const sqa_problem *problem, sqa_role role,
                          cl_context context, cl_command_queue queue)
{
    sqa_tensor_shape shape;
    if (!sqa_tensor_shape_of(problem, role, &shape))
        return SQA_OK;
    const uint64_t extent = sqa_tensor_extent(&shape);
    if (extent >= SIZE_MAX / 8)
        return sqa_fail(SQA_OUT_OF_MEMORY, "the tensors do not fit this machine");
    const size_t bytes = (size_t)(extent ? extent : 1) * sqa_element_size(shape.element);
    const bool fits = bytes <= tensors->bytes[role];
    if (fits && is_float(&shape) && tensors->elements[role] == shape.element)
        return SQA_OK;
    cl_mem buffer = tensors->buffers[role];
    if (!fits) {
        cl_int code = CL_SUCCESS;
        buffer = clCreateBuffer(context, CL_MEM_READ_WRITE, bytes, NULL, &code);
        if (code != CL_SUCCESS)
            return sqa_fail_cl(code, "clCreateBuffer");
        if (tensors->buffers[role])
            clReleaseMemObject(tensors->buffers[role]);
        tensors->buffers[role] = buffer;
        tensors->bytes[role] = bytes;
    }
    tensors->elements[role] = shape.element;
    return fill(buffer, problem, role, &shape, extent ? bytes : 0, queue);
}

sqa_status sqa_timing_tensors_reserve(sqa_timing_tensors *tensors, cl_context context,
                                      cl_command_queue queue, const sqa_attention_desc *desc)
{
    sqa_problem problem;
    sqa_status status = sqa_problem_from_desc(&problem, desc);
    for (int role = 0; role < SQA_ROLE_TENSOR_COUNT && status == SQA_OK; role++)
        status = reserve(tensors, &problem, (sqa_role)role, context, queue);
    return status;
}

void sqa_timing_tensors_release(sqa_timing_tensors *tensors)
{
    for (int i = 0; i < SQA_ROLE_TENSOR_COUNT; i++)
        if (tensors->buffers[i])
            clReleaseMemObject(tensors->buffers[i]);
    *tensors = (sqa_timing_tensors)SQA_TIMING_TENSORS_INIT;
}

sqa_status sqa_timing_enqueue(void *user, cl_command_queue queue, cl_event *event)
{
    const sqa_timing_work *work = user;
    sqa_tensors tensors = SQA_TENSORS_INIT;
    for (int role = 0; role < SQA_ROLE_TENSOR_COUNT; role++)
        sqa_tensors_member(&tensors, (sqa_role)role)->buffer = work->tensors->buffers[role];
    return sqa_forward(work->plan, queue, &tensors, 0, NULL, event);
}
