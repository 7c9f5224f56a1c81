/* Making and running a forward call among guards. What the output should be is
 * not known here (check.c, properties.c). */
#include "conformance/forward_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/tensors.h"
#include "device/cl_status.h"
#include "reference/inputs.h"

/* The tensors that lie among guards. */
static sqa_host_tensor *guarded(sqa_forward_case *test, sqa_role role)
{
    switch (role) {
    case SQA_ROLE_Q: return &test->q;
    case SQA_ROLE_K: return &test->k;
    case SQA_ROLE_V: return &test->v;
    case SQA_ROLE_O: return &test->o;
    case SQA_ROLE_LSE: return &test->lse;
    case SQA_ROLE_BIAS: return &test->bias;
    default: return NULL;
    }
}

static sqa_status create_array(sqa_forward_case *test, sqa_role role, const sqa_tensor_shape *shape,
                               sqa_random *random)
{
    sqa_case_array *array = &test->arrays[role];
    const uint64_t extent = sqa_tensor_extent(shape);
    array->bytes = (size_t)(extent ? extent : 1) * sqa_element_size(shape->element);
    array->data = calloc(1, array->bytes);
    if (!array->data)
        return sqa_fail_memory("a tensor");
    sqa_random_input(&test->problem, role, true, random, array->data);
    return SQA_OK;
}

static sqa_status create_tensor(sqa_forward_case *test, sqa_role role, size_t guard,
                                sqa_random *random)
{
    sqa_tensor_shape shape;
    sqa_host_tensor *tensor = guarded(test, role);
    const bool present = sqa_tensor_shape_of(&test->problem, role, &shape);
    if (!tensor)
        return present ? create_array(test, role, &shape, random) : SQA_OK;
    sqa_status status = sqa_host_tensor_create(tensor, (sqa_dtype)shape.element, &shape.strides,
                                               present ? shape.batch : 0, shape.heads, shape.length,
                                               shape.dim, guard);
    if (status == SQA_OK && !shape.output)
        sqa_host_tensor_fill_random(tensor, random, -1.0f, 1.0f);
    return status;
}

sqa_status sqa_forward_case_create(sqa_forward_case *out, const sqa_attention_desc *desc,
                                   uint64_t seed)
{
    memset(out, 0, sizeof *out);
    sqa_status status = sqa_problem_from_desc(&out->problem, desc);
    sqa_random random = {seed};
    /* Aligned starts and odd ones alike: a view may start at any element. */
    for (int role = 0; role < SQA_ROLE_TENSOR_COUNT && status == SQA_OK; role++)
        status =
            create_tensor(out, (sqa_role)role, 64 + (size_t)((seed + (uint64_t)role) % 4), &random);
    if (status != SQA_OK)
        sqa_forward_case_free(out);
    return status;
}

void sqa_forward_case_free(sqa_forward_case *test)
{
    for (int role = 0; role < SQA_ROLE_TENSOR_COUNT; role++) {
        sqa_host_tensor *tensor = guarded(test, (sqa_role)role);
        if (tensor)
            sqa_host_tensor_free(tensor);
        free(test->arrays[role].data);
        if (test->arrays[role].buffer)
            clReleaseMemObject(test->arrays[role].buffer);
        test->arrays[role] = (sqa_case_array){NULL, 0, NULL};
    }
}

sqa_reference_inputs sqa_forward_case_inputs(const sqa_forward_case *test)
{
    sqa_reference_inputs inputs = {{NULL}};
    const sqa_host_tensor *floats[SQA_ROLE_TENSOR_COUNT] = {
        [SQA_ROLE_Q] = &test->q,
        [SQA_ROLE_K] = &test->k,
        [SQA_ROLE_V] = &test->v,
        [SQA_ROLE_BIAS] = &test->bias,
    };
    for (int role = 0; role < SQA_ROLE_TENSOR_COUNT; role++)
        inputs.by_role[role] =
            floats[role] ? sqa_host_tensor_view(floats[role]) : test->arrays[role].data;
    return inputs;
}

sqa_sequence sqa_forward_case_sequence(const sqa_forward_case *test, uint32_t batch)
{
    const sqa_reference_inputs inputs = sqa_forward_case_inputs(test);
    return sqa_reference_sequence(&test->problem, &inputs, batch);
}

/* Row `at` of a tensor: of the batch entry, or of the one packed tensor when ragged. */
static float *row_at(const sqa_forward_case *test, const sqa_host_tensor *tensor, uint32_t batch,
                     uint32_t head, uint32_t at)
{
    const bool ragged = test->problem.mask & SQA_MASK_RAGGED;
    return sqa_host_tensor_at(tensor, ragged ? 0 : batch, head, at);
}

float *sqa_forward_case_output(const sqa_forward_case *test, uint32_t batch, uint32_t head,
                               uint32_t row)
{
    return row_at(test, &test->o, batch, head,
                  sqa_forward_case_sequence(test, batch).q_begin + row);
}

float *sqa_forward_case_lse(const sqa_forward_case *test, uint32_t batch, uint32_t head,
                            uint32_t row)
{
    return row_at(test, &test->lse, batch, head,
                  sqa_forward_case_sequence(test, batch).q_begin + row);
}

float *sqa_forward_case_key(const sqa_forward_case *test, const sqa_host_tensor *tensor,
                            uint32_t batch, uint32_t kv_head, uint32_t key)
{
    return row_at(test, tensor, batch, kv_head,
                  sqa_forward_case_sequence(test, batch).kv_begin + key);
}

bool sqa_forward_case_sees(const sqa_forward_case *test, uint32_t batch, uint32_t head,
                           uint32_t row, uint32_t key)
{
    const sqa_reference_inputs inputs = sqa_forward_case_inputs(test);
    return sqa_reference_sees(&test->problem, &inputs, batch, head, row, key);
}

static sqa_status upload_array(sqa_case_array *array, cl_context context)
{
    if (!array->data)
        return SQA_OK;
    cl_int code = CL_SUCCESS;
    cl_mem buffer = clCreateBuffer(context, CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR, array->bytes,
                                   array->data, &code);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clCreateBuffer");
    if (array->buffer)
        clReleaseMemObject(array->buffer);
    array->buffer = buffer;
    return SQA_OK;
}

static sqa_status upload(sqa_forward_case *test, cl_context context)
{
    sqa_status status = SQA_OK;
    sqa_host_tensor_poison(&test->o);
    sqa_host_tensor_poison(&test->lse);
    for (int role = 0; role < SQA_ROLE_TENSOR_COUNT && status == SQA_OK; role++) {
        sqa_host_tensor *tensor = guarded(test, (sqa_role)role);
        status = tensor ? sqa_host_tensor_upload(tensor, context)
                        : upload_array(&test->arrays[role], context);
    }
    return status;
}

static sqa_status wait_for(cl_event event)
{
    cl_int error = clWaitForEvents(1, &event);
    clReleaseEvent(event);
    return error == CL_SUCCESS ? SQA_OK : sqa_fail_cl(error, "clWaitForEvents");
}

static sqa_status execute(sqa_forward_case *test, sqa_plan *plan, cl_command_queue queue)
{
    sqa_tensors tensors = SQA_TENSORS_INIT;
    for (int role = 0; role < SQA_ROLE_TENSOR_COUNT; role++) {
        const sqa_host_tensor *tensor = guarded(test, (sqa_role)role);
        *sqa_tensors_member(&tensors, (sqa_role)role) =
            tensor ? (sqa_tensor){tensor->buffer, tensor->guard}
                   : (sqa_tensor){test->arrays[role].buffer, 0};
    }
    cl_event event = NULL;
    sqa_status status = sqa_forward(plan, queue, &tensors, 0, NULL, &event);
    return status == SQA_OK ? wait_for(event) : status;
}

static sqa_status look_over_inputs(const sqa_forward_case *test, cl_command_queue queue,
                                   char *message)
{
    static const char *const names[] = {"Q", "K", "V", "bias"};
    const sqa_host_tensor *tensors[] = {&test->q, &test->k, &test->v, &test->bias};
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
        bool same = true;
        sqa_status status = sqa_host_tensor_unchanged(tensors[i], queue, &same);
        if (status != SQA_OK)
            return status;
        if (!same)
            snprintf(message, SQA_CASE_MESSAGE, "the input %s was written to", names[i]);
    }
    return SQA_OK;
}

static sqa_status look_over_output(sqa_host_tensor *tensor, const char *name,
                                   cl_command_queue queue, char *message)
{
    int64_t where = 0;
    sqa_status status = sqa_host_tensor_download(tensor, queue);
    if (status != SQA_OK)
        return status;
    if (sqa_host_tensor_broken_guard(tensor, &where))
        snprintf(message, SQA_CASE_MESSAGE,
                 "%s was written outside its view, %lld elements from its start", name,
                 (long long)where);
    else if (sqa_host_tensor_unwritten(tensor, &where))
        snprintf(message, SQA_CASE_MESSAGE, "%s was not written, %lld elements from its start",
                 name, (long long)where);
    return SQA_OK;
}

sqa_status sqa_forward_case_run(sqa_forward_case *test, sqa_plan *plan, cl_context context,
                                cl_command_queue queue, char message[SQA_CASE_MESSAGE])
{
    message[0] = '\0';
    sqa_status status = upload(test, context);
    if (status == SQA_OK)
        status = execute(test, plan, queue);
    if (status == SQA_OK)
        status = look_over_inputs(test, queue, message);
    if (status == SQA_OK)
        status = look_over_output(&test->o, "O", queue, message);
    if (status == SQA_OK)
        status = look_over_output(&test->lse, "LSE", queue, message);
    return status;
}
