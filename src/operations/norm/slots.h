/* The tensors of a normalisation and of its gradients, by slots that both share. */
#ifndef SQA_OPERATIONS_NORM_SLOTS_H
#define SQA_OPERATIONS_NORM_SLOTS_H

enum {
    SQA_SLOT_NORM_X = 0,
    SQA_SLOT_NORM_WEIGHT,
    SQA_SLOT_NORM_BIAS,
    SQA_SLOT_NORM_DY,
    SQA_SLOT_NORM_Y,
    SQA_SLOT_NORM_DX,
    SQA_SLOT_NORM_DWEIGHT,
    SQA_SLOT_NORM_DBIAS,
    SQA_NORM_SLOTS
};

#endif
