/* Making, filling, moving and looking over one tensor. What the numbers mean is for
 * others. */
#include "reference/host_tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "device/cl_status.h"
#include "problem/storage.h"

static bool is_float(const sqa_host_tensor *tensor)
{
    return sqa_element_is_float(tensor->element);
}

/* Bytes of an element on the host. */
static size_t host_bytes(const sqa_host_tensor *tensor)
{
    return tensor->element == SQA_ELEMENT_BYTE ? 1 : 4;
}

static size_t stored_bytes(const sqa_host_tensor *tensor)
{
    return (size_t)sqa_element_bytes(tensor->element, tensor->count);
}

/* The bits as they are after storing: what the storage type keeps of a NaN, as f32. */
static uint32_t stored_bits(const sqa_host_tensor *tensor, uint32_t bits)
{
    if (!is_float(tensor))
        return bits;
    return sqa_float_bits(sqa_storage_round((sqa_dtype)tensor->element, sqa_float_from_bits(bits)));
}

static void set_bits(sqa_host_tensor *tensor, size_t index, uint32_t bits)
{
    if (tensor->element == SQA_ELEMENT_BYTE)
        ((uint8_t *)tensor->data)[index] = (uint8_t)bits;
    else
        memcpy((uint32_t *)tensor->data + index, &bits, sizeof bits);
}

static uint32_t bits_at(const sqa_host_tensor *tensor, size_t index)
{
    uint32_t bits;
    if (tensor->element == SQA_ELEMENT_BYTE)
        return ((const uint8_t *)tensor->data)[index];
    memcpy(&bits, (const uint32_t *)tensor->data + index, sizeof bits);
    return bits;
}

static size_t index_of(const sqa_host_tensor *tensor, uint32_t batch, uint32_t head,
                       uint32_t position)
{
    const sqa_strides *s = &tensor->strides;
    return tensor->guard + (size_t)((int64_t)batch * s->batch + (int64_t)head * s->head +
                                    (int64_t)position * s->sequence);
}

float *sqa_host_tensor_at(const sqa_host_tensor *tensor, uint32_t batch, uint32_t head,
                          uint32_t position)
{
    return (float *)tensor->data + index_of(tensor, batch, head, position);
}

static const void *view_of(const sqa_host_tensor *tensor, const void *data)
{
    return data ? (const char *)data + tensor->guard * host_bytes(tensor) : NULL;
}

const void *sqa_host_tensor_view(const sqa_host_tensor *tensor)
{
    return view_of(tensor, tensor->data);
}

const void *sqa_host_tensor_view_before(const sqa_host_tensor *tensor)
{
    return view_of(tensor, tensor->before ? tensor->before : tensor->data);
}

float sqa_host_tensor_value(const sqa_host_tensor *tensor, int64_t index)
{
    return ((const float *)tensor->data)[(int64_t)tensor->guard + index];
}

static void mark_view(sqa_host_tensor *tensor)
{
    for (uint32_t b = 0; b < tensor->batch; b++)
        for (uint32_t h = 0; h < tensor->heads; h++)
            for (uint32_t i = 0; i < tensor->length; i++)
                memset(tensor->inside + index_of(tensor, b, h, i), 1, tensor->dim);
}

static void fill_bits(sqa_host_tensor *tensor, unsigned char inside, uint32_t bits)
{
    const uint32_t stored = stored_bits(tensor, bits);
    for (size_t i = 0; i < tensor->count; i++)
        if (tensor->inside[i] == inside)
            set_bits(tensor, i, stored);
}

sqa_status sqa_host_tensor_create(sqa_host_tensor *out, const sqa_tensor_shape *shape, size_t guard)
{
    const uint64_t extent = sqa_tensor_extent(shape);
    if (extent > SIZE_MAX / sizeof(float) / 2)
        return sqa_fail(SQA_OUT_OF_MEMORY, "a tensor of %llu elements does not fit in memory",
                        (unsigned long long)extent);
    const size_t count = (size_t)extent + 2 * guard;
    *out = (sqa_host_tensor){.element = shape->element,
                             .strides = shape->strides,
                             .batch = shape->batch,
                             .heads = shape->heads,
                             .length = shape->length,
                             .dim = shape->dim,
                             .guard = guard,
                             .count = count ? count : sqa_element_group(shape->element)};
    out->data = malloc(out->count * host_bytes(out));
    out->inside = calloc(out->count, 1);
    if (!out->data || !out->inside) {
        sqa_host_tensor_free(out);
        return sqa_fail_memory("a tensor to check with");
    }
    if (extent > 0)
        mark_view(out);
    fill_bits(out, 0, SQA_GUARD_BITS);
    fill_bits(out, 1, SQA_GUARD_BITS);
    return SQA_OK;
}

void sqa_host_tensor_free(sqa_host_tensor *tensor)
{
    if (tensor->buffer)
        clReleaseMemObject(tensor->buffer);
    free(tensor->data);
    free(tensor->before);
    free(tensor->inside);
    memset(tensor, 0, sizeof *tensor);
}

static void random_vector(const sqa_host_tensor *tensor, float *out, sqa_random *random, float low,
                          float high)
{
    sqa_random_floats(random, out, tensor->dim, low, high);
    sqa_storage_round_all((sqa_dtype)tensor->element, out, tensor->dim);
}

/* An element that several positions share keeps the last number. */
void sqa_host_tensor_fill_random(sqa_host_tensor *tensor, sqa_random *random, float low, float high)
{
    for (uint32_t b = 0; b < tensor->batch; b++)
        for (uint32_t h = 0; h < tensor->heads; h++)
            for (uint32_t i = 0; i < tensor->length; i++)
                random_vector(tensor, sqa_host_tensor_at(tensor, b, h, i), random, low, high);
}

/* Rows that were changed become what the storage type has of them. */
static void round_rows(sqa_host_tensor *tensor)
{
    for (uint32_t b = 0; b < tensor->batch; b++)
        for (uint32_t h = 0; h < tensor->heads; h++)
            for (uint32_t i = 0; i < tensor->length; i++)
                sqa_storage_round_all((sqa_dtype)tensor->element,
                                      sqa_host_tensor_at(tensor, b, h, i), tensor->dim);
}

void sqa_host_tensor_map(sqa_host_tensor *tensor, const sqa_problem *problem,
                         float (*map)(const sqa_problem *problem, float number))
{
    const size_t end = tensor->count - tensor->guard;
    float *data = tensor->data;
    for (size_t i = tensor->guard; i < end; i++)
        if (tensor->inside[i])
            data[i] = map(problem, data[i]);
    round_rows(tensor);
}

void sqa_host_tensor_fill(sqa_host_tensor *tensor, float value)
{
    fill_bits(tensor, 1, sqa_float_bits(value));
}

void sqa_host_tensor_multiply(sqa_host_tensor *tensor, float factor)
{
    const float most = sqa_storage_largest((sqa_dtype)tensor->element);
    float *data = tensor->data;
    for (size_t i = 0; i < tensor->count; i++)
        if (tensor->inside[i])
            data[i] = fminf(fmaxf(data[i] * factor, -most), most);
    round_rows(tensor);
}

void sqa_host_tensor_poison(sqa_host_tensor *tensor)
{
    fill_bits(tensor, 0, SQA_GUARD_BITS);
    fill_bits(tensor, 1, SQA_POISON_BITS);
}

sqa_status sqa_host_tensor_keep(sqa_host_tensor *tensor)
{
    const size_t bytes = tensor->count * host_bytes(tensor);
    if (!tensor->before)
        tensor->before = malloc(bytes);
    if (!tensor->before)
        return sqa_fail_memory("a tensor to check with");
    memcpy(tensor->before, tensor->data, bytes);
    return SQA_OK;
}

void sqa_host_tensor_restore(sqa_host_tensor *tensor)
{
    if (tensor->before)
        memcpy(tensor->data, tensor->before, tensor->count * host_bytes(tensor));
    else
        sqa_host_tensor_poison(tensor);
}

void sqa_host_tensor_fill_gaps(sqa_host_tensor *tensor, float value)
{
    fill_bits(tensor, 0, sqa_float_bits(value));
}

/* As it is stored on the device, for the caller to free. */
static void *stored_copy(const sqa_host_tensor *tensor)
{
    void *stored = malloc(stored_bytes(tensor));
    if (stored && is_float(tensor))
        sqa_storage_encode((sqa_dtype)tensor->element, tensor->data, stored, tensor->count);
    else if (stored)
        memcpy(stored, tensor->data, stored_bytes(tensor));
    return stored;
}

sqa_status sqa_host_tensor_upload(sqa_host_tensor *tensor, cl_context context)
{
    if (tensor->buffer)
        clReleaseMemObject(tensor->buffer);
    tensor->buffer = NULL;
    void *stored = stored_copy(tensor);
    if (!stored)
        return sqa_fail_memory("a tensor to upload");
    cl_int code = CL_SUCCESS;
    cl_mem buffer = clCreateBuffer(context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                                   stored_bytes(tensor), stored, &code);
    free(stored);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clCreateBuffer");
    tensor->buffer = buffer;
    return SQA_OK;
}

/* The device buffer's bytes, for the caller to free. */
static sqa_status read_stored(const sqa_host_tensor *tensor, cl_command_queue queue, void **out)
{
    const size_t bytes = stored_bytes(tensor);
    void *stored = malloc(bytes);
    if (!stored)
        return sqa_fail_memory("a tensor to download");
    cl_int code =
        clEnqueueReadBuffer(queue, tensor->buffer, CL_TRUE, 0, bytes, stored, 0, NULL, NULL);
    if (code != CL_SUCCESS) {
        free(stored);
        return sqa_fail_cl(code, "clEnqueueReadBuffer");
    }
    *out = stored;
    return SQA_OK;
}

sqa_status sqa_host_tensor_download(sqa_host_tensor *tensor, cl_command_queue queue)
{
    void *stored = NULL;
    sqa_status status = read_stored(tensor, queue, &stored);
    if (status == SQA_OK && is_float(tensor))
        sqa_storage_decode((sqa_dtype)tensor->element, stored, tensor->data, tensor->count);
    else if (status == SQA_OK)
        memcpy(tensor->data, stored, stored_bytes(tensor));
    free(stored);
    return status;
}

sqa_status sqa_host_tensor_unchanged(const sqa_host_tensor *tensor, cl_command_queue queue,
                                     bool *out)
{
    void *stored = NULL, *uploaded = stored_copy(tensor);
    if (!uploaded)
        return sqa_fail_memory("a tensor to compare with");
    sqa_status status = read_stored(tensor, queue, &stored);
    if (status == SQA_OK)
        *out = !memcmp(stored, uploaded, stored_bytes(tensor));
    free(stored);
    free(uploaded);
    return status;
}

/* The first element whose being (or not being) these bits is wrong where `inside` says. */
static bool find(const sqa_host_tensor *tensor, unsigned char inside, uint32_t bits, bool same,
                 int64_t *where)
{
    const uint32_t stored = stored_bits(tensor, bits);
    for (size_t i = 0; i < tensor->count; i++)
        if (tensor->inside[i] == inside && (bits_at(tensor, i) == stored) == same) {
            *where = (int64_t)i - (int64_t)tensor->guard;
            return true;
        }
    return false;
}

bool sqa_host_tensor_broken_guard(const sqa_host_tensor *tensor, int64_t *where)
{
    return find(tensor, 0, SQA_GUARD_BITS, false, where);
}

bool sqa_host_tensor_unwritten(const sqa_host_tensor *tensor, int64_t *where)
{
    return find(tensor, 1, SQA_POISON_BITS, true, where);
}

bool sqa_host_tensor_has_nan(const sqa_host_tensor *tensor)
{
    for (size_t i = 0; i < tensor->count; i++)
        if (tensor->inside[i] && isnan(((const float *)tensor->data)[i]))
            return true;
    return false;
}

double sqa_host_tensor_largest(const sqa_host_tensor *tensor)
{
    double largest = 0.0;
    for (size_t i = 0; i < tensor->count; i++)
        if (tensor->inside[i])
            largest = fmax(largest, fabs((double)((const float *)tensor->data)[i]));
    return largest;
}
