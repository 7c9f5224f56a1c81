/* Faults on demand, for tests only: $SQA_CL_TEST_FAULT makes the worker treat
 * chosen candidates as if their kernel hung, crashed, was wrong, or its times
 * were noisy or slow.
 *
 *   hang|crash|wrong|noisy|slow[:FAMILY[:PART_OF_THE_CONFIGURATION]]
 *
 * Only the trial worker reads it; the library and the other commands never do. */
#ifndef SQA_TUNER_FAULT_H
#define SQA_TUNER_FAULT_H

#include "trial/protocol.h"

typedef enum sqa_fault {
    SQA_FAULT_NONE = 0,
    SQA_FAULT_HANG,
    SQA_FAULT_CRASH,
    SQA_FAULT_WRONG,
    SQA_FAULT_NOISY, /* of a trial, not of the finals */
    SQA_FAULT_SLOW   /* likewise */
} sqa_fault;

/* What `text` (the variable's value, may be NULL) asks for this candidate. */
sqa_fault sqa_fault_for(const char *text, const sqa_candidate_text *candidate);

#endif
