/* See run_trial.h. The finals are in run_finals.c. */
#include "trial/run_trial.h"

#include "base/status.h"
#include "runtime/context.h"
#include "trial/candidate.h"

/* Right, and then timed. */
static void try_plan(sqa_trial_bench *bench, const sqa_problem *problem, sqa_plan *plan,
                     const sqa_pace *pace, sqa_trial_result *out)
{
    sqa_kept_problem *kept;
    sqa_plan_work timed;
    sqa_sample first;
    sqa_comparison comparison;
    sqa_status status = sqa_trial_bench_problem(bench, problem, &kept);
    if (status == SQA_OK && !sqa_candidate_is_right(bench, plan, kept, &timed, &first, out))
        return;
    const sqa_work work = sqa_plan_work_of(&timed);
    if (status == SQA_OK)
        status = sqa_sampling_run(&work, &first, &kept->yardstick, pace, bench->queue, bench->fault,
                                  &comparison);
    if (status == SQA_OK)
        sqa_candidate_accept(&comparison, out);
    else
        *out = sqa_trial_failure(SQA_TRIAL_COMPILE_FAILED, sqa_last_error());
}

void sqa_run_trial(sqa_trial_bench *bench, const sqa_problem *problem,
                   const sqa_candidate_text *candidate, const sqa_pace *pace, sqa_trial_result *out)
{
    *out = sqa_trial_failure(SQA_TRIAL_OK, "");
    sqa_plan *plan = sqa_candidate_build(bench, problem, candidate, true, out);
    if (plan && sqa_candidate_is_sound(bench, plan, out))
        try_plan(bench, problem, plan, pace, out);
    sqa_plan_destroy(plan);
}

void sqa_run_build(sqa_trial_bench *bench, const sqa_problem *problem,
                   const sqa_candidate_text *candidate, sqa_trial_result *out)
{
    *out = sqa_trial_failure(SQA_TRIAL_OK, "");
    const bool alone = bench->context->device.strings.type == SQA_DEVICE_CPU;
    sqa_plan *plan = sqa_candidate_build(bench, problem, candidate, alone, out);
    if (plan && alone)
        sqa_candidate_is_sound(bench, plan, out);
    sqa_plan_destroy(plan);
}
