/* See trial_bench.h. */
#include "trial/trial_bench.h"

#include <string.h>

#include "device/cl_status.h"
#include "runtime/plan.h"

/* A yardstick slower than this would cost more time than it saves. */
#define SLOWEST_YARDSTICK_MS 100.0

sqa_status sqa_trial_bench_open(sqa_trial_bench *bench, unsigned platform, unsigned device)
{
    memset(bench, 0, sizeof *bench);
    bench->tensors = (sqa_timing_tensors)SQA_TIMING_TENSORS_INIT;
    sqa_context_options options = SQA_CONTEXT_OPTIONS_INIT;
    static const char *const none[] = {NULL};
    options.user_database = "";
    options.extra_databases = none;
    options.skip_seed = 1;
    options.binary_cache = ""; /* hardly a candidate is ever compiled again */
    sqa_status status = sqa_context_open(&bench->context, platform, device, &options);
    if (status != SQA_OK)
        return status;
    cl_context context = sqa_context_cl(bench->context);
    cl_device_id id = sqa_context_cl_device(bench->context);
    cl_int code = CL_SUCCESS;
    bench->queue = clCreateCommandQueue(context, id, CL_QUEUE_PROFILING_ENABLE, &code);
    if (code != CL_SUCCESS) /* not every runtime profiles; the wall clock always works */
        bench->queue = clCreateCommandQueue(context, id, 0, &code);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clCreateCommandQueue");
}

void sqa_trial_bench_close(sqa_trial_bench *bench)
{
    sqa_plan_destroy(bench->yardstick_plan);
    sqa_timing_tensors_release(&bench->tensors);
    if (bench->queue)
        clReleaseCommandQueue(bench->queue);
    sqa_context_destroy(bench->context);
}

static sqa_status make_yardstick(sqa_trial_bench *bench, const sqa_problem *problem)
{
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    options.skip_database = 1;
    sqa_status status = sqa_plan_build(&bench->yardstick_plan, bench->context, problem, &options);
    if (status != SQA_OK)
        return status;
    bench->yardstick_work = (sqa_timing_work){bench->yardstick_plan, &bench->tensors};
    sqa_work work = {sqa_timing_enqueue, &bench->yardstick_work};
    sqa_sample last = {0};
    status = sqa_measure_warm_up(&work, bench->queue);
    if (status == SQA_OK)
        status = sqa_measure_calibrate(&work, bench->queue, SQA_SAMPLE_SECONDS,
                                       &bench->yardstick.launches, &last);
    if (status == SQA_OK && last.wall_ms <= SLOWEST_YARDSTICK_MS)
        bench->yardstick.work = work;
    return status;
}

const sqa_yardstick *sqa_trial_bench_yardstick(sqa_trial_bench *bench, const sqa_problem *problem)
{
    if (!memcmp(problem, &bench->yardstick_problem, sizeof *problem))
        return &bench->yardstick;
    sqa_plan_destroy(bench->yardstick_plan);
    bench->yardstick_plan = NULL;
    bench->yardstick_problem = *problem;
    memset(&bench->yardstick, 0, sizeof bench->yardstick);
    if (make_yardstick(bench, problem) != SQA_OK) { /* bare times have to do */
        sqa_plan_destroy(bench->yardstick_plan);
        bench->yardstick_plan = NULL;
    }
    return &bench->yardstick;
}
