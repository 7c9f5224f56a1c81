/* See trial_bench.h. */
#include "trial/trial_bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/cl_status.h"

/* A yardstick slower than this would cost more time than it saves. */
#define SLOWEST_YARDSTICK_MS 500.0

sqa_status sqa_trial_bench_open(sqa_trial_bench *bench, unsigned platform, unsigned device,
                                const char *programs)
{
    memset(bench, 0, sizeof *bench);
    sqa_context_options options = SQA_CONTEXT_OPTIONS_INIT;
    static const char *const none[] = {NULL};
    options.user_database = "";
    options.extra_databases = none;
    options.skip_seed = 1;
    options.binary_cache = programs;
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

static void free_program(sqa_kept_program *program)
{
    while (program->passed) {
        struct sqa_passed_relative *next = program->passed->next;
        free(program->passed);
        program->passed = next;
    }
    free(program);
}

void sqa_trial_bench_close(sqa_trial_bench *bench)
{
    while (bench->programs) {
        sqa_kept_program *next = bench->programs->next;
        free_program(bench->programs);
        bench->programs = next;
    }
    sqa_kept_problems_free(&bench->problems);
    sqa_ceiling_probe_destroy(bench->ceiling);
    if (bench->queue)
        clReleaseCommandQueue(bench->queue);
    sqa_context_destroy(bench->context);
}

static sqa_status make_yardstick(const sqa_trial_bench *bench, sqa_kept_problem *self)
{
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    sqa_yardstick *yardstick = &self->yardstick;
    const sqa_work work = sqa_plan_work_of(&self->yardstick_work);
    options.skip_database = 1;
    sqa_status status =
        sqa_plan_build(&self->yardstick_work.plan, bench->context, &self->problem, &options);
    if (status == SQA_OK)
        status = sqa_plan_warm_up(self->yardstick_work.plan, bench->queue);
    if (status == SQA_OK)
        status = sqa_measure_warm_up(&work, bench->queue);
    if (status == SQA_OK)
        status = sqa_measure_calibrate(&work, bench->queue, SQA_SAMPLE_SECONDS,
                                       &yardstick->launches, &yardstick->latest);
    if (status == SQA_OK && yardstick->latest.wall_ms <= SLOWEST_YARDSTICK_MS)
        yardstick->work = work;
    return status;
}

sqa_status sqa_trial_bench_problem(sqa_trial_bench *bench, const sqa_problem *problem,
                                   sqa_kept_problem **out)
{
    sqa_status status =
        sqa_kept_problem_get(&bench->problems, problem, false, sqa_context_cl(bench->context), out);
    if (status != SQA_OK)
        return status;
    sqa_kept_problem *self = *out;
    sqa_host_tensors_bind(&self->tensors, self->yardstick_work.tensors);
    if (self->has_yardstick)
        return SQA_OK;
    self->has_yardstick = true;
    if (make_yardstick(bench, self) != SQA_OK || !self->yardstick.work.enqueue) {
        sqa_plan_destroy(self->yardstick_work.plan); /* bare times have to do */
        self->yardstick_work.plan = NULL;
    }
    return SQA_OK;
}

sqa_kept_program *sqa_trial_bench_program(sqa_trial_bench *bench, cl_program program, bool add)
{
    sqa_kept_program *self = bench->programs;
    while (self && self->program != program)
        self = self->next;
    if (self || !add || !(self = calloc(1, sizeof *self)))
        return self;
    self->program = program;
    self->build_ms = self->max_error = (double)NAN;
    self->next = bench->programs;
    return bench->programs = self;
}

sqa_status sqa_trial_bench_ceiling(sqa_trial_bench *bench, const sqa_ceiling *known,
                                   sqa_ceiling *out)
{
    sqa_status status = SQA_OK;
    double unused;
    if (!bench->ceiling)
        status = sqa_ceiling_probe_create(&bench->ceiling, bench->context, known);
    else
        for (int kind = 0; kind < SQA_CEILING_KINDS && status == SQA_OK; kind++)
            status = sqa_ceiling_probe_sample(bench->ceiling, (sqa_ceiling_kind)kind, &unused);
    if (status == SQA_OK)
        *out = sqa_ceiling_probe_result(bench->ceiling);
    return status;
}

void sqa_trial_bench_paused(sqa_trial_bench *bench, uint32_t milliseconds)
{
    if (bench->programs)
        bench->programs->build_ms = fmax(bench->programs->build_ms - milliseconds, 0.0);
}
