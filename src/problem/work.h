/* How much work a problem is. */
#ifndef SQA_PROBLEM_WORK_H
#define SQA_PROBLEM_WORK_H

#include "problem/problem.h"

/* Keys that an average query sees, as far as the descriptor tells: causal masks,
 * windows, global tokens and the number of block list entries count; the bytes of
 * masks and the lengths of a ragged batch (taken as all alike) are not known. */
double sqa_problem_seen_keys(const sqa_problem *problem);

/* The part of all (query block, key block) pairs that block lists name: 0..1. */
double sqa_problem_listed_part(const sqa_problem *problem);

/* Floating-point operations the result needs: 2 (head_dim + value_dim) per
 * (query, seen key) pair and output head; softmax is not counted. Of block selection:
 * the means, and the scores of all block pairs. */
double sqa_problem_flops(const sqa_problem *problem);

/* Bytes that have to move at least once: every tensor once. */
double sqa_problem_bytes(const sqa_problem *problem);

#endif
