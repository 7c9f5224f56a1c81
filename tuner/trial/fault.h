/* Faults on demand, for tests only: $SQA_CL_TEST_FAULT makes the worker treat
 * chosen candidates as if the compiler refused them, their kernel hung, crashed, was wrong, or its
 * times were noisy, slow or all the same.
 *
 *   hang|crash|wrong|refuse|noisy|slow|steady[:FAMILY[:PART_OF_THE_CONFIGURATION]]
 *
 * Only the trial worker reads it, and only in builds with tests. */
#ifndef SQA_TUNER_FAULT_H
#define SQA_TUNER_FAULT_H

#include "trial/protocol.h"
#include "trial/trial_bench.h"

#ifdef SQA_CL_TEST_SWITCHES

typedef enum sqa_fault {
    SQA_FAULT_NONE = 0,
    SQA_FAULT_HANG,
    SQA_FAULT_CRASH,
    SQA_FAULT_WRONG,
    SQA_FAULT_REFUSE,
    SQA_FAULT_NOISY, /* of a trial, not of the finals */
    SQA_FAULT_SLOW,  /* likewise */
    SQA_FAULT_STEADY /* likewise */
} sqa_fault;

/* What `text` (the variable's value, may be NULL) asks for this candidate. */
sqa_fault sqa_fault_for(const char *text, const sqa_candidate_text *candidate);

/* Hangs, crashes, changes the bench's samples, or gives a wrong *result,
 * which alone is true: there is nothing left to try. */
bool sqa_fault_acted_out(sqa_trial_bench *bench, const sqa_candidate_text *candidate,
                         sqa_trial_result *result);

#else

static inline bool sqa_fault_acted_out(sqa_trial_bench *bench, const sqa_candidate_text *candidate,
                                       sqa_trial_result *result)
{
    (void)bench, (void)candidate, (void)result;
    return false;
}

#endif

#endif
