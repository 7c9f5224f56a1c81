#include "api/tensors.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "device/cl_status.h"
#include "runtime/context.h"

/* Where a tensor lies: from bit `at` on of what has no part of another memory. */
typedef struct place {
    const sqa_tensor_need *need;
    const void *memory; /* a buffer that is no sub-buffer, or the host's memory */
    uint64_t at;
} place;

/* Memory is the host's where the caller made a buffer of it: two may be made of the same. */
static const char host_memory;

static sqa_status ask(const char *name, cl_mem buffer, cl_mem_info what, void *out, size_t size)
{
    cl_int code = clGetMemObjectInfo(buffer, what, size, out, NULL);
    return code == CL_SUCCESS ? SQA_OK
                              : sqa_fail(SQA_INVALID_ARGUMENT, "tensors.%s: not a buffer (%s)",
                                         name, sqa_cl_error_name(code));
}

/* Where a buffer that is no sub-buffer begins. */
static sqa_status find_root(const char *name, cl_mem buffer, place *out)
{
    cl_mem_flags flags = 0;
    const void *host = NULL;
    out->memory = buffer;
    sqa_status status = ask(name, buffer, CL_MEM_FLAGS, &flags, sizeof flags);
    if (status != SQA_OK || !(flags & CL_MEM_USE_HOST_PTR))
        return status;
    status = ask(name, buffer, CL_MEM_HOST_PTR, &host, sizeof host);
    if (host) {
        out->memory = &host_memory;
        out->at += (uint64_t)(uintptr_t)host * 8;
    }
    return status;
}

static sqa_status find_memory(const char *name, cl_mem buffer, place *out)
{
    cl_mem whole = NULL;
    size_t origin = 0;
    sqa_status status = ask(name, buffer, CL_MEM_ASSOCIATED_MEMOBJECT, &whole, sizeof whole);
    if (status == SQA_OK && whole)
        status = ask(name, buffer, CL_MEM_OFFSET, &origin, sizeof origin);
    out->at += (uint64_t)origin * 8;
    return status == SQA_OK ? find_root(name, whole ? whole : buffer, out) : status;
}

static sqa_status check_buffer(const char *name, cl_mem buffer, cl_context context, size_t *bytes)
{
    cl_context other = NULL;
    if (!buffer)
        return sqa_fail(SQA_INVALID_ARGUMENT, "tensors.%s: the buffer must not be NULL", name);
    sqa_status status = ask(name, buffer, CL_MEM_SIZE, bytes, sizeof *bytes);
    if (status == SQA_OK)
        status = ask(name, buffer, CL_MEM_CONTEXT, &other, sizeof other);
    if (status == SQA_OK && other != context)
        status = sqa_fail(SQA_INVALID_ARGUMENT,
                          "tensors.%s: the buffer belongs to another OpenCL context than the plan",
                          name);
    return status;
}

static sqa_status find_place(const sqa_tensor_need *need, const sqa_tensor *tensor,
                             cl_context context, place *out)
{
    size_t bytes = 0;
    sqa_status status = check_buffer(need->name, tensor->buffer, context, &bytes);
    if (status != SQA_OK)
        return status;
    const uint32_t group = sqa_element_group(need->element);
    const uint64_t elements = (uint64_t)bytes / sqa_element_bytes(need->element, group) * group;
    if (tensor->offset % group)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "tensors.%s: the offset, %llu, is not a multiple of %u, as quantised "
                        "elements lie",
                        need->name, (unsigned long long)tensor->offset, group);
    if (need->extent > elements || tensor->offset > elements - need->extent)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "tensors.%s: the view spans %llu elements from element %llu on, the buffer "
                        "has %llu",
                        need->name, (unsigned long long)need->extent,
                        (unsigned long long)tensor->offset, (unsigned long long)elements);
    *out = (place){.need = need, .at = 8 * sqa_element_bytes(need->element, tensor->offset)};
    return find_memory(need->name, tensor->buffer, out);
}

static bool is_in_place(const place *written, const place *other)
{
    return written->need->in_place == other->need->slot + 1 && written->at == other->at;
}

static sqa_status check_apart(const place *written, const place *other)
{
    const sqa_view *a = &written->need->view, *b = &other->need->view;
    if (written->memory != other->memory || is_in_place(written, other) ||
        !sqa_views_overlap(a, written->at, b, other->at))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "tensors.%s: shares elements with tensors.%s (bytes %llu..%llu and %llu..%llu "
                    "of one %s); what is written must lie apart from every other tensor",
                    written->need->name, other->need->name, (unsigned long long)written->at / 8,
                    (unsigned long long)(written->at + a->span - 1) / 8,
                    (unsigned long long)other->at / 8,
                    (unsigned long long)(other->at + b->span - 1) / 8,
                    written->memory == &host_memory ? "host's memory" : "buffer");
}

/* Each pair once, of which at least one is written. */
static sqa_status check_all_apart(const place *places, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < i; j++) {
            const bool output = places[i].need->output;
            if (!output && !places[j].need->output)
                continue;
            sqa_status status =
                output ? check_apart(&places[i], &places[j]) : check_apart(&places[j], &places[i]);
            if (status != SQA_OK)
                return status;
        }
    return SQA_OK;
}

sqa_status sqa_check_tensors(sqa_tensor out[SQA_MAX_SLOTS], const sqa_plan *plan,
                             const void *tensors, cl_mem workspace)
{
    const cl_context context = plan->context->cl;
    place places[SQA_MAX_SLOTS];
    uint32_t count = 0;
    sqa_status status = SQA_OK;
    memset(out, 0, SQA_MAX_SLOTS * sizeof *out);
    for (; count < plan->need_count && status == SQA_OK; count++) {
        const sqa_tensor_need *need = &plan->needs[count];
        sqa_tensor *tensor = &out[need->slot];
        memcpy(tensor, (const char *)tensors + need->member, sizeof *tensor);
        status = find_place(need, tensor, context, &places[count]);
    }
    out[SQA_SLOT_WORKSPACE].buffer = workspace ? workspace : plan->workspace;
    if (workspace && plan->workspace_bytes > 0 && status == SQA_OK)
        status =
            find_place(&plan->workspace_need, &out[SQA_SLOT_WORKSPACE], context, &places[count++]);
    return status == SQA_OK ? check_all_apart(places, count) : status;
}

sqa_status sqa_check_tensor(sqa_tensor *out, const sqa_plan *plan, const void *tensors,
                            uint32_t slot)
{
    place unused;
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < plan->need_count; i++) {
        const sqa_tensor_need *need = &plan->needs[i];
        if (need->slot != slot)
            continue;
        memcpy(out, (const char *)tensors + need->member, sizeof *out);
        return find_place(need, out, plan->context->cl, &unused);
    }
    return SQA_OK;
}
