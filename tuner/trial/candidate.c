/* See candidate.h. */
#include "trial/candidate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void fail(sqa_trial_result *out, sqa_trial_status status, const char *message)
{
    const double build_ms = out->build_ms, max_error = out->max_error;
    *out = sqa_trial_failure(status, message);
    out->build_ms = build_ms;
    out->max_error = max_error;
}

static cl_program program_of(const sqa_plan *plan)
{
    return plan->stages[0].leaf->program; /* what is tuned is a leaf */
}

/* Some compilers do their work at the first launch. */
static sqa_status launch_first(sqa_trial_bench *bench, sqa_plan *plan, sqa_kept_program *program)
{
    const double begin = sqa_clock_seconds();
    sqa_status status = sqa_plan_warm_up(plan, bench->queue);
    program->launched = status == SQA_OK;
    program->build_ms += (sqa_clock_seconds() - begin) * 1e3;
    return status;
}

static sqa_status build(sqa_trial_bench *bench, const sqa_problem *problem,
                        const sqa_plan_options *options, bool launch, sqa_plan **plan,
                        sqa_trial_result *out)
{
    const double begin = sqa_clock_seconds();
    sqa_status status = sqa_plan_build(plan, bench->context, problem, options);
    if (status != SQA_OK)
        return status;
    sqa_kept_program *program = sqa_trial_bench_program(bench, program_of(*plan), true);
    if (!program)
        return sqa_fail_memory("a candidate");
    if (isnan(program->build_ms))
        program->build_ms = (sqa_clock_seconds() - begin) * 1e3;
    if (launch && !program->launched)
        status = launch_first(bench, *plan, program);
    out->build_ms = program->build_ms;
    return status;
}

sqa_plan *sqa_candidate_build(sqa_trial_bench *bench, const sqa_problem *problem,
                              const sqa_candidate_text *candidate, bool launch,
                              sqa_trial_result *out)
{
    const sqa_plan_options options = options_of(candidate);
    sqa_plan *plan = NULL;
    sqa_status status = build(bench, problem, &options, launch, &plan, out);
    if (status == SQA_OK)
        return plan;
    *out = sqa_trial_failure(status_of_build(status), sqa_last_error());
    sqa_plan_destroy(plan);
    return NULL;
}

/* What a check came to; *out keeps the worst error of those that passed. */
static bool passed(sqa_status status, const sqa_judgement *judgement, sqa_trial_result *out)
{
    if (status != SQA_OK)
        fail(out, status_of_build(status), sqa_last_error());
    else if (!judgement->passed)
        fail(out, SQA_TRIAL_WRONG_RESULT, judgement->message);
    if (status == SQA_OK)
        out->max_error = fmax(judgement->max_error, out->max_error); /* NaN: no error yet */
    return status == SQA_OK && judgement->passed;
}

static bool has_passed(const sqa_kept_program *program, const sqa_problem *relative)
{
    const struct sqa_passed_relative *item = program->passed;
    while (item && memcmp(&item->problem, relative, sizeof *relative) != 0)
        item = item->next;
    return item != NULL;
}

/* Without memory it is checked once more next time. */
static void note_passed(sqa_kept_program *program, const sqa_problem *relative, double max_error)
{
    struct sqa_passed_relative *item = malloc(sizeof *item);
    if (item) {
        *item = (struct sqa_passed_relative){program->passed, *relative};
        program->passed = item;
    }
    program->max_error = max_error;
}

static bool is_right_about(sqa_trial_bench *bench, const sqa_leaf *leaf,
                           const sqa_problem *relative, sqa_trial_result *out)
{
    sqa_judgement judgement;
    sqa_kept_problem *kept = NULL;
    sqa_status status = sqa_kept_problem_get(&bench->problems, relative, true,
                                             sqa_context_cl(bench->context), &kept);
    if (status == SQA_OK)
        status = sqa_leaf_judge_on(leaf, &kept->tensors, true, CHECK_SEED, bench->queue,
                                   &kept->expected, &judgement);
    return passed(status, &judgement, out);
}

bool sqa_candidate_is_sound(sqa_trial_bench *bench, const sqa_plan *plan, sqa_trial_result *out)
{
    static const sqa_relative relatives[] = {SQA_RELATIVE_TAILS, SQA_RELATIVE_SHORT};
    const sqa_leaf *leaf = plan->stages[0].leaf;
    sqa_kept_program *program = sqa_trial_bench_program(bench, leaf->program, false);
    out->max_error = program->max_error;
    for (size_t i = 0; i < sizeof relatives / sizeof *relatives; i++) {
        const sqa_problem relative = sqa_leaf_relative(leaf, relatives[i]);
        if (has_passed(program, &relative))
            continue;
        if (!is_right_about(bench, leaf, &relative, out))
            return false;
        note_passed(program, &relative, out->max_error);
    }
    return true;
}

bool sqa_candidate_is_right(sqa_trial_bench *bench, sqa_plan *plan, sqa_kept_problem *problem,
                            sqa_plan_work *work, sqa_sample *sample, sqa_trial_result *out)
{
    sqa_judgement judgement;
    char finding[SQA_FINDING_TEXT];
    sqa_status status =
        sqa_host_tensors_renew_outputs(&problem->tensors, sqa_context_cl(bench->context));
    work->plan = plan;
    sqa_host_tensors_bind(&problem->tensors, work->tensors);
    sqa_host_tensors_bind(&problem->tensors, problem->yardstick_work.tensors);
    const sqa_work once = sqa_plan_work_of(work);
    if (status == SQA_OK)
        status = sqa_measure_sample(&once, bench->queue, 1, sample);
    if (status == SQA_OK)
        status = sqa_host_tensors_look_over_outputs(&problem->tensors, bench->queue, finding);
    if (status == SQA_OK)
        status = sqa_judge_keeping(&problem->tensors, false, CHECK_SEED, finding,
                                   &problem->expected, &judgement);
    return passed(status, &judgement, out);
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
