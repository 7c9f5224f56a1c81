/* See kv_cache.h. The indices are made on the host anew for every change, and copied to the device
 * in the order of changes. */
#include "api/kv_cache.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "device/cl_status.h"
#include "operations/kv_append/slots.h"
#include "operations/tensors.h"
#include "problem/checks.h"
#include "runtime/context.h"

static sqa_status read_desc(sqa_kv_cache *cache, const sqa_kv_cache_desc *desc)
{
    sqa_status status = sqa_check_range("desc.sequences", desc->sequences, 1, 65535);
    if (status == SQA_OK)
        status = sqa_check_range("desc.capacity", desc->capacity, 1, 1u << 30);
    if (status == SQA_OK)
        status = sqa_check_range("desc.page_size", desc->page_size, 1, 1u << 30);
    if (status != SQA_OK)
        return status;
    const uint64_t row = ((uint64_t)desc->capacity + desc->page_size - 1) / desc->page_size;
    const uint64_t pages = desc->pages ? desc->pages : row * desc->sequences;
    if (pages > 1u << 30)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.pages: %llu, which all sequences take, is outside 1..%u",
                        (unsigned long long)pages, 1u << 30);
    cache->sizes = (sqa_page_sizes){desc->sequences, desc->capacity, desc->page_size,
                                    (uint32_t)pages, (uint32_t)row};
    sqa_kv_append_desc *append = &cache->append;
    *append = (sqa_kv_append_desc)SQA_KV_APPEND_DESC_INIT;
    append->dtype = desc->dtype;
    append->kv_dtype = desc->kv_dtype < 0 ? (int32_t)desc->dtype : desc->kv_dtype;
    append->batch = desc->sequences;
    append->kv_heads = desc->kv_heads;
    append->head_dim = desc->head_dim;
    append->value_dim = desc->value_dim ? desc->value_dim : desc->head_dim;
    append->length = 0;
    append->capacity = desc->capacity;
    append->paged = (sqa_paged){desc->page_size, (uint32_t)pages};
    append->rotary = desc->rotary;
    append->pairs = desc->pairs;
    append->base = desc->base;
    append->hadamard = desc->hadamard;
    sqa_problem problem;
    return sqa_problem_from_kv_append(&problem, append);
}

static sqa_status new_buffer(sqa_kv_cache *cache, size_t bytes, const void *from, cl_mem *out)
{
    cl_int code = CL_SUCCESS;
    *out = clCreateBuffer(cache->context->cl, from ? CL_MEM_COPY_HOST_PTR : CL_MEM_READ_WRITE,
                          bytes, (void *)(uintptr_t)from, &code);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clCreateBuffer(cache)");
}

/* The indices of `next`, with `positions` in their place, and starts unless that is NULL. */
static sqa_status new_indices(sqa_kv_cache *cache, const uint32_t *positions, const int32_t *starts,
                              cl_mem *out)
{
    const uint32_t sequences = cache->sizes.sequences;
    const size_t count = sqa_kv_cache_index_count(cache);
    int32_t *indices = calloc(count, sizeof *indices);
    if (!indices)
        return sqa_fail_memory("a cache's indices");
    memcpy(indices, positions, sequences * sizeof *indices);
    memcpy(indices + sqa_kv_cache_lengths_at(cache), cache->next->length,
           sequences * sizeof *indices);
    if (starts)
        memcpy(indices + sqa_kv_cache_starts_at(cache), starts, (sequences + 1u) * sizeof *indices);
    memcpy(indices + sqa_kv_cache_table_at(cache), cache->next->table,
           (count - sqa_kv_cache_table_at(cache)) * sizeof *indices);
    sqa_status status = new_buffer(cache, count * sizeof *indices, indices, out);
    free(indices);
    return status;
}

static sqa_status fill(sqa_kv_cache *cache)
{
    const uint64_t rows = (uint64_t)cache->append.kv_heads * cache->sizes.page_size;
    const sqa_element element = (sqa_element)cache->append.kv_dtype;
    cache->key_page = (size_t)sqa_element_bytes(element, rows * cache->append.head_dim);
    cache->value_page = (size_t)sqa_element_bytes(element, rows * cache->append.value_dim);
    cache->now = sqa_page_table_create(&cache->sizes);
    cache->next = sqa_page_table_create(&cache->sizes);
    if (!cache->now || !cache->next)
        return sqa_fail_memory("a cache's block table");
    sqa_status status = new_buffer(cache, cache->key_page * cache->sizes.pages, NULL, &cache->keys);
    if (status == SQA_OK)
        status = new_buffer(cache, cache->value_page * cache->sizes.pages, NULL, &cache->values);
    return status == SQA_OK ? new_indices(cache, cache->next->length, NULL, &cache->indices)
                            : status;
}

sqa_status sqa_kv_cache_create(sqa_kv_cache **out, sqa_context *context,
                               const sqa_kv_cache_desc *desc)
{
    sqa_status status = sqa_check_not_null("out", out);
    if (status == SQA_OK)
        status = sqa_check_not_null("context", context);
    if (status == SQA_OK)
        status = sqa_check_not_null("desc", desc);
    if (status == SQA_OK)
        status = sqa_check_version("desc.version", desc->version, SQA_KV_CACHE_DESC_VERSION);
    if (status != SQA_OK)
        return status;
    sqa_kv_cache_desc read = SQA_KV_CACHE_DESC_INIT;
    memcpy(&read, desc, desc->version == 1 ? offsetof(sqa_kv_cache_desc, hadamard) : sizeof read);
    sqa_kv_cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return sqa_fail_memory("a cache");
    cache->context = context;
    status = read_desc(cache, &read);
    if (status == SQA_OK)
        status = fill(cache);
    if (status == SQA_OK)
        *out = cache;
    else
        sqa_kv_cache_destroy(cache);
    return status;
}

void sqa_kv_cache_destroy(sqa_kv_cache *cache)
{
    if (!cache)
        return;
    const cl_mem buffers[] = {cache->keys, cache->values, cache->indices};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        if (buffers[i])
            clReleaseMemObject(buffers[i]);
    if (cache->last)
        clReleaseEvent(cache->last);
    free(cache->now);
    free(cache->next);
    free(cache);
}

/* A change on its way into a queue: each command waits for the one before, the first for the
 * caller's events and the change before. What the device knows of the sequences changes last, so
 * that a change of which not everything could be enqueued has changed nothing. */
typedef struct change {
    sqa_kv_cache *cache;
    cl_command_queue queue;
    cl_event *waits; /* of the first command */
    cl_uint wait_count;
    cl_event newest;
} change;

static sqa_status open_change(change *c, sqa_kv_cache *cache, cl_command_queue queue,
                              cl_uint wait_count, const cl_event *wait_list)
{
    *c = (change){.cache = cache, .queue = queue, .wait_count = wait_count};
    c->waits = calloc(wait_count + 1u, sizeof(cl_event));
    if (!c->waits)
        return sqa_fail_memory("events");
    if (wait_count)
        memcpy(c->waits, wait_list, wait_count * sizeof(cl_event));
    if (cache->last)
        c->waits[c->wait_count++] = cache->last;
    return SQA_OK;
}

/* What the next command waits for. */
static cl_uint wait_count_of(const change *c)
{
    return c->newest ? 1 : c->wait_count;
}

static const cl_event *waits_of(const change *c)
{
    return c->newest ? &c->newest : c->wait_count ? c->waits : NULL;
}

static void advance(change *c, cl_event done)
{
    if (c->newest)
        clReleaseEvent(c->newest);
    c->newest = done;
}

static sqa_status copy(change *c, cl_mem from, cl_mem to, size_t from_byte, size_t to_byte,
                       size_t bytes)
{
    cl_event done = NULL;
    const cl_int code = clEnqueueCopyBuffer(c->queue, from, to, from_byte, to_byte, bytes,
                                            wait_count_of(c), waits_of(c), &done);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clEnqueueCopyBuffer(cache)");
    advance(c, done);
    return SQA_OK;
}

/* The last command; then what was tried is what is. */
static sqa_status copy_indices(change *c, cl_mem indices)
{
    sqa_kv_cache *cache = c->cache;
    sqa_status status =
        copy(c, indices, cache->indices, 0, 0, sqa_kv_cache_index_count(cache) * sizeof(int32_t));
    if (status != SQA_OK)
        return status;
    sqa_page_table *old = cache->now;
    cache->now = cache->next;
    cache->next = old;
    return SQA_OK;
}

/* What is in the queue by now, later changes have to wait for, failed or not. */
static sqa_status close_change(change *c, sqa_status status, cl_event *event)
{
    if (status == SQA_OK && event) {
        *event = c->newest;
        clRetainEvent(c->newest);
    }
    free(c->waits);
    if (!c->newest)
        return status;
    if (c->cache->last)
        clReleaseEvent(c->cache->last);
    c->cache->last = c->newest;
    return status;
}

static sqa_status begin(sqa_kv_cache *cache, cl_command_queue queue, cl_uint wait_count,
                        const cl_event *wait_list)
{
    sqa_status status = sqa_check_not_null("cache", cache);
    if (status == SQA_OK)
        status = sqa_check_not_null("queue", queue);
    if (status == SQA_OK && (wait_count == 0) != (wait_list == NULL))
        status =
            sqa_fail(SQA_INVALID_ARGUMENT, "wait_list: must be NULL exactly when wait_count is 0");
    if (status == SQA_OK)
        sqa_page_table_copy(&cache->sizes, cache->now, cache->next);
    return status;
}

static sqa_status check_sequence(const char *name, const sqa_kv_cache *cache, uint32_t sequence)
{
    return sqa_check_range(name, sequence, 0, cache->sizes.sequences - 1);
}

/* A change of the table alone. */
static sqa_status enqueue_table(sqa_kv_cache *cache, cl_command_queue queue, cl_uint wait_count,
                                const cl_event *wait_list, cl_event *event)
{
    change c;
    cl_mem indices = NULL;
    sqa_status status = new_indices(cache, cache->now->length, NULL, &indices);
    if (status != SQA_OK)
        return status;
    status = open_change(&c, cache, queue, wait_count, wait_list);
    if (status == SQA_OK)
        status = close_change(&c, copy_indices(&c, indices), event);
    clReleaseMemObject(indices);
    return status;
}

sqa_status sqa_kv_cache_fork(sqa_kv_cache *cache, cl_command_queue queue, uint32_t from,
                             uint32_t to, cl_uint wait_count, const cl_event *wait_list,
                             cl_event *event)
{
    sqa_status status = begin(cache, queue, wait_count, wait_list);
    if (status == SQA_OK)
        status = check_sequence("from", cache, from);
    if (status == SQA_OK)
        status = check_sequence("to", cache, to);
    if (status == SQA_OK && cache->now->length[to] != 0)
        status = sqa_fail(SQA_INVALID_ARGUMENT, "to: sequence %u has %u tokens; expected 0", to,
                          cache->now->length[to]);
    if (status != SQA_OK)
        return status;
    sqa_page_table_fork(&cache->sizes, cache->next, from, to);
    return enqueue_table(cache, queue, wait_count, wait_list, event);
}

sqa_status sqa_kv_cache_truncate(sqa_kv_cache *cache, cl_command_queue queue, uint32_t sequence,
                                 uint32_t length, cl_uint wait_count, const cl_event *wait_list,
                                 cl_event *event)
{
    sqa_status status = begin(cache, queue, wait_count, wait_list);
    if (status == SQA_OK)
        status = check_sequence("sequence", cache, sequence);
    if (status == SQA_OK)
        status = sqa_check_range("length", length, 0, cache->now->length[sequence]);
    if (status != SQA_OK)
        return status;
    sqa_page_table_cut(&cache->sizes, cache->next, sequence, length);
    return enqueue_table(cache, queue, wait_count, wait_list, event);
}

/* What an append is about besides its cache: `from` and `to` of pages to be copied. */
typedef struct growth {
    int32_t *starts, *from, *to;
    uint32_t longest, total;
} growth;

/* Room in `next` for all tokens. */
static sqa_status grow(sqa_kv_cache *cache, const sqa_kv_tokens *tokens, growth *g)
{
    sqa_status status = SQA_OK;
    for (uint32_t b = 0; b < cache->sizes.sequences && status == SQA_OK; b++) {
        const uint32_t count = tokens->counts ? tokens->counts[b] : tokens->length;
        status = sqa_page_table_grow(&cache->sizes, cache->next, b, count, &g->from[b], &g->to[b]);
        g->longest = count > g->longest ? count : g->longest;
        if (status == SQA_OK && count > (1u << 30) - g->total)
            status = sqa_fail(SQA_INVALID_ARGUMENT, "tokens: more than %u together", 1u << 30);
        g->total += count;
        g->starts[b + 1] = (int32_t)g->total;
    }
    return status;
}

static sqa_status copy_page(change *c, cl_mem buffer, size_t bytes, int32_t from, int32_t to)
{
    return copy(c, buffer, buffer, (size_t)from * bytes, (size_t)to * bytes, bytes);
}

static sqa_status copy_pages(change *c, const growth *g)
{
    const sqa_kv_cache *cache = c->cache;
    sqa_status status = SQA_OK;
    for (uint32_t b = 0; b < cache->sizes.sequences && status == SQA_OK; b++)
        if (g->from[b] >= 0) {
            status = copy_page(c, cache->keys, cache->key_page, g->from[b], g->to[b]);
            if (status == SQA_OK)
                status = copy_page(c, cache->values, cache->value_page, g->from[b], g->to[b]);
        }
    return status;
}

static sqa_status write_tokens(change *c, const sqa_kv_tokens *tokens, const growth *g,
                               cl_mem indices)
{
    const sqa_kv_cache *cache = c->cache;
    sqa_kv_append_desc desc = cache->append;
    sqa_kv_append_tensors tensors = SQA_KV_APPEND_TENSORS_INIT;
    cl_event done = NULL;
    desc.length = g->longest;
    desc.ragged = tokens->counts != NULL;
    desc.total = desc.ragged ? g->total : 0;
    desc.k = tokens->k_strides;
    desc.v = tokens->v_strides;
    tensors.k = tokens->k;
    tensors.v = tokens->v;
    tensors.positions.buffer = tensors.block_table.buffer = tensors.cu_seqlens.buffer = indices;
    tensors.block_table.offset = sqa_kv_cache_table_at(cache);
    tensors.cu_seqlens.offset = sqa_kv_cache_starts_at(cache);
    tensors.k_cache.buffer = cache->keys;
    tensors.v_cache.buffer = cache->values;
    sqa_status status = sqa_kv_append(cache->context, c->queue, &desc, &tensors, wait_count_of(c),
                                      waits_of(c), &done);
    if (status == SQA_OK)
        advance(c, done);
    return status;
}

/* With `tokens` NULL they are written by others. */
static sqa_status enqueue_append(sqa_kv_cache *cache, cl_command_queue queue,
                                 const sqa_kv_tokens *tokens, const growth *g, cl_uint wait_count,
                                 const cl_event *wait_list, cl_event *event)
{
    change c;
    cl_mem indices = NULL;
    sqa_status status = new_indices(cache, cache->now->length, g->starts, &indices);
    if (status != SQA_OK)
        return status;
    status = open_change(&c, cache, queue, wait_count, wait_list);
    if (status == SQA_OK) {
        status = copy_pages(&c, g);
        if (status == SQA_OK && tokens && g->total > 0)
            status = write_tokens(&c, tokens, g, indices);
        if (status == SQA_OK)
            status = copy_indices(&c, indices);
        status = close_change(&c, status, event);
    }
    clReleaseMemObject(indices);
    return status;
}

static sqa_status lengthen(sqa_kv_cache *cache, cl_command_queue queue, const sqa_kv_tokens *tokens,
                           bool written, cl_uint wait_count, const cl_event *wait_list,
                           cl_event *event)
{
    sqa_status status = begin(cache, queue, wait_count, wait_list);
    if (status == SQA_OK)
        status = sqa_check_not_null("tokens", tokens);
    if (status == SQA_OK)
        status = sqa_check_version("tokens.version", tokens->version, SQA_KV_TOKENS_VERSION);
    if (status != SQA_OK)
        return status;
    const size_t sequences = cache->sizes.sequences;
    int32_t *numbers = calloc(3 * sequences + 1, sizeof *numbers);
    if (!numbers)
        return sqa_fail_memory("an append");
    growth g = {
        .starts = numbers, .from = numbers + sequences + 1, .to = numbers + 2 * sequences + 1};
    status = grow(cache, tokens, &g);
    if (status == SQA_OK)
        status =
            enqueue_append(cache, queue, written ? tokens : NULL, &g, wait_count, wait_list, event);
    free(numbers);
    return status;
}

sqa_status sqa_kv_cache_append(sqa_kv_cache *cache, cl_command_queue queue,
                               const sqa_kv_tokens *tokens, cl_uint wait_count,
                               const cl_event *wait_list, cl_event *event)
{
    return lengthen(cache, queue, tokens, true, wait_count, wait_list, event);
}

sqa_status sqa_kv_cache_extend(sqa_kv_cache *cache, cl_command_queue queue,
                               const sqa_kv_tokens *tokens, cl_uint wait_count,
                               const cl_event *wait_list, cl_event *event)
{
    return lengthen(cache, queue, tokens, false, wait_count, wait_list, event);
}

sqa_status sqa_kv_cache_length(const sqa_kv_cache *cache, uint32_t sequence, uint32_t *length,
                               uint32_t *room)
{
    sqa_status status = sqa_check_not_null("cache", cache);
    if (status == SQA_OK)
        status = check_sequence("sequence", cache, sequence);
    if (status == SQA_OK && length)
        *length = cache->now->length[sequence];
    if (status == SQA_OK && room)
        *room = sqa_page_table_room(&cache->sizes, cache->now, sequence);
    return status;
}
