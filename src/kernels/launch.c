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
    for (uint32_t i = 0; i < launch->step_count; i++)
        free(launch->steps[i].arguments);
    memset(launch, 0, sizeof *launch);
}
