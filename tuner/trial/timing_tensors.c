/* See timing_tensors.h. */
#include "trial/timing_tensors.h"

#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "device/cl_status.h"
#include "operations/attention/slots.h"
#include "operations/operations.h"
#include "operations/tensors.h"
#include "problem/storage.h"
#include "runtime/plan.h"
#include "trial/plan_work.h"

/* Numbers of either sign from 0.5 to 1, so that no score is a special value: a fixed
 * exponent and random fractions. */
static void random_words(uint16_t *words, size_t bytes, sqa_element element, uint64_t seed)
{
    static const uint16_t half[] = {[SQA_ELEMENT_F16] = 0x3800, [SQA_ELEMENT_BF16] = 0x3f00};
    static const uint16_t varied[] = {[SQA_ELEMENT_F16] = 0x83ff, [SQA_ELEMENT_BF16] = 0x807f};
    sqa_random random = {seed};
    for (size_t i = 0; i < bytes / sizeof *words; i++)
        words[i] = (uint16_t)(half[element] | (sqa_random_next(&random) & varied[element]));
}

/* The same bytes again and again, of a piece of random numbers. */
static sqa_status random_groups(char *out, size_t bytes, sqa_element element, uint64_t seed)
{
    enum { PIECE = 1 << 15 };
    const size_t stored = (size_t)sqa_element_bytes(element, PIECE);
    sqa_random random = {seed};
    float *values = malloc(PIECE * sizeof *values);
    char *piece = malloc(stored);
    if (values && piece) {
        sqa_random_floats(&random, values, PIECE, -1.0f, 1.0f);
        sqa_storage_encode((sqa_dtype)element, values, piece, PIECE);
        for (size_t i = 0; i < bytes; i += stored)
            memcpy(out + i, piece, bytes - i < stored ? bytes - i : stored);
    }
    const bool done = values && piece;
    free(values);
    free(piece);
    return done ? SQA_OK : sqa_fail_memory("random tensors");
}

uint32_t sqa_timing_length(uint32_t shortest, uint32_t longest, uint32_t batch, uint32_t index)
{
    if (!shortest || shortest >= longest || batch < 2)
        return longest;
    return shortest + (uint32_t)((uint64_t)(longest - shortest) * index / (batch - 1));
}

static void fill_lengths(const sqa_timing_tensors *tensors, const sqa_problem *problem,
                         int32_t *lengths)
{
    const sqa_attention *a = &problem->of.attention;
    for (uint32_t b = 0; b < a->batch; b++)
        lengths[b] = (int32_t)sqa_timing_length(tensors->shortest, a->kv_length, a->batch, b);
}

/* What the numbers of an index tensor have to be depends on the very problem; those of
 * floating-point tensors do not. */
static sqa_status fill_values(const sqa_timing_tensors *tensors, const sqa_problem *problem,
                              uint32_t slot, const sqa_tensor_shape *shape, void *values,
                              size_t bytes)
{
    const sqa_tensor_slot row = sqa_slot_of(sqa_operation_of(problem), slot);
    sqa_random random = {slot};
    if (tensors->shortest && row.fill == sqa_fill_kv_lengths)
        fill_lengths(tensors, problem, values);
    else if (row.fill == sqa_fill_block_table)
        row.fill(problem, sqa_tensor_extent(shape), tensors->shuffled, &random, values);
    else if (row.fill)
        row.fill(problem, sqa_tensor_extent(shape), false, &random, values);
    else if (shape->element == SQA_ELEMENT_F32)
        sqa_random_floats(&random, values, bytes / sizeof(float), row.low, row.high);
    else if (sqa_element_group(shape->element) > 1)
        return random_groups(values, bytes, shape->element, slot);
    else if (sqa_element_is_float(shape->element))
        random_words(values, bytes, shape->element, slot);
    return SQA_OK;
}

static sqa_status fill(const sqa_timing_tensors *tensors, const sqa_problem *problem, uint32_t slot,
                       const sqa_tensor_shape *shape, size_t bytes, cl_command_queue queue)
{
    void *values = malloc(bytes);
    if (!values)
        return sqa_fail_memory("random tensors");
    sqa_status status = fill_values(tensors, problem, slot, shape, values, bytes);
    cl_int code = status == SQA_OK ? clEnqueueWriteBuffer(queue, tensors->buffers[slot], CL_TRUE, 0,
                                                          bytes, values, 0, NULL, NULL)
                                   : CL_SUCCESS;
    free(values);
    return code == CL_SUCCESS ? status : sqa_fail_cl(code, "clEnqueueWriteBuffer");
}

/* A buffer that is there and large enough is kept, with its values where any will do. */
static sqa_status reserve(sqa_timing_tensors *tensors, const sqa_problem *problem, uint32_t slot,
                          cl_context context, cl_command_queue queue)
{
    sqa_tensor_shape shape;
    if (!sqa_tensor_shape_of(problem, slot, &shape))
        return SQA_OK;
    const uint64_t extent = sqa_tensor_extent(&shape);
    if (extent >= SIZE_MAX / 8)
        return sqa_fail(SQA_OUT_OF_MEMORY, "the tensors do not fit this machine");
    const size_t bytes = (size_t)sqa_element_bytes(shape.element, extent ? extent : 1);
    const bool fits = bytes <= tensors->bytes[slot];
    if (fits && sqa_element_is_float(shape.element) && tensors->elements[slot] == shape.element)
        return SQA_OK;
    if (!fits) {
        cl_int code = CL_SUCCESS;
        cl_mem buffer = clCreateBuffer(context, CL_MEM_READ_WRITE, bytes, NULL, &code);
        if (code != CL_SUCCESS)
            return sqa_fail_cl(code, "clCreateBuffer");
        if (tensors->buffers[slot])
            clReleaseMemObject(tensors->buffers[slot]);
        tensors->buffers[slot] = buffer;
        tensors->bytes[slot] = bytes;
    }
    tensors->elements[slot] = shape.element;
    return fill(tensors, problem, slot, &shape, extent ? bytes : 0, queue);
}

sqa_status sqa_timing_tensors_reserve(sqa_timing_tensors *tensors, cl_context context,
                                      cl_command_queue queue, const sqa_problem *problem)
{
    sqa_status status = SQA_OK;
    for (uint32_t slot = 0; slot < SQA_MAX_TENSORS && status == SQA_OK; slot++)
        status = reserve(tensors, problem, slot, context, queue);
    return status;
}

void sqa_timing_tensors_release(sqa_timing_tensors *tensors)
{
    for (int i = 0; i < SQA_MAX_TENSORS; i++)
        if (tensors->buffers[i])
            clReleaseMemObject(tensors->buffers[i]);
    *tensors = (sqa_timing_tensors)SQA_TIMING_TENSORS_INIT;
}

sqa_status sqa_timing_enqueue(void *user, cl_command_queue queue, cl_event *event)
{
    const sqa_timing_work *work = user;
    sqa_tensor tensors[SQA_MAX_SLOTS] = {{0}};
    sqa_status status = SQA_OK;
    for (int slot = 0; slot < SQA_MAX_TENSORS; slot++)
        tensors[slot] = (sqa_tensor){work->tensors->buffers[slot], 0};
    if (work->latent)
        tensors[SQA_SLOT_V] = tensors[SQA_SLOT_K];
    if (work->count > 1)
        event = NULL; /* it would tell of the last plan alone */
    for (size_t i = 0; i < work->count && status == SQA_OK; i++) {
        tensors[SQA_SLOT_WORKSPACE] = (sqa_tensor){work->plans[i]->workspace, 0};
        status = sqa_plan_time(work->plans[i], tensors, queue, event);
    }
    return status;
}
