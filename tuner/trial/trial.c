/* The words for how a trial ended. */
#include "trial/trial.h"

#include <math.h>
#include <string.h>

#include "base/utf8.h"

static const char *const names[] = {
    [SQA_TRIAL_OK] = "ok",
    [SQA_TRIAL_COMPILE_FAILED] = "compile_failed",
    [SQA_TRIAL_WRONG_RESULT] = "wrong_result",
    [SQA_TRIAL_TIMEOUT] = "timeout",
    [SQA_TRIAL_CRASHED] = "crashed",
    [SQA_TRIAL_TOO_NOISY] = "too_noisy",
    [SQA_TRIAL_REJECTED] = "rejected",
    [SQA_TRIAL_MODELLED] = "modelled",
};
enum { STATUS_COUNT = sizeof names / sizeof names[0] };

const char *sqa_trial_status_name(sqa_trial_status status)
{
    return (unsigned)status < STATUS_COUNT ? names[status] : "unknown";
}

bool sqa_trial_status_from_name(const char *name, sqa_trial_status *out)
{
    for (int i = 0; i < STATUS_COUNT; i++)
        if (!strcmp(name, names[i])) {
            *out = (sqa_trial_status)i;
            return true;
        }
    return false;
}

sqa_trial_result sqa_trial_failure(sqa_trial_status status, const char *message)
{
    sqa_trial_result result = {.status = status,
                               .median_ms = (double)NAN,
                               .spread_ms = (double)NAN,
                               .relative = (double)NAN,
                               .relative_spread = (double)NAN,
                               .yardstick_ms = (double)NAN,
                               .max_error = (double)NAN,
                               .build_ms = (double)NAN};
    /* One line, and UTF-8: compilers' logs may be in any language. */
    sqa_utf8_clean(message, result.message, sizeof result.message, true);
    return result;
}
