/* See timing_tensors.h. */
#include "trial/timing_tensors.h"

#include <stdlib.h>

#include "base/status.h"
#include "device/cl_status.h"
#include "problem/problem.h"
#include "reference/random.h"

enum { Q, K, V, O, LSE, TENSOR_COUNT };

static void sizes_of(const sqa_problem *p, uint64_t elements[TENSOR_COUNT])
{
    elements[Q] = sqa_extent(&p->q, p->batch, p->q_heads, p->q_length, p->head_dim);
    elements[K] = sqa_extent(&p->k, p->batch, p->kv_heads, p->kv_length, p->head_dim);
    elements[V] = sqa_extent(&p->v, p->batch, p->kv_heads, p->kv_length, p->value_dim);
    elements[O] = sqa_extent(&p->o, p->batch, p->out_heads, p->q_length, p->value_dim);
    elements[LSE] = p->write_lse ? (uint64_t)p->batch * p->out_heads * p->q_length : 0;
}

/* Q and K in [-1, 1): no score is large, none is a special value. */
static sqa_status fill(cl_mem buffer, size_t elements, cl_command_queue queue, uint64_t seed)
{
    sqa_random random = {seed};
    float *values = malloc(elements * sizeof *values);
    if (!values)
        return sqa_fail_memory("random tensors");
    sqa_random_floats(&random, values, elements, -1.0f, 1.0f);
    cl_int code = clEnqueueWriteBuffer(queue, buffer, CL_TRUE, 0, elements * sizeof *values, values,
                                       0, NULL, NULL);
    free(values);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clEnqueueWriteBuffer");
}

static sqa_status grow(sqa_timing_tensors *tensors, int which, size_t elements, cl_context context,
                       cl_command_queue queue)
{
    if (elements <= tensors->elements[which])
        return SQA_OK;
    cl_int code = CL_SUCCESS;
    cl_mem buffer =
        clCreateBuffer(context, CL_MEM_READ_WRITE, elements * sizeof(float), NULL, &code);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clCreateBuffer");
    sqa_status status = fill(buffer, elements, queue, (uint64_t)which);
    if (status != SQA_OK) {
        clReleaseMemObject(buffer);
        return status;
    }
    if (tensors->buffers[which])
        clReleaseMemObject(tensors->buffers[which]);
    tensors->buffers[which] = buffer;
    tensors->elements[which] = elements;
    return SQA_OK;
}

sqa_status sqa_timing_tensors_reserve(sqa_timing_tensors *tensors, cl_context context,
                                      cl_command_queue queue, const sqa_attention_desc *desc)
{
    sqa_problem problem;
    uint64_t elements[TENSOR_COUNT];
    sqa_status status = sqa_problem_from_desc(&problem, desc);
    if (status != SQA_OK)
        return status;
    sizes_of(&problem, elements);
    for (int i = 0; i < TENSOR_COUNT && status == SQA_OK; i++)
        if (elements[i] > SIZE_MAX / sizeof(float))
            status = sqa_fail(SQA_OUT_OF_MEMORY, "the tensors do not fit this machine");
        else
            status = grow(tensors, i, (size_t)elements[i], context, queue);
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
