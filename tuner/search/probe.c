/* See probe.h. */
#include "search/probe.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/registry.h"
#include "operations/shape.h"
#include "store/probe.h"

static bool is_right(const sqa_trial_result *result)
{
    return result->status == SQA_TRIAL_OK || result->status == SQA_TRIAL_TOO_NOISY;
}

static sqa_status try_shape(const sqa_probing *self, const sqa_kernel_family *family,
                            const sqa_problem *problem, sqa_trial_result *out)
{
    const sqa_pace no_pace = {(double)NAN, (double)NAN};
    sqa_candidate_text candidate;
    sqa_config config;
    memset(&config, 0, sizeof config);
    family->default_config(problem, self->device, &config);
    snprintf(candidate.family, sizeof candidate.family, "%s", family->name);
    sqa_config_format(family, &config, candidate.config);
    return sqa_runner_trial(self->runner, problem, &candidate, &no_pace, out);
}

/* All shapes that the device can be asked, up to the first failure. */
static sqa_status probe(const sqa_probing *self, const sqa_kernel_family *family, bool *asked,
                        sqa_trial_result *out)
{
    sqa_status status = SQA_OK;
    *asked = false;
    *out = sqa_trial_failure(SQA_TRIAL_OK, "");
    for (size_t i = 0; family->probes[i] && status == SQA_OK && is_right(out); i++) {
        sqa_problem problem;
        const char *why = NULL;
        status = sqa_problem_parse(family->probes[i], &problem);
        if (status != SQA_OK || !family->supports(&problem, self->device, &why))
            continue;
        *asked = true;
        status = try_shape(self, family, &problem, out);
    }
    if (is_right(out))
        *out = sqa_trial_failure(SQA_TRIAL_OK, "");
    return status;
}

static bool is_wanted(sqa_probe_again again, bool found, bool failed)
{
    return !found || again == SQA_PROBE_ALL_AGAIN || (failed && again == SQA_PROBE_FAILED_AGAIN);
}

static sqa_status probe_family(const sqa_probing *self, const sqa_kernel_family *family,
                               sqa_probe_again again)
{
    bool found = false, failed = false, asked = false;
    sqa_trial_result result;
    sqa_status status =
        sqa_store_find_probe(self->store, self->environment, family, &found, &failed);
    if (status != SQA_OK || !is_wanted(again, found, failed))
        return status;
    status = probe(self, family, &asked, &result);
    if (status != SQA_OK || !asked)
        return status;
    status = sqa_store_set_probe(self->store, self->environment, family, &result);
    if (status == SQA_OK && self->tell)
        self->tell(self->user, family, &result);
    return status;
}

static bool concerns(const sqa_kernel_family *family, const sqa_problem *problems, size_t count)
{
    bool any = !problems;
    for (size_t i = 0; i < count && !any; i++)
        any = problems[i].operation == family->operation;
    return any;
}

sqa_status sqa_probe_families(const sqa_probing *probing, const sqa_problem *problems,
                              size_t problem_count, sqa_probe_again again)
{
    sqa_status status = SQA_OK;
    if (!probing->device->limits.has_compiler)
        return SQA_OK;
    for (size_t i = 0; i < sqa_family_count() && status == SQA_OK; i++) {
        const sqa_kernel_family *family = sqa_family_at(i);
        if (family->probes && concerns(family, problems, problem_count))
            status = probe_family(probing, family, again);
    }
    return status;
}
