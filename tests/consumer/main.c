/* A stranger's program: the whole of libsqa_cl as README shows it, on one head of
 * known values. Exits 0 when the answer is right, 77 without an OpenCL device. */
#include <math.h>
#include <stdio.h>

#include <sqa_cl.h>

enum { LENGTH = 4, DIM = 8, COUNT = LENGTH * DIM };

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, sqa_last_error());
    return 1;
}

static cl_mem make_buffer(cl_context cl, float value)
{
    float values[COUNT];
    for (int i = 0; i < COUNT; i++)
        values[i] = value;
    return clCreateBuffer(cl, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, sizeof values, values,
                          NULL);
}

int main(void)
{
    sqa_context *context = NULL;
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    sqa_tensors tensors = SQA_TENSORS_INIT;
    float o[COUNT];
    if (sqa_version_number() != SQA_CL_VERSION_NUMBER)
        return fail("the header and the library are of different versions");
    sqa_status status = sqa_context_open(&context, 0, 0, NULL);
    if (status != SQA_OK) {
        fail("sqa_context_open");
        return status == SQA_NO_DEVICE ? 77 : 1;
    }
    cl_context cl = sqa_context_cl(context);
    cl_command_queue queue = clCreateCommandQueue(cl, sqa_context_cl_device(context), 0, NULL);
    desc.q_length = desc.kv_length = LENGTH;
    desc.head_dim = DIM;
    desc.causal = SQA_CAUSAL_BOTTOM_RIGHT;
    tensors.q.buffer = make_buffer(cl, 1.0f);
    tensors.k.buffer = make_buffer(cl, 0.5f);
    tensors.v.buffer = make_buffer(cl, 2.0f);
    tensors.o.buffer = make_buffer(cl, 0.0f);
    if (sqa_attention_forward(context, queue, &desc, &tensors, 0, NULL, NULL) != SQA_OK)
        return fail("sqa_attention_forward");
    if (clEnqueueReadBuffer(queue, tensors.o.buffer, CL_TRUE, 0, sizeof o, o, 0, NULL, NULL) !=
        CL_SUCCESS)
        return fail("clEnqueueReadBuffer");
    for (int i = 0; i < COUNT; i++)
        if (fabsf(o[i] - 2.0f) > 1e-5f)
            return fail("a wrong result");
    clReleaseMemObject(tensors.q.buffer);
    clReleaseMemObject(tensors.k.buffer);
    clReleaseMemObject(tensors.v.buffer);
    clReleaseMemObject(tensors.o.buffer);
    clReleaseCommandQueue(queue);
    sqa_context_destroy(context);
    printf("libsqa_cl %s works\n", sqa_version_string());
    return 0;
}
