/* See timing_tensors.h. */
#include "trial/timing_tensors.h"

#include <stdlib.h>

#include "base/status.h"
#include "device/cl_status.h"
#include "problem/names.h"
#include "problem/problem.h"
#include "reference/random.h"

enum { Q, K, V, O, LSE, TENSOR_COUNT };

static void bytes_of(const sqa_problem *p, double bytes[TENSOR_COUNT])
{
    double element = (double)sqa_dtype_size(p->dtype);
    bytes[Q] = element * (double)sqa_extent(&p->q, p->batch, p->q_heads, p->q_length, p->head_dim);
    bytes[K] =
        element * (double)sqa_extent(&p->k, p->batch, p->kv_heads, p->kv_length, p->head_dim);
    bytes[V] =
        element * (double)sqa_extent(&p->v, p->batch, p->kv_heads, p->kv_length, p->value_dim);
    bytes[O] =
        element * (double)sqa_extent(&p->o, p->batch, p->out_heads, p->q_length, p->value_dim);
    bytes[LSE] = p->write_lse ? sizeof(float) * (double)p->batch * p->out_heads * p->q_length : 0.0;
}

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

static sqa_status fill(cl_mem buffer, size_t bytes, sqa_dtype dtype, cl_command_queue queue,
                       uint64_t seed)
{
    void *values = malloc(bytes);
    if (!values)
        return sqa_fail_memory("random tensors");
    random_values(values, bytes, dtype, seed);
    cl_int code = clEnqueueWriteBuffer(queue, buffer, CL_TRUE, 0, bytes, values, 0, NULL, NULL);
    free(values);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clEnqueueWriteBuffer");
}

static sqa_status grow(sqa_timing_tensors *tensors, int which, size_t bytes, cl_context context,
                       cl_command_queue queue)
{
    if (bytes <= tensors->bytes[which])
        return SQA_OK;
    cl_int code = CL_SUCCESS;
    cl_mem buffer = clCreateBuffer(context, CL_MEM_READ_WRITE, bytes, NULL, &code);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clCreateBuffer");
    sqa_status status = fill(buffer, bytes, tensors->dtype, queue, (uint64_t)which);
    if (status != SQA_OK) {
        clReleaseMemObject(buffer);
        return status;
    }
    if (tensors->buffers[which])
        clReleaseMemObject(tensors->buffers[which]);
    tensors->buffers[which] = buffer;
    tensors->bytes[which] = bytes;
    return SQA_OK;
}

sqa_status sqa_timing_tensors_reserve(sqa_timing_tensors *tensors, cl_context context,
                                      cl_command_queue queue, const sqa_attention_desc *desc)
{
    sqa_problem problem;
    double bytes[TENSOR_COUNT];
    sqa_status status = sqa_problem_from_desc(&problem, desc);
    if (status != SQA_OK)
        return status;
    bytes_of(&problem, bytes);
    if (problem.dtype != tensors->dtype)
        sqa_timing_tensors_release(tensors);
    tensors->dtype = problem.dtype;
    for (int i = 0; i < TENSOR_COUNT && status == SQA_OK; i++)
        if (bytes[i] >= (double)(SIZE_MAX / 2))
            status = sqa_fail(SQA_OUT_OF_MEMORY, "the tensors do not fit this machine");
        else
            status = grow(tensors, i, (size_t)bytes[i], context, queue);
    return status;
}

void sqa_timing_tensors_release(sqa_timing_tensors *tensors)
{
    for (int i = 0; i < TENSOR_COUNT; i++)
        if (tensors->buffers[i])
            clReleaseMemObject(tensors->buffers[i]);
    *tensors = (sqa_timing_tensors)SQA_TIMING_TENSORS_INIT;
}

sqa_status sqa_timing_enqueue(void *user, cl_command_queue queue, cl_event *event)
{
    const sqa_timing_work *work = user;
    sqa_tensors tensors = SQA_TENSORS_INIT;
    tensors.q.buffer = work->tensors->buffers[Q];
    tensors.k.buffer = work->tensors->buffers[K];
    tensors.v.buffer = work->tensors->buffers[V];
    tensors.o.buffer = work->tensors->buffers[O];
    tensors.lse.buffer = work->tensors->buffers[LSE];
    return sqa_forward(work->plan, queue, &tensors, 0, NULL, event);
}
