/* See run_trial.h. The finals are in run_finals.c. */
#include "trial/run_trial.h"

#include "base/status.h"
#include "trial/candidate.h"

static sqa_status time_plan(sqa_trial_bench *bench, const sqa_problem *problem, sqa_plan *plan,
                            const sqa_pace *pace, sqa_comparison *out)
{
    sqa_status status = sqa_timing_tensors_reserve(&bench->tensors, sqa_context_cl(bench->context),
                                                   bench->queue, problem);
    if (status != SQA_OK)
        return status;
    sqa_timing_work timed = {plan, &bench->tensors};
    sqa_work work = {sqa_timing_enqueue, &timed}; /* the check has warmed it up */
    return sqa_sampling_run(&work, sqa_trial_bench_yardstick(bench, problem), pace, bench->queue,
                            bench->fault, out);
}

void sqa_run_trial(sqa_trial_bench *bench, const sqa_problem *problem,
                   const sqa_candidate_text *candidate, const sqa_pace *pace, sqa_trial_result *out)
{
    *out = sqa_trial_failure(SQA_TRIAL_OK, "");
    sqa_plan *plan = sqa_candidate_build(bench, problem, candidate, out);
    if (plan && sqa_candidate_passes(bench, plan, true, out)) {
        sqa_comparison comparison;
        if (time_plan(bench, problem, plan, pace, &comparison) == SQA_OK)
            sqa_candidate_accept(&comparison, out);
        else
            *out = sqa_trial_failure(SQA_TRIAL_COMPILE_FAILED, sqa_last_error());
    }
    sqa_plan_destroy(plan);
}
