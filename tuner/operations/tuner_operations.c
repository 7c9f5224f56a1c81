#include "operations/tuner_operations.h"

#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "operations/activation/activation.h"
#include "operations/backward/backward.h"
#include "operations/block/block.h"
#include "operations/forward/forward.h"
#include "operations/kv_append/kv_append.h"
#include "operations/layer/layer.h"
#include "operations/linear/linear.h"
#include "operations/matmul/matmul.h"
#include "operations/merge/merge.h"
#include "operations/mla/mla.h"
#include "operations/norm/norm.h"
#include "operations/operations.h"
#include "operations/rope/rope.h"
#include "operations/select_blocks/select_blocks.h"
#include "operations/selected_forward/selected_forward.h"

static const sqa_tuner_operation *const operations[] = {
    &sqa_tuner_forward,
    &sqa_tuner_select_blocks,
    &sqa_tuner_selected_forward,
    &sqa_tuner_backward,
    &sqa_tuner_backward_delta,
    &sqa_tuner_backward_core,
    &sqa_tuner_backward_scores,
    &sqa_tuner_matmul,
    &sqa_tuner_activation,
    &sqa_tuner_activation_backward,
    &sqa_tuner_linear,
    &sqa_tuner_linear_backward,
    &sqa_tuner_merge,
    &sqa_tuner_layer,
    &sqa_tuner_layer_backward,
    &sqa_tuner_rope,
    &sqa_tuner_norm,
    &sqa_tuner_norm_backward,
    &sqa_tuner_kv_append,
    &sqa_tuner_block,
    &sqa_tuner_block_backward,
    &sqa_tuner_mla_layer,
};

const sqa_tuner_operation *sqa_tuner_operation_find(sqa_operation operation)
{
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (operations[i]->entry->id == operation)
            return operations[i];
    return NULL;
}

const sqa_property *sqa_property_find(const sqa_tuner_operation *operation, const char *name)
{
    for (size_t i = 0; i < operation->property_count; i++)
        if (!strcmp(operation->properties[i].name, name))
            return &operation->properties[i];
    return NULL;
}

static bool find_joint_pass(const char *name, sqa_timed_pass *out)
{
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        for (const sqa_timed_pass *pass = operations[i]->passes; pass && pass->name; pass++)
            if (!strcmp(pass->name, name)) {
                *out = *pass;
                return true;
            }
    return false;
}

static void name_passes(sqa_text *out)
{
    sqa_operation_names(out);
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        for (const sqa_timed_pass *pass = operations[i]->passes; pass && pass->name; pass++)
            sqa_text_format(out, ", %s", pass->name);
}

sqa_status sqa_timed_pass_find(const char *name, sqa_timed_pass *out)
{
    const sqa_operation_entry *entry = sqa_operation_find(name);
    if (entry) {
        *out = (sqa_timed_pass){entry->name, {{entry, ""}}, 1, 0};
        return SQA_OK;
    }
    if (find_joint_pass(name, out))
        return SQA_OK;
    sqa_text names = SQA_TEXT_INIT;
    name_passes(&names);
    sqa_fail(SQA_INVALID_ARGUMENT, "--op: '%.40s' is not one of %s", name, sqa_text_get(&names));
    sqa_text_free(&names);
    return SQA_INVALID_ARGUMENT;
}

static bool has_preset(const sqa_tuner_operation *operation, const char *name)
{
    for (const char *const *own = operation->preset_names; *own; own++)
        if (!strcmp(*own, name))
            return true;
    return false;
}

/* Several operations may have problems of one preset. */
void sqa_preset_names(sqa_text *out)
{
    const char *separator = "";
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        for (const char *const *name = operations[i]->preset_names; *name; name++) {
            size_t first = 0;
            while (!has_preset(operations[first], *name))
                first++;
            if (first < i)
                continue;
            sqa_text_format(out, "%s%s", separator, *name);
            separator = ", ";
        }
}

sqa_status sqa_preset_list(const char *name, sqa_case_list *out)
{
    const size_t before = out->count;
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < sizeof operations / sizeof *operations && status == SQA_OK; i++)
        if (operations[i]->preset)
            status = operations[i]->preset(name, out);
    if (status != SQA_OK || out->count > before)
        return status;
    sqa_text names = SQA_TEXT_INIT;
    sqa_preset_names(&names);
    sqa_fail(SQA_INVALID_ARGUMENT, "--preset is '%.40s'; expected one of %s", name,
             sqa_text_get(&names));
    sqa_text_free(&names);
    return SQA_INVALID_ARGUMENT;
}

sqa_status sqa_case_list_add(sqa_case_list *list, const sqa_problem *problem)
{
    /* A power of two is full. */
    if ((list->count & (list->count - 1)) == 0) {
        const size_t larger = list->count ? 2 * list->count : 1;
        sqa_problem *cases = realloc(list->cases, larger * sizeof *cases);
        if (!cases)
            return sqa_fail_memory("the list of cases");
        list->cases = cases;
    }
    list->cases[list->count++] = *problem;
    return SQA_OK;
}

void sqa_case_list_free(sqa_case_list *list)
{
    free(list->cases);
    *list = (sqa_case_list){NULL, 0};
}
