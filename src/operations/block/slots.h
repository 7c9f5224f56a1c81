/* The tensors of a block, by slots that forward and backward share; those of its layer come
 * first. */
#ifndef SQA_OPERATIONS_BLOCK_SLOTS_H
#define SQA_OPERATIONS_BLOCK_SLOTS_H

#include "operations/layer/slots.h"
#include "problem/block.h"

enum {
    SQA_BLOCK_NORM1 = SQA_LAYER_SLOTS,
    SQA_BLOCK_NORM1_BIAS,
    SQA_BLOCK_NORM2,
    SQA_BLOCK_NORM2_BIAS,
    SQA_BLOCK_WUP,
    SQA_BLOCK_WGATE,
    SQA_BLOCK_WDOWN,
    SQA_BLOCK_BUP,
    SQA_BLOCK_BGATE,
    SQA_BLOCK_BDOWN,
    SQA_BLOCK_MIDDLE,
    SQA_BLOCK_UP,
    SQA_BLOCK_GATE,
    SQA_BLOCK_FORWARD_SLOTS,

    SQA_BLOCK_DNORM1 = SQA_BLOCK_FORWARD_SLOTS, /* in the order of the parameters */
    SQA_BLOCK_DNORM1_BIAS,
    SQA_BLOCK_DNORM2,
    SQA_BLOCK_DNORM2_BIAS,
    SQA_BLOCK_DWUP,
    SQA_BLOCK_DWGATE,
    SQA_BLOCK_DWDOWN,
    SQA_BLOCK_DBUP,
    SQA_BLOCK_DBGATE,
    SQA_BLOCK_DBDOWN,
    SQA_BLOCK_SLOTS
};

/* The slot of a parameter's gradient. */
static inline uint32_t sqa_block_gradient_of(uint32_t parameter)
{
    return parameter - SQA_BLOCK_NORM1 + SQA_BLOCK_DNORM1;
}

/* See sqa_operation_entry. */
bool sqa_block_tensor(const sqa_problem *problem, uint32_t slot, sqa_tensor_shape *out);
bool sqa_block_is_touched(const sqa_problem *problem, uint32_t slot);
bool sqa_block_is_updated(const sqa_problem *problem, uint32_t slot);
sqa_status sqa_block_forward_recipe(const sqa_problem *problem, sqa_recipe *out);
sqa_status sqa_block_backward_recipe(const sqa_problem *problem, sqa_recipe *out);

/* The layer within, as a problem. */
void sqa_block_layer(const sqa_problem *problem, sqa_problem *out);

extern const sqa_row_group sqa_block_groups[], sqa_block_backward_groups[];
enum { SQA_BLOCK_TOLERANCES = 12, SQA_BLOCK_BACKWARD_TOLERANCES = 33 };
extern const sqa_tolerance sqa_block_tolerances[SQA_BLOCK_TOLERANCES];
extern const sqa_tolerance sqa_block_backward_tolerances[SQA_BLOCK_BACKWARD_TOLERANCES];

#endif
