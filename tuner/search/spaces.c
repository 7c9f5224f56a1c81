/* Which families' configurations are searched for a problem; see tune_problem.h. */
#include <string.h>

#include "kernels/registry.h"
#include "search/tune_problem.h"

static bool is_hopeless(const sqa_tuning_session *session, const sqa_kernel_family *family)
{
    for (size_t i = 0; session && i < session->hopeless_count; i++)
        if (session->hopeless[i] == family)
            return true;
    return false;
}

static bool is_last_of_operation(size_t index)
{
    for (size_t later = index + 1; later < sqa_family_count(); later++)
        if (sqa_family_at(later)->operation == sqa_family_at(index)->operation)
            return false;
    return true;
}

sqa_status sqa_spaces_create(sqa_config_space spaces[SQA_MOST_FAMILIES], size_t *count,
                             const sqa_problem *problem, const sqa_device *device,
                             const char *family, const sqa_tuning_session *session)
{
    *count = 0;
    for (size_t i = 0; i < sqa_family_count() && *count < SQA_MOST_FAMILIES; i++) {
        const sqa_kernel_family *candidate = sqa_family_at(i);
        bool asked_for = family && !strcmp(candidate->name, family);
        bool competes = !family && !is_hopeless(session, candidate) &&
                        (!is_last_of_operation(i) || *count == 0);
        if (candidate->operation != problem->operation || !(asked_for || competes))
            continue;
        sqa_status status = sqa_config_space_create(&spaces[*count], candidate, problem, device);
        if (status != SQA_OK)
            return status;
        if (spaces[*count].count)
            ++*count;
        else
            sqa_config_space_free(&spaces[*count]);
    }
    return SQA_OK;
}
