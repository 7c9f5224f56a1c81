#include "reference/host_tensors.h"

#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "operations/operations.h"

/* Aligned starts and odd ones alike: a view may start at any element, or group of them. */
static size_t guard_of(uint64_t seed, uint32_t slot, sqa_element element, bool guarded)
{
    const size_t odd = (size_t)((seed + slot) % 4), group = sqa_element_group(element);
    return !guarded ? 0 : group == 1 ? 64 + odd : (2 + odd) * group;
}

static sqa_status create(sqa_host_tensors *tensors, uint32_t slot, uint64_t seed, bool guarded,
                         sqa_random *random)
{
    const sqa_tensor_slot row = sqa_slot_of(sqa_operation_of(&tensors->problem), slot);
    sqa_host_tensor *tensor = &tensors->of[slot];
    const bool updated = sqa_tensor_is_updated(&tensors->problem, slot);
    sqa_tensor_shape shape;
    if (!sqa_tensor_shape_of(&tensors->problem, slot, &shape))
        return SQA_OK;
    sqa_status status =
        sqa_host_tensor_create(tensor, &shape, guard_of(seed, slot, shape.element, guarded));
    if (status != SQA_OK || (row.use == SQA_SLOT_OUTPUT && !updated))
        return status;
    if (row.fill)
        row.fill(&tensors->problem, sqa_tensor_extent(&shape), guarded, random,
                 (void *)(uintptr_t)sqa_host_tensor_view(tensor));
    else
        sqa_host_tensor_fill_random(tensor, random, row.low, row.high);
    if (row.map)
        sqa_host_tensor_map(tensor, &tensors->problem, row.map);
    return updated ? sqa_host_tensor_keep(tensor) : SQA_OK;
}

sqa_status sqa_host_tensors_create(sqa_host_tensors *out, const sqa_problem *problem, uint64_t seed,
                                   bool guarded)
{
    sqa_random random = {seed};
    sqa_status status = SQA_OK;
    memset(out, 0, sizeof *out);
    out->problem = *problem;
    const uint32_t slots = sqa_operation_of(problem)->slot_count;
    for (uint32_t slot = 0; slot < slots && status == SQA_OK; slot++)
        status = create(out, slot, seed, guarded, &random);
    if (status != SQA_OK)
        sqa_host_tensors_free(out);
    return status;
}

void sqa_host_tensors_free(sqa_host_tensors *tensors)
{
    for (uint32_t slot = 0; slot < SQA_MAX_TENSORS; slot++)
        sqa_host_tensor_free(&tensors->of[slot]);
}

sqa_reference_inputs sqa_host_tensors_views(const sqa_host_tensors *tensors)
{
    sqa_reference_inputs views;
    for (uint32_t slot = 0; slot < SQA_MAX_TENSORS; slot++)
        views.by_slot[slot] = sqa_host_tensor_view(&tensors->of[slot]);
    return views;
}

sqa_reference_inputs sqa_host_tensors_views_before(const sqa_host_tensors *tensors)
{
    sqa_reference_inputs views;
    for (uint32_t slot = 0; slot < SQA_MAX_TENSORS; slot++)
        views.by_slot[slot] = sqa_host_tensor_view_before(&tensors->of[slot]);
    return views;
}

sqa_status sqa_host_tensors_upload(sqa_host_tensors *tensors, cl_context context)
{
    sqa_status status = SQA_OK;
    for (uint32_t slot = 0; slot < SQA_MAX_TENSORS && status == SQA_OK; slot++) {
        sqa_host_tensor *tensor = &tensors->of[slot];
        if (tensor->data && !sqa_tensor_is_output(&tensors->problem, slot))
            status = sqa_host_tensor_upload(tensor, context);
    }
    return status == SQA_OK ? sqa_host_tensors_renew_outputs(tensors, context) : status;
}

sqa_status sqa_host_tensors_renew_outputs(sqa_host_tensors *tensors, cl_context context)
{
    sqa_status status = SQA_OK;
    for (uint32_t slot = 0; slot < SQA_MAX_TENSORS && status == SQA_OK; slot++) {
        sqa_host_tensor *tensor = &tensors->of[slot];
        if (!tensor->data || !sqa_tensor_is_output(&tensors->problem, slot))
            continue;
        sqa_host_tensor_restore(tensor);
        status = sqa_host_tensor_upload(tensor, context);
    }
    return status;
}

void sqa_host_tensors_bind(const sqa_host_tensors *tensors, sqa_tensor out[SQA_MAX_SLOTS])
{
    memset(out, 0, SQA_MAX_SLOTS * sizeof *out);
    for (uint32_t slot = 0; slot < SQA_MAX_TENSORS; slot++)
        out[slot] = (sqa_tensor){tensors->of[slot].buffer, tensors->of[slot].guard};
}

static sqa_status look_over_input(const sqa_host_tensor *tensor, const char *name,
                                  cl_command_queue queue, char finding[SQA_FINDING_TEXT])
{
    bool same = true;
    sqa_status status = sqa_host_tensor_unchanged(tensor, queue, &same);
    if (status == SQA_OK && !same)
        snprintf(finding, SQA_FINDING_TEXT, "the input %s was written to", name);
    return status;
}

/* `written`: the call was to write it. */
static sqa_status look_over_output(sqa_host_tensor *tensor, const char *name, bool written,
                                   cl_command_queue queue, char finding[SQA_FINDING_TEXT])
{
    int64_t where = 0;
    sqa_status status = sqa_host_tensor_download(tensor, queue);
    if (status != SQA_OK)
        return status;
    if (sqa_host_tensor_broken_guard(tensor, &where))
        snprintf(finding, SQA_FINDING_TEXT,
                 "%s was written outside its view, %lld elements from its start", name,
                 (long long)where);
    else if (written && sqa_host_tensor_unwritten(tensor, &where))
        snprintf(finding, SQA_FINDING_TEXT, "%s was not written, %lld elements from its start",
                 name, (long long)where);
    return SQA_OK;
}

sqa_status sqa_host_tensors_look_over_outputs(sqa_host_tensors *tensors, cl_command_queue queue,
                                              char finding[SQA_FINDING_TEXT])
{
    const bool nothing = sqa_operation_of(&tensors->problem)->is_nothing(&tensors->problem);
    sqa_status status = SQA_OK;
    finding[0] = '\0';
    for (uint32_t slot = 0; slot < SQA_MAX_TENSORS && status == SQA_OK; slot++) {
        sqa_host_tensor *tensor = &tensors->of[slot];
        if (tensor->buffer && sqa_tensor_is_output(&tensors->problem, slot))
            status = look_over_output(tensor, sqa_tensor_name(&tensors->problem, slot), !nothing,
                                      queue, finding);
    }
    return status;
}

sqa_status sqa_host_tensors_look_over(sqa_host_tensors *tensors, cl_command_queue queue,
                                      char finding[SQA_FINDING_TEXT])
{
    sqa_status status = sqa_host_tensors_look_over_outputs(tensors, queue, finding);
    for (uint32_t slot = 0; slot < SQA_MAX_TENSORS && status == SQA_OK; slot++) {
        const sqa_host_tensor *tensor = &tensors->of[slot];
        if (tensor->buffer && !sqa_tensor_is_output(&tensors->problem, slot))
            status =
                look_over_input(tensor, sqa_tensor_name(&tensors->problem, slot), queue, finding);
    }
    return status;
}
