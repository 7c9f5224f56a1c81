/* The tensors of a rotation, by slot. */
#ifndef SQA_OPERATIONS_ROPE_SLOTS_H
#define SQA_OPERATIONS_ROPE_SLOTS_H

enum {
    SQA_SLOT_ROPE_X = 0,
    SQA_SLOT_POSITIONS,
    SQA_SLOT_ROPE_Y,
    SQA_SLOT_ROPE_STARTS,
    SQA_ROPE_SLOTS
};

#endif
