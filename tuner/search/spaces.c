/* Which families' configurations are searched for a problem; see tune_problem.h. */
#include <stdlib.h>
#include <string.h>

#include "kernels/registry.h"
#include "search/sweep.h"
#include "search/tune_problem.h"

static bool is_last_of_operation(size_t index)
{
    for (size_t later = index + 1; later < sqa_family_count(); later++)
        if (sqa_family_at(later)->operation == sqa_family_at(index)->operation)
            return false;
    return true;
}

static bool competes(const sqa_tuning_session *session, size_t index, bool first)
{
    const sqa_kernel_family *family = sqa_family_at(index);
    if (session->options->family)
        return !strcmp(family->name, session->options->family);
    /* What somebody built is meant to be tried. */
    bool is_last_resort = is_last_of_operation(index) && session->device.limits.has_compiler;
    return !is_last_resort || first;
}

/* Without a compiler, leaves the configurations that are pre-built. A space has many
 * more of them than a manifest has entries, so it is these that are gone through. */
static sqa_status keep_prebuilt(sqa_config_space *space, const sqa_tuning_session *session)
{
    const sqa_manifest *manifest = sqa_prebuilt_manifest(session->prebuilt);
    bool *keep = calloc(space->count ? space->count : 1, sizeof *keep);
    if (!keep)
        return sqa_fail_memory("the configuration space");
    for (size_t i = 0; i < manifest->count; i++) {
        const sqa_kernel_family *family;
        sqa_config config;
        if (!sqa_prebuilt_config(&manifest->entries[i], space->problem, space->device, &family,
                                 &config) ||
            family != space->family)
            continue;
        size_t at = sqa_config_space_find(space, &config);
        if (at != SIZE_MAX)
            keep[at] = true;
    }
    size_t kept = 0;
    for (size_t i = 0; i < space->count; i++)
        if (keep[i])
            space->configs[kept++] = space->configs[i];
    space->count = kept;
    free(keep);
    return SQA_OK;
}

static bool has_value(const sqa_parameter *parameter, int32_t value)
{
    for (size_t i = 0; i < parameter->value_count; i++)
        if (parameter->values[i] == value)
            return true;
    return false;
}

/* Leaves the values that were asked for, and the fallback, by which all are measured. */
static sqa_status keep_set(sqa_config_space *space, const sqa_tuning_session *session)
{
    sqa_parameter parameters[SQA_MAX_PARAMETERS];
    const sqa_contender fallback = sqa_fallback_of(session, space->problem);
    sqa_status status = sqa_sweep_narrow(space->family, session->options->set, parameters);
    size_t kept = 0;
    for (size_t i = 0; i < space->count && status == SQA_OK; i++) {
        const sqa_config *own = &space->configs[i];
        bool keep = true;
        for (size_t p = 0; p < space->family->parameter_count && keep; p++)
            keep = has_value(&parameters[p], own->value[p]);
        if (keep || (space->family == fallback.family && sqa_config_equal(own, &fallback.config)))
            space->configs[kept++] = *own;
    }
    space->count = kept;
    return status;
}

sqa_status sqa_spaces_create(sqa_config_space spaces[SQA_MOST_FAMILIES], size_t *count,
                             const sqa_problem *problem, const sqa_tuning_session *session)
{
    *count = 0;
    for (size_t i = 0; i < sqa_family_count() && *count < SQA_MOST_FAMILIES; i++) {
        const sqa_kernel_family *candidate = sqa_family_at(i);
        if (candidate->operation != problem->operation || !competes(session, i, *count == 0))
            continue;
        sqa_config_space *space = &spaces[*count];
        sqa_status status = sqa_config_space_create(space, candidate, problem, &session->device);
        if (status == SQA_OK && !session->device.limits.has_compiler)
            status = keep_prebuilt(space, session);
        if (status == SQA_OK && session->options->set)
            status = keep_set(space, session);
        if (status != SQA_OK) {
            sqa_config_space_free(space);
            return status;
        }
        if (space->count)
            ++*count;
        else
            sqa_config_space_free(space);
    }
    return SQA_OK;
}
