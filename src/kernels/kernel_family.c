#include "kernels/kernel_family.h"

#include <stdio.h>
#include <string.h>

#define ALWAYS " -cl-mad-enable -cl-no-signed-zeros -w"
const char sqa_build_options[] = "-cl-std=CL1.2" ALWAYS;
const char sqa_option_unoptimised[] = " -cl-opt-disable";

void sqa_family_options(const sqa_kernel_family *family, const sqa_config *config,
                        const sqa_problem *problem, const sqa_device *device,
                        char out[SQA_OPTIONS_TEXT])
{
    const sqa_build_needs none = {NULL, NULL};
    const sqa_build_needs needs = family->needs ? family->needs(config, problem, device) : none;
    const bool more = needs.option && *needs.option;
    snprintf(out, SQA_OPTIONS_TEXT, "-cl-std=%s%s%s%s", needs.standard ? needs.standard : "CL1.2",
             ALWAYS, more ? " " : "", more ? needs.option : "");
}

bool sqa_family_supports_all(const sqa_problem *problem, const sqa_device *device, const char **why)
{
    (void)problem, (void)device, (void)why;
    return true;
}

bool sqa_family_runs_all(const sqa_config *config, const sqa_problem *problem,
                         const sqa_device *device, const char **why)
{
    (void)config, (void)problem, (void)device, (void)why;
    return true;
}

void sqa_family_no_parameters(const sqa_problem *problem, const sqa_device *device,
                              sqa_config *config)
{
    (void)problem, (void)device;
    memset(config, 0, sizeof *config);
}

static bool values_allowed(const sqa_kernel_family *family, const sqa_config *config,
                           const char **why)
{
    for (size_t i = 0; i < family->parameter_count; i++) {
        const sqa_parameter *parameter = &family->parameters[i];
        size_t j = 0;
        while (j < parameter->value_count && parameter->values[j] != config->value[i])
            j++;
        if (j == parameter->value_count) {
            *why = "a parameter has a value that is not allowed";
            return false;
        }
    }
    return true;
}

bool sqa_family_accepts(const sqa_kernel_family *family, const sqa_config *config,
                        const sqa_problem *problem, const sqa_device *device, const char **why)
{
    const char *unused = NULL;
    if (!why)
        why = &unused;
    if (family->operation != problem->operation) {
        *why = "is for another operation";
        return false;
    }
    return family->supports(problem, device, why) && values_allowed(family, config, why) &&
           family->is_valid(config, problem, device, why);
}
