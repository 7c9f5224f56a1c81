/* See fault.h. Builds without tests have nothing of it. */
#include "trial/fault.h"

#ifdef SQA_CL_TEST_SWITCHES

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const names[] = {
    [SQA_FAULT_HANG] = "hang",     [SQA_FAULT_CRASH] = "crash", [SQA_FAULT_WRONG] = "wrong",
    [SQA_FAULT_REFUSE] = "refuse", [SQA_FAULT_NOISY] = "noisy", [SQA_FAULT_SLOW] = "slow",
    [SQA_FAULT_STEADY] = "steady"};

static bool word_is(const char *word, size_t length, const char *name)
{
    return strlen(name) == length && !strncmp(word, name, length);
}

sqa_fault sqa_fault_for(const char *text, const sqa_candidate_text *candidate)
{
    if (!text)
        return SQA_FAULT_NONE;
    size_t length = strcspn(text, ":");
    const char *family = text[length] ? text + length + 1 : NULL;
    const char *config = family ? strchr(family, ':') : NULL;
    size_t family_length = family ? strcspn(family, ":") : 0;
    if (family_length && !word_is(family, family_length, candidate->family))
        return SQA_FAULT_NONE;
    if (config && !strstr(candidate->config, config + 1))
        return SQA_FAULT_NONE;
    for (int fault = SQA_FAULT_HANG; fault <= SQA_FAULT_STEADY; fault++)
        if (word_is(text, length, names[fault]))
            return (sqa_fault)fault;
    return SQA_FAULT_NONE;
}

/* Every other sample takes ten times as long. */
static void make_noisy(sqa_sample *sample, sqa_sample *yardstick, uint32_t number)
{
    (void)yardstick;
    sample->wall_ms *= number % 2 ? 10 : 1;
    sample->event_ms *= number % 2 ? 10 : 1;
}

/* All samples take ten times as long. */
static void make_slow(sqa_sample *sample, sqa_sample *yardstick, uint32_t number)
{
    (void)yardstick, (void)number;
    sample->wall_ms *= 10;
    sample->event_ms *= 10;
}

/* All samples take the same time, however busy the machine is. */
static void make_steady(sqa_sample *sample, sqa_sample *yardstick, uint32_t number)
{
    (void)number;
    sample->wall_ms = yardstick->wall_ms = 1;
    sample->event_ms = yardstick->event_ms = 1;
}

bool sqa_fault_acted_out(sqa_trial_bench *bench, const sqa_candidate_text *candidate,
                         sqa_trial_result *result)
{
    sqa_fault fault = sqa_fault_for(getenv("SQA_CL_TEST_FAULT"), candidate);
    bench->fault = fault == SQA_FAULT_NOISY    ? make_noisy
                   : fault == SQA_FAULT_SLOW   ? make_slow
                   : fault == SQA_FAULT_STEADY ? make_steady
                                               : NULL;
    if (fault == SQA_FAULT_NONE || bench->fault)
        return false;
    if (fault == SQA_FAULT_HANG)
        for (;;)
            pause();
    if (fault == SQA_FAULT_CRASH) {
        signal(SIGSEGV, SIG_DFL); /* some runtimes catch it */
        raise(SIGSEGV);
    }
    *result =
        fault == SQA_FAULT_REFUSE
            ? sqa_trial_failure(SQA_TRIAL_COMPILE_FAILED, "refused on request ($SQA_CL_TEST_FAULT)")
            : sqa_trial_failure(SQA_TRIAL_WRONG_RESULT, "wrong on request ($SQA_CL_TEST_FAULT)");
    return true;
}

#endif
