/* What the lines on training in README.md stand in (readme_training.h is those). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <sqa_cl.h>

enum { HEADS = 2, LENGTH = 40, DIM = 8, COUNT = HEADS * LENGTH * DIM };

static void must(sqa_status status)
{
    if (status != SQA_OK) {
        fprintf(stderr, "%s: %s\n", sqa_status_name(status), sqa_last_error());
        exit(EXIT_FAILURE);
    }
}

static cl_mem new_buffer(cl_context cl, float start, float step)
{
    static float values[COUNT];
    for (int i = 0; i < COUNT; i++)
        values[i] = start + step * (float)(i % 17);
    return clCreateBuffer(cl, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, sizeof values, values,
                          NULL);
}

/* Of the gradient of all values: weights of a query add up to 1, and dO is 1. */
static int check_sum(cl_command_queue queue, cl_mem dv)
{
    static float values[COUNT];
    double sum = 0.0;
    clEnqueueReadBuffer(queue, dv, CL_TRUE, 0, sizeof values, values, 0, NULL, NULL);
    for (int i = 0; i < COUNT; i++)
        sum += (double)values[i];
    printf("dV adds up to %g\n", sum);
    return fabs(sum - COUNT) < 1e-2 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(void)
{
    sqa_context *sqa = NULL;
    must(sqa_context_open(&sqa, 0, 0, NULL));
    cl_context cl = sqa_context_cl(sqa);
    cl_command_queue queue = clCreateCommandQueue(cl, sqa_context_cl_device(sqa), 0, NULL);
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.q_heads = desc.kv_heads = HEADS;
    desc.q_length = desc.kv_length = LENGTH;
    desc.head_dim = DIM;
    desc.causal = SQA_CAUSAL_BOTTOM_RIGHT;
    desc.write_lse = 1;
    sqa_tensors tensors = SQA_TENSORS_INIT;
    tensors.q.buffer = new_buffer(cl, 0.0f, 0.05f);
    tensors.k.buffer = new_buffer(cl, 0.3f, -0.05f);
    tensors.v.buffer = new_buffer(cl, -1.0f, 0.1f);
    tensors.o.buffer = new_buffer(cl, 0.0f, 0.0f);
    tensors.lse.buffer = new_buffer(cl, 0.0f, 0.0f);
    cl_mem dout = new_buffer(cl, 1.0f, 0.0f);
    cl_mem dq = new_buffer(cl, 0.0f, 0.0f);
    cl_mem dk = new_buffer(cl, 0.0f, 0.0f);
    cl_mem dv = new_buffer(cl, 0.0f, 0.0f);

#include "readme_training.h"

    const int result = check_sum(queue, dv);
    const cl_mem buffers[] = {tensors.q.buffer,
                              tensors.k.buffer,
                              tensors.v.buffer,
                              tensors.o.buffer,
                              tensors.lse.buffer,
                              dout,
                              dq,
                              dk,
                              dv};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++)
        clReleaseMemObject(buffers[i]);
    clReleaseCommandQueue(queue);
    sqa_context_destroy(sqa);
    return result;
}
