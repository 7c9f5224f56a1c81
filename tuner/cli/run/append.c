/* See append.h. A matrix of all heads is a page, of a sequence that has no other. */
#include "cli/run/append.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/status.h"
#include "cli/run/host_call.h"
#include "device/cl_status.h"
#include "operations/tensors.h"

/* What one call takes of them. */
enum { MOST_SEQUENCES = 65535 };

typedef struct filling {
    sqa_context *context;
    cl_command_queue queue;
    cl_mem from[2], indices;
    uint64_t pages, page[2]; /* elements of one, of K and of V */
} filling;

/* A position of 0 for each sequence, then the page of each. */
static sqa_status make_indices(filling *f)
{
    const uint32_t most = f->pages < MOST_SEQUENCES ? (uint32_t)f->pages : MOST_SEQUENCES;
    int32_t *indices = calloc(2 * (size_t)most, sizeof *indices);
    cl_int code = CL_SUCCESS;
    if (!indices)
        return sqa_fail_memory("a block table");
    for (uint32_t i = 0; i < most; i++)
        indices[most + i] = (int32_t)i;
    f->indices = clCreateBuffer(sqa_context_cl(f->context), CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR,
                                2 * most * sizeof *indices, indices, &code);
    free(indices);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clCreateBuffer(block table)");
}

static sqa_status open_filling(filling *f, sqa_tensor_files *files, sqa_dtype dtype, cl_mem out[2])
{
    sqa_npy *of[2] = {&files->k, &files->v};
    cl_int code = CL_SUCCESS;
    sqa_status status = make_indices(f);
    for (int i = 0; i < 2 && status == SQA_OK; i++) {
        const sqa_host_array array = {SQA_ELEMENT_F32, &of[i]->memory, of[i]->count};
        const size_t bytes = (size_t)sqa_element_bytes((sqa_element)dtype, array.count);
        f->page[i] = array.count / f->pages;
        status = sqa_host_upload(f->context, &array, &f->from[i]);
        if (status == SQA_OK)
            out[i] =
                clCreateBuffer(sqa_context_cl(f->context), CL_MEM_READ_WRITE, bytes, NULL, &code);
        if (code != CL_SUCCESS)
            status = sqa_fail_cl(code, "clCreateBuffer(cache)");
    }
    f->queue = clCreateCommandQueue(sqa_context_cl(f->context), sqa_context_cl_device(f->context),
                                    0, &code);
    return status != SQA_OK     ? status
           : code == CL_SUCCESS ? SQA_OK
                                : sqa_fail_cl(code, "clCreateCommandQueue");
}

static void close_filling(filling *f)
{
    const cl_mem buffers[] = {f->from[0], f->from[1], f->indices};
    if (f->queue) {
        clFinish(f->queue);
        clReleaseCommandQueue(f->queue);
    }
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        if (buffers[i])
            clReleaseMemObject(buffers[i]);
}

static sqa_status fill(const filling *f, sqa_kv_append_desc *desc, cl_mem out[2])
{
    sqa_kv_append_tensors tensors = SQA_KV_APPEND_TENSORS_INIT;
    sqa_status status = SQA_OK;
    tensors.positions.buffer = tensors.block_table.buffer = f->indices;
    tensors.block_table.offset = f->pages < MOST_SEQUENCES ? f->pages : MOST_SEQUENCES;
    for (uint64_t first = 0; first < f->pages && status == SQA_OK; first += MOST_SEQUENCES) {
        const uint64_t left = f->pages - first;
        desc->batch = left < MOST_SEQUENCES ? (uint32_t)left : MOST_SEQUENCES;
        desc->paged = (sqa_paged){desc->length, desc->batch};
        tensors.k = (sqa_tensor){f->from[0], first * f->page[0]};
        tensors.v = (sqa_tensor){f->from[1], first * f->page[1]};
        tensors.k_cache = (sqa_tensor){out[0], first * f->page[0]};
        tensors.v_cache = (sqa_tensor){out[1], first * f->page[1]};
        status = sqa_kv_append(f->context, f->queue, desc, &tensors, 0, NULL, NULL);
    }
    return status;
}

sqa_status sqa_run_append(sqa_context *context, sqa_tensor_files *files, sqa_dtype dtype,
                          bool rotate, cl_mem out[2])
{
    const uint64_t *shape = files->k.shape;
    sqa_kv_append_desc desc = SQA_KV_APPEND_DESC_INIT;
    filling f = {.context = context, .pages = shape[0]};
    if (files->k.count == 0)
        return SQA_OK;
    desc.kv_dtype = (int32_t)dtype;
    desc.kv_heads = (uint32_t)shape[1];
    desc.length = desc.capacity = (uint32_t)shape[2];
    desc.head_dim = (uint32_t)shape[3];
    desc.value_dim = (uint32_t)files->v.shape[3];
    desc.hadamard = rotate;
    sqa_status status = open_filling(&f, files, dtype, out);
    if (status == SQA_OK)
        status = fill(&f, &desc, out);
    close_filling(&f);
    return status;
}
