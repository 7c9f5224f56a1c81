/* From a launch description to enqueued kernels. */
#ifndef SQA_RUNTIME_ENQUEUE_H
#define SQA_RUNTIME_ENQUEUE_H

#include "kernels/launch.h"
#include "sqa_cl/export.h"
#include "sqa_cl/plan.h"

/* The kernels of a launch, one per step that is no call, with every argument set that does
 * not change between calls. Used by one thread at a time. */
typedef struct sqa_kernel_set {
    cl_kernel kernels[SQA_MAX_STEPS];
} sqa_kernel_set;

/* Errors: SQA_BUILD_FAILED when a kernel turned out too large for its work-group. */
sqa_status sqa_kernel_set_create(sqa_kernel_set *out, cl_program program, cl_device_id device,
                                 const sqa_launch *launch);
void sqa_kernel_set_release(sqa_kernel_set *set);

/* Sets the tensors and enqueues every step, but for packing where SQA_SLOT_PACKED has
 * a buffer, in order on `queue`, in-order or not. A launch without steps enqueues a marker, so that
 * *event still works. On failure, *refused (may be NULL) tells whether nothing was enqueued because
 * the device cannot run the first kernel, as some runtimes find out here only, or a library does
 * not do it. */
sqa_status sqa_enqueue(const sqa_kernel_set *set, const sqa_launch *launch,
                       const sqa_tensor tensors[SQA_MAX_SLOTS], cl_command_queue queue,
                       cl_uint wait_count, const cl_event *wait_list, cl_event *event,
                       bool *refused);

/* Likewise the steps alone that pack, into SQA_SLOT_PACKED. */
sqa_status sqa_enqueue_packing(const sqa_kernel_set *set, const sqa_launch *launch,
                               const sqa_tensor tensors[SQA_MAX_SLOTS], cl_command_queue queue,
                               cl_uint wait_count, const cl_event *wait_list, cl_event *event);

#endif
