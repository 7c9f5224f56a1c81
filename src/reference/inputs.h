/* Random inputs that are valid for a problem, for checks and timings: whoever holds
 * a kernel against the oracle, or times it, feeds it from here. */
#ifndef SQA_REFERENCE_INPUTS_H
#define SQA_REFERENCE_INPUTS_H

#include "problem/tensors.h"
#include "reference/random.h"

/* Fills the tensor of `role`, sqa_tensor_extent() elements: as float for every
 * floating-point type (not yet rounded to it), as uint8_t for masks, as int32_t
 * for index tensors.
 *   Q, K, V, bias  [-1, 1): with larger ones the rounding of dot products alone
 *                  would use up the tolerance of LSE near its zero
 *   sinks [-2, 2), slopes [0, 1/2)
 *   masks          three of four are not 0
 *   block lists    equally long, of blocks that some query may see where there are
 *                  enough; ascending, or in any order when `shuffled`
 *   cu_seqlens     lengths of every kind up to the longest, empty ones too */
void sqa_random_input(const sqa_problem *problem, sqa_role role, bool shuffled, sqa_random *random,
                      void *out);

#endif
