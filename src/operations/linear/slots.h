/* The tensors of linear attention, by slot; those that attention has come first. */
#ifndef SQA_OPERATIONS_LINEAR_SLOTS_H
#define SQA_OPERATIONS_LINEAR_SLOTS_H

#include "operations/attention/slots.h"

enum {
    SQA_SLOT_DECAY = SQA_ATTENTION_SLOTS,
    SQA_SLOT_BETA,
    SQA_SLOT_STATE_IN,
    SQA_SLOT_SUMS_IN,
    SQA_SLOT_STATE,
    SQA_SLOT_SUMS,
    SQA_LINEAR_SLOTS
};

/* The rows of O and of the state that the reference has. */
extern const sqa_row_group sqa_linear_groups[];

/* What is promised of O, the state and the sums. */
enum { SQA_LINEAR_TOLERANCES = 5 };
extern const sqa_tolerance sqa_linear_tolerances[SQA_LINEAR_TOLERANCES];

/* What becomes of inputs to check with. An element of a key, in [-1, 1): as long a key that the
 * delta rule with a beta of less than 1 does not let the state grow. A decay, in [0, 1): mostly
 * weak, here and there one that leaves a ten-thousandth. */
float sqa_map_key(const sqa_problem *problem, float number);
float sqa_map_decay(const sqa_problem *problem, float number);

#endif
