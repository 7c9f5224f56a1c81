/* The tensors of a call, from an operation's public struct of them to slots. */
#ifndef SQA_API_TENSORS_H
#define SQA_API_TENSORS_H

#include "runtime/plan.h"

/* Takes each tensor that the plan needs out of `tensors`, the operation's public struct, to
 * its slot, and `workspace` (NULL: the plan's own). Checks that the buffers belong to the
 * plan's OpenCL context and hold what it needs, and that nothing that is written shares an
 * element with another tensor, whatever buffers and sub-buffers the two are in.
 * Errors: SQA_INVALID_ARGUMENT, naming the tensors. */
sqa_status sqa_check_tensors(sqa_tensor out[SQA_MAX_SLOTS], const sqa_plan *plan,
                             const void *tensors, cl_mem workspace);

/* One of them alone: *out is without a buffer where the plan needs none. */
sqa_status sqa_check_tensor(sqa_tensor *out, const sqa_plan *plan, const void *tensors,
                            uint32_t slot);

#endif
