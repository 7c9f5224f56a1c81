/* One forward pass on host arrays of f32: stored as the device wants them, run,
 * brought back. */
#ifndef SQA_TUNER_HOST_FORWARD_H
#define SQA_TUNER_HOST_FORWARD_H

#include <stddef.h>

#include "sqa_cl.h"

typedef struct sqa_host_array {
    float **data;
    size_t count; /* elements; 0: nothing is copied */
} sqa_host_array;

typedef struct sqa_host_arrays {
    sqa_host_array q, k, v; /* freed and set to NULL once the device has them */
    sqa_host_array o, lse;  /* written */
} sqa_host_arrays;

/* `dtype` is the plan's storage type; LSE is f32 whatever it is. */
sqa_status sqa_host_forward(sqa_context *context, sqa_plan *plan, sqa_dtype dtype,
                            const sqa_host_arrays *arrays);

#endif
