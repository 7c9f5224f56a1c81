#include "operations/linear/property_decays.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "conformance/check.h"
#include "operations/linear/slots.h"
#include "reference/judge.h"
#include "runtime/plan.h"

typedef enum strength { WEAK, ANY, STRONG, IN_STRETCHES, STRENGTHS } strength;

static const char *const names[STRENGTHS] = {"weak", "of any size", "strong", "in stretches"};

/* Of a ten-thousandth. */
#define STRONGEST (-9.2103404f)

static float log_decay(strength of, sqa_random *random)
{
    switch (of) {
    case WEAK: return -1e-4f * (float)sqa_random_unit(random);
    case ANY: return STRONGEST * powf(10.0f, -6.0f * (float)sqa_random_unit(random));
    default: return STRONGEST;
    }
}

/* A head's tokens, or of a decay per head, the heads. */
static void fill_vector(float *out, uint32_t count, strength of, sqa_random *random)
{
    for (uint32_t i = 0; i < count; i++)
        out[i] = log_decay(of, random);
}

static void fill_head(const sqa_host_tensor *decay, uint32_t batch, uint32_t head, strength kind,
                      sqa_random *random)
{
    enum { LONGEST = 300 };
    strength of = kind;
    uint64_t left = 0;
    for (uint32_t t = 0; t < decay->length; t++, left--) {
        if (kind == IN_STRETCHES && left == 0) {
            of = (strength)sqa_random_below(random, IN_STRETCHES);
            left = 1 + sqa_random_below(random, LONGEST);
        }
        fill_vector(sqa_host_tensor_at(decay, batch, head, t), decay->dim, of, random);
    }
}

static sqa_status check_strength(const sqa_property_run *run, sqa_plan *plan,
                                 sqa_host_tensors *tensors, strength kind,
                                 char finding[SQA_FINDING_TEXT])
{
    const sqa_host_tensor *decay = &tensors->of[SQA_SLOT_DECAY];
    sqa_random random = {run->seed + (uint64_t)kind};
    sqa_judgement judgement;
    for (uint32_t b = 0; b < decay->batch; b++)
        for (uint32_t h = 0; h < decay->heads; h++)
            fill_head(decay, b, h, kind, &random);
    sqa_status status = sqa_check_run(plan, tensors, run->queue, finding);
    if (status == SQA_OK)
        status = sqa_judge(tensors, true, run->seed, finding, &judgement);
    if (status == SQA_OK && !judgement.passed)
        snprintf(finding, SQA_FINDING_TEXT, "decays %s: %.200s", names[kind], judgement.message);
    return status;
}

sqa_status sqa_property_linear_decays(const sqa_property_run *run, const sqa_problem *problem,
                                      char finding[SQA_FINDING_TEXT])
{
    sqa_host_tensors tensors;
    sqa_plan *plan = NULL;
    sqa_status status = sqa_host_tensors_create(&tensors, problem, run->seed, true);
    if (status != SQA_OK)
        return status;
    status = sqa_plan_build(&plan, run->context, problem, run->options);
    for (int kind = 0; kind < STRENGTHS && status == SQA_OK && !finding[0]; kind++)
        status = check_strength(run, plan, &tensors, (strength)kind, finding);
    sqa_plan_destroy(plan);
    sqa_host_tensors_free(&tensors);
    return status;
}
