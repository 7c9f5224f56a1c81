#include "runtime/self_check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/cl_status.h"
#include "problem/storage.h"
#include "reference/inputs.h"
#include "reference/reference.h"
#include "reference/selection.h"
#include "reference/tolerance.h"
#include "runtime/context.h"
#include "runtime/small_run.h"

/* Of the output, and of block lists, whose every row costs the oracle all keys. */
enum { SAMPLED_ROWS = 48, SAMPLED_LISTS = 6 };

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
    if (!tensor->buffer || !tensor->shape.output)
        return SQA_OK;
    const size_t bytes = tensor->count * sqa_element_size(tensor->shape.element);
    void *stored = malloc(bytes);
    if (!stored)
        return sqa_fail_memory("a self-check");
    cl_int code =
        clEnqueueReadBuffer(queue, tensor->buffer, CL_TRUE, 0, bytes, stored, 0, NULL, NULL);
    if (code == CL_SUCCESS && is_float(tensor))
        sqa_storage_decode((sqa_dtype)tensor->shape.element, stored, tensor->values, tensor->count);
    else if (code == CL_SUCCESS)
        memcpy(tensor->values, stored, bytes);
    free(stored);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clEnqueueReadBuffer(self-check)");
}

/* Random values that the storage type has; for an output NaN, or -1. */
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
    if (tensor->shape.output && !is_float(tensor))
        memset(tensor->values, 0xff, tensor->count * sqa_element_size(tensor->shape.element));
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
    for (int i = 0; i < SQA_ROLE_TENSOR_COUNT && status == SQA_OK; i++)
        status = download(&check->by_role[i], queue);
    return status;
}

static sqa_reference_inputs inputs_of(const self_check *check)
{
    sqa_reference_inputs inputs;
    for (int i = 0; i < SQA_ROLE_TENSOR_COUNT; i++)
        inputs.by_role[i] = check->by_role[i].values;
    return inputs;
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
    const sqa_reference_inputs inputs = inputs_of(check);
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

/* The lists of the small problem are those of one list head. */
static sqa_status compare_list(const self_check *check, uint64_t row)
{
    const sqa_problem *p = &check->problem;
    const uint32_t blocks = sqa_problem_key_blocks(p);
    const int32_t *offsets = check->by_role[SQA_ROLE_BLOCK_OFFSETS].values;
    const int32_t *indices = check->by_role[SQA_ROLE_BLOCK_INDICES].values;
    const sqa_reference_inputs inputs = inputs_of(check);
    const int32_t begin = offsets[row], end = offsets[row + 1];
    if (begin < 0 || end < begin || (uint32_t)end > p->blocks.entries)
        return sqa_fail(SQA_WRONG_RESULT, "self-check: block list %u is at %d..%d of %u entries",
                        (unsigned)row, begin, end, p->blocks.entries);
    double *scores = malloc(2 * (size_t)blocks * sizeof *scores + 1);
    if (!scores)
        return sqa_fail_memory("a self-check");
    sqa_reference_block_scores(p, &inputs, 0, 0, (uint32_t)row, scores, scores + blocks);
    const char *fault = sqa_reference_list_fault(p, (uint32_t)row, scores, scores + blocks,
                                                 indices + begin, (uint32_t)(end - begin));
    free(scores);
    return fault ? sqa_fail(SQA_WRONG_RESULT, "self-check: block list %u %s", (unsigned)row, fault)
                 : SQA_OK;
}

static uint64_t output_rows(const sqa_problem *problem)
{
    return (uint64_t)problem->out_heads * problem->q_length;
}

static uint64_t list_rows(const sqa_problem *problem)
{
    return sqa_problem_query_blocks(problem);
}

/* What a result consists of, and how a row of it is judged. */
static const struct {
    int samples;
    uint64_t (*rows)(const sqa_problem *problem);
    sqa_status (*compare)(const self_check *check, uint64_t row);
} results[] = {
    [SQA_OPERATION_FORWARD] = {SAMPLED_ROWS, output_rows, compare_row},
    [SQA_OPERATION_SELECT_BLOCKS] = {SAMPLED_LISTS, list_rows, compare_list},
};

/* First and last rows, where tiles go wrong, and random ones between. */
static sqa_status compare(const self_check *check)
{
    const sqa_operation operation = check->problem.operation;
    const uint64_t rows = results[operation].rows(&check->problem);
    sqa_random random = {2};
    sqa_status status = SQA_OK;
    for (int i = 0; i < results[operation].samples && status == SQA_OK; i++)
        status = results[operation].compare(check, i == 0   ? 0
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
