/* Index tensors from host arrays. */
#include "sqa_cl/index.h"

#include <stdlib.h>

#include "api/call.h"
#include "device/cl_status.h"
#include "problem/attention.h"
#include "runtime/context.h"

static sqa_status check_pointers(const void *const pointers[], const char *const names[],
                                 size_t count)
{
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < count && status == SQA_OK; i++)
        status = sqa_check_not_null(names[i], pointers[i]);
    return status;
}

/* A buffer of the numbers; of one zero when there are none, since OpenCL has no
 * empty buffers. */
static sqa_status upload(sqa_context *context, const char *name, const int32_t *numbers,
                         size_t count, cl_mem *out)
{
    int32_t nothing = 0;
    cl_int code = CL_SUCCESS;
    void *from = (void *)(uintptr_t)(count ? numbers : &nothing);
    *out = clCreateBuffer(context->cl, CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR,
                          (count ? count : 1) * sizeof *numbers, from, &code);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, name);
}

static sqa_status upload_both(sqa_context *context, const char *name, const int32_t *first,
                              size_t first_count, const int32_t *second, size_t second_count,
                              cl_mem *first_out, cl_mem *second_out)
{
    cl_mem buffer = NULL;
    sqa_status status = upload(context, name, first, first_count, &buffer);
    if (status == SQA_OK)
        status = upload(context, name, second, second_count, second_out);
    if (status == SQA_OK)
        *first_out = buffer;
    else if (buffer)
        clReleaseMemObject(buffer);
    return status;
}

/* `seen` has a number per key block: the row that named it last, plus one. */
static sqa_status check_list(const int32_t *offsets, const int32_t *indices, uint64_t row,
                             uint32_t key_blocks, uint64_t *seen)
{
    for (int32_t i = offsets[row]; i < offsets[row + 1]; i++) {
        if (indices[i] < 0 || (uint32_t)indices[i] >= key_blocks)
            return sqa_fail(SQA_INVALID_ARGUMENT,
                            "indices: entry %d, of list %llu, is %d; outside 0..%u", i,
                            (unsigned long long)row, indices[i], key_blocks - 1);
        if (seen[indices[i]] == row + 1)
            return sqa_fail(SQA_INVALID_ARGUMENT, "indices: list %llu names block %d twice",
                            (unsigned long long)row, indices[i]);
        seen[indices[i]] = row + 1;
    }
    return SQA_OK;
}

static sqa_status check_offsets(const int32_t *offsets, uint64_t rows, uint32_t entries)
{
    if (offsets[0] != 0)
        return sqa_fail(SQA_INVALID_ARGUMENT, "offsets: begin with %d instead of 0", offsets[0]);
    for (uint64_t row = 0; row < rows; row++)
        if (offsets[row + 1] < offsets[row])
            return sqa_fail(SQA_INVALID_ARGUMENT, "offsets: decrease from %d to %d after list %llu",
                            offsets[row], offsets[row + 1], (unsigned long long)row);
    if ((uint32_t)offsets[rows] != entries)
        return sqa_fail(SQA_INVALID_ARGUMENT, "offsets: end with %d instead of entries (%u)",
                        offsets[rows], entries);
    return SQA_OK;
}

static sqa_status check_block_list(const sqa_attention *attention, const int32_t *offsets,
                                   const int32_t *indices)
{
    const sqa_blocks *blocks = &attention->blocks;
    const uint64_t rows = sqa_attention_block_lists(attention);
    const uint32_t key_blocks = sqa_attention_key_blocks(attention);
    sqa_status status = check_offsets(offsets, rows, blocks->entries);
    if (status != SQA_OK)
        return status;
    uint64_t *seen = calloc((size_t)key_blocks + 1, sizeof *seen);
    if (!seen)
        return sqa_fail_memory("checking block lists");
    for (uint64_t row = 0; row < rows && status == SQA_OK; row++)
        status = check_list(offsets, indices, row, key_blocks, seen);
    free(seen);
    return status;
}

sqa_status sqa_block_list_create(sqa_context *context, const sqa_attention_desc *desc,
                                 const int32_t *offsets, const int32_t *indices,
                                 cl_mem *offsets_buffer, cl_mem *indices_buffer)
{
    static const char *const names[] = {"context", "offsets", "indices", "offsets_buffer",
                                        "indices_buffer"};
    const void *const pointers[] = {context, offsets, indices, offsets_buffer, indices_buffer};
    sqa_attention attention;
    sqa_status status = check_pointers(pointers, names, 5);
    if (status == SQA_OK)
        status = sqa_attention_from_desc(&attention, desc);
    if (status == SQA_OK && !(attention.mask & SQA_MASK_BLOCKS))
        status = sqa_fail(SQA_INVALID_ARGUMENT, "desc.blocks: has no block sizes");
    if (status == SQA_OK)
        status = check_block_list(&attention, offsets, indices);
    if (status != SQA_OK)
        return status;
    const size_t lists = (size_t)sqa_attention_block_lists(&attention);
    return upload_both(context, "clCreateBuffer(block list)", offsets, lists + 1, indices,
                       attention.blocks.entries, offsets_buffer, indices_buffer);
}

static sqa_status check_starts(const char *name, const int32_t *starts, uint32_t count,
                               uint32_t total, uint32_t longest)
{
    if (starts[0] != 0)
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s: begins with %d instead of 0", name, starts[0]);
    for (uint32_t i = 0; i < count; i++) {
        if (starts[i + 1] < starts[i])
            return sqa_fail(SQA_INVALID_ARGUMENT, "%s: decreases from %d to %d after sequence %u",
                            name, starts[i], starts[i + 1], i);
        if ((uint32_t)(starts[i + 1] - starts[i]) > longest)
            return sqa_fail(SQA_INVALID_ARGUMENT,
                            "%s: sequence %u has length %d, more than the descriptor's %u", name, i,
                            starts[i + 1] - starts[i], longest);
    }
    if ((uint32_t)starts[count] != total)
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s: ends with %d instead of the total, %u", name,
                        starts[count], total);
    return SQA_OK;
}

sqa_status sqa_sequences_create(sqa_context *context, const sqa_attention_desc *desc,
                                const int32_t *cu_seqlens_q, const int32_t *cu_seqlens_kv,
                                cl_mem *q_buffer, cl_mem *kv_buffer)
{
    static const char *const names[] = {"context", "cu_seqlens_q", "q_buffer", "cu_seqlens_kv",
                                        "kv_buffer"};
    const void *const pointers[] = {context, cu_seqlens_q, q_buffer, cu_seqlens_kv, kv_buffer};
    sqa_attention p;
    sqa_status status = sqa_attention_from_desc(&p, desc);
    const bool paged = status == SQA_OK && p.mask & SQA_MASK_PAGED;
    if (status == SQA_OK)
        status = check_pointers(pointers, names, paged ? 3 : 5);
    if (status == SQA_OK && !(p.mask & SQA_MASK_RAGGED))
        status = sqa_fail(SQA_INVALID_ARGUMENT, "desc.ragged: is not present");
    if (status == SQA_OK)
        status = check_starts("cu_seqlens_q", cu_seqlens_q, p.batch, p.q_total, p.q_length);
    if (status == SQA_OK && paged)
        return upload(context, "clCreateBuffer(sequences)", cu_seqlens_q, (size_t)p.batch + 1,
                      q_buffer);
    if (status == SQA_OK)
        status = check_starts("cu_seqlens_kv", cu_seqlens_kv, p.batch, p.kv_total, p.kv_length);
    if (status != SQA_OK)
        return status;
    return upload_both(context, "clCreateBuffer(sequences)", cu_seqlens_q, (size_t)p.batch + 1,
                       cu_seqlens_kv, (size_t)p.batch + 1, q_buffer, kv_buffer);
}

static sqa_status check_table(const sqa_attention *p, const int32_t *table, const int32_t *lengths)
{
    const uint32_t row = sqa_attention_table_row(p), size = p->paged.page_size;
    for (uint32_t b = 0; b < p->batch; b++) {
        if (lengths[b] < 0 || (uint32_t)lengths[b] > p->kv_length)
            return sqa_fail(SQA_INVALID_ARGUMENT,
                            "kv_lengths: sequence %u has length %d; outside 0..%u", b, lengths[b],
                            p->kv_length);
        for (uint32_t i = 0; (uint64_t)i * size < (uint32_t)lengths[b]; i++) {
            const int32_t page = table[(size_t)b * row + i];
            if (page < 0 || (uint32_t)page >= p->paged.pages)
                return sqa_fail(SQA_INVALID_ARGUMENT,
                                "block_table: page %u of sequence %u is %d; outside 0..%lld", i, b,
                                page, (long long)p->paged.pages - 1);
        }
    }
    return SQA_OK;
}

sqa_status sqa_block_table_create(sqa_context *context, const sqa_attention_desc *desc,
                                  const int32_t *block_table, const int32_t *kv_lengths,
                                  cl_mem *table_buffer, cl_mem *lengths_buffer)
{
    static const char *const names[] = {"context", "block_table", "kv_lengths", "table_buffer",
                                        "lengths_buffer"};
    const void *const pointers[] = {context, block_table, kv_lengths, table_buffer, lengths_buffer};
    sqa_attention p;
    sqa_status status = check_pointers(pointers, names, 5);
    if (status == SQA_OK)
        status = sqa_attention_from_desc(&p, desc);
    if (status == SQA_OK && !(p.mask & SQA_MASK_PAGED))
        status = sqa_fail(SQA_INVALID_ARGUMENT, "desc.paged: has no page size");
    if (status == SQA_OK)
        status = check_table(&p, block_table, kv_lengths);
    return status == SQA_OK ? upload_both(context, "clCreateBuffer(block table)", block_table,
                                          (size_t)p.batch * sqa_attention_table_row(&p), kv_lengths,
                                          p.batch, table_buffer, lengths_buffer)
                            : status;
}

sqa_status sqa_globals_create(sqa_context *context, const sqa_attention_desc *desc,
                              const int32_t *positions, cl_mem *buffer)
{
    static const char *const names[] = {"context", "desc", "positions", "buffer"};
    const void *const pointers[] = {context, desc, positions, buffer};
    sqa_attention attention;
    sqa_status status = check_pointers(pointers, names, 4);
    if (status == SQA_OK)
        status = sqa_attention_from_desc(&attention, desc);
    const uint32_t count = status == SQA_OK ? desc->globals.count : 0;
    for (uint32_t i = 0; i < count && status == SQA_OK; i++) {
        if (positions[i] < 0 || (uint32_t)positions[i] >= desc->kv_length)
            status =
                sqa_fail(SQA_INVALID_ARGUMENT, "positions: number %u is %d; outside the %u keys", i,
                         positions[i], desc->kv_length);
        else if (i > 0 && positions[i] <= positions[i - 1])
            status = sqa_fail(SQA_INVALID_ARGUMENT, "positions: %d follows %d; not ascending",
                              positions[i], positions[i - 1]);
    }
    return status == SQA_OK
               ? upload(context, "clCreateBuffer(global tokens)", positions, count, buffer)
               : status;
}
