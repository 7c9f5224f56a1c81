/* Running a leaf's program on another problem that it can run: what warming up,
 * self-checking and trials share. */
#ifndef SQA_RUNTIME_SMALL_RUN_H
#define SQA_RUNTIME_SMALL_RUN_H

#include "runtime/leaf.h"

/* The leaf's problem as a relative of it. */
sqa_problem sqa_leaf_relative(const sqa_leaf *leaf, sqa_relative which);

/* Enqueues the leaf's program on `problem`, a relative or its own, and waits. The workspace
 * is brought along here. */
sqa_status sqa_small_run(const sqa_leaf *leaf, const sqa_problem *problem,
                         const sqa_tensor tensors[SQA_MAX_SLOTS], cl_command_queue queue);

#endif
