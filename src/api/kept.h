/* Where tensors that are kept lie in one buffer. */
#ifndef SQA_API_KEPT_H
#define SQA_API_KEPT_H

#include <stddef.h>

#include "problem/problem.h"

/* Behind the *bytes that there are, as far as devices want views aligned; the offset in the
 * tensor's elements. 0, where the problem has none. */
size_t sqa_kept_place(const sqa_problem *problem, uint32_t slot, size_t *bytes);

#endif
