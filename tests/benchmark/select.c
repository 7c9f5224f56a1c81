/* What block selection costs beside the attention it saves: selecting, attending to
 * what was selected, and attending to everything, in turn on the same Q, K and V.
 *   select [ROUNDS [LENGTH [TOP_K [CONFIG]]]]     9 rounds of 4096 keys, 8 blocks otherwise
 * 8 heads of 64 dimensions on 2 key/value heads, causal, blocks of 64, lists per
 * key/value head; CONFIG is one of the family that selects. Medians, in milliseconds;
 * the first column also as the rate at which Q and K are read. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/random.h"
#include "cli/device_option.h"
#include "sqa_cl.h"

enum { HEADS = 8, KV_HEADS = 2, DIM = 64, BLOCK = 64, MOST_ROUNDS = 1000, CALLS = 3 };

typedef struct bench {
    sqa_context *context;
    cl_command_queue queue;
    sqa_attention_desc desc;
    sqa_plan *plans[CALLS];
    sqa_tensors tensors;
} bench;

static void must(sqa_status status, const char *what)
{
    if (status == SQA_OK)
        return;
    fprintf(stderr, "select: %s: %s\n", what, sqa_last_error());
    exit(EXIT_FAILURE);
}

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static cl_mem buffer_of(bench *b, size_t floats)
{
    cl_int code = CL_SUCCESS;
    sqa_random random = {floats};
    float *values = malloc(floats * sizeof *values);
    if (!values)
        exit(EXIT_FAILURE);
    sqa_random_floats(&random, values, floats, -1.0f, 1.0f);
    cl_mem buffer =
        clCreateBuffer(sqa_context_cl(b->context), CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                       floats * sizeof *values, values, &code);
    free(values);
    if (code != CL_SUCCESS)
        exit(EXIT_FAILURE);
    return buffer;
}

static void make_tensors(bench *b)
{
    const size_t length = b->desc.q_length, lists = KV_HEADS * ((length + BLOCK - 1) / BLOCK);
    b->tensors = (sqa_tensors)SQA_TENSORS_INIT;
    b->tensors.q.buffer = buffer_of(b, HEADS * length * DIM);
    b->tensors.k.buffer = buffer_of(b, KV_HEADS * length * DIM);
    b->tensors.v.buffer = buffer_of(b, KV_HEADS * length * DIM);
    b->tensors.o.buffer = buffer_of(b, HEADS * length * DIM);
    b->tensors.block_offsets.buffer = buffer_of(b, lists + 1);
    b->tensors.block_indices.buffer = buffer_of(b, b->desc.blocks.entries);
}

static void set_up(bench *b, uint32_t length, uint32_t top_k, const char *config)
{
    unsigned platform = 0, device = 0;
    sqa_select_options select = SQA_SELECT_OPTIONS_INIT;
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    must(sqa_device_option(NULL, &platform, &device), "device");
    must(sqa_context_open(&b->context, platform, device, NULL), "context");
    b->queue = clCreateCommandQueue(sqa_context_cl(b->context), sqa_context_cl_device(b->context),
                                    0, NULL);
    b->desc = (sqa_attention_desc)SQA_ATTENTION_DESC_INIT;
    b->desc.q_heads = HEADS;
    b->desc.kv_heads = KV_HEADS;
    b->desc.q_length = b->desc.kv_length = length;
    b->desc.head_dim = DIM;
    b->desc.causal = SQA_CAUSAL_BOTTOM_RIGHT;
    must(sqa_plan_create(&b->plans[2], b->context, &b->desc, NULL), "dense plan");
    b->desc.blocks = (sqa_blocks){BLOCK, BLOCK, 1, KV_HEADS, 0};
    select.top_k = top_k;
    select.local_blocks = 1;
    options.family = "select";
    options.config = config;
    must(sqa_select_entries(&b->desc, &select, &b->desc.blocks.entries), "entries");
    must(sqa_select_plan_create(&b->plans[0], b->context, &b->desc, &select, &options), "select");
    must(sqa_plan_create(&b->plans[1], b->context, &b->desc, NULL), "sparse plan");
    make_tensors(b);
}

static double time_call(bench *b, int which)
{
    const double start = now_ms();
    if (which == 0)
        must(sqa_select_blocks(b->plans[0], b->queue, &b->tensors, 0, NULL, NULL), "select");
    else
        must(sqa_forward(b->plans[which], b->queue, &b->tensors, 0, NULL, NULL), "forward");
    if (clFinish(b->queue) != CL_SUCCESS)
        exit(EXIT_FAILURE);
    return now_ms() - start;
}

static void tear_down(bench *b)
{
    const cl_mem buffers[] = {b->tensors.q.buffer,
                              b->tensors.k.buffer,
                              b->tensors.v.buffer,
                              b->tensors.o.buffer,
                              b->tensors.block_offsets.buffer,
                              b->tensors.block_indices.buffer};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        clReleaseMemObject(buffers[i]);
    for (int i = 0; i < CALLS; i++)
        sqa_plan_destroy(b->plans[i]);
    clReleaseCommandQueue(b->queue);
    sqa_context_destroy(b->context);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static uint32_t argument(int argc, char **argv, int index, uint32_t otherwise, uint32_t most)
{
    const unsigned long given = argc > index ? strtoul(argv[index], NULL, 10) : otherwise;
    return given < 1 ? 1 : given > most ? most : (uint32_t)given;
}

int main(int argc, char **argv)
{
    static double times[CALLS][MOST_ROUNDS];
    const uint32_t rounds = argument(argc, argv, 1, 9, MOST_ROUNDS);
    const uint32_t length = argument(argc, argv, 2, 4096, 1u << 20);
    const uint32_t top_k = argument(argc, argv, 3, 8, 1u << 20);
    bench b = {0};
    set_up(&b, length, top_k, argc > 4 ? argv[4] : NULL);
    for (int i = 0; i < CALLS; i++)
        time_call(&b, i);
    for (uint32_t r = 0; r < rounds; r++)
        for (int i = 0; i < CALLS; i++)
            times[i][r] = time_call(&b, i);
    for (int i = 0; i < CALLS; i++)
        qsort(times[i], rounds, sizeof times[i][0], by_value);
    const double select = times[0][rounds / 2], sparse = times[1][rounds / 2];
    const double dense = times[2][rounds / 2];
    const double gigabytes = 1e-9 * sizeof(float) * (HEADS + KV_HEADS) * length * DIM;
    printf("%u keys, %u blocks of %u each: select %.3f (%.1f GB/s), then attend %.2f, to all %.2f; "
           "%.2fx\n",
           length, top_k, BLOCK, select, gigabytes / select * 1e3, sparse, dense,
           dense / (select + sparse));
    tear_down(&b);
    return EXIT_SUCCESS;
}
