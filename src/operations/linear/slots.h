/* The tensors of linear attention, by slot; those that attention has come first. */
#ifndef SQA_OPERATIONS_LINEAR_SLOTS_H
#define SQA_OPERATIONS_LINEAR_SLOTS_H

#include "operations/attention/slots.h"
#include "sqa_cl/linear.h"

enum {
    SQA_SLOT_DECAY = SQA_ATTENTION_SLOTS,
    SQA_SLOT_BETA,
    SQA_SLOT_STATE_IN,
    SQA_SLOT_SUMS_IN,
    SQA_SLOT_STATE,
    SQA_SLOT_SUMS,
    SQA_LINEAR_SLOTS,
    /* Of the backward pass, behind those. */
    SQA_SLOT_LINEAR_DOUT = SQA_LINEAR_SLOTS,
    SQA_SLOT_LINEAR_DSTATE,
    SQA_SLOT_LINEAR_DSUMS,
    SQA_SLOT_LINEAR_DQ,
    SQA_SLOT_LINEAR_DK,
    SQA_SLOT_LINEAR_DV,
    SQA_SLOT_DDECAY,
    SQA_SLOT_DBETA,
    SQA_SLOT_DSTATE_IN,
    SQA_SLOT_DSUMS_IN,
    SQA_LINEAR_BACKWARD_SLOTS
};

/* The rows of O and of the state that the reference has. */
extern const sqa_row_group sqa_linear_groups[];

/* What is promised of O, the state and the sums. */
enum { SQA_LINEAR_TOLERANCES = 5 };
extern const sqa_tolerance sqa_linear_tolerances[SQA_LINEAR_TOLERANCES];

/* Of either pass: see sqa_operation_entry. */
bool sqa_linear_tensor(const sqa_problem *problem, uint32_t slot, sqa_tensor_shape *out);
bool sqa_linear_is_nothing(const sqa_problem *problem);
void sqa_linear_relative(const sqa_problem *problem, sqa_relative which, sqa_problem *out);
extern const sqa_class_part sqa_linear_class_parts[];

/* Gradients of Q, K and V, where the tensor's strides would have elements overlap. */
sqa_strides sqa_linear_gradient_strides(const sqa_problem *problem, uint32_t slot);

extern const sqa_row_group sqa_linear_gradient_groups[];
enum { SQA_LINEAR_GRADIENT_TOLERANCES = 13 };
extern const sqa_tolerance sqa_linear_gradient_tolerances[SQA_LINEAR_GRADIENT_TOLERANCES];

/* What becomes of inputs to check with. An element of a key, in [-1, 1): as long a key that the
 * delta rule with a beta of less than 1 does not let the state grow. A decay, in [0, 1): mostly
 * weak, here and there one that leaves a ten-thousandth. */
float sqa_map_key(const sqa_problem *problem, float number);
float sqa_map_decay(const sqa_problem *problem, float number);

#endif
