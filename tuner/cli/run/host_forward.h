/* One forward pass on host arrays: stored as the device wants them, run, brought back. */
#ifndef SQA_TUNER_RUN_HOST_FORWARD_H
#define SQA_TUNER_RUN_HOST_FORWARD_H

#include <stddef.h>

#include "problem/tensors.h"
#include "sqa_cl.h"

typedef struct sqa_host_array {
    sqa_element element; /* on the device; floating-point types are f32 here */
    void **memory;
    size_t count; /* elements; 0: nothing is copied */
} sqa_host_array;

/* Arrays by role. Inputs are freed and set to NULL once the device has them; O and
 * LSE are written. Tensors that the device has already are in `there`. */
sqa_status sqa_host_forward(sqa_context *context, sqa_plan *plan,
                            const sqa_host_array arrays[SQA_ROLE_TENSOR_COUNT],
                            const sqa_tensors *there);

#endif
