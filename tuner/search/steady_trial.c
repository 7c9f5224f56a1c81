/* See steady_trial.h. */
#include "search/steady_trial.h"

#include <math.h>
#include <time.h>

/* The yardstick may take this much longer than at its best. */
#define TOLERANCE 1.2

/* What is this much slower than the best is behind at any pace. */
#define BEHIND 1.15

/* A slow moment may be over after this long. */
#define NAP_SECONDS 0.2

static void nap(void)
{
    const struct timespec time = {0, (long)(NAP_SECONDS * 1e9)};
    nanosleep(&time, NULL);
}

/* Whether `a` says more than `b`: ranked rather than noisy, then at a better pace. */
static bool is_better(const sqa_trial_result *a, const sqa_trial_result *b)
{
    if (a->status != b->status)
        return a->status == SQA_TRIAL_OK;
    return a->yardstick_ms < b->yardstick_ms;
}

sqa_status sqa_steady_trial(sqa_runner *runner, const sqa_problem *problem,
                            const sqa_candidate_text *candidate, const sqa_pace *pace,
                            sqa_steadiness *steadiness, sqa_trial_result *out)
{
    sqa_status status = sqa_runner_trial(runner, problem, candidate, pace, out);
    for (unsigned attempt = 1; status == SQA_OK; attempt++) {
        double yardstick = out->yardstick_ms; /* NaN for failures, and where there is none */
        if (!(yardstick >= steadiness->yardstick_ms))
            steadiness->yardstick_ms = isnan(yardstick) ? steadiness->yardstick_ms : yardstick;
        bool steady = !(yardstick > TOLERANCE * steadiness->yardstick_ms) &&
                      out->status != SQA_TRIAL_TOO_NOISY;
        bool behind = out->status == SQA_TRIAL_OK && out->relative > BEHIND * pace->best_relative;
        if (steady || behind || attempt >= steadiness->attempts)
            break;
        nap();
        sqa_trial_result again;
        status = sqa_runner_trial(runner, problem, candidate, pace, &again);
        if (status == SQA_OK && is_better(&again, out))
            *out = again;
    }
    return status;
}
