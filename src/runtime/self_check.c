#include "runtime/self_check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/cl_status.h"
#include "problem/names.h"
#include "problem/storage.h"
#include "reference/random.h"
#include "reference/reference.h"
#include "runtime/context.h"
#include "runtime/small_run.h"

enum { SAMPLED_ROWS = 48 };

/* Largest difference allowed where |V| <= 1: the promise to users, by dtype. */
static const double allowed[] = {
    [SQA_DTYPE_F32] = 1e-5, [SQA_DTYPE_F16] = 9.8e-4, [SQA_DTYPE_BF16] = 7.9e-3};

/* A packed tensor on the host, and its copy on the device. */
typedef struct checked_tensor {
    float *values;
    size_t count;
    cl_mem buffer;
} checked_tensor;

typedef struct self_check {
    sqa_problem problem;
    checked_tensor by_role[SQA_ROLE_COUNT]; /* empty where nothing is checked */
} self_check;

static sqa_status upload(const sqa_plan *plan, checked_tensor *tensor)
{
    const sqa_dtype dtype = plan->problem.dtype;
    const size_t bytes = tensor->count * sqa_dtype_size(dtype);
    void *stored = malloc(bytes);
    if (!stored)
        return sqa_fail_memory("a self-check");
    sqa_storage_encode(dtype, tensor->values, stored, tensor->count);
    cl_int code = CL_SUCCESS;
    cl_mem buffer = clCreateBuffer(plan->context->cl, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                                   bytes, stored, &code);
    free(stored);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clCreateBuffer(self-check)");
    tensor->buffer = buffer;
    return SQA_OK;
}

/* Random values that the storage type has; NaN for the output. */
static sqa_status create_tensor(const sqa_plan *plan, checked_tensor *out, uint64_t count,
                                sqa_random *random)
{
    out->count = count ? (size_t)count : 1;
    out->values = malloc(out->count * sizeof *out->values);
    if (!out->values)
        return sqa_fail_memory("a self-check");
    for (size_t i = 0; i < out->count; i++)
        out->values[i] = NAN;
    if (random) {
        sqa_random_floats(random, out->values, out->count, -1.0f, 1.0f);
        for (size_t i = 0; i < out->count; i++)
            out->values[i] = sqa_storage_round(plan->problem.dtype, out->values[i]);
    }
    return upload(plan, out);
}

static sqa_status create_tensors(const sqa_plan *plan, self_check *check)
{
    const sqa_problem *p = &check->problem;
    sqa_random random = {1};
    const uint64_t queries = p->q_length, keys = p->kv_length;
    const struct {
        sqa_role role;
        uint64_t count;
        sqa_random *random;
    } tensors[] = {
        {SQA_ROLE_Q, queries * p->q_heads * p->head_dim, &random},
        {SQA_ROLE_K, keys * p->kv_heads * p->head_dim, &random},
        {SQA_ROLE_V, keys * p->kv_heads * p->value_dim, &random},
        {SQA_ROLE_O, queries * p->out_heads * p->value_dim, NULL},
        {SQA_ROLE_LSE, queries * p->out_heads * 2, NULL}, /* f32 fits, whatever the storage */
    };
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors && status == SQA_OK; i++)
        status = create_tensor(plan, &check->by_role[tensors[i].role], tensors[i].count,
                               tensors[i].random);
    return status;
}

static void free_tensors(self_check *check)
{
    for (int i = 0; i < SQA_ROLE_COUNT; i++) {
        free(check->by_role[i].values);
        if (check->by_role[i].buffer)
            clReleaseMemObject(check->by_role[i].buffer);
    }
}

static sqa_status run(const sqa_plan *plan, self_check *check, cl_command_queue queue)
{
    sqa_tensor tensors[SQA_ROLE_COUNT];
    for (int i = 0; i < SQA_ROLE_COUNT; i++)
        tensors[i] = (sqa_tensor){check->by_role[i].buffer, 0};
    sqa_status status = sqa_small_run(plan, &check->problem, tensors, queue);
    if (status != SQA_OK)
        return status;
    checked_tensor *o = &check->by_role[SQA_ROLE_O];
    const size_t bytes = o->count * sqa_dtype_size(check->problem.dtype);
    void *stored = malloc(bytes);
    if (!stored)
        return sqa_fail_memory("a self-check");
    cl_int code = clEnqueueReadBuffer(queue, o->buffer, CL_TRUE, 0, bytes, stored, 0, NULL, NULL);
    if (code == CL_SUCCESS)
        sqa_storage_decode(check->problem.dtype, stored, o->values, o->count);
    free(stored);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clEnqueueReadBuffer(self-check)");
}

/* First and last rows, where tiles go wrong, and random ones between. */
static sqa_status compare(const self_check *check)
{
    const sqa_problem *p = &check->problem;
    const uint64_t rows = (uint64_t)p->out_heads * p->q_length;
    sqa_random random = {2};
    for (int i = 0; i < SAMPLED_ROWS; i++) {
        uint64_t row = i == 0 ? 0 : i == 1 ? rows - 1 : sqa_random_below(&random, rows);
        double expected[SQA_MAX_HEAD_DIM], lse;
        sqa_reference_forward_row(
            p, check->by_role[SQA_ROLE_Q].values, check->by_role[SQA_ROLE_K].values,
            check->by_role[SQA_ROLE_V].values, 0, (uint32_t)(row / p->q_length),
            (uint32_t)(row % p->q_length), expected, &lse);
        const float *o = check->by_role[SQA_ROLE_O].values + row * p->value_dim;
        for (uint32_t d = 0; d < p->value_dim; d++)
            if (!(fabs((double)o[d] - expected[d]) <= allowed[p->dtype]))
                return sqa_fail(SQA_WRONG_RESULT, "self-check: %.7g where the reference has %.7g",
                                (double)o[d], expected[d]);
    }
    return SQA_OK;
}

static sqa_status run_and_compare(const sqa_plan *plan)
{
    self_check check;
    memset(&check, 0, sizeof check);
    check.problem = sqa_small_problem(plan);
    cl_int code = CL_SUCCESS;
    cl_command_queue queue =
        clCreateCommandQueue(plan->context->cl, plan->context->device.id, 0, &code);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clCreateCommandQueue(self-check)");
    sqa_status status = create_tensors(plan, &check);
    if (status == SQA_OK)
        status = run(plan, &check, queue);
    if (status == SQA_OK)
        status = compare(&check);
    free_tensors(&check);
    clReleaseCommandQueue(queue);
    return status;
}

sqa_status sqa_self_check(const sqa_plan *plan)
{
    sqa_program_cache *programs = plan->context->programs;
    if (plan->launch.step_count == 0 || sqa_program_cache_is_checked(programs, plan->program))
        return SQA_OK;
    sqa_status status = run_and_compare(plan);
    if (status == SQA_OK)
        sqa_program_cache_set_checked(programs, plan->program);
    return status;
}
