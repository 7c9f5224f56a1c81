/* An attention layer, forward and backward: `layer xsqa` instead of `layer mha` is all that
 * another variant takes. Prints what each pass takes. Exits 77 without an OpenCL device. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <sqa_cl.h>

enum { D_MODEL = 256, HEADS = 16, DIM = 16 };

static cl_context cl;

static cl_mem make(size_t count, float scale)
{
    float *values = malloc(count * sizeof *values);
    for (size_t i = 0; values && i < count; i++)
        values[i] = scale * ((float)rand() / (float)RAND_MAX - 0.5f);
    cl_mem buffer = clCreateBuffer(cl, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                                   count * sizeof *values, values, NULL);
    free(values);
    return buffer;
}

static void check(sqa_status status)
{
    if (status == SQA_OK)
        return;
    fprintf(stderr, "%s\n", sqa_last_error());
    exit(status == SQA_NO_DEVICE ? 77 : 1);
}

static double now(void)
{
    struct timespec at;
    timespec_get(&at, TIME_UTC);
    return 1e3 * (double)at.tv_sec + 1e-6 * (double)at.tv_nsec;
}

int main(int argc, char **argv)
{
    const uint32_t length = argc > 2 ? (uint32_t)atoi(argv[2]) : 1024;
    sqa_context *context = NULL;
    sqa_variant variant;
    sqa_attention_desc attention = SQA_ATTENTION_DESC_INIT;
    sqa_layer_desc desc = SQA_LAYER_DESC_INIT;
    sqa_layer_kept kept = SQA_LAYER_KEPT_INIT;
    sqa_layer_tensors t = SQA_LAYER_TENSORS_INIT;
    sqa_layer_backward_tensors g = SQA_LAYER_BACKWARD_TENSORS_INIT;

    check(sqa_variant_from_name(argc > 1 ? argv[1] : "mha", &variant));
    check(sqa_variant_heads(variant, HEADS, &attention.q_heads, &attention.kv_heads));
    check(sqa_context_open(&context, 0, 0, NULL));
    cl = sqa_context_cl(context);
    cl_command_queue queue = clCreateCommandQueue(cl, sqa_context_cl_device(context), 0, NULL);

    attention.q_length = attention.kv_length = length;
    attention.head_dim = DIM;
    attention.causal = SQA_CAUSAL_BOTTOM_RIGHT;
    desc.attention = &attention;
    desc.d_model = D_MODEL;
    desc.fused_qkv = 1;
    desc.keep = 1;
    check(sqa_layer_kept_layout(&desc, &kept));

    /* Q, K and V have as many columns as the variant's heads, O as the larger number. */
    const size_t q = attention.q_heads * DIM, kv = attention.kv_heads * DIM, o = q > kv ? q : kv;
    cl_mem between = make(kept.bytes / sizeof(float) + 1, 0.0f);
    t.x.buffer = g.x.buffer = make((size_t)length * D_MODEL, 1.0f);
    t.wqkv.buffer = g.wqkv.buffer = make(D_MODEL * (q + 2 * kv), 0.1f);
    t.wo.buffer = g.wo.buffer = make(o * D_MODEL, 0.1f);
    t.y.buffer = make((size_t)length * D_MODEL, 0.0f);
    t.qkv = g.qkv = (sqa_tensor){between, kept.qkv};
    t.o = g.o = (sqa_tensor){between, kept.o};
    t.lse = g.lse = (sqa_tensor){between, kept.lse};
    g.dy.buffer = make((size_t)length * D_MODEL, 1.0f);
    g.dx.buffer = make((size_t)length * D_MODEL, 0.0f);
    g.dwqkv.buffer = make(D_MODEL * (q + 2 * kv), 0.0f);
    g.dwo.buffer = make(o * D_MODEL, 0.0f);

    for (int i = 0; i < 3; i++) { /* the first builds the kernels */
        const double begin = now();
        check(sqa_layer(context, queue, &desc, &t, 0, NULL, NULL));
        clFinish(queue);
        const double middle = now();
        check(sqa_layer_backward(context, queue, &desc, NULL, &g, 0, NULL, NULL));
        clFinish(queue);
        printf("%s, %u tokens: forward %.2f ms, backward %.2f ms\n", sqa_variant_name(variant),
               length, middle - begin, now() - middle);
    }

    float first[4];
    if (clEnqueueReadBuffer(queue, g.dx.buffer, CL_TRUE, 0, sizeof first, first, 0, NULL, NULL))
        return 1;
    printf("dX begins with %g %g %g %g\n", (double)first[0], (double)first[1], (double)first[2],
           (double)first[3]);
    const cl_mem made[] = {between,     t.x.buffer,  t.wqkv.buffer,  t.wo.buffer, t.y.buffer,
                           g.dy.buffer, g.dx.buffer, g.dwqkv.buffer, g.dwo.buffer};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        clReleaseMemObject(made[i]);
    clReleaseCommandQueue(queue);
    sqa_context_destroy(context);
    return first[0] == 0.0f; /* a gradient of nothing */
}
