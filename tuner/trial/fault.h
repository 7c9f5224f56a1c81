/* Faults on demand, for tests only: $SQA_CL_TEST_FAULT makes the worker treat
 * chosen candidates as if their kernel hung, crashed or was wrong.
 *
 *   hang|crash|wrong[:FAMILY[:PART_OF_THE_CONFIGURATION]]
 *
 * Only the trial worker reads it; the library and the other commands never do. */
#ifndef SQA_TUNER_FAULT_H
#define SQA_TUNER_FAULT_H

#include "trial/protocol.h"

typedef enum sqa_fault {
    SQA_FAULT_NONE = 0,
    SQA_FAULT_HANG,
    SQA_FAULT_CRASH,
    SQA_FAULT_WRONG
} sqa_fault;

/* What `text` (the variable's value, may be NULL) asks for this candidate. */
sqa_fault sqa_fault_for(const char *text, const sqa_candidate_text *candidate);

#endif
