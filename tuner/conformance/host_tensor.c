/* Strided tensors among guards: making, filling, moving and looking them over.
 * What the numbers mean is for others. */
#include "conformance/host_tensor.h"

#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "device/cl_status.h"
#include "problem/names.h"
#include "problem/problem.h"
#include "problem/storage.h"

/* What the storage type keeps of a NaN, as f32. */
static float stored_nan(sqa_dtype dtype, uint32_t bits)
{
    return sqa_storage_round(dtype, sqa_float_from_bits(bits));
}

float *sqa_host_tensor_at(const sqa_host_tensor *tensor, uint32_t batch, uint32_t head,
                          uint32_t position)
{
    const sqa_strides *s = &tensor->strides;
    return tensor->data + tensor->guard + (int64_t)batch * s->batch + (int64_t)head * s->head +
           (int64_t)position * s->sequence;
}

const float *sqa_host_tensor_view(const sqa_host_tensor *tensor)
{
    return tensor->data + tensor->guard;
}

static void mark_view(sqa_host_tensor *tensor)
{
    for (uint32_t b = 0; b < tensor->batch; b++)
        for (uint32_t h = 0; h < tensor->heads; h++)
            for (uint32_t i = 0; i < tensor->length; i++)
                memset(tensor->inside + (sqa_host_tensor_at(tensor, b, h, i) - tensor->data), 1,
                       tensor->dim);
}

sqa_status sqa_host_tensor_create(sqa_host_tensor *out, sqa_dtype dtype, const sqa_strides *strides,
                                  uint32_t batch, uint32_t heads, uint32_t length, uint32_t dim,
                                  size_t guard)
{
    uint64_t extent = sqa_extent(strides, batch, heads, length, dim);
    if (extent > SIZE_MAX / sizeof(float) / 2)
        return sqa_fail(SQA_OUT_OF_MEMORY, "a tensor of %llu elements does not fit in memory",
                        (unsigned long long)extent);
    *out = (sqa_host_tensor){.dtype = dtype,
                             .strides = *strides,
                             .batch = batch,
                             .heads = heads,
                             .length = length,
                             .dim = dim,
                             .guard = guard,
                             .count = (size_t)extent + 2 * guard};
    out->data = malloc(out->count * sizeof *out->data);
    out->inside = calloc(out->count, 1);
    if (!out->data || !out->inside) {
        sqa_host_tensor_free(out);
        return sqa_fail_memory("a tensor to check with");
    }
    mark_view(out);
    for (size_t i = 0; i < out->count; i++)
        out->data[i] = stored_nan(dtype, SQA_GUARD_BITS);
    return SQA_OK;
}

void sqa_host_tensor_free(sqa_host_tensor *tensor)
{
    if (tensor->buffer)
        clReleaseMemObject(tensor->buffer);
    free(tensor->data);
    free(tensor->inside);
    memset(tensor, 0, sizeof *tensor);
}

static void random_vector(const sqa_host_tensor *tensor, float *out, sqa_random *random, float low,
                          float high)
{
    sqa_random_floats(random, out, tensor->dim, low, high);
    for (uint32_t d = 0; d < tensor->dim; d++)
        out[d] = sqa_storage_round(tensor->dtype, out[d]);
}

/* In order of position, so that the numbers do not depend on the strides; an
 * element that several positions share keeps the last one. */
void sqa_host_tensor_fill_random(sqa_host_tensor *tensor, sqa_random *random, float low, float high)
{
    for (uint32_t b = 0; b < tensor->batch; b++)
        for (uint32_t h = 0; h < tensor->heads; h++)
            for (uint32_t i = 0; i < tensor->length; i++)
                random_vector(tensor, sqa_host_tensor_at(tensor, b, h, i), random, low, high);
}

static void fill_where(sqa_host_tensor *tensor, unsigned char inside, float value)
{
    for (size_t i = 0; i < tensor->count; i++)
        if (tensor->inside[i] == inside)
            tensor->data[i] = value;
}

void sqa_host_tensor_fill(sqa_host_tensor *tensor, float value)
{
    fill_where(tensor, 1, sqa_storage_round(tensor->dtype, value));
}

void sqa_host_tensor_poison(sqa_host_tensor *tensor)
{
    fill_where(tensor, 0, stored_nan(tensor->dtype, SQA_GUARD_BITS));
    fill_where(tensor, 1, stored_nan(tensor->dtype, SQA_POISON_BITS));
}

void sqa_host_tensor_fill_gaps(sqa_host_tensor *tensor, float value)
{
    fill_where(tensor, 0, value);
}

sqa_status sqa_host_tensor_upload(sqa_host_tensor *tensor, cl_context context)
{
    if (tensor->buffer)
        clReleaseMemObject(tensor->buffer);
    tensor->buffer = NULL;
    size_t bytes = tensor->count * sqa_dtype_size(tensor->dtype);
    void *stored = malloc(bytes);
    if (!stored)
        return sqa_fail_memory("a tensor to upload");
    sqa_storage_encode(tensor->dtype, tensor->data, stored, tensor->count);
    cl_int error;
    cl_mem buffer =
        clCreateBuffer(context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, bytes, stored, &error);
    free(stored);
    if (error != CL_SUCCESS)
        return sqa_fail_cl(error, "clCreateBuffer");
    tensor->buffer = buffer;
    return SQA_OK;
}

/* The device buffer's bytes, for the caller to free. */
static sqa_status read_stored(const sqa_host_tensor *tensor, cl_command_queue queue, void **out)
{
    size_t bytes = tensor->count * sqa_dtype_size(tensor->dtype);
    void *stored = malloc(bytes);
    if (!stored)
        return sqa_fail_memory("a tensor to download");
    cl_int error =
        clEnqueueReadBuffer(queue, tensor->buffer, CL_TRUE, 0, bytes, stored, 0, NULL, NULL);
    if (error != CL_SUCCESS) {
        free(stored);
        return sqa_fail_cl(error, "clEnqueueReadBuffer");
    }
    *out = stored;
    return SQA_OK;
}

sqa_status sqa_host_tensor_download(sqa_host_tensor *tensor, cl_command_queue queue)
{
    void *stored = NULL;
    sqa_status status = read_stored(tensor, queue, &stored);
    if (status == SQA_OK)
        sqa_storage_decode(tensor->dtype, stored, tensor->data, tensor->count);
    free(stored);
    return status;
}

sqa_status sqa_host_tensor_unchanged(const sqa_host_tensor *tensor, cl_command_queue queue,
                                     bool *out)
{
    size_t bytes = tensor->count * sqa_dtype_size(tensor->dtype);
    void *stored = NULL, *uploaded = malloc(bytes);
    if (!uploaded)
        return sqa_fail_memory("a tensor to compare with");
    sqa_storage_encode(tensor->dtype, tensor->data, uploaded, tensor->count);
    sqa_status status = read_stored(tensor, queue, &stored);
    if (status == SQA_OK)
        *out = !memcmp(stored, uploaded, bytes);
    free(stored);
    free(uploaded);
    return status;
}

/* The first element whose being (or not being) the NaN is wrong where `inside` says. */
static bool find(const sqa_host_tensor *tensor, unsigned char inside, uint32_t nan, bool same,
                 int64_t *where)
{
    const uint32_t bits = sqa_float_bits(stored_nan(tensor->dtype, nan));
    for (size_t i = 0; i < tensor->count; i++)
        if (tensor->inside[i] == inside && (sqa_float_bits(tensor->data[i]) == bits) == same) {
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
