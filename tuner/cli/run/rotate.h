/* Rows of a tensor through a Hadamard matrix (include/sqa_cl/rope.h), on the device. */
#ifndef SQA_TUNER_RUN_ROTATE_H
#define SQA_TUNER_RUN_ROTATE_H

#include "sqa_cl.h"
#include "text/npy.h"

/* Each vector of the last dimension, in place. Errors: those of running. */
sqa_status sqa_run_rotate(sqa_context *context, sqa_npy *tensor);

#endif
