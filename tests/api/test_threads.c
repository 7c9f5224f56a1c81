/* One context and one plan, used by several threads at once on queues of their
 * own: the same bits as alone, and each thread its own error detail. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "opencl_fixture.h"
#include "run_suite.h"

enum { THREADS = 4, ROUNDS = 8, HEADS = 2, LENGTH = 33, DIM = 16, COUNT = HEADS * LENGTH * DIM };

static sqa_attention_desc desc;
static cl_mem q, k, v;
static float expected[COUNT];

typedef struct worker {
    pthread_t thread;
    sqa_plan *plan; /* NULL: through sqa_attention_forward() */
    uint32_t number;
    char failure[256]; /* "" when all went well: Check must not be called here */
} worker;

static cl_mem random_buffer(uint64_t seed)
{
    float values[COUNT];
    sqa_random random = {seed};
    cl_mem buffer = new_buffer(COUNT, 0.0f);
    sqa_random_floats(&random, values, COUNT, -1.0f, 1.0f);
    ck_assert_int_eq(
        clEnqueueWriteBuffer(test_queue, buffer, CL_TRUE, 0, sizeof values, values, 0, NULL, NULL),
        CL_SUCCESS);
    return buffer;
}

static sqa_tensors tensors_into(cl_mem o)
{
    sqa_tensors tensors = SQA_TENSORS_INIT;
    tensors.q.buffer = q;
    tensors.k.buffer = k;
    tensors.v.buffer = v;
    tensors.o.buffer = o;
    return tensors;
}

static sqa_status forward(sqa_plan *plan, const sqa_attention_desc *which, cl_command_queue queue,
                          cl_mem o)
{
    sqa_tensors tensors = tensors_into(o);
    return plan ? sqa_forward(plan, queue, &tensors, 0, NULL, NULL)
                : sqa_attention_forward(test_context, queue, which, &tensors, 0, NULL, NULL);
}

static void open_problem(void)
{
    open_device();
    desc = (sqa_attention_desc)SQA_ATTENTION_DESC_INIT;
    desc.q_heads = desc.kv_heads = HEADS;
    desc.q_length = desc.kv_length = LENGTH;
    desc.head_dim = DIM;
    desc.causal = SQA_CAUSAL_BOTTOM_RIGHT;
    q = random_buffer(1);
    k = random_buffer(2);
    v = random_buffer(3);
    cl_mem o = new_buffer(COUNT, 0.0f);
    ck_assert_int_eq(forward(NULL, &desc, test_queue, o), SQA_OK);
    ck_assert_int_eq(
        clEnqueueReadBuffer(test_queue, o, CL_TRUE, 0, sizeof expected, expected, 0, NULL, NULL),
        CL_SUCCESS);
    clReleaseMemObject(o);
}

static void close_problem(void)
{
    clReleaseMemObject(q);
    clReleaseMemObject(k);
    clReleaseMemObject(v);
    close_device();
}

static const char *one_round(worker *self, cl_command_queue queue, cl_mem o)
{
    float got[COUNT];
    /* Every other round of the cached path meets a descriptor of this thread's own. */
    sqa_attention_desc other = desc;
    other.scale = 0.125f * (float)(self->number + 1);
    if (!self->plan && forward(NULL, &other, queue, o) != SQA_OK)
        return sqa_last_error();
    if (forward(self->plan, &desc, queue, o) != SQA_OK)
        return sqa_last_error();
    if (clEnqueueReadBuffer(queue, o, CL_TRUE, 0, sizeof got, got, 0, NULL, NULL) != CL_SUCCESS)
        return "the output could not be read";
    return memcmp(got, expected, sizeof got) ? "other bits than alone" : "";
}

/* A failure on this thread must be described here, and nowhere else. */
static const char *own_detail(uint32_t number)
{
    sqa_attention_desc wrong = desc;
    sqa_plan *none = NULL;
    char name[16];
    wrong.head_dim = 2000 + number;
    snprintf(name, sizeof name, "%u", wrong.head_dim);
    if (sqa_plan_create(&none, test_context, &wrong, NULL) != SQA_INVALID_ARGUMENT)
        return "a wrong descriptor was accepted";
    return strstr(sqa_last_error(), name) ? "" : "the detail is another thread's";
}

static void *work(void *argument)
{
    worker *self = argument;
    cl_int code;
    cl_command_queue queue = clCreateCommandQueue(sqa_context_cl(test_context),
                                                  sqa_context_cl_device(test_context), 0, &code);
    cl_mem o = clCreateBuffer(sqa_context_cl(test_context), CL_MEM_READ_WRITE, sizeof expected,
                              NULL, &code);
    const char *failure = "";
    for (int round = 0; round < ROUNDS && !failure[0]; round++) {
        failure = one_round(self, queue, o);
        if (!failure[0])
            failure = own_detail(self->number);
    }
    snprintf(self->failure, sizeof self->failure, "%s", failure);
    clReleaseMemObject(o);
    clReleaseCommandQueue(queue);
    return NULL;
}

static void run_workers(sqa_plan *plan)
{
    worker workers[THREADS];
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i].plan = plan;
        workers[i].number = i;
        ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(workers[i].thread, NULL), 0);
    for (uint32_t i = 0; i < THREADS; i++)
        ck_assert_msg(!workers[i].failure[0], "thread %u: %s", i, workers[i].failure);
}

START_TEST(one_plan)
{
    sqa_plan *plan = NULL;
    ck_assert_int_eq(sqa_plan_create(&plan, test_context, &desc, NULL), SQA_OK);
    run_workers(plan);
    sqa_plan_destroy(plan);
}
END_TEST

START_TEST(one_context)
{
    run_workers(NULL);
}
END_TEST

/* Work that is enqueued outlives its plan. */
START_TEST(a_plan_destroyed_early)
{
    sqa_plan *plan = NULL;
    float got[COUNT];
    cl_mem o = new_buffer(COUNT, 0.0f);
    ck_assert_int_eq(sqa_plan_create(&plan, test_context, &desc, NULL), SQA_OK);
    ck_assert_int_eq(forward(plan, &desc, test_queue, o), SQA_OK);
    sqa_plan_destroy(plan);
    ck_assert_int_eq(clEnqueueReadBuffer(test_queue, o, CL_TRUE, 0, sizeof got, got, 0, NULL, NULL),
                     CL_SUCCESS);
    ck_assert_mem_eq(got, expected, sizeof got);
    clReleaseMemObject(o);
}
END_TEST

/* Keys divided among work-items meet again in the plan's one workspace. */
START_TEST(one_workspace)
{
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    sqa_plan *plan = NULL;
    float alone[COUNT];
    options.family = "tiled";
    options.config = "BM=8,BN=8,TX=8,TY=4,DK=8,STAGE=0,Q_PLACE=0,SPLIT=4";
    ck_assert_msg(sqa_plan_create(&plan, test_context, &desc, &options) == SQA_OK, "%s",
                  sqa_last_error());
    ck_assert_uint_gt(sqa_plan_workspace_size(plan), 0);
    cl_mem o = new_buffer(COUNT, 0.0f);
    ck_assert_int_eq(forward(plan, &desc, test_queue, o), SQA_OK);
    ck_assert_int_eq(
        clEnqueueReadBuffer(test_queue, o, CL_TRUE, 0, sizeof alone, alone, 0, NULL, NULL),
        CL_SUCCESS);
    clReleaseMemObject(o);
    for (size_t i = 0; i < COUNT; i++)
        ck_assert_float_eq_tol(alone[i], expected[i], 1e-5f);
    memcpy(expected, alone, sizeof expected);
    run_workers(plan);
    sqa_plan_destroy(plan);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("threads");
    TCase *threads = tcase_create("threads");
    tcase_add_unchecked_fixture(threads, open_problem, close_problem);
    tcase_add_test(threads, one_plan);
    tcase_add_test(threads, one_context);
    tcase_add_test(threads, a_plan_destroyed_early);
    tcase_add_test(threads, one_workspace); /* last: it sets what is expected anew */
    suite_add_tcase(suite, threads);
    return sqa_run_suite(suite);
}
