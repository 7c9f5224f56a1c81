/* What to enqueue, as data: kernels, sizes and arguments. The runtime walks it
 * without knowing which family or operation wrote it. */
#ifndef SQA_KERNELS_LAUNCH_H
#define SQA_KERNELS_LAUNCH_H

#include <stddef.h>
#include <stdint.h>

#include "operations/attention/slots.h"
#include "operations/tensors.h"

#define SQA_MAX_STEPS 4
#define SQA_MAX_ARGUMENTS 80

typedef enum sqa_argument_kind {
    SQA_ARGUMENT_BUFFER, /* the slot's cl_mem; given at each call */
    SQA_ARGUMENT_OFFSET, /* the slot's offset in elements, as a long; given at each call */
    SQA_ARGUMENT_INT,
    SQA_ARGUMENT_LONG,
    SQA_ARGUMENT_FLOAT
} sqa_argument_kind;

typedef struct sqa_argument {
    sqa_argument_kind kind;
    union {
        uint32_t slot;
        int32_t i;
        int64_t l;
        float f;
    } value;
} sqa_argument;

typedef struct sqa_launch_step {
    const char *kernel; /* name in the program; static storage */
    uint32_t dimensions;
    size_t global[3];
    size_t local[3]; /* local[0] == 0: the runtime's choice */
    sqa_argument arguments[SQA_MAX_ARGUMENTS];
    uint32_t argument_count;
} sqa_launch_step;

typedef struct sqa_launch {
    sqa_launch_step steps[SQA_MAX_STEPS]; /* in order; each waits for the one before */
    uint32_t step_count;
    size_t workspace_bytes;
} sqa_launch;

/* Appends a buffer argument, a buffer and its offset, three strides, or a number. */
void sqa_buffer_argument(sqa_launch_step *step, uint32_t slot);
void sqa_tensor_argument(sqa_launch_step *step, uint32_t slot);
void sqa_stride_arguments(sqa_launch_step *step, const sqa_strides *strides);
void sqa_int_argument(sqa_launch_step *step, int32_t value);
void sqa_long_argument(sqa_launch_step *step, int64_t value);
void sqa_float_argument(sqa_launch_step *step, float value);

/* Appends the arguments that every forward kernel takes, in the order of the
 * macro SQA_FORWARD_ARGUMENTS in cl/forward/arguments.cl. */
void sqa_forward_arguments(const sqa_attention *attention, sqa_launch_step *step);

#endif
