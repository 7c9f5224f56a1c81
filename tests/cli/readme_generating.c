/* What the lines on generating in README.md stand in (readme_generating.h is those). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <sqa_cl.h>

enum { HEADS = 4, KV_HEADS = 2, DIM = 8, MODEL = 16, PROMPT = 5, TOKENS = 20 };
enum { Q = HEADS * DIM, K = KV_HEADS * DIM, COLUMNS = Q + 2 * K };

static void must(sqa_status status)
{
    if (status != SQA_OK) {
        fprintf(stderr, "%s: %s\n", sqa_status_name(status), sqa_last_error());
        exit(EXIT_FAILURE);
    }
}

static cl_mem new_buffer(cl_context cl, float *values, size_t count)
{
    return clCreateBuffer(cl, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, count * sizeof *values,
                          values, NULL);
}

/* Of whatever queries and keys, but values of 3 from an input of ones. */
static cl_mem new_projection(cl_context cl)
{
    float w[MODEL * COLUMNS];
    for (int i = 0; i < MODEL * COLUMNS; i++)
        w[i] = i % COLUMNS < Q + K ? 0.1f * (float)(i % 7 - 3) : 3.0f / MODEL;
    return new_buffer(cl, w, sizeof w / sizeof *w);
}

static cl_mem new_rows(cl_context cl, int rows, int columns, float value)
{
    float values[Q * MODEL];
    for (int i = 0; i < rows * columns; i++)
        values[i] = value;
    return new_buffer(cl, values, (size_t)(rows * columns));
}

/* All values are alike, and so is what any weights make of them. */
static int check_output(cl_command_queue queue, cl_mem y)
{
    float values[PROMPT * MODEL];
    float off = 0.0f;
    clEnqueueReadBuffer(queue, y, CL_TRUE, 0, sizeof values, values, 0, NULL, NULL);
    for (int i = 0; i < PROMPT * MODEL; i++)
        off = fabsf(values[i] - 3.0f) > off ? fabsf(values[i] - 3.0f) : off;
    printf("Y is off by %g\n", (double)off);
    return off < 1e-5f ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(void)
{
    sqa_context *sqa = NULL;
    must(sqa_context_open(&sqa, 0, 0, NULL));
    cl_context cl = sqa_context_cl(sqa);
    cl_command_queue queue = clCreateCommandQueue(cl, sqa_context_cl_device(sqa), 0, NULL);
    cl_mem wqkv = new_projection(cl), wo = new_rows(cl, Q, MODEL, 1.0f / Q);
    cl_mem x = new_rows(cl, PROMPT, MODEL, 1.0f), y = new_rows(cl, PROMPT, MODEL, -1.0f);
#include "readme_generating.h"
    const int result = check_output(queue, y);
    cl_mem buffers[] = {wqkv, wo, x, y};
    for (int i = 0; i < 4; i++)
        clReleaseMemObject(buffers[i]);
    clReleaseCommandQueue(queue);
    sqa_context_destroy(sqa);
    return result;
}
