/* The check before a configuration that was measured elsewhere (another driver,
 * another device) is used here for the first time. */
#ifndef SQA_RUNTIME_SELF_CHECK_H
#define SQA_RUNTIME_SELF_CHECK_H

#include "reference/judge.h"
#include "runtime/leaf.h"

/* Runs the leaf's program on random data and holds sampled rows against the fp64
 * reference. A program that passed once in this context is not run again, unless it is but
 * a part beside a library's.
 * Errors: SQA_WRONG_RESULT, and those of running. */
sqa_status sqa_self_check(const sqa_leaf *leaf);

/* The leaf's program on `problem`, which it can run, judged: in all rows or as many as do.
 * Tensors lie among guards. A wrong result is SQA_OK with passed == false. */
sqa_status sqa_leaf_judge(const sqa_leaf *leaf, const sqa_problem *problem, bool all_rows,
                          uint64_t seed, cl_command_queue queue, sqa_judgement *out);

/* The same on tensors that the caller has, guarded ones of a problem that the leaf's program
 * can run. `kept` (may be NULL): what the reference said of them before. */
sqa_status sqa_leaf_judge_on(const sqa_leaf *leaf, sqa_host_tensors *tensors, bool all_rows,
                             uint64_t seed, cl_command_queue queue, sqa_kept_rows *kept,
                             sqa_judgement *out);

#endif
