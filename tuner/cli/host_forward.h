/* One forward pass on host arrays: copied to the device, run, copied back. */
#ifndef SQA_TUNER_HOST_FORWARD_H
#define SQA_TUNER_HOST_FORWARD_H

#include <stddef.h>

#include "sqa_cl.h"

typedef struct sqa_host_array {
    float *data;
    size_t count; /* elements; 0: nothing is copied */
} sqa_host_array;

typedef struct sqa_host_arrays {
    sqa_host_array q, k, v;
    sqa_host_array o, lse; /* written */
} sqa_host_arrays;

sqa_status sqa_host_forward(sqa_context *context, sqa_plan *plan, const sqa_host_arrays *arrays);

#endif
