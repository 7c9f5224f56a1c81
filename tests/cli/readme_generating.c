/* What the lines on generating in README.md stand in (readme_generating.h is those). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <sqa_cl.h>

enum { HEADS = 4, KV_HEADS = 2, DIM = 8, TOKENS = 20, COUNT = HEADS * DIM };

static void must(sqa_status status)
{
    if (status != SQA_OK) {
        fprintf(stderr, "%s: %s\n", sqa_status_name(status), sqa_last_error());
        exit(EXIT_FAILURE);
    }
}

static cl_mem new_buffer(cl_context cl, float start, float step)
{
    float values[COUNT];
    for (int i = 0; i < COUNT; i++)
        values[i] = start + step * (float)(i % 7);
    return clCreateBuffer(cl, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, sizeof values, values,
                          NULL);
}

/* All values are alike, and so is what any weights make of them. */
static int check_output(cl_command_queue queue, cl_mem o)
{
    float values[COUNT];
    float off = 0.0f;
    clEnqueueReadBuffer(queue, o, CL_TRUE, 0, sizeof values, values, 0, NULL, NULL);
    for (int i = 0; i < COUNT; i++)
        off = fabsf(values[i] - 3.0f) > off ? fabsf(values[i] - 3.0f) : off;
    printf("O is off by %g\n", (double)off);
    return off < 1e-5f ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(void)
{
    sqa_context *sqa = NULL;
    must(sqa_context_open(&sqa, 0, 0, NULL));
    cl_context cl = sqa_context_cl(sqa);
    cl_command_queue queue = clCreateCommandQueue(cl, sqa_context_cl_device(sqa), 0, NULL);
    cl_mem q = new_buffer(cl, -0.3f, 0.1f), k = new_buffer(cl, 0.2f, -0.1f);
    cl_mem v = new_buffer(cl, 3.0f, 0.0f), o = new_buffer(cl, -1.0f, 0.0f);
#include "readme_generating.h"
    const int result = check_output(queue, o);
    cl_mem buffers[] = {q, k, v, o};
    for (int i = 0; i < 4; i++)
        clReleaseMemObject(buffers[i]);
    clReleaseCommandQueue(queue);
    sqa_context_destroy(sqa);
    return result;
}
