/* One call of a plan on host arrays: stored as the device wants them, run, brought back. */
#ifndef SQA_TUNER_RUN_HOST_CALL_H
#define SQA_TUNER_RUN_HOST_CALL_H

#include <stddef.h>

#include "operations/tensors.h"
#include "sqa_cl.h"

typedef struct sqa_host_array {
    sqa_element element; /* on the device; floating-point types are f32 here */
    void **memory;
    size_t count; /* elements; 0: nothing is copied */
} sqa_host_array;

/* A buffer of an input, which is freed here once the device has it. */
sqa_status sqa_host_upload(sqa_context *context, const sqa_host_array *array, cl_mem *out);

/* Arrays by slot. Inputs are freed and set to NULL once the device has them; outputs are
 * written. `there`: buffers that the device has already, by slot; NULL elsewhere.
 * Errors: those of running; SQA_INVALID_ARGUMENT for an array that is too short. */
sqa_status sqa_host_call(sqa_context *context, sqa_plan *plan,
                         const sqa_host_array arrays[SQA_MAX_TENSORS],
                         const cl_mem there[SQA_MAX_TENSORS]);

#endif
