/* Checking a call's tensors against what its plan needs, before anything is enqueued. */
#ifndef SQA_API_TENSORS_H
#define SQA_API_TENSORS_H

#include "kernels/launch.h"
#include "problem/problem.h"
#include "sqa_cl/plan.h"

/* The member of the caller's struct that has the tensor of `role`. */
sqa_tensor *sqa_tensors_member(sqa_tensors *tensors, sqa_role role);

/* Fills `out` by role from the caller's tensors, `workspace` standing in when the
 * caller brings none. Errors: SQA_INVALID_ARGUMENT naming the tensor. */
sqa_status sqa_check_tensors(sqa_tensor out[SQA_ROLE_COUNT], const sqa_tensors *tensors,
                             const sqa_tensor_need needs[SQA_ROLE_TENSOR_COUNT], cl_mem workspace,
                             size_t workspace_bytes);

#endif
