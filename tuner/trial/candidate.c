/* See candidate.h. */
#include "trial/candidate.h"

#include <math.h>
#include <stdio.h>

#include "runtime/plan.h"
#include "runtime/self_check.h"
#include "runtime/small_run.h"

#define CHECK_SEED 0x5eedu

static sqa_plan_options options_of(const sqa_candidate_text *candidate)
{
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    options.family = candidate->family;
    options.config = candidate->config;
    options.skip_database = 1;
    return options;
}

static sqa_trial_status status_of_build(sqa_status status)
{
    bool refused = status == SQA_INVALID_ARGUMENT || status == SQA_UNSUPPORTED;
    return refused ? SQA_TRIAL_REJECTED : SQA_TRIAL_COMPILE_FAILED;
}

sqa_plan *sqa_candidate_build(sqa_trial_bench *bench, const sqa_problem *problem,
                              const sqa_candidate_text *candidate, sqa_trial_result *out)
{
    sqa_plan_options options = options_of(candidate);
    sqa_plan *plan = NULL;
    double begin = sqa_clock_seconds();
    sqa_status status = sqa_plan_build(&plan, bench->context, problem, &options);
    if (status == SQA_OK)
        status = sqa_plan_warm_up(plan, bench->queue);
    if (status != SQA_OK) {
        *out = sqa_trial_failure(status_of_build(status), sqa_last_error());
        sqa_plan_destroy(plan);
        return NULL;
    }
    out->build_ms = (sqa_clock_seconds() - begin) * 1e3;
    return plan;
}

/* One comparison; *out keeps the worst error of those that passed. */
static bool passes(sqa_trial_bench *bench, const sqa_leaf *leaf, const sqa_problem *problem,
                   bool all_rows, sqa_trial_result *out)
{
    sqa_judgement judgement;
    sqa_status status =
        sqa_leaf_judge(leaf, problem, all_rows, CHECK_SEED, bench->queue, &judgement);
    const double build_ms = out->build_ms, max_error = out->max_error;
    if (status != SQA_OK)
        *out = sqa_trial_failure(status_of_build(status), sqa_last_error());
    else if (!judgement.passed)
        *out = sqa_trial_failure(SQA_TRIAL_WRONG_RESULT, judgement.message);
    out->build_ms = build_ms;
    out->max_error = status == SQA_OK ? fmax(judgement.max_error, max_error) : max_error;
    return status == SQA_OK && judgement.passed;
}

bool sqa_candidate_passes(sqa_trial_bench *bench, const sqa_plan *plan, bool with_relatives,
                          sqa_trial_result *out)
{
    static const sqa_relative relatives[] = {SQA_RELATIVE_TAILS, SQA_RELATIVE_SHORT};
    const sqa_leaf *leaf = plan->stages[0].leaf; /* what is tuned is a leaf */
    for (size_t i = 0; with_relatives && i < sizeof relatives / sizeof *relatives; i++) {
        const sqa_problem relative = sqa_leaf_relative(leaf, relatives[i]);
        if (!passes(bench, leaf, &relative, true, out))
            return false;
    }
    return passes(bench, leaf, &leaf->problem, false, out);
}

void sqa_candidate_accept(const sqa_comparison *comparison, sqa_trial_result *out)
{
    const sqa_timing *timing = &comparison->timing;
    bool noisy = sqa_comparison_is_noisy(comparison);
    out->status = noisy ? SQA_TRIAL_TOO_NOISY : SQA_TRIAL_OK;
    out->median_ms = timing->median_ms;
    out->spread_ms = timing->spread_ms;
    out->relative = comparison->relative;
    out->relative_spread = comparison->relative_spread;
    out->yardstick_ms = comparison->yardstick_ms;
    out->samples = timing->samples;
    if (noisy)
        snprintf(out->message, sizeof out->message,
                 "its times differ by %.0f %%, spread %.3g ms around %.3g ms",
                 1e2 * comparison->uncertainty, timing->spread_ms, timing->median_ms);
}
