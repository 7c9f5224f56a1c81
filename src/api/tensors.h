/* The tensors of a call, from an operation's public struct of them to slots. */
#ifndef SQA_API_TENSORS_H
#define SQA_API_TENSORS_H

#include "operations/tensors.h"
#include "sqa_cl/plan.h"

/* Takes each slot's tensor out of `tensors`, the operation's public struct, and checks that
 * its buffer holds what the plan needs. The workspace, too: `workspace`, of which so many
 * bytes are needed.
 * Errors: SQA_INVALID_ARGUMENT, naming the tensor. */
sqa_status sqa_check_tensors(sqa_tensor out[SQA_MAX_SLOTS], const void *tensors,
                             const sqa_tensor_need needs[SQA_MAX_TENSORS], cl_mem workspace,
                             size_t workspace_bytes);

#endif
