#include "operations/tensors.h"

#include <string.h>

#include "operations/operations.h"
#include "problem/groups.h"

/* Elements are stored one by one, or in groups that share a scale. */
static const struct {
    const char *name;
    uint32_t group, bytes;
} elements[SQA_ELEMENT_COUNT] = {
    [SQA_ELEMENT_F32] = {"f32", 1, 4},
    [SQA_ELEMENT_F16] = {"f16", 1, 2},
    [SQA_ELEMENT_BF16] = {"bf16", 1, 2},
    [SQA_ELEMENT_INT8] = {"int8", SQA_GROUP, SQA_GROUP_BYTES_INT8},
    [SQA_ELEMENT_INT4] = {"int4", SQA_GROUP, SQA_GROUP_BYTES_INT4},
    [SQA_ELEMENT_BYTE] = {"bytes", 1, 1},
    [SQA_ELEMENT_INT] = {"int32", 1, 4},
};

uint32_t sqa_element_group(sqa_element element)
{
    return elements[element].group;
}

int64_t sqa_element_places(sqa_element element, int64_t count)
{
    const uint32_t group = elements[element].group;
    return group > 1 ? count / group * elements[element].bytes : count;
}

const char *sqa_element_name(sqa_element element)
{
    return elements[element].name;
}

bool sqa_element_is_float(sqa_element element)
{
    return element <= SQA_ELEMENT_INT4;
}

double sqa_element_size(sqa_element element)
{
    return (double)elements[element].bytes / elements[element].group;
}

uint64_t sqa_element_bytes(sqa_element element, uint64_t count)
{
    const uint32_t group = elements[element].group;
    return (count / group + (count % group > 0 ? 1 : 0)) * elements[element].bytes;
}

sqa_tensor_slot sqa_slot_of(const sqa_operation_entry *entry, uint32_t slot)
{
    static const sqa_tensor_slot unused = {.use = SQA_SLOT_UNUSED};
    if (!entry->inner || slot >= entry->inner->slot_count)
        return slot < entry->slot_count ? entry->slots[slot] : unused;
    sqa_tensor_slot own = sqa_slot_of(entry->inner, slot);
    own.member += entry->inner_tensors;
    return own;
}

bool sqa_tensor_shape_of(const sqa_problem *problem, uint32_t slot, sqa_tensor_shape *out)
{
    const sqa_operation_entry *entry = sqa_operation_of(problem);
    memset(out, 0, sizeof *out);
    if (sqa_slot_of(entry, slot).use != SQA_SLOT_UNUSED && entry->tensor(problem, slot, out))
        return true;
    memset(out, 0, sizeof *out);
    return false;
}

uint64_t sqa_tensor_extent(const sqa_tensor_shape *shape)
{
    return sqa_extent(&shape->strides, shape->batch, shape->heads, shape->length, shape->dim);
}

const char *sqa_tensor_name(const sqa_problem *problem, uint32_t slot)
{
    return sqa_slot_of(sqa_operation_of(problem), slot).name;
}

bool sqa_tensor_is_output(const sqa_problem *problem, uint32_t slot)
{
    return sqa_slot_of(sqa_operation_of(problem), slot).use == SQA_SLOT_OUTPUT;
}

bool sqa_writes_nothing(const sqa_problem *problem)
{
    const uint32_t slots = sqa_operation_of(problem)->slot_count;
    sqa_tensor_shape shape;
    for (uint32_t slot = 0; slot < slots; slot++)
        if (sqa_tensor_is_output(problem, slot) && sqa_tensor_shape_of(problem, slot, &shape) &&
            sqa_tensor_extent(&shape) > 0)
            return false;
    return true;
}

bool sqa_tensor_is_updated(const sqa_problem *problem, uint32_t slot)
{
    const sqa_operation_entry *entry = sqa_operation_of(problem);
    return sqa_tensor_is_output(problem, slot) && entry->is_updated &&
           entry->is_updated(problem, slot);
}

/* The slot's `in_place`, where both tensors have their elements at the same places. */
static uint32_t in_place_of(const sqa_problem *problem, uint32_t slot,
                            const sqa_tensor_shape *shape)
{
    const uint32_t in_place = sqa_slot_of(sqa_operation_of(problem), slot).in_place;
    sqa_tensor_shape input;
    const bool same = in_place && sqa_tensor_shape_of(problem, in_place - 1, &input) &&
                      !memcmp(&input.strides, &shape->strides, sizeof input.strides);
    return same && input.element == shape->element ? in_place : 0;
}

uint32_t sqa_tensor_needs(const sqa_problem *problem, sqa_tensor_need out[SQA_MAX_TENSORS])
{
    const sqa_operation_entry *entry = sqa_operation_of(problem);
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < entry->slot_count && !entry->is_nothing(problem); slot++) {
        const sqa_tensor_slot own = sqa_slot_of(entry, slot);
        sqa_tensor_shape shape;
        if (!sqa_tensor_shape_of(problem, slot, &shape) || !entry->is_touched(problem, slot) ||
            sqa_tensor_extent(&shape) == 0)
            continue;
        out[count++] = (sqa_tensor_need){.name = own.name,
                                         .slot = slot,
                                         .member = own.member,
                                         .extent = sqa_tensor_extent(&shape),
                                         .element = shape.element,
                                         .output = own.use == SQA_SLOT_OUTPUT,
                                         .in_place = in_place_of(problem, slot, &shape),
                                         .view = sqa_view_of(&shape)};
    }
    return count;
}

/* Elements that a tensor really has: repeated dimensions count once. */
static double stored_elements(const sqa_tensor_shape *shape)
{
    const double batch = shape->strides.batch || shape->batch < 2 ? shape->batch : 1;
    const double heads = shape->strides.head || shape->heads < 2 ? shape->heads : 1;
    const double length = shape->strides.sequence || shape->length < 2 ? shape->length : 1;
    return batch * heads * length * shape->dim;
}

/* Elements that a call reads and writes. */
static double moved_elements(const sqa_problem *problem, uint32_t slot,
                             const sqa_tensor_shape *shape)
{
    const sqa_operation_entry *entry = sqa_operation_of(problem);
    const double some = entry->moved ? entry->moved(problem, slot) : -1.0;
    const int ways = sqa_tensor_is_updated(problem, slot) ? 2 : 1;
    return some >= 0.0 ? some : stored_elements(shape) * ways;
}

double sqa_problem_bytes(const sqa_problem *problem)
{
    double bytes = 0.0;
    sqa_tensor_shape shape;
    for (uint32_t slot = 0; slot < SQA_MAX_TENSORS; slot++)
        if (sqa_tensor_shape_of(problem, slot, &shape))
            bytes += moved_elements(problem, slot, &shape) * sqa_element_size(shape.element);
    return bytes;
}

double sqa_problem_flop(const sqa_problem *problem)
{
    return sqa_operation_of(problem)->flop(problem);
}
