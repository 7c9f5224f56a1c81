/* How long a process waits for its first attention: opening the context, making the
 * plan, the first launch and a later one, in milliseconds. Run it twice: the second
 * process finds what the first left in the binary cache.
 *   start [HEADS [LENGTH [DIM]]] */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/device_option.h"
#include "sqa_cl.h"

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static void must(sqa_status status, const char *what)
{
    if (status == SQA_OK)
        return;
    fprintf(stderr, "start: %s: %s\n", what, sqa_last_error());
    exit(EXIT_FAILURE);
}

static void must_cl(cl_int code, const char *what)
{
    if (code == CL_SUCCESS)
        return;
    fprintf(stderr, "start: %s: %d\n", what, code);
    exit(EXIT_FAILURE);
}

/* What has passed since the last lap. */
static void lap(const char *what)
{
    static double last;
    const double now = now_ms();
    if (what)
        printf("%-14s %9.2f ms\n", what, now - last);
    last = now;
}

static uint32_t argument(int argc, char **argv, int index, uint32_t otherwise)
{
    return argc > index ? (uint32_t)strtoul(argv[index], NULL, 10) : otherwise;
}

static sqa_tensors make_tensors(cl_context cl, const sqa_attention_desc *desc)
{
    cl_int code = CL_SUCCESS;
    const size_t bytes = (size_t)desc->q_heads * desc->q_length * desc->head_dim * sizeof(cl_float);
    sqa_tensors tensors = SQA_TENSORS_INIT;
    sqa_tensor *each[] = {&tensors.q, &tensors.k, &tensors.v, &tensors.o};
    for (int i = 0; i < 4; i++) {
        each[i]->buffer = clCreateBuffer(cl, CL_MEM_READ_WRITE, bytes, NULL, &code);
        must_cl(code, "clCreateBuffer");
    }
    return tensors;
}

static void launch(sqa_plan *plan, cl_command_queue queue, const sqa_tensors *tensors,
                   const char *what)
{
    must(sqa_forward(plan, queue, tensors, 0, NULL, NULL), what);
    must_cl(clFinish(queue), "clFinish");
    lap(what);
}

int main(int argc, char **argv)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.q_heads = desc.kv_heads = argument(argc, argv, 1, 1);
    desc.q_length = desc.kv_length = argument(argc, argv, 2, 64);
    desc.head_dim = argument(argc, argv, 3, 64);

    unsigned platform = 0, device = 0;
    sqa_context *context = NULL;
    sqa_context_options options = SQA_CONTEXT_OPTIONS_INIT;
    options.user_database = "";
    must(sqa_device_option(NULL, &platform, &device), "device");
    lap(NULL);
    must(sqa_context_open(&context, platform, device, &options), "context");
    lap("context");

    sqa_plan *plan = NULL;
    must(sqa_plan_create(&plan, context, &desc, NULL), "plan");
    lap("plan");

    cl_int code = CL_SUCCESS;
    cl_command_queue queue =
        clCreateCommandQueue(sqa_context_cl(context), sqa_context_cl_device(context), 0, &code);
    must_cl(code, "clCreateCommandQueue");
    sqa_tensors tensors = make_tensors(sqa_context_cl(context), &desc);
    lap(NULL);
    launch(plan, queue, &tensors, "first launch");
    launch(plan, queue, &tensors, "later launch");

    const cl_mem buffers[] = {tensors.q.buffer, tensors.k.buffer, tensors.v.buffer,
                              tensors.o.buffer};
    for (int i = 0; i < 4; i++)
        clReleaseMemObject(buffers[i]);
    clReleaseCommandQueue(queue);
    lap(NULL);
    sqa_plan_destroy(plan);
    lap("release");
    sqa_context_destroy(context);
    return EXIT_SUCCESS;
}
