/* All tensors of a problem on the host, and their copies on a device: what everybody makes
 * who holds a kernel against the reference. A run is looked over for whatever is wrong
 * without knowing the right answer: an element not written, a guard overwritten, an input
 * changed. */
#ifndef SQA_REFERENCE_HOST_TENSORS_H
#define SQA_REFERENCE_HOST_TENSORS_H

#include "reference/host_tensor.h"

#define SQA_FINDING_TEXT 256 /* what is wrong with a run */

typedef struct sqa_host_tensors {
    sqa_problem problem;
    sqa_host_tensor of[SQA_MAX_TENSORS]; /* without elements where the problem has none */
} sqa_host_tensors;

/* Random inputs as the operation's slots say; outputs are poison, updated ones random.
 * `guarded`, to check with: views begin and end among guards, at every alignment, and index
 * tensors are in any order there is. Otherwise, to time with: aligned and in order, as callers
 * mostly have them.
 * Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_host_tensors_create(sqa_host_tensors *out, const sqa_problem *problem, uint64_t seed,
                                   bool guarded);
void sqa_host_tensors_free(sqa_host_tensors *tensors);

/* The views, as the reference takes them, now and as they were before a run; they point into
 * the tensors. */
sqa_reference_inputs sqa_host_tensors_views(const sqa_host_tensors *tensors);
sqa_reference_inputs sqa_host_tensors_views_before(const sqa_host_tensors *tensors);

/* Makes the device buffers: inputs as they are now, outputs poisoned, updated ones as they are
 * before every run. */
sqa_status sqa_host_tensors_upload(sqa_host_tensors *tensors, cl_context context);

/* The outputs alone anew, as sqa_host_tensors_upload() has them, in buffers of their own: for
 * the next run on the same inputs. */
sqa_status sqa_host_tensors_renew_outputs(sqa_host_tensors *tensors, cl_context context);

/* The uploaded tensors as a call's; the workspace is left to the caller. */
void sqa_host_tensors_bind(const sqa_host_tensors *tensors, sqa_tensor out[SQA_MAX_SLOTS]);

/* Reads the outputs back and looks everything over. A violation is SQA_OK with a finding;
 * "" when all is well. */
sqa_status sqa_host_tensors_look_over(sqa_host_tensors *tensors, cl_command_queue queue,
                                      char finding[SQA_FINDING_TEXT]);

/* The same of the outputs alone. */
sqa_status sqa_host_tensors_look_over_outputs(sqa_host_tensors *tensors, cl_command_queue queue,
                                              char finding[SQA_FINDING_TEXT]);

#endif
