#include "runtime/self_check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/cl_status.h"
#include "problem/storage.h"
#include "reference/inputs.h"
#include "reference/reference.h"
#include "reference/tolerance.h"
#include "runtime/context.h"
#include "runtime/small_run.h"

enum { SAMPLED_ROWS = 48 };

/* A tensor on the host, floating-point ones as f32, and its copy on the device. */
typedef struct checked_tensor {
    sqa_tensor_shape shape;
    size_t count;
    void *values;
    cl_mem buffer;
} checked_tensor;

typedef struct self_check {
    sqa_problem problem;
    checked_tensor by_role[SQA_ROLE_TENSOR_COUNT]; /* empty where the problem has none */
} self_check;

static bool is_float(const checked_tensor *tensor)
{
    return tensor->shape.element <= SQA_ELEMENT_BF16;
}

/* As it is stored on the device, for the caller to free. */
static void *stored_copy(const checked_tensor *tensor)
{
    void *stored = malloc(tensor->count * sqa_element_size(tensor->shape.element));
    if (stored && is_float(tensor))
        sqa_storage_encode((sqa_dtype)tensor->shape.element, tensor->values, stored, tensor->count);
    else if (stored)
        memcpy(stored, tensor->values, tensor->count * sqa_element_size(tensor->shape.element));
    return stored;
}

static sqa_status upload(const sqa_plan *plan, checked_tensor *tensor)
{
    void *stored = stored_copy(tensor);
    if (!stored)
        return sqa_fail_memory("a self-check");
    cl_int code = CL_SUCCESS;
    cl_mem buffer =
        clCreateBuffer(plan->context->cl, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                       tensor->count * sqa_element_size(tensor->shape.element), stored, &code);
    free(stored);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clCreateBuffer(self-check)");
    tensor->buffer = buffer;
    return SQA_OK;
}

static sqa_status download(checked_tensor *tensor, cl_command_queue queue)
{
    if (!tensor->buffer)
        return SQA_OK;
    const size_t bytes = tensor->count * sqa_element_size(tensor->shape.element);
    void *stored = malloc(bytes);
    if (!stored)
        return sqa_fail_memory("a self-check");
    cl_int code =
        clEnqueueReadBuffer(queue, tensor->buffer, CL_TRUE, 0, bytes, stored, 0, NULL, NULL);
    if (code == CL_SUCCESS)
        sqa_storage_decode((sqa_dtype)tensor->shape.element, stored, tensor->values, tensor->count);
    free(stored);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clEnqueueReadBuffer(self-check)");
}

/* Random values that the storage type has; NaN for an output. */
static sqa_status create_tensor(const sqa_plan *plan, self_check *check, sqa_role role,
                                sqa_random *random)
{
    checked_tensor *tensor = &check->by_role[role];
    if (!sqa_tensor_shape_of(&check->problem, role, &tensor->shape))
        return SQA_OK;
    const uint64_t extent = sqa_tensor_extent(&tensor->shape);
    tensor->count = extent ? (size_t)extent : 1;
    tensor->values = calloc(tensor->count, sizeof(float));
    if (!tensor->values)
        return sqa_fail_memory("a self-check");
    sqa_random_input(&check->problem, role, true, random, tensor->values);
    float *values = tensor->values;
    const sqa_dtype dtype = (sqa_dtype)tensor->shape.element;
    for (size_t i = 0; is_float(tensor) && i < tensor->count; i++)
        values[i] = tensor->shape.output ? NAN : sqa_storage_round(dtype, values[i]);
    return upload(plan, tensor);
}

static sqa_status create_tensors(const sqa_plan *plan, self_check *check)
{
    sqa_random random = {1};
    sqa_status status = SQA_OK;
    for (int role = 0; role < SQA_ROLE_TENSOR_COUNT && status == SQA_OK; role++)
        status = create_tensor(plan, check, (sqa_role)role, &random);
    return status;
}

static void free_tensors(self_check *check)
{
    for (int i = 0; i < SQA_ROLE_TENSOR_COUNT; i++) {
        free(check->by_role[i].values);
        if (check->by_role[i].buffer)
            clReleaseMemObject(check->by_role[i].buffer);
    }
}

static sqa_status run(const sqa_plan *plan, self_check *check, cl_command_queue queue)
{
    sqa_tensor tensors[SQA_ROLE_COUNT];
    memset(tensors, 0, sizeof tensors);
    for (int i = 0; i < SQA_ROLE_TENSOR_COUNT; i++)
        tensors[i] = (sqa_tensor){check->by_role[i].buffer, 0};
    sqa_status status = sqa_small_run(plan, &check->problem, tensors, queue);
    if (status != SQA_OK)
        return status;
    status = download(&check->by_role[SQA_ROLE_O], queue);
    return status == SQA_OK ? download(&check->by_role[SQA_ROLE_LSE], queue) : status;
}

static sqa_status fail_value(const char *name, double value, double expected)
{
    return sqa_fail(SQA_WRONG_RESULT, "self-check: %s is %.7g where the reference has %.7g", name,
                    value, expected);
}

/* |V| is at most 1 here, so that the tolerance for O is absolute. */
static sqa_status compare_row(const self_check *check, uint64_t row)
{
    const sqa_problem *p = &check->problem;
    const sqa_tolerance tolerance = sqa_tolerance_of(p->operation, p->dtype);
    const uint32_t head = (uint32_t)(row / p->q_length), query = (uint32_t)(row % p->q_length);
    sqa_reference_inputs inputs;
    for (int i = 0; i < SQA_ROLE_TENSOR_COUNT; i++)
        inputs.by_role[i] = check->by_role[i].values;
    double expected[SQA_MAX_HEAD_DIM], lse;
    sqa_reference_forward_row(p, &inputs, 0, head, query, expected, &lse);
    const float *o = (const float *)check->by_role[SQA_ROLE_O].values + row * p->value_dim;
    for (uint32_t d = 0; d < p->value_dim; d++)
        if (!(sqa_difference((double)o[d], expected[d]) <= tolerance.max))
            return fail_value("O", (double)o[d], expected[d]);
    if (!p->write_lse)
        return SQA_OK;
    const double got = (double)((const float *)check->by_role[SQA_ROLE_LSE].values)[row];
    return sqa_lse_within(&tolerance, got, lse) ? SQA_OK : fail_value("LSE", got, lse);
}

/* First and last rows, where tiles go wrong, and random ones between. */
static sqa_status compare(const self_check *check)
{
    const uint64_t rows = (uint64_t)check->problem.out_heads * check->problem.q_length;
    sqa_random random = {2};
    sqa_status status = SQA_OK;
    for (int i = 0; i < SAMPLED_ROWS && status == SQA_OK; i++)
        status = compare_row(check, i == 0   ? 0
                                    : i == 1 ? rows - 1
                                             : sqa_random_below(&random, rows));
    return status;
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
