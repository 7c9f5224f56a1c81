#include "kernels/launch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"

sqa_launch_step *sqa_launch_add_step(sqa_launch *launch, const char *kernel, uint32_t dimensions)
{
    assert(launch->step_count < SQA_MAX_STEPS);
    sqa_launch_step *step = &launch->steps[launch->step_count++];
    step->kernel = kernel;
    step->dimensions = dimensions;
    return step;
}

void sqa_launch_add_call(sqa_launch *launch, const sqa_library_call *call,
                         const sqa_problem *problem)
{
    sqa_launch_step *step = sqa_launch_add_step(launch, NULL, 0);
    step->call = call;
    step->problem = malloc(sizeof *problem);
    if (step->problem)
        memcpy(step->problem, problem, sizeof *problem);
    else
        launch->failed = true;
}

bool sqa_launch_has_kernels(const sqa_launch *launch)
{
    for (uint32_t i = 0; i < launch->step_count; i++)
        if (!launch->steps[i].call)
            return true;
    return false;
}

sqa_status sqa_launch_ask_libraries(sqa_launch *launch, cl_context context, cl_device_id device)
{
    for (uint32_t i = 0; i < launch->step_count; i++) {
        const sqa_launch_step *step = &launch->steps[i];
        size_t bytes = 0;
        if (!step->call)
            continue;
        sqa_status status = step->call->workspace(step->problem, context, device, &bytes);
        if (status != SQA_OK)
            return status;
        if (bytes > launch->workspace_bytes)
            launch->workspace_bytes = bytes;
    }
    return SQA_OK;
}

sqa_argument *sqa_launch_arguments(sqa_launch *launch, sqa_launch_step *step, uint32_t count)
{
    step->arguments = calloc(count ? count : 1, sizeof *step->arguments);
    if (step->arguments)
        step->argument_count = count;
    else
        launch->failed = true;
    return step->arguments;
}

sqa_status sqa_launch_status(const sqa_launch *launch)
{
    return launch->failed ? sqa_fail_memory("a launch") : SQA_OK;
}

void sqa_launch_free(sqa_launch *launch)
{
    for (uint32_t i = 0; i < launch->step_count; i++) {
        free(launch->steps[i].arguments);
        free(launch->steps[i].problem);
    }
    memset(launch, 0, sizeof *launch);
}
