#include "operations/operations.h"

#include <string.h>

#include "base/status.h"
#include "operations/entries.h"
#include "operations/tensors.h"

/* By the values of sqa_operation. */
static const sqa_operation_entry *const entries[] = {
    [SQA_OPERATION_FORWARD] = &sqa_operation_forward,
    [SQA_OPERATION_SELECT_BLOCKS] = &sqa_operation_select_blocks,
    [SQA_OPERATION_SELECTED_FORWARD] = &sqa_operation_selected_forward,
    [SQA_OPERATION_BACKWARD] = &sqa_operation_backward,
    [SQA_OPERATION_BACKWARD_DELTA] = &sqa_operation_backward_delta,
    [SQA_OPERATION_BACKWARD_CORE] = &sqa_operation_backward_core,
    [SQA_OPERATION_BACKWARD_SCORES] = &sqa_operation_backward_scores,
    [SQA_OPERATION_MATMUL] = &sqa_operation_matmul,
    [SQA_OPERATION_ACTIVATION] = &sqa_operation_activation,
    [SQA_OPERATION_ACTIVATION_BACKWARD] = &sqa_operation_activation_backward,
    [SQA_OPERATION_LINEAR_FORWARD] = &sqa_operation_linear_forward,
    [SQA_OPERATION_LINEAR_BACKWARD] = &sqa_operation_linear_backward,
    [SQA_OPERATION_MERGE] = &sqa_operation_merge,
    [SQA_OPERATION_LAYER] = &sqa_operation_layer,
    [SQA_OPERATION_LAYER_BACKWARD] = &sqa_operation_layer_backward,
    [SQA_OPERATION_ROPE] = &sqa_operation_rope,
    [SQA_OPERATION_NORM] = &sqa_operation_norm,
    [SQA_OPERATION_NORM_BACKWARD] = &sqa_operation_norm_backward,
    [SQA_OPERATION_KV_APPEND] = &sqa_operation_kv_append,
    [SQA_OPERATION_BLOCK] = &sqa_operation_block,
    [SQA_OPERATION_BLOCK_BACKWARD] = &sqa_operation_block_backward,
    [SQA_OPERATION_MLA_LAYER] = &sqa_operation_mla_layer,
};
enum { ENTRY_COUNT = sizeof entries / sizeof *entries };

const sqa_operation_entry *sqa_operation_of(const sqa_problem *problem)
{
    return entries[problem->operation];
}

size_t sqa_operation_count(void)
{
    return ENTRY_COUNT;
}

const sqa_operation_entry *sqa_operation_at(size_t index)
{
    return index < ENTRY_COUNT ? entries[index] : NULL;
}

const sqa_operation_entry *sqa_operation_find(const char *name)
{
    for (size_t i = 0; i < ENTRY_COUNT; i++)
        if (!strcmp(entries[i]->name, name))
            return entries[i];
    return NULL;
}

/* Negative enum values become large indices, so one comparison checks both ends. */
const char *sqa_operation_name(sqa_operation operation)
{
    const sqa_operation_entry *entry = sqa_operation_at((size_t)operation);
    return entry ? entry->name : NULL;
}

bool sqa_operation_from_name(const char *name, sqa_operation *out)
{
    const sqa_operation_entry *entry = sqa_operation_find(name);
    if (entry)
        *out = entry->id;
    return entry;
}

void sqa_operation_names(sqa_text *out)
{
    for (size_t i = 0; i < ENTRY_COUNT; i++)
        sqa_text_format(out, "%s%s", i ? ", " : "", entries[i]->name);
}

sqa_status sqa_operation_tolerance(const sqa_operation_entry *entry, const sqa_problem *problem,
                                   uint32_t slot, sqa_element element, const sqa_tolerance **out)
{
    for (uint32_t i = 0; i < entry->tolerance_count; i++) {
        const sqa_tolerance *row = &entry->tolerances[i];
        const bool asks = row->rms > 0.0 || row->max > 0.0 || row->absolute > 0.0;
        if (row->when && !(problem && row->when(problem)))
            continue;
        if (row->slot == slot && row->element == element && asks) {
            *out = row;
            return SQA_OK;
        }
    }
    if (entry->inner && slot < entry->inner->slot_count)
        return sqa_operation_tolerance(entry->inner, problem, slot, element, out);
    return sqa_fail(SQA_UNSUPPORTED, "%s has no tolerance for %s stored as %d", entry->name,
                    sqa_slot_of(entry, slot).name, (int)element);
}
