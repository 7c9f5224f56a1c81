/* See forward_trial.h. The finals are in forward_finals.c. */
#include "trial/forward_trial.h"

#include "base/status.h"
#include "problem/problem.h"
#include "trial/candidate.h"

/* Lengths with tails in every tile, more queries than keys and fewer. */
static const struct {
    uint32_t q_length, kv_length;
} probes[] = {{131, 293}, {67, 35}};

/* The same kind of problem, with few heads and ugly lengths. */
static sqa_attention_desc probe_of(const sqa_attention_desc *desc, size_t number)
{
    sqa_attention_desc probe = *desc;
    static const sqa_strides packed = {0, 0, 0};
    probe.q = probe.k = probe.v = probe.o = packed;
    probe.batch = 1;
    probe.q_length = probes[number].q_length;
    probe.kv_length = probes[number].kv_length;
    if (desc->q_heads >= desc->kv_heads) {
        probe.kv_heads = 1;
        probe.q_heads = desc->q_heads / desc->kv_heads;
    } else {
        probe.q_heads = 1;
        probe.kv_heads = desc->kv_heads / desc->q_heads;
    }
    return probe;
}

static bool is_correct(sqa_trial_bench *bench, const sqa_attention_desc *desc,
                       const sqa_candidate_text *candidate, sqa_trial_result *out)
{
    for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++) {
        sqa_attention_desc probe = probe_of(desc, i);
        if (!sqa_candidate_passes(bench, &probe, candidate, 0, out))
            return false;
    }
    return sqa_candidate_passes(bench, desc, candidate, SQA_SAMPLED_ROWS, out);
}

static sqa_status time_plan(sqa_trial_bench *bench, const sqa_attention_desc *desc, sqa_plan *plan,
                            const sqa_pace *pace, sqa_comparison *out)
{
    sqa_status status = sqa_timing_tensors_reserve(&bench->tensors, sqa_context_cl(bench->context),
                                                   bench->queue, desc);
    if (status != SQA_OK)
        return status;
    sqa_timing_work timed = {plan, &bench->tensors};
    sqa_work work = {sqa_timing_enqueue, &timed}; /* the check has warmed it up */
    return sqa_sampling_run(&work, sqa_trial_bench_yardstick(bench, desc), pace, bench->queue,
                            bench->fault, out);
}

void sqa_forward_trial(sqa_trial_bench *bench, const sqa_attention_desc *desc,
                       const sqa_candidate_text *candidate, const sqa_pace *pace,
                       sqa_trial_result *out)
{
    *out = sqa_trial_failure(SQA_TRIAL_OK, "");
    sqa_plan *plan = sqa_candidate_build(bench, desc, candidate, out);
    if (plan && is_correct(bench, desc, candidate, out)) {
        sqa_comparison comparison;
        if (time_plan(bench, desc, plan, pace, &comparison) == SQA_OK)
            sqa_candidate_accept(&comparison, out);
        else
            *out = sqa_trial_failure(SQA_TRIAL_COMPILE_FAILED, sqa_last_error());
    }
    sqa_plan_destroy(plan);
}
