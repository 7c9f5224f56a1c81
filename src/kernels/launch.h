/* What to enqueue, as data: kernels, sizes and arguments. The runtime walks it
 * without knowing which family or operation wrote it. */
#ifndef SQA_KERNELS_LAUNCH_H
#define SQA_KERNELS_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "operations/tensors.h"

#define SQA_MAX_STEPS 7

typedef enum sqa_argument_kind {
    SQA_ARGUMENT_BUFFER, /* the slot's cl_mem; given at each call */
    SQA_ARGUMENT_OFFSET, /* the slot's offset (sqa_element_places()), as a long; likewise */
    SQA_ARGUMENT_INT,
    SQA_ARGUMENT_LONG,
    SQA_ARGUMENT_FLOAT
} sqa_argument_kind;

typedef struct sqa_argument {
    sqa_argument_kind kind;
    sqa_element element; /* of the slot's tensor, of an offset */
    union {
        uint32_t slot;
        int32_t i;
        int64_t l;
        float f;
    } value;
} sqa_argument;

/* A function of somebody else's library, which enqueues kernels that it compiles itself. */
typedef struct sqa_library_call {
    const char *name; /* the function's */

    /* Bytes of the workspace, from its start, that it uses on the device. */
    sqa_status (*workspace)(const sqa_problem *problem, cl_context context, cl_device_id device,
                            size_t *bytes);

    /* Enqueues behind the wait list, on a queue in-order or not; *event is of the last command.
     * *refused is false before; where it fails and C is as it was before, true. */
    sqa_status (*enqueue)(const sqa_problem *problem, const sqa_tensor tensors[SQA_MAX_SLOTS],
                          cl_command_queue queue, cl_uint wait_count, const cl_event *wait_list,
                          cl_event *event, bool *refused);
} sqa_library_call;

/* A kernel, or a library's function. */
typedef struct sqa_launch_step {
    const sqa_library_call *call; /* NULL: a kernel */
    sqa_problem *problem;         /* of the call, the step's own; NULL: a kernel */
    bool packs; /* makes what is in SQA_SLOT_PACKED, of the weights alone; before all others */
    const char *kernel; /* name in the program; static storage */
    uint32_t dimensions;
    size_t global[3];
    size_t local[3]; /* local[0] == 0: the runtime's choice */
    sqa_argument *arguments;
    uint32_t argument_count;
} sqa_launch_step;

/* What is packed where `packs` says so, and how: equal numbers, and equal weights, are equal
 * bytes. Zero-filled: nothing is. */
typedef struct sqa_packing {
    size_t bytes;
    int32_t panel; /* columns of a panel */
} sqa_packing;

/* Zero-filled: nothing to enqueue. */
typedef struct sqa_launch {
    sqa_launch_step steps[SQA_MAX_STEPS]; /* in order; each waits for the one before */
    uint32_t step_count;
    size_t workspace_bytes;
    sqa_packing packing;
    bool failed; /* memory ran out; what is there is of no use */
} sqa_launch;

/* The next step, for its maker to fill; there are at most SQA_MAX_STEPS. */
sqa_launch_step *sqa_launch_add_step(sqa_launch *launch, const char *kernel, uint32_t dimensions);

/* A step that calls the library about the problem, which is copied. */
void sqa_launch_add_call(sqa_launch *launch, const sqa_library_call *call,
                         const sqa_problem *problem);

/* Whether it needs a program of this library's. */
bool sqa_launch_has_kernels(const sqa_launch *launch);

/* Makes the workspace large enough for the libraries that are called.
 * Errors: those of asking them. */
sqa_status sqa_launch_ask_libraries(sqa_launch *launch, cl_context context, cl_device_id device);

/* Room for a step's arguments, which it has none of yet; NULL: memory ran out. */
sqa_argument *sqa_launch_arguments(sqa_launch *launch, sqa_launch_step *step, uint32_t count);

/* Errors: SQA_OUT_OF_MEMORY, when making it failed. */
sqa_status sqa_launch_status(const sqa_launch *launch);

/* Leaves it zero-filled. */
void sqa_launch_free(sqa_launch *launch);

#endif
