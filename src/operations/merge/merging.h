/* Merging parts of attention as a problem, for its public entry points; its tensors by slot. */
#ifndef SQA_OPERATIONS_MERGE_MERGING_H
#define SQA_OPERATIONS_MERGE_MERGING_H

#include "operations/operation.h"

enum {
    SQA_SLOT_PART_A = 0,
    SQA_SLOT_PART_A_LSE,
    SQA_SLOT_PART_B,
    SQA_SLOT_PART_B_LSE,
    SQA_SLOT_MERGED,
    SQA_SLOT_MERGED_LSE,
    SQA_MERGE_SLOTS
};

/* Errors: those of sqa_merging_from_desc() (problem/merging.h). */
sqa_status sqa_problem_from_merge(sqa_problem *out, const sqa_merge_desc *desc);

#endif
